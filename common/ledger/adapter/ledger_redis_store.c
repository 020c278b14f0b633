/* SPDX-License-Identifier: Apache-2.0 */
/* What a call stores: everything that changed, if all that it had looked at is as it was. */
#include "ledger_redis_call.h"

#include "must.h"
#include "num.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- store ---- */

/* What takes as many fields or members as there are; the rest has one key or order to keep. */
static bool takes_many(struct str op) {
    static const char *const list[] = {"hset", "zadd", "zrem", "sadd", "idx"};
    for (size_t i = 0; i < COUNT_OF(list); i++)
        if (str_equal(op, str_of(list[i]))) return true;
    return false;
}

void redis_write(struct redis_call *c, const char *op, const struct str *args, size_t n) {
    MUST(n >= 1);
    struct redis_op_ask ask = {str_of(op), args[0], args + 1, n - 1};
    redis_ops_add(&c->writes, &c->arena, &ask, takes_many(ask.name));
}

void redis_compare(struct redis_call *c, struct str key, struct str field, bool whole, struct str what) {
    struct str args[] = {field, what};
    struct redis_op_ask ask = {whole ? STR("x") : STR("p"), key, args, COUNT_OF(args)};
    redis_ops_add(&c->compares, &c->arena, &ask, field.len > 0);
}

void redis_use_generation(struct redis_call *c, uint64_t generation) {
    for (size_t i = 0; i < c->generations_len; i++)
        if (c->generations[i] == generation) return;
    if (c->generations_len == REDIS_GENERATIONS_MAX) return;
    c->generations[c->generations_len++] = generation;
    c->generations_touched = true;
    struct buf text = BUF_INIT(32);
    buf_add_format(&text, "%" PRIu64 ",", generation);
    REDIS_WRITE(c, "append", redis_key(c, "gens"), arena_str(&c->arena, buf_str(&text)));
    buf_done(&text);
}

void redis_work_add(struct redis_call *c, struct id file) {
    redis_use_generation(c, c->at.generation);
    REDIS_WRITE(c, "zadd", redis_key(c, "w:%" PRIu64, c->at.generation), STR("0"), redis_copy_id(c, file, 0));
}

static struct str packed(struct redis_call *c, struct buf *b) {
    struct str out = arena_str(&c->arena, buf_str(b));
    buf_done(b);
    return out;
}

void redis_stripe_write(struct redis_call *c, struct row *row, uint64_t generation, uint64_t epoch) {
    struct buf bytes = BUF_INIT(REDIS_ROW_MAX), rest = BUF_INIT(REDIS_ROW_MAX);
    uint64_t bucket = row->stripe / REDIS_STRIPES_A_HASH;
    row->s.stamp = (row->s.stamp + 1) & 0xffffff;
    redis_pack_stripe(&bytes, &rest, &row->s, epoch);
    struct str more = packed(c, &rest);
    REDIS_WRITE(c, "hset", redis_stripe_key(c, generation, row->file, row->stripe), redis_stripe_field(c, row->stripe),
                packed(c, &bytes));
    if (more.len)
        REDIS_WRITE(c, "set", redis_rest_key(c, generation, row->file, row->stripe), more);
    else if (row->s.had_rest)
        REDIS_WRITE(c, "del", redis_rest_key(c, generation, row->file, row->stripe));
    if (!row->s.found && bucket > 0)
        REDIS_WRITE(c, "sadd", redis_named(c, 't', generation, row->file, ""), redis_number(c, bucket));
}

static struct str big(struct redis_call *c, uint64_t n) {
    struct buf b = BUF_INIT(8);
    redis_pack_u64(&b, n);
    return packed(c, &b);
}

static struct str signed_number(struct redis_call *c, int64_t n) {
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, n);
    return arena_str(&c->arena, (struct str){text, (size_t)len});
}

static void store_stripe(struct redis_call *c, struct row *row) {
    struct redis_share now = redis_share_of(&row->s);
    const struct rules_stripe *rules = &row->s.rules;
    struct row *file = redis_file(c, row->file);
    if (!file->gain) file->gain = ARENA_NEW(&c->arena, struct redis_gain);
    struct redis_gain *gain = file->gain;
    uint64_t reach = rules->winners_len ? rules_at(rules) : 0;
    redis_use_generation(c, row->generation);
    redis_stripe_write(c, row, row->generation, c->at.epoch);
    gain->outstanding += (int64_t)(now.outstanding - row->before.outstanding);
    gain->set_aside += (int64_t)(now.set_aside - row->before.set_aside);
    if (reach <= gain->reach) return;
    gain->reach = reach;
    gain->tail = rules->winners[rules->winners_len - 1].tail_hash;
}

