/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_staged.h"

#include "num.h"

#include <inttypes.h>
#include <stdlib.h>

static struct str done(struct redis_call *c, struct buf *b) {
    struct str out = arena_str(&c->arena, buf_str(b));
    buf_done(b);
    return out;
}

struct str redis_staged_field(struct redis_call *c, const struct redis_given *g) {
    struct buf b = BUF_INIT(REDIS_STAGED_FIELD);
    redis_pack_u64(&b, g->generation);
    redis_pack_u64(&b, g->stripe);
    redis_pack_u64(&b, g->given.winner.from);
    buf_add(&b, redis_id_str(&g->given.winner.attempt));
    return done(c, &b);
}

struct str redis_staged_key(struct redis_call *c, uint64_t target, struct id file) {
    return redis_named(c, 'r', target, file, "");
}

struct str redis_staged_files(struct redis_call *c, uint64_t target) {
    return redis_key(c, "r:%" PRIu64, target);
}

struct str redis_staged_pack(struct redis_call *c, const struct redis_given *g) {
    const struct rules_winner *w = &g->given.winner;
    struct buf b = BUF_INIT(256);
    redis_pack_varint(&b, w->to);
    buf_add(&b, redis_id_str(&g->given.predecessor));
    buf_add_char(&b, (char)g->given.has_counts);
    redis_pack_u64(&b, w->tail_hash);
    redis_pack_varint(&b, w->messages);
    redis_pack_counts(&b, &w->counts);
    return done(c, &b);
}

RC redis_staged_unpack(struct str field, struct str value, struct redis_given *out, struct why *why) {
    struct redis_reader f = {field, false}, r = {value, false};
    struct rules_winner *w = &out->given.winner;
    *out = (struct redis_given){.generation = redis_take_u64(&f)};
    out->stripe = redis_take_u64(&f);
    w->from = redis_take_u64(&f);
    w->attempt = redis_take_id(&f);
    w->to = redis_take_varint(&r);
    out->given.predecessor = redis_take_id(&r);
    out->given.has_counts = redis_take_varint(&r) != 0;
    w->tail_hash = redis_take_u64(&r);
    w->messages = (uint32_t)redis_take_varint(&r);
    w->counts = redis_take_counts(&r);
    if (!f.bad && !r.bad && !f.rest.len && !r.rest.len) return RC_OK;
    return why_set(why, RC_BROKEN, "the ledger is damaged: a staged winner cannot be read");
}

void redis_staged_merge(struct redis_given *fresh, const struct redis_given *old) {
    uint32_t messages = MAX(fresh->given.winner.messages, old->given.winner.messages);
    if (fresh->given.has_counts < old->given.has_counts)
        *fresh = *old;
    else
        fresh->given.winner.messages = messages;
}

static RC ask(struct redis_call *c, const struct str *words, size_t n, redisReply **out, struct why *why) {
    struct redis_args args = {0};
    redis_ask_begin(c, &args, 0);
    for (size_t i = 0; i < n; i++) redis_args_add(&args, words[i]);
    enum rc rc = redis_ask(c, &args, 1, out, why);
    redis_args_done(&args);
    if (rc == RC_OK && (*out)->elements >= 2 && (*out)->element[1]->type == REDIS_REPLY_ARRAY) return RC_OK;
    if (rc == RC_OK) {
        redis_replies_free(out, 1);
        rc = why_set(why, RC_BROKEN, "the load script answers something else");
    }
    return rc;
}

RC redis_staged_page(struct redis_call *c, uint64_t target, struct id after, size_t max, struct id *out, size_t *out_n,
                     struct why *why) {
    redisReply *reply = NULL;
    const struct str words[] = {STR("z"), redis_staged_files(c, target),
                                id_is_none(after) ? STR("") : redis_id_str(&after), redis_number(c, max)};
    TRY(ask(c, words, 4, &reply, why));
    const redisReply *list = reply->element[1];
    *out_n = 0;
    for (size_t i = 0; i < list->elements && i < max; i++) {
        struct str id = redis_reply_str(list->element[i]);
        if (id_from_bytes(id.at, id.len, &out[*out_n]) == RC_OK) ++*out_n;
    }
    redis_replies_free(&reply, 1);
    return RC_OK;
}

static int by_place(const void *a, const void *b) {
    const struct redis_given *x = a, *y = b;
    if (x->generation != y->generation) return x->generation < y->generation ? -1 : 1;
    if (x->stripe != y->stripe) return x->stripe < y->stripe ? -1 : 1;
    if (x->given.winner.from != y->given.winner.from) return x->given.winner.from < y->given.winner.from ? -1 : 1;
    return id_compare(x->given.winner.attempt, y->given.winner.attempt);
}

static RC read_staged(struct redis_call *c, const redisReply *list, struct redis_staged *out, struct why *why) {
    out->len = list->elements / 2;
    out->given = ARENA_ARRAY(&c->arena, struct redis_given, out->len);
    for (size_t i = 0; i < out->len; i++)
        TRY(redis_staged_unpack(redis_reply_str(list->element[2 * i]), redis_reply_str(list->element[2 * i + 1]),
                                &out->given[i], why));
    if (out->len) qsort(out->given, out->len, sizeof *out->given, by_place);
    return RC_OK;
}

RC redis_staged_load(struct redis_call *c, uint64_t target, const struct id *files, size_t n, struct redis_staged *out,
                     struct why *why) {
    redisReply *reply = NULL;
    struct str *words = ARENA_ARRAY(&c->arena, struct str, 2 * n);
    if (!n) return RC_OK;
    for (size_t i = 0; i < n; i++) {
        words[2 * i] = STR("a");
        words[2 * i + 1] = redis_staged_key(c, target, files[i]);
    }
    TRY(ask(c, words, 2 * n, &reply, why));
    enum rc rc = reply->elements == n + 1 ? RC_OK : why_set(why, RC_BROKEN, "the load script answers something else");
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = read_staged(c, reply->element[1 + i], &out[i], why);
    redis_replies_free(&reply, 1);
    return rc;
}
