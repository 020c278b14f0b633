/* SPDX-License-Identifier: Apache-2.0 */
/* How the rows of a call are loaded: rows of one hash by one command. */
#include "ledger_redis_call.h"

#include "alloc.h"
#include "num.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- what is asked ---- */

/* Rows of one file are neighbours (a claim's "file" is its key), so that they are asked in one script, and so of one
 * moment; its stripes ascend. */
static int by_place(const void *a, const void *b) {
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    bool x_index = x->kind == ROW_INDEX, y_index = y->kind == ROW_INDEX;
    if (x_index != y_index) return x_index ? 1 : -1;
    if (x_index) return str_compare(x->name, y->name);
    int order = id_compare(x->file, y->file);
    if (order) return order;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return x->stripe < y->stripe ? -1 : x->stripe > y->stripe;
}

static bool same_file(const struct row *a, const struct row *b) {
    return a->kind != ROW_INDEX && b->kind != ROW_INDEX && id_equal(a->file, b->file);
}

/* Do both lie in one hash, so that one command asks for them? */
static bool same_hash(const struct row *a, const struct row *b) {
    if (a->kind != b->kind) return false;
    if (a->kind == ROW_STRIPE)
        return id_equal(a->file, b->file) && a->stripe / REDIS_STRIPES_A_HASH == b->stripe / REDIS_STRIPES_A_HASH;
    return a->kind == ROW_FILE && a->file.bytes[0] == b->file.bytes[0] &&
           a->file.bytes[1] / 16 == b->file.bytes[1] / 16;
}

static struct str key_of(const struct row *row) { return (struct str){row->name.at + 1, row->name.len - 1}; }

static void add_request(struct redis_call *c, struct redis_args *args, struct row **rows, size_t n) {
    const struct row *row = rows[0];
    switch (row->kind) {
    case ROW_FILE:
        redis_args_add(args, STR("m"));
        redis_args_add(args, redis_file_key(c, row->file));
        redis_args_add(args, redis_number(c, n));
        for (size_t i = 0; i < n; i++) redis_args_add(args, key_of(rows[i]));
        break;
    case ROW_STRIPE:
        redis_args_add(args, STR("s"));
        redis_args_add(args, str_sub(key_of(row), 0, ID_BYTES));
        redis_args_add(args, redis_number(c, row->stripe / REDIS_STRIPES_A_HASH));
        redis_args_add(args, redis_number(c, n));
        for (size_t i = 0; i < n; i++) redis_args_add(args, redis_stripe_field(c, rows[i]->stripe));
        break;
    case ROW_INDEX:
        redis_args_add(args, STR("k"));
        redis_args_add(args, redis_index_key(c, key_of(row)));
        redis_args_add(args, key_of(row));
        break;
    case ROW_CLAIM:
        redis_args_add(args, STR("h"));
        redis_args_add(args, redis_claim_key(c, row->generation, row->file));
        redis_args_add(args, redis_copy_id(c, row->file, 1));
        break;
    case ROW_PROGRESS:
        redis_args_add(args, STR("p"));
        redis_args_add(args, key_of(row));
        break;
    }
}

/* ---- what is answered ---- */

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
    struct row *file = redis_file_row(c, row->ids[row->ids_len - 1]), *progress = redis_progress_row(c, file->file);
    if (!file->loaded) TRY(read_file(c, redis_reply_str(answer->element[1]), file, why));
    if (!progress->loaded) TRY(read_progress(c, answer->element[2], progress, why));
    return RC_OK;
}

static struct str keep(struct redis_call *c, const redisReply *reply) {
    struct str s = redis_reply_str(reply);
    return s.at ? arena_str(&c->arena, s) : s;
}

static void read_claim(struct redis_call *c, const redisReply *reply, struct row *row) {
    row->was = keep(c, reply);
    row->loaded = true;
}

static void read_stripe(struct redis_call *c, const redisReply *row_reply, const redisReply *rest, struct row *row) {
    row->was = keep(c, row_reply);
    row->s.reason = keep(c, rest); /* taken apart once the stripe's size is known */
    row->loaded = true;
}

