/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps the record of a key. A claim is a row of a call: loaded, compared when the call is stored, and written. */
#include "ledger_redis_parts.h"

#include "alloc.h"
#include "own.h"

void redis_want_claims(struct redis_call *c, struct str claims) {
    for (size_t i = 0; i < claims_count(claims); i++) redis_want_claim(c, claims_at(claims, i).key);
}

RC redis_claims_agree(struct redis_call *c, const struct attempt *attempt, struct str claims, bool *out,
                      struct why *why) {
    bool agree = true;
    for (size_t i = 0; i < claims_count(claims) && agree; i++) {
        struct claim claim = claims_at(claims, i);
        struct claim_place own = {attempt->file, attempt->stripe, claim.offset};
        struct row *row = NULL;
        TRY(redis_claim(c, claim.key, &row, why));
        agree = rules_claim_agrees(&(struct ledger_claim){row->placed, row->place}, &own);
    }
    *out = agree;
    return RC_OK;
}

static void put(struct redis_call *c, const struct attempt *attempt, struct claim claim) {
    struct row *row = NULL;
    (void)!redis_claim(c, claim.key, &row, NULL); /* looked at before */
    row->place = (struct claim_place){attempt->file, attempt->stripe, claim.offset};
    row->placed = row->dirty = true;
}

/* That the generation has claims is told by a field of one hash (ledger_redis_save.c). */
static void note(struct redis_call *c, uint64_t generation) {
    redis_use_generation(c, generation);
    REDIS_WRITE(c, "hset", redis_key(c, "c"), redis_number(c, generation), STR("1"));
}

void redis_claims_put(struct redis_call *c, const struct attempt *attempt, struct str claims) {
    for (size_t i = 0; i < claims_count(claims); i++) put(c, attempt, claims_at(claims, i));
    if (claims.len) note(c, attempt->generation);
}

void redis_claims_force(struct redis_call *c, const struct attempt *attempt, struct str claims) {
    for (size_t i = 0; i < claims_count(claims); i++) {
        struct claim claim = claims_at(claims, i);
        struct claim_place place = {attempt->file, attempt->stripe, claim.offset};
        redis_claim_write(c, attempt->generation, claim.key, &place);
    }
    if (claims.len) note(c, attempt->generation);
}

struct lookup {
    const struct id *keys;
    size_t n;
    struct ledger_claim *answers;
};

static enum rc claims_body(struct redis_call *c, void *context, struct why *why) {
    struct lookup *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_claim(c, l->keys[i]);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) {
        struct row *row = NULL;
        TRY(redis_claim(c, l->keys[i], &row, why));
        l->answers[i] = (struct ledger_claim){row->placed, row->place};
    }
    return RC_OK;
}

enum rc ledger_redis_claims(void *self, struct ledger_at at, const struct id *keys, size_t n, struct ledger_claim *out,
                            struct why *why) {
    AUTO(own_free) struct ledger_claim *answers = alloc_zero(n, sizeof *answers);
    struct lookup l = {keys, n, answers};
    TRY(redis_call_run(self, at, false, claims_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- at the end of a recovery ---- */

enum { HASHES_AT_ONCE = 64 };

struct falling {
    struct id token;
    uint64_t generations[REDIS_GENERATIONS_MAX]; /* that have claims */
    size_t len, now;
    int hash; /* the first of those to be looked at */
};

static void ask_all(struct redis_call *c, struct redis_args *args, struct str key) {
    if (!args->len) redis_ask_begin(c, args, 0);
    redis_args_add(args, STR("a"));
    redis_args_add(args, key);
}

static enum rc generations_body(struct redis_call *c, void *context, struct why *why) {
    struct falling *f = context;
    struct redis_meta meta;
    struct redis_args args = {0};
    redisReply *reply = NULL;
    TRY(redis_own(c, f->token, &meta, why));
    ask_all(c, &args, redis_key(c, "c"));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    f->len = 0;
    const redisReply *all = reply->elements == 2 ? reply->element[1] : NULL;
    for (size_t i = 0; all && i + 1 < all->elements && f->len < REDIS_GENERATIONS_MAX; i += 2)
        if (str_parse_u64(redis_reply_str(all->element[i]), &f->generations[f->len]) == RC_OK) f->len++;
    redis_replies_free(&reply, 1);
    return RC_OK;
}

struct found_claim {
    struct str key, field; /* of the hash */
    struct claim_place place;
};

static RC read_hash(struct redis_call *c, struct str key, const redisReply *all, struct found_claim *out, size_t *n,
                    struct why *why) {
    for (size_t i = 0; i + 1 < all->elements; i += 2) {
        struct found_claim *claim = &out[(*n)++];
        claim->key = key;
        claim->field = arena_str(&c->arena, redis_reply_str(all->element[i]));
        TRY(redis_unpack_place(redis_reply_str(all->element[i + 1]), &claim->place, why));
        redis_want_stripe(c, claim->place.file, claim->place.stripe);
    }
    return RC_OK;
}

static RC drop_fallen(struct redis_call *c, const struct found_claim *claim, struct why *why) {
    struct row *row = NULL;
    bool covered = redis_file(c, claim->place.file)->f.found;
    if (covered) {
        TRY(redis_stripe(c, claim->place.file, claim->place.stripe, &row, why));
        covered = claim->place.offset < rules_at(&row->s.rules);
    }
    if (!covered) REDIS_WRITE(c, "hdel", claim->key, claim->field);
    return RC_OK;
}

static RC look_at(struct redis_call *c, const struct str *keys, const redisReply *reply, struct why *why) {
    size_t room = 0, n = 0;
    for (size_t i = 1; i < reply->elements; i++) room += reply->element[i]->elements / 2;
    struct found_claim *found = ARENA_ARRAY(&c->arena, struct found_claim, room + 1);
    for (size_t i = 1; i < reply->elements; i++) TRY(read_hash(c, keys[i - 1], reply->element[i], found, &n, why));
    TRY(redis_load(c, why));
    for (size_t i = 0; i < n; i++) TRY(drop_fallen(c, &found[i], why));
    return RC_OK;
}

static enum rc fallen_body(struct redis_call *c, void *context, struct why *why) {
    struct falling *f = context;
    struct redis_meta meta;
    struct redis_args args = {0};
    struct str keys[HASHES_AT_ONCE];
    redisReply *reply = NULL;
    TRY(redis_own(c, f->token, &meta, why));
    c->at.generation = f->generations[f->now];
    for (int i = 0; i < HASHES_AT_ONCE; i++) {
        keys[i] = redis_claims_key(c, c->at.generation, f->hash + i);
        ask_all(c, &args, keys[i]);
    }
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    rc = look_at(c, keys, reply, why);
    redis_replies_free(&reply, 1);
    if (rc == RC_OK) redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    return rc;
}

RC redis_claims_fallen(struct ledger_redis *l, struct id token, struct why *why) {
    AUTO(own_free) struct falling *f = ALLOC(struct falling);
    f->token = token;
    TRY(redis_call_run(l, (struct ledger_at){0}, false, generations_body, f, why));
    for (f->now = 0; f->now < f->len; f->now++)
        for (f->hash = 0; f->hash < REDIS_CLAIM_HASHES; f->hash += HASHES_AT_ONCE)
            TRY(redis_call_run(l, (struct ledger_at){0}, false, fallen_body, f, why));
    return RC_OK;
}
