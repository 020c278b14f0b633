/* SPDX-License-Identifier: Apache-2.0 */
/* Who the ledger is, and who recovers it: one row, beside the gate. */
#include "ledger_redis_parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { APPLYING = 1, DOUBTED = 2 };

static void pack(struct buf *out, const struct redis_meta *m) {
    buf_add(out, redis_id_str(&m->ledger));
    buf_add(out, redis_id_str(&m->queue));
    buf_add(out, redis_id_str(&m->token));
    redis_pack_varint(out, m->epoch);
    redis_pack_varint(out, m->target);
    buf_add_char(out, (char)((m->applying ? APPLYING : 0) | (m->doubted ? DOUBTED : 0)));
    redis_pack_varint(out, m->resets_len);
    for (size_t i = 0; i < m->resets_len; i++) redis_pack_varint(out, m->resets[i]);
}

static RC unpack(struct redis_call *c, struct str row, struct redis_meta *out, struct why *why) {
    struct redis_reader r = {row, false};
    *out = (struct redis_meta){.found = true, .was = row};
    out->ledger = redis_take_id(&r);
    out->queue = redis_take_id(&r);
    out->token = redis_take_id(&r);
    out->epoch = redis_take_varint(&r);
    out->target = redis_take_varint(&r);
    uint64_t flags = redis_take_varint(&r);
    out->applying = flags & APPLYING;
    out->doubted = flags & DOUBTED;
    uint64_t n = redis_take_varint(&r);
    if (n > r.rest.len) r.bad = true;
    out->resets = ARENA_ARRAY(&c->arena, uint64_t, REDIS_GENERATIONS_MAX);
    for (uint64_t i = 0; i < n && !r.bad && i < REDIS_GENERATIONS_MAX; i++)
        out->resets[out->resets_len++] = redis_take_varint(&r);
    if (!r.bad && r.rest.len == 0) return RC_OK;
    return why_set(why, RC_BROKEN, "the ledger is damaged: its own row in Redis cannot be read");
}

RC redis_meta_load(struct redis_call *c, struct redis_meta *out, struct str *out_gate, struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    struct str prefix = redis_link_prefix(c->l->link);
    redis_ask_begin(c, &args, 0);
    redis_args_add(&args, STR("g"));
    redis_args_add(&args, redis_key(c, "meta"));
    redis_args_add(&args, STR("g"));
    redis_args_add(&args, redis_key(c, "gate"));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    struct str row = reply->elements == 3 ? redis_reply_str(reply->element[1]) : (struct str){0};
    struct str gate = reply->elements == 3 ? redis_reply_str(reply->element[2]) : (struct str){0};
    *out_gate = gate.at ? arena_str(&c->arena, gate) : STR("");
    *out = (struct redis_meta){0};
    rc = row.at ? unpack(c, arena_str(&c->arena, row), out, why)
                : why_set(why, RC_ABSENT,
                          "Redis holds no ledger of pipeline %.*s: `sluice init` makes a new one; if there was one, "
                          "`sluice ledger rebuild` brings it back from the store",
                          STR_ARG(str_sub(prefix, 1, prefix.len - 2)));
    redis_replies_free(&reply, 1);
    return rc;
}

void redis_meta_store(struct redis_call *c, const struct redis_meta *m) {
    struct buf row = BUF_INIT(REDIS_ROW_MAX);
    pack(&row, m);
    redis_compare(c, redis_key(c, "meta"), STR(""), true, m->was);
    REDIS_WRITE(c, "set", redis_key(c, "meta"), arena_str(&c->arena, buf_str(&row)));
    buf_done(&row);
}

struct str redis_gate(struct redis_call *c, uint64_t epoch, const char *life) {
    char text[REDIS_LIFE_MAX + 32];
    int n = snprintf(text, sizeof text, "%" PRIu64 ":%s", epoch, life);
    return arena_str(&c->arena, (struct str){text, (size_t)n});
}