/* The answer to one request: of one row, or of several that lie in one hash. */
static RC read_rows(struct redis_call *c, const redisReply *answer, struct row **rows, size_t n, struct why *why) {
    enum row_kind kind = rows[0]->kind;
    size_t each = kind == ROW_STRIPE ? 2 : 1;
    if (kind == ROW_INDEX) return read_index(c, answer, rows[0], why);
    if (kind == ROW_CLAIM) {
        read_claim(c, answer, rows[0]);
        return RC_OK;
    }
    if (kind == ROW_PROGRESS) return rows[0]->loaded ? RC_OK : read_progress(c, answer, rows[0], why);
    if (answer->type != REDIS_REPLY_ARRAY || answer->elements != each * n) return strange(why);
    for (size_t i = 0; i < n; i++) {
        redisReply **at = answer->element + each * i;
        if (kind == ROW_STRIPE)
            read_stripe(c, at[0], at[1], rows[i]);
        else if (!rows[i]->loaded)
            TRY(read_file(c, redis_reply_str(at[0]), rows[i], why));
    }
    return RC_OK;
}

void redis_ask_begin(struct redis_call *c, struct redis_args *args, uint64_t generation) {
    redis_args_add(args, redis_link_prefix(c->l->link));
    redis_args_add(args, redis_number(c, generation));
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

/* One script: rows, and its request's answers. */
struct asking {
    struct row **rows;
    size_t rows_len;
    size_t *runs; /* how many rows each request is about */
    size_t runs_len;
};

/* So many that no script keeps Redis from others for long; but a file is not divided. */
static size_t divide(struct redis_call *c, struct row **rows, size_t n, struct asking *out) {
    size_t len = 0, *runs = ARENA_ARRAY(&c->arena, size_t, n); /* no script has more of them than rows */
    struct asking *now = NULL;
    for (size_t i = 0; i < n; i++) {
        bool full = now && now->rows_len >= REDIS_ELEMENTS_A_SCRIPT && !same_file(rows[i - 1], rows[i]);
        if (!now || full) {
            now = &out[len++];
            *now = (struct asking){.rows = rows + i, .runs = runs + i};
        }
        bool joins = now->rows_len > 0 && now->runs[now->runs_len - 1] < REDIS_ELEMENTS_A_SCRIPT &&
                     same_hash(rows[i - 1], rows[i]);
        if (!joins) now->runs_len++;
        now->runs[now->runs_len - 1]++;
        now->rows_len++;
    }
    return len;
}

static void make_requests(struct redis_call *c, const struct asking *a, struct redis_args *args) {
    redis_ask_begin(c, args, c->at.generation);
    for (size_t i = 0, at = 0; i < a->runs_len; at += a->runs[i++]) add_request(c, args, a->rows + at, a->runs[i]);
}

static RC read_answers(struct redis_call *c, const struct asking *a, const redisReply *reply, struct why *why) {
    if (reply->elements != 1 + a->runs_len) return strange(why);
    for (size_t i = 0, at = 0; i < a->runs_len; at += a->runs[i++])
        TRY(read_rows(c, reply->element[1 + i], a->rows + at, a->runs[i], why));
    return RC_OK;
}

static RC load_rows(struct redis_call *c, struct row **rows, size_t n, struct why *why) {
    struct asking *asks = ARENA_ARRAY(&c->arena, struct asking, n / REDIS_ELEMENTS_A_SCRIPT + 1);
    size_t scripts = MAX(divide(c, rows, n, asks), (size_t)1); /* without rows: the generations */
    struct redis_args *args = alloc_zero(scripts, sizeof *args);
    redisReply **replies = alloc_zero(scripts, sizeof(redisReply *));
    for (size_t i = 0; i < scripts; i++) make_requests(c, &asks[i], &args[i]);
    enum rc rc = redis_ask(c, args, scripts, replies, why);
    for (size_t i = 0; i < scripts && rc == RC_OK; i++) rc = read_answers(c, &asks[i], replies[i], why);
    redis_replies_free(replies, scripts);
    free(replies);
    for (size_t i = 0; i < scripts; i++) redis_args_done(&args[i]);
    free(args);
    return rc;
}

RC redis_load(struct redis_call *c, struct why *why) {
    struct row **rows = ARENA_ARRAY(&c->arena, struct row *, c->rows_len);
    size_t n = 0;
    for (struct row *row = c->first; row; row = row->next)
        if (!row->loaded) rows[n++] = row;
    if (!n && c->generations) return RC_OK;
    if (n) qsort(rows, n, sizeof(struct row *), by_place);
    return load_rows(c, rows, n, why);
}
