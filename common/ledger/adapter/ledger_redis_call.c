/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_call.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { TABLE = 256, KEY_MAX = 512 };

/* ---- names ---- */

struct str redis_key(struct redis_call *c, const char *format, ...) {
    char text[KEY_MAX];
    struct str prefix = redis_link_prefix(c->l->link);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *at = arena_alloc(&c->arena, prefix.len + (size_t)n);
    memcpy(at, prefix.at, prefix.len);
    memcpy(at + prefix.len, text, (size_t)n);
    return (struct str){at, prefix.len + (size_t)n};
}

struct str redis_file_key(struct redis_call *c, struct id file) {
    return redis_key(c, "f:%d", file.bytes[0] * 16 + file.bytes[1] / 16);
}

struct str redis_index_key(struct redis_call *c, struct str field) {
    return redis_key(c, "k:%d", (int)(hash_bytes(field) & 0xffff));
}

struct str redis_progress_key(struct redis_call *c, struct id file, uint64_t generation) {
    return redis_key(c, "p:%" PRIu64 ":%d", generation, file.bytes[0] * 256 + file.bytes[1]);
}

struct str redis_claims_key(struct redis_call *c, uint64_t generation, int hash) {
    return redis_key(c, "c:%" PRIu64 ":%d", generation, hash);
}

struct str redis_claim_key(struct redis_call *c, uint64_t generation, struct id key) {
    return redis_claims_key(c, generation, key.bytes[0] * 64 + key.bytes[1] / 4);
}

struct str redis_named(struct redis_call *c, char letter, uint64_t generation, struct id file, const char *behind) {
    struct str head = redis_key(c, "%c:%" PRIu64 ":", letter, generation);
    size_t more = strlen(behind);
    char *at = arena_alloc(&c->arena, head.len + ID_BYTES + more);
    memcpy(at, head.at, head.len);
    memcpy(at + head.len, file.bytes, ID_BYTES);
    memcpy(at + head.len + ID_BYTES, behind, more);
    return (struct str){at, head.len + ID_BYTES + more};
}

struct str redis_number(struct redis_call *c, uint64_t n) {
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRIu64, n);
    return arena_str(&c->arena, (struct str){text, (size_t)len});
}

static struct str behind(struct redis_call *c, uint64_t n) {
    char text[24];
    int len = snprintf(text, sizeof text, ":%" PRIu64, n);
    return arena_str(&c->arena, (struct str){text, (size_t)len});
}

struct str redis_copy_id(struct redis_call *c, struct id id, size_t from) {
    return arena_str(&c->arena, str_sub(redis_id_str(&id), from, ID_BYTES));
}

struct str redis_stripe_field(struct redis_call *c, uint64_t stripe) {
    char byte = (char)(stripe % REDIS_STRIPES_A_HASH);
    return arena_str(&c->arena, (struct str){&byte, 1});
}

struct str redis_stripe_key(struct redis_call *c, uint64_t generation, struct id file, uint64_t stripe) {
    return redis_named(c, 's', generation, file, behind(c, stripe / REDIS_STRIPES_A_HASH).at);
}

struct str redis_rest_key(struct redis_call *c, uint64_t generation, struct id file, uint64_t stripe) {
    return redis_named(c, 'x', generation, file, behind(c, stripe).at);
}

/* ---- a call ---- */

static void call_reset(struct redis_call *c, struct ledger_redis *l, struct ledger_at at, bool gated) {
    struct arena arena = c->arena;
    arena_reset(&arena);
    *c = (struct redis_call){.l = l, .at = at, .gated = gated, .arena = arena, .table_len = TABLE};
    c->table = ARENA_ARRAY(&c->arena, struct row *, TABLE);
    c->last = &c->first;
}

RC redis_call_run(struct ledger_redis *l, struct ledger_at at, bool gated, redis_body body, void *context,
                  struct why *why) {
    struct redis_call call = {0};
    enum rc rc = RC_BUSY;
    bool done = false;
    if (at.generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", at.generation);
    if (gated && at.epoch == 0) return why_set(why, RC_STALE, "no ledger is at epoch 0");
    for (int tries = 0; tries < REDIS_TRIES_MAX && !done; tries++) {
        call_reset(&call, l, at, gated);
        rc = body(&call, context, why);
        done = !call.overtaken;
        if (call.overtaken) continue;
        if (rc == RC_OK) rc = redis_store(&call, &done, why);
        if (rc != RC_OK) break;
    }
    if (rc == RC_OK && !done) rc = why_set(why, RC_BUSY, "others change the same files in the ledger all the time");
    arena_done(&call.arena);
    return rc;
}
