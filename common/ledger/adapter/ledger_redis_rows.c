/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a call: which there are. */
#include "ledger_redis_call.h"

#include "num.h"

#include <inttypes.h>

enum { NAME_MAX = 512 };

/* ---- rows ---- */

static struct row **slot(struct redis_call *c, struct str name) {
    struct row **at = &c->table[hash_bytes(name) % c->table_len];
    while (*at && !str_equal((*at)->name, name)) at = &(*at)->same;
    return at;
}

static void grow_table(struct redis_call *c) {
    if (c->rows_len < 2 * c->table_len) return;
    c->table_len *= 8;
    c->table = ARENA_ARRAY(&c->arena, struct row *, c->table_len);
    for (struct row *row = c->first; row; row = row->next) {
        row->same = NULL;
        *slot(c, row->name) = row;
    }
}

static struct row *row_of(struct redis_call *c, enum row_kind kind, struct str key) {
    char small[NAME_MAX];
    size_t len = key.len + 1;
    char *name = len <= sizeof small ? small : arena_alloc(&c->arena, len);
    name[0] = (char)kind;
    memcpy(name + 1, key.at, key.len);
    struct row **at = slot(c, (struct str){name, len});
    if (*at) return *at;
    struct row *row = *at = ARENA_NEW(&c->arena, struct row);
    row->kind = kind;
    row->name = arena_str(&c->arena, (struct str){name, len});
    *c->last = row;
    c->last = &row->next;
    c->rows_len++;
    grow_table(c);
    return row;
}

static struct row *stripe_row(struct redis_call *c, struct id file, uint64_t stripe) {
    char key[ID_BYTES + sizeof stripe];
    memcpy(key, file.bytes, ID_BYTES);
    memcpy(key + ID_BYTES, &stripe, sizeof stripe);
    struct row *row = row_of(c, ROW_STRIPE, (struct str){key, sizeof key});
    row->file = file;
    row->stripe = stripe;
    row->generation = c->at.generation;
    return row;
}

/* The key of an identity as a hash's field: all of it, so that no two can meet. */
static struct str key_field(struct redis_call *c, const struct facts *key) {
    struct buf b = BUF_INIT(LEDGER_TEXT_MAX + 64);
    redis_pack_u64(&b, key->inode);
    redis_pack_u64(&b, (uint64_t)key->birth_ns);
    redis_pack_varint(&b, key->volume);
    buf_add(&b, key->source);
    struct str out = arena_str(&c->arena, buf_str(&b));
    buf_done(&b);
    return out;
}

struct row *redis_file_row(struct redis_call *c, struct id file) {
    struct row *row = row_of(c, ROW_FILE, redis_id_str(&file));
    row->file = file;
    return row;
}

struct row *redis_progress_row(struct redis_call *c, struct id file) {
    struct row *row = row_of(c, ROW_PROGRESS, redis_id_str(&file));
    row->file = file;
    return row;
}

void redis_index_note(struct redis_call *c, const struct facts *key, struct id id) {
    struct str field = key_field(c, key);
    REDIS_WRITE(c, "idx", redis_index_key(c, field), field, redis_copy_id(c, id, 0));
}

static struct row *claim_row(struct redis_call *c, struct id key) {
    struct row *row = row_of(c, ROW_CLAIM, redis_id_str(&key));
    row->file = key; /* of a claim: its key */
    row->generation = c->at.generation;
    return row;
}

void redis_want_claim(struct redis_call *c, struct id key) { (void)claim_row(c, key); }

RC redis_claim(struct redis_call *c, struct id key, struct row **out, struct why *why) {
    struct row *row = claim_row(c, key);
    if (!row->touched && row->was.at) {
        TRY(redis_unpack_place(row->was, &row->place, why));
        row->placed = true;
    }
    row->touched = true;
    *out = row;
    return RC_OK;
}

void redis_want_file(struct redis_call *c, struct id file) { (void)redis_file_row(c, file); }
void redis_want_progress(struct redis_call *c, struct id file) { (void)redis_progress_row(c, file); }
void redis_want_key(struct redis_call *c, const struct facts *key) { (void)row_of(c, ROW_INDEX, key_field(c, key)); }
void redis_want_stripe(struct redis_call *c, struct id file, uint64_t stripe) {
    redis_want_file(c, file);
    (void)stripe_row(c, file, stripe);
}

struct row *redis_file(struct redis_call *c, struct id file) {
    struct row *row = redis_file_row(c, file);
    row->touched = true;
    return row;
}

struct row *redis_index(struct redis_call *c, const struct facts *key) {
    struct row *row = row_of(c, ROW_INDEX, key_field(c, key));
    row->touched = true;
    return row;
}

struct row *redis_progress(struct redis_call *c, struct id file) {
    struct row *row = redis_progress_row(c, file);
    row->touched = c->generations_touched = true;
    return row;
}

struct redis_progress *redis_progress_mine(struct redis_call *c, struct id file) {
    struct row *row = redis_progress_row(c, file);
    for (size_t i = 0; i < row->progress_len; i++)
        if (c->generations[i] == c->at.generation) return &row->progress[i];
    struct redis_progress *none = ARENA_NEW(&c->arena, struct redis_progress);
    none->receipted = -1;
    return none;
}

RC redis_stripe(struct redis_call *c, struct id file, uint64_t stripe, struct row **out, struct why *why) {
    struct row *of = redis_file(c, file), *row = stripe_row(c, file, stripe);
    uint64_t bytes = of->f.facts.stripe_bytes;
    if (stripe > (uint64_t)INT64_MAX / bytes || stripe >> 53)
        return why_set(why, RC_BAD, "stripe %" PRIu64 " lies behind 2^63", stripe);
    if (!row->touched) {
        struct str rest = row->s.reason; /* where load put it */
        TRY(redis_unpack_stripe(row->was, rest, stripe_start(stripe, bytes), c->at.epoch, &c->arena, &row->s, why));
        row->before = redis_share_of(&row->s);
        row->touched = true;
    }
    *out = row;
    return RC_OK;
}

struct rules_winner *redis_winner_room(struct redis_call *c, struct row *row) {
    struct rules_stripe *rules = &row->s.rules;
    struct rules_winner *more = ARENA_ARRAY(&c->arena, struct rules_winner, rules->winners_len + 1);
    if (rules->winners_len) memcpy(more, rules->winners, rules->winners_len * sizeof *more);
    rules->winners = more;
    return &more[rules->winners_len++];
}

void redis_void_add(struct redis_call *c, struct row *row, struct rules_void add) {
    struct rules_stripe *rules = &row->s.rules;
    struct rules_void *more = ARENA_ARRAY(&c->arena, struct rules_void, rules->voids_len + 1);
    if (rules->voids_len) memcpy(more, rules->voids, rules->voids_len * sizeof *more);
    more[rules->voids_len++] = add;
    rules->voids = more;
    row->dirty = true;
}

void redis_index_add(struct redis_call *c, struct row *row, struct id id) {
    struct id *more = ARENA_ARRAY(&c->arena, struct id, row->ids_len + 1);
    if (row->ids_len) memcpy(more, row->ids, row->ids_len * sizeof *more);
    more[row->ids_len++] = id;
    row->ids = more;
    row->dirty = true;
}

uint64_t redis_closed_end(const struct redis_file *file, bool *out_closed) {
    *out_closed = file->ends_len > 0;
    return *out_closed ? file->ends[file->ends_len - 1] : 0;
}
