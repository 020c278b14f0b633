/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis ledger under the contract, on the server at SLUICE_TEST_REDIS; a pipeline a world. */
#include "ledger_world.h"

#include "alloc.h"
#include "buf.h"
#include "ledger_redis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *address(void) {
    const char *url = getenv("SLUICE_TEST_REDIS");
    if (!url) fail_msg("SLUICE_TEST_REDIS is not set: run it by `python3 tests/lib/servers.py redis -- …`");
    return url;
}

/* The last part of the world's folder has the characters of a pipeline, and is nobody else's. */
static struct str pipeline_of(const struct world *world) { return str_of(strrchr(world->folder, '/') + 1); }

static RC open_redis(struct world *world, struct ledger *out, struct why *why) {
    struct rng rng = rng_from_seed(7);
    struct ledger_redis_init init = {id_make(&rng), id_make(&rng), false};
    struct ledger_redis_settings settings = {.url = str_of(address()), .pipeline = pipeline_of(world), .generation = 1};
    bool made = false;
    TRY(ledger_redis_init(&settings, &init, &made, why));
    return ledger_redis_open(&settings, out, why);
}

static redisContext *connect_plain(void) {
    char host[64];
    int port = 0;
    assert_int_equal(sscanf(address(), "redis://%63[^:]:%d", host, &port), 2);
    redisContext *c = redisConnect(host, port);
    assert_true(c && !c->err);
    return c;
}

static redisReply *command(redisContext *c, int n, const char **words, const size_t *lens) {
    redisReply *reply = redisCommandArgv(c, n, words, lens);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

/* Calls `each` for every key of the world. */
static void all_keys(struct world *world, redisContext *c, void (*each)(redisContext *, redisReply *, void *),
                     void *context) {
    char cursor[32] = "0", pattern[128];
    (void)snprintf(pattern, sizeof pattern, "{%.*s}:*", STR_ARG(pipeline_of(world)));
    do {
        const char *words[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"};
        redisReply *page = command(c, 6, words, NULL);
        (void)snprintf(cursor, sizeof cursor, "%s", page->element[0]->str);
        for (size_t i = 0; i < page->element[1]->elements; i++) each(c, page->element[1]->element[i], context);
        freeReplyObject(page);
    } while (strcmp(cursor, "0") != 0);
}

static void unlink_key(redisContext *c, redisReply *key, void *unused) {
    (void)unused;
    const char *words[] = {"UNLINK", key->str};
    size_t lens[] = {6, (size_t)key->len};
    freeReplyObject(command(c, 2, words, lens));
}

static void remove_keys(struct world *world) {
    redisContext *c = connect_plain();
    all_keys(world, c, unlink_key, NULL);
    redisFree(c);
}

static void dump_key(redisContext *c, redisReply *key, void *context) {
    const char *words[] = {"DUMP", key->str};
    size_t lens[] = {4, (size_t)key->len};
    redisReply *value = redisCommandArgv(c, 2, words, lens);
    if (value->type == REDIS_REPLY_STRING) { /* SCAN may name a key twice */
        uint64_t sizes[2] = {(uint64_t)key->len, (uint64_t)value->len};
        buf_add(context, (struct str){(const char *)sizes, sizeof sizes});
        buf_add(context, (struct str){key->str, (size_t)key->len});
        buf_add(context, (struct str){value->str, (size_t)value->len});
    }
    freeReplyObject(value);
}

static RC save(struct world *world, void **out, size_t *out_len, struct why *why) {
    struct buf all = BUF_INIT(1 << 30);
    redisContext *c = connect_plain();
    all_keys(world, c, dump_key, &all);
    redisFree(c);
    if (buf_rc(&all) != RC_OK) return why_set(why, RC_LIMIT, "a large world");
    *out = all.at;
    *out_len = all.len;
    return RC_OK;
}

static RC load(struct world *world, const void *bytes, size_t len, struct why *why) {
    (void)why;
    remove_keys(world);
    redisContext *c = connect_plain();
    for (const char *at = bytes, *end = at + len; at < end;) {
        uint64_t sizes[2];
        memcpy(sizes, at, sizeof sizes);
        const char *key = at + sizeof sizes, *value = key + sizes[0];
        const char *words[] = {"RESTORE", key, "0", value, "REPLACE"};
        size_t lens[] = {7, sizes[0], 1, sizes[1], 7};
        freeReplyObject(command(c, 5, words, lens));
        at = value + sizes[1];
    }
    redisFree(c);
    return RC_OK;
}

const struct world_adapter world_adapters[] = {
    {"redis", true, open_redis, save, load, remove_keys},
};
const size_t world_adapters_len = sizeof world_adapters / sizeof world_adapters[0];