/* Stripes are of the call's generation. */
static void store_gain(struct redis_call *c, const struct row *file) {
    const struct redis_gain *gain = file->gain;
    REDIS_WRITE(c, "prog", redis_progress_key(c, file->file, c->at.generation), redis_copy_id(c, file->file, 2),
                big(c, gain->reach), big(c, gain->tail), signed_number(c, gain->outstanding),
                signed_number(c, gain->set_aside));
}

void redis_claim_write(struct redis_call *c, uint64_t generation, struct id key, const struct claim_place *place) {
    struct buf bytes = BUF_INIT(64);
    redis_use_generation(c, generation);
    redis_pack_place(&bytes, place);
    REDIS_WRITE(c, "hset", redis_claim_key(c, generation, key), redis_copy_id(c, key, 1), packed(c, &bytes));
}

static void store_row(struct redis_call *c, struct row *row) {
    struct buf bytes = BUF_INIT(REDIS_ROW_MAX);
    struct str key = {row->name.at + 1, row->name.len - 1};
    if (row->kind == ROW_STRIPE) {
        store_stripe(c, row);
    } else if (row->kind == ROW_CLAIM) {
        redis_claim_write(c, row->generation, row->file, &row->place);
    } else if (row->kind == ROW_FILE) {
        row->f.stamp++;
        redis_pack_file(&bytes, &row->f);
        REDIS_WRITE(c, "hset", redis_file_key(c, row->file), key, packed(c, &bytes));
    } else if (row->kind == ROW_INDEX) {
        REDIS_WRITE(c, "hset", redis_index_key(c, key), key,
                    (struct str){(const char *)row->ids, row->ids_len * ID_BYTES});
    }
}

static void compare_progress(struct redis_call *c, struct row *row) {
    for (size_t i = 0; i < row->progress_len; i++) {
        struct buf bytes = BUF_INIT(64);
        if (row->progress[i].found) redis_pack_progress(&bytes, &row->progress[i]);
        redis_compare(c, redis_progress_key(c, row->file, c->generations[i]), redis_copy_id(c, row->file, 2), true,
                      packed(c, &bytes));
    }
}

static void compare_row(struct redis_call *c, struct row *row) {
    struct str key = {row->name.at + 1, row->name.len - 1};
    struct str was = row->was;
    if (row->kind == ROW_FILE)
        redis_compare(c, redis_file_key(c, row->file), key, false, was.at ? str_sub(was, 0, REDIS_FILE_STAMP) : was);
    else if (row->kind == ROW_STRIPE)
        redis_compare(c, redis_stripe_key(c, row->generation, row->file, row->stripe),
                      redis_stripe_field(c, row->stripe), false, was.at ? str_sub(was, 0, REDIS_STRIPE_STAMP) : was);
    else if (row->kind == ROW_INDEX)
        redis_compare(c, redis_index_key(c, key), key, true, was);
    else if (row->kind == ROW_CLAIM)
        redis_compare(c, redis_claim_key(c, row->generation, row->file), redis_copy_id(c, row->file, 1), true, was);
    else
        compare_progress(c, row);
}

RC redis_store(struct redis_call *c, bool *out_done, struct why *why) {
    *out_done = true;
    for (struct row *row = c->first; row; row = row->next)
        if (row->dirty) store_row(c, row);
    for (struct row *row = c->first; row; row = row->next)
        if (row->gain) store_gain(c, row);
    if (!c->writes.len) return RC_OK;
    for (struct row *row = c->first; row; row = row->next)
        if (row->touched && row->loaded) compare_row(c, row);
    /* Also where nothing of it was used: its generation may have been forgotten meanwhile. */
    if (c->generations_touched || (c->gated && c->generations))
        redis_compare(c, redis_key(c, "gens"), STR(""), true, c->generations_was);
    struct redis_args args = {0};
    redisReply *reply = NULL;
    redis_args_add(&args, redis_number(c, c->compares.len));
    redis_ops_tell(&c->compares, &c->arena, &args);
    redis_ops_tell(&c->writes, &c->arena, &args);
    enum rc rc = redis_link_run(c->l->link, REDIS_COMMIT, c->gated ? c->at.epoch : 0, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    *out_done = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    redis_replies_free(&reply, 1);
    return RC_OK;
}
