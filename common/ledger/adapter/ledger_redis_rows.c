/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a call: which there are, and how they are loaded. */
#include "ledger_redis_call.h"

#include "alloc.h"
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

static struct row *file_row(struct redis_call *c, struct id file) {
    struct row *row = row_of(c, ROW_FILE, redis_id_str(&file));
    row->file = file;
    return row;
}

static struct row *progress_row(struct redis_call *c, struct id file) {
    struct row *row = row_of(c, ROW_PROGRESS, redis_id_str(&file));
    row->file = file;
    return row;
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
        struct redis_reader r = {.rest = row->was};
        row->place.file = redis_take_id(&r);
        row->place.stripe = redis_take_varint(&r);
        row->place.offset = redis_take_varint(&r);
        row->placed = true;
        if (r.bad || r.rest.len) return why_set(why, RC_BROKEN, "the ledger is damaged: a claim");
    }
    row->touched = true;
    *out = row;
    return RC_OK;
}

void redis_want_file(struct redis_call *c, struct id file) { (void)file_row(c, file); }
void redis_want_progress(struct redis_call *c, struct id file) { (void)progress_row(c, file); }
void redis_want_key(struct redis_call *c, const struct facts *key) { (void)row_of(c, ROW_INDEX, key_field(c, key)); }
void redis_want_stripe(struct redis_call *c, struct id file, uint64_t stripe) {
    redis_want_file(c, file);
    (void)stripe_row(c, file, stripe);
}

struct row *redis_file(struct redis_call *c, struct id file) {
    struct row *row = file_row(c, file);
    row->touched = true;
    return row;
}

struct row *redis_index(struct redis_call *c, const struct facts *key) {
    struct row *row = row_of(c, ROW_INDEX, key_field(c, key));
    row->touched = true;
    return row;
}

struct row *redis_progress(struct redis_call *c, struct id file) {
    struct row *row = progress_row(c, file);
    row->touched = c->generations_touched = true;
    return row;
}

