/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_link.h"

#include "alloc.h"
#include "backoff.h"
#include "clock.h"
#include "ledger_redis_conn.h"
#include "must.h"
#include "own.h"

#include <inttypes.h>

enum { CONNECTIONS = 8, BACKOFF_FIRST_MS = 20, BACKOFF_CAP_MS = 2000 };

struct redis_link {
    struct redis_conn_settings settings;
    struct buf prefix;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    struct redis_conn **idle;
    size_t idle_len, made, max;
    struct backoff backoff;
    uint64_t not_before_ms; /* no new connection until then */
};

/* ---- arguments and answers ---- */

void redis_args_add(struct redis_args *args, struct str arg) {
    alloc_grow(&args->at, &args->room, args->len + 1, sizeof *args->at);
    args->at[args->len++] = arg;
}

void redis_args_done(struct redis_args *args) {
    free(args->at);
    *args = (struct redis_args){0};
}

void redis_replies_free(redisReply **replies, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (replies[i]) freeReplyObject(replies[i]);
        replies[i] = NULL;
    }
}

/* ---- the pool ---- */

RC redis_link_new(const struct ledger_redis_settings *settings, struct redis_link **out, struct why *why) {
    struct redis_link *link = ALLOC(struct redis_link);
    enum rc rc = redis_conn_settings_make(settings, &link->settings, why);
    if (rc != RC_OK) {
        free(link);
        return rc;
    }
    link->prefix = BUF_INIT(settings->pipeline.len + 8);
    buf_add_format(&link->prefix, "{%.*s}:", STR_ARG(settings->pipeline));
    link->max = settings->connections ? settings->connections : CONNECTIONS;
    link->idle = alloc_zero(link->max, sizeof(struct redis_conn *));
    link->backoff = backoff_make(BACKOFF_FIRST_MS, BACKOFF_CAP_MS, rng_from_kernel());
    MUST(pthread_mutex_init(&link->lock, NULL) == 0 && pthread_cond_init(&link->freed, NULL) == 0);
    *out = link;
    return RC_OK;
}

void redis_link_free(struct redis_link *link) {
    if (!link) return;
    MUST(link->idle_len == link->made); /* nobody is in a call */
    for (size_t i = 0; i < link->idle_len; i++) redis_conn_free(link->idle[i]);
    free(link->idle);
    redis_conn_settings_done(&link->settings);
    buf_done(&link->prefix);
    (void)pthread_mutex_destroy(&link->lock);
    (void)pthread_cond_destroy(&link->freed);
    free(link);
}

struct str redis_link_prefix(const struct redis_link *link) {
    return buf_str(&link->prefix);
}

/* A server that is away is not asked again by every call of every thread. */
static RC may_connect(struct redis_link *link, struct why *why) {
    LOCKED(&link->lock);
    if (clock_ms(clock_real()) >= link->not_before_ms) return RC_OK;
    return why_set(why, RC_BUSY, "Redis could not be reached a moment ago");
}

static void note_connect(struct redis_link *link, bool done) {
    LOCKED(&link->lock);
    if (done)
        backoff_reset(&link->backoff);
    else
        link->not_before_ms = clock_ms(clock_real()) + backoff_next_ms(&link->backoff);
}

static RC connect_new(struct redis_link *link, struct redis_conn **out, struct why *why) {
    TRY(may_connect(link, why));
    enum rc rc = redis_conn_open(&link->settings, buf_str(&link->prefix), out, why);
    note_connect(link, rc == RC_OK);
    return rc;
}

static void give_back(struct redis_link *link, struct redis_conn *conn) {
    bool dead = conn && redis_conn_dead(conn);
    if (dead) redis_conn_free(conn);
    LOCKED(&link->lock);
    if (conn && !dead)
        link->idle[link->idle_len++] = conn;
    else
        link->made--;
    (void)pthread_cond_signal(&link->freed);
}

/* An idle connection, else a new one; *out_used: it was idle, so it may have died unnoticed. */
static RC take(struct redis_link *link, struct redis_conn **out, bool *out_used, struct why *why) {
    {
        LOCKED(&link->lock);
        while (!link->idle_len && link->made == link->max) (void)pthread_cond_wait(&link->freed, &link->lock);
        *out_used = link->idle_len > 0;
        *out = *out_used ? link->idle[--link->idle_len] : NULL;
        if (!*out_used) link->made++;
    }
    if (*out_used) return RC_OK;
    enum rc rc = connect_new(link, out, why);
    if (rc != RC_OK) give_back(link, NULL);
    return rc;
}

/* ---- calls ---- */

RC redis_link_run(struct redis_link *link, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                  size_t n, redisReply **out, struct why *why) {
    struct redis_conn *conn;
    bool used = true;
    for (;;) {
        TRY(take(link, &conn, &used, why));
        enum rc rc = redis_conn_run(conn, script, epoch, args, n, out, why);
        bool again = used && script == REDIS_LOAD && redis_conn_dead(conn);
        give_back(link, conn);
        if (!again) return rc;
    }
}

RC redis_link_life(struct redis_link *link, char out[REDIS_LIFE_MAX], struct why *why) {
    struct redis_conn *conn;
    bool used = true;
    for (;;) {
        TRY(take(link, &conn, &used, why));
        enum rc rc = redis_conn_ask_life(conn, out, why);
        bool again = used && redis_conn_dead(conn);
        give_back(link, conn);
        if (!again) return rc;
    }
}

RC redis_link_command(struct redis_link *link, const struct str *words, size_t n, redisReply **out, struct why *why) {
    struct redis_conn *conn;
    bool used = true;
    TRY(take(link, &conn, &used, why));
    enum rc rc = redis_conn_command(conn, words, n, out, why);
    give_back(link, conn);
    return rc;
}