struct redis_progress *redis_progress_mine(struct redis_call *c, struct id file) {
    struct row *row = progress_row(c, file);
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

/* ---- load ---- */

static void add_requests(struct redis_call *c, struct redis_args *args, struct row *row) {
    struct str key = {row->name.at + 1, row->name.len - 1};
    switch (row->kind) {
    case ROW_FILE:
        redis_args_add(args, STR("h"));
        redis_args_add(args, redis_file_key(c, row->file));
        redis_args_add(args, key);
        break;
    case ROW_STRIPE:
        redis_args_add(args, STR("s"));
        redis_args_add(args, redis_stripe_key(c, row->generation, row->file, row->stripe));
        redis_args_add(args, redis_stripe_field(c, row->stripe));
        redis_args_add(args, redis_rest_key(c, row->generation, row->file, row->stripe));
        break;
    case ROW_INDEX:
        redis_args_add(args, STR("k"));
        redis_args_add(args, redis_key(c, "k:%d", (int)(hash_bytes(key) & 0xffff)));
        redis_args_add(args, key);
        break;
    case ROW_CLAIM:
        redis_args_add(args, STR("h"));
        redis_args_add(args, redis_claim_key(c, row->generation, row->file));
        redis_args_add(args, redis_copy_id(c, row->file, 1));
        break;
    case ROW_PROGRESS:
        redis_args_add(args, STR("p"));
        redis_args_add(args, key);
        break;
    }
}

static RC strange(struct why *why) { return why_set(why, RC_BROKEN, "the load script answers something else"); }

/* Forgotten generations stay in the list, marked by a '!': "1!,2,". */
static RC read_generation(struct redis_call *c, struct str one, struct why *why) {
    size_t n = c->generations_len;
    bool forgotten = str_ends(one, STR("!"));
    if (forgotten) one.len--;
    if (n == REDIS_GENERATIONS_MAX || str_parse_u64(one, &c->generations[n]) != RC_OK)
        return why_set(why, RC_BROKEN, "the ledger is damaged: its list of generations");
    c->forgotten[n] = forgotten;
    c->generations_len++;
    if (!forgotten || !c->gated || c->forgets || c->generations[n] != c->at.generation) return RC_OK;
    return why_set(why, RC_DENIED, LEDGER_FORGOTTEN_WORDS, c->at.generation);
}

static RC read_generations(struct redis_call *c, struct str text, struct why *why) {
    struct str rest = text, one;
    if (c->generations && str_equal(text, c->generations_was)) return RC_OK;
    if (c->generations) {
        c->overtaken = true;
        return why_set(why, RC_BUSY, "the list of generations changed meanwhile");
    }
    c->generations_was = arena_str(&c->arena, text);
    c->generations = ARENA_ARRAY(&c->arena, uint64_t, REDIS_GENERATIONS_MAX);
    c->forgotten = ARENA_ARRAY(&c->arena, bool, REDIS_GENERATIONS_MAX);
    while (str_cut(&rest, ',', &one)) {
        if (one.len) TRY(read_generation(c, one, why));
    }
    c->generations_stored = c->generations_len;
    return RC_OK;
}

static RC read_progress(struct redis_call *c, const redisReply *answer, struct row *row, struct why *why) {
    row->progress = ARENA_ARRAY(&c->arena, struct redis_progress, c->generations_stored);
    row->progress_len = c->generations_stored;
    row->loaded = true;
    if (answer->type != REDIS_REPLY_ARRAY || answer->elements != 2 * c->generations_stored) return strange(why);
    for (size_t i = 0; i < c->generations_stored; i++)
        TRY(redis_unpack_progress(redis_reply_str(answer->element[2 * i + 1]), &row->progress[i], why));
    return RC_OK;
}

static RC read_file(struct redis_call *c, struct str bytes, struct row *row, struct why *why) {
    row->was = bytes.at ? arena_str(&c->arena, bytes) : bytes;
    row->loaded = true;
    return redis_unpack_file(row->was, row->file, &c->arena, &row->f, why);
}

static RC read_index(struct redis_call *c, const redisReply *answer, struct row *row, struct why *why) {
    if (answer->type != REDIS_REPLY_ARRAY || answer->elements != 3) return strange(why);
    struct str ids = redis_reply_str(answer->element[0]);
    if (ids.len % ID_BYTES) return why_set(why, RC_BROKEN, "the ledger is damaged: an entry of the index");
    row->loaded = true;
    row->was = ids.at ? arena_str(&c->arena, ids) : ids;
    row->ids_len = ids.len / ID_BYTES;
    row->ids = ARENA_ARRAY(&c->arena, struct id, row->ids_len);
    if (ids.at) memcpy(row->ids, ids.at, ids.len);
    if (!row->ids_len) return RC_OK;
    struct row *file = file_row(c, row->ids[row->ids_len - 1]), *progress = progress_row(c, file->file);
    if (!file->loaded) TRY(read_file(c, redis_reply_str(answer->element[1]), file, why));
    if (!progress->loaded) TRY(read_progress(c, answer->element[2], progress, why));
    return RC_OK;
}

static void read_claim(struct redis_call *c, struct str bytes, struct row *row) {
    row->was = bytes.at ? arena_str(&c->arena, bytes) : bytes;
    row->loaded = true;
}

static RC read_row(struct redis_call *c, const redisReply *answer, struct row *row, struct why *why) {
    switch (row->kind) {
    case ROW_FILE: return row->loaded ? RC_OK : read_file(c, redis_reply_str(answer), row, why);
    case ROW_INDEX: return read_index(c, answer, row, why);
    case ROW_PROGRESS: return row->loaded ? RC_OK : read_progress(c, answer, row, why);
    case ROW_CLAIM: read_claim(c, redis_reply_str(answer), row); return RC_OK;
    case ROW_STRIPE: break;
    }
    if (answer->type != REDIS_REPLY_ARRAY || answer->elements < 1) return strange(why);
    struct str bytes = redis_reply_str(answer->element[0]);
    struct str rest = answer->elements > 1 ? redis_reply_str(answer->element[1]) : (struct str){0};
    row->was = bytes.at ? arena_str(&c->arena, bytes) : bytes;
    row->s.reason = rest.at ? arena_str(&c->arena, rest) : rest; /* taken apart once the stripe's size is known */
    row->loaded = true;
    return RC_OK;
}

static void args_head(struct redis_call *c, struct redis_args *args) {
    redis_args_add(args, redis_link_prefix(c->l->link));
    redis_args_add(args, redis_number(c, c->at.generation));
}

RC redis_ask(struct redis_call *c, struct redis_args *requests, size_t scripts, redisReply **out, struct why *why) {
    TRY(redis_link_run(c->l->link, REDIS_LOAD, c->gated ? c->at.epoch : 0, requests, scripts, out, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < scripts && rc == RC_OK; i++) {
        if (out[i]->type != REDIS_REPLY_ARRAY || out[i]->elements < 1)
            rc = strange(why);
        else
            rc = read_generations(c, redis_reply_str(out[i]->element[0]), why);
    }
    if (rc != RC_OK) redis_replies_free(out, scripts);
    return rc;
}

/* Scripts of so many elements each, one behind the other: none keeps Redis from others for long. */
static size_t make_requests(struct redis_call *c, struct row **rows, size_t n, struct redis_args **out) {
    size_t scripts = MAX(num_ceil_div(n, REDIS_ELEMENTS_A_SCRIPT), (uint64_t)1);
    *out = alloc_zero(scripts, sizeof **out);
    for (size_t i = 0; i < scripts; i++) args_head(c, &(*out)[i]);
    for (size_t i = 0; i < n; i++) add_requests(c, &(*out)[i / REDIS_ELEMENTS_A_SCRIPT], rows[i]);
    return scripts;
}

static RC read_rows(struct redis_call *c, redisReply **replies, size_t scripts, struct row **rows, size_t n,
                    struct why *why) {
    for (size_t i = 0; i < scripts; i++)
        if (replies[i]->elements != 1 + MIN(n - i * REDIS_ELEMENTS_A_SCRIPT, (size_t)REDIS_ELEMENTS_A_SCRIPT))
            return strange(why);
    for (size_t i = 0; i < n; i++) {
        const redisReply *reply = replies[i / REDIS_ELEMENTS_A_SCRIPT];
        TRY(read_row(c, reply->element[1 + i % REDIS_ELEMENTS_A_SCRIPT], rows[i], why));
    }
    return RC_OK;
}

RC redis_load(struct redis_call *c, struct why *why) {
    struct row **rows = ARENA_ARRAY(&c->arena, struct row *, c->rows_len);
    struct redis_args *requests = NULL;
    size_t n = 0;
    for (struct row *row = c->first; row; row = row->next)
        if (!row->loaded) rows[n++] = row;
    if (!n && c->generations) return RC_OK;
    size_t scripts = make_requests(c, rows, n, &requests);
    redisReply **replies = alloc_zero(scripts, sizeof(redisReply *));
    enum rc rc = redis_ask(c, requests, scripts, replies, why);
    if (rc == RC_OK) rc = read_rows(c, replies, scripts, rows, n, why);
    redis_replies_free(replies, scripts);
    free(replies);
    for (size_t i = 0; i < scripts; i++) redis_args_done(&requests[i]);
    free(requests);
    return rc;
}
