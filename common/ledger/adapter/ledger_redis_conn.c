/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_conn.h"

#include "alloc.h"
#include "ledger_redis_scripts.h"
#include "num.h"
#include "own.h"

#ifdef SLUICE_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif

#include <inttypes.h>
#include <stdio.h>

enum { CONNECT_MS = 5000, CALL_MS = 10000, SHA_TEXT = 41, GATE_MAX = REDIS_LIFE_MAX + 32 };

struct redis_conn {
    redisContext *c;
    char life[REDIS_LIFE_MAX];
    char sha[REDIS_SCRIPTS][SHA_TEXT];
    struct buf gate_key;
    bool dead;
};

/* ---- what an error means ---- */

static const struct {
    const char *starts;
    enum rc rc;
} ERRORS[] = {
    {"GATE ", RC_STALE},
    {"NOAUTH", RC_DENIED},
    {"WRONGPASS", RC_DENIED},
    {"NOPERM", RC_DENIED},
    {"ERR invalid password", RC_DENIED},
    {"ERR AUTH", RC_DENIED},
    {"ERR Client sent AUTH", RC_DENIED},
    {"ERR invalid DB", RC_DENIED},
    {"ERR DB index", RC_DENIED},
    {"NOSCRIPT", RC_BUSY},
    {"LOADING", RC_BUSY},
    {"MASTERDOWN", RC_BUSY},
    {"READONLY", RC_BUSY},
    {"CLUSTERDOWN", RC_BUSY},
    {"TRYAGAIN", RC_BUSY},
    {"MOVED", RC_BUSY},
    {"ASK", RC_BUSY},
    {"NOREPLICAS", RC_BUSY},
    {"BUSY", RC_BUSY},
    {"UNKILLABLE", RC_BUSY},
    {"ERR max number of clients", RC_BUSY},
    {"OOM", RC_LIMIT},
    {"MISCONF", RC_LIMIT},
    {"DENIED", RC_DENIED},
};

/* Those after which the connection should be made anew: it may lead to another server now. */
static bool ends_connection(struct str text) {
    static const char *const list[] = {"READONLY", "MOVED", "ASK", "MASTERDOWN", "LOADING", "NOAUTH"};
    for (size_t i = 0; i < COUNT_OF(list); i++)
        if (str_starts(text, str_of(list[i]))) return true;
    return false;
}

static RC refused(struct redis_conn *conn, const redisReply *reply, struct why *why) {
    struct str text = {reply->str, (size_t)reply->len};
    if (ends_connection(text)) conn->dead = true;
    for (size_t i = 0; i < COUNT_OF(ERRORS); i++) {
        if (!str_starts(text, str_of(ERRORS[i].starts))) continue;
        if (ERRORS[i].rc == RC_STALE)
            return why_set(why, RC_STALE, "the ledger is open for %.*s, not for this epoch and server",
                           STR_ARG(str_sub(text, 5, text.len)));
        enum rc rc = ERRORS[i].rc;
        return why_set(why, rc, "Redis: %.*s", STR_ARG(text));
    }
    return why_set(why, RC_BROKEN, "Redis: %.*s", STR_ARG(text));
}

static RC lost(struct redis_conn *conn, struct why *why) {
    conn->dead = true;
    return why_set(why, RC_BUSY, "the connection to Redis: %s", conn->c->errstr);
}

/* ---- commands ---- */

static RC get_reply(struct redis_conn *conn, redisReply **out, struct why *why) {
    void *reply = NULL;
    if (conn->dead || redisGetReply(conn->c, &reply) != REDIS_OK || !reply) return lost(conn, why);
    *out = reply;
    return RC_OK;
}

static RC send_words(struct redis_conn *conn, const struct str *words, size_t n, struct why *why) {
    AUTO(own_free) const char **at = alloc_zero(n, sizeof(char *));
    AUTO(own_free) size_t *len = alloc_zero(n, sizeof(size_t));
    for (size_t i = 0; i < n; i++) {
        at[i] = words[i].at ? words[i].at : "";
        len[i] = words[i].len;
    }
    if (conn->dead || redisAppendCommandArgv(conn->c, (int)n, at, len) != REDIS_OK) return lost(conn, why);
    return RC_OK;
}

RC redis_conn_command(struct redis_conn *conn, const struct str *words, size_t n, redisReply **out, struct why *why) {
    redisReply *reply = NULL;
    TRY(send_words(conn, words, n, why));
    TRY(get_reply(conn, &reply, why));
    if (reply->type == REDIS_REPLY_ERROR) {
        enum rc rc = refused(conn, reply, why);
        freeReplyObject(reply);
        return rc;
    }
    *out = reply;
    return RC_OK;
}

static RC load_scripts(struct redis_conn *conn, struct why *why) {
    static const char *const texts[REDIS_SCRIPTS] = {ledger_redis_load_lua, ledger_redis_commit_lua};
    for (size_t i = 0; i < REDIS_SCRIPTS; i++) {
        const struct str words[] = {STR("SCRIPT"), STR("LOAD"), str_of(texts[i])};
        redisReply *reply = NULL;
        TRY(redis_conn_command(conn, words, 3, &reply, why));
        bool good = reply->type == REDIS_REPLY_STRING && reply->len == SHA_TEXT - 1;
        if (good) (void)snprintf(conn->sha[i], SHA_TEXT, "%s", reply->str);
        freeReplyObject(reply);
        if (!good) return why_set(why, RC_BROKEN, "Redis answers SCRIPT LOAD with something else");
    }
    return RC_OK;
}

static RC send_script(struct redis_conn *conn, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                      struct why *why) {
    char gate[GATE_MAX] = "";
    if (epoch) (void)snprintf(gate, sizeof gate, "%" PRIu64 ":%s", epoch, conn->life);
    AUTO(own_free) struct str *words = alloc_zero(args->len + 5, sizeof *words);
    words[0] = STR("EVALSHA");
    words[1] = (struct str){conn->sha[script], SHA_TEXT - 1};
    words[2] = STR("1");
    words[3] = buf_str(&conn->gate_key);
    words[4] = str_of(gate);
    if (args->len) memcpy(words + 5, args->at, args->len * sizeof *words);
    return send_words(conn, words, args->len + 5, why);
}

/* All answers are read even when one is an error, or the next call would get them. */
static RC run_once(struct redis_conn *conn, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                   size_t n, redisReply **out, bool *out_unknown, struct why *why) {
    enum rc rc = RC_OK;
    *out_unknown = false;
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < n && rc == RC_OK; i++) rc = send_script(conn, script, epoch, &args[i], why);
    for (size_t i = 0; i < n && !conn->dead; i++) {
        enum rc got = get_reply(conn, &out[i], why);
        if (got == RC_OK && out[i]->type == REDIS_REPLY_ERROR) {
            *out_unknown = *out_unknown || strncmp(out[i]->str, "NOSCRIPT", 8) == 0;
            got = rc == RC_OK ? refused(conn, out[i], why) : rc;
        }
        if (rc == RC_OK) rc = got;
    }
    if (rc != RC_OK) redis_replies_free(out, n);
    return rc;
}

RC redis_conn_run(struct redis_conn *conn, enum redis_script script, uint64_t epoch, const struct redis_args *args,
                  size_t n, redisReply **out, struct why *why) {
    bool unknown = false;
    enum rc rc = run_once(conn, script, epoch, args, n, out, &unknown, why);
    if (!unknown || conn->dead) return rc;
    TRY(load_scripts(conn, why)); /* somebody flushed them; none of these ran */
    return run_once(conn, script, epoch, args, n, out, &unknown, why);
}

/* ---- whose server is it ---- */

static bool info_value(const redisReply *info, const char *name, struct str *out) {
    struct str rest = redis_reply_str(info), line;
    while (str_cut(&rest, '\n', &line)) {
        struct str key;
        line = str_trim(line);
        if (str_cut(&line, ':', &key) && str_equal(key, str_of(name))) {
            *out = line;
            return true;
        }
    }
    return false;
}

static RC read_life(struct redis_conn *conn, char out[REDIS_LIFE_MAX], struct why *why) {
    redisReply *server = NULL, *replication = NULL;
    struct str run = {0}, history = {0}, role = {0};
    const struct str ask[] = {STR("INFO"), STR("server")}, ask2[] = {STR("INFO"), STR("replication")};
    enum rc rc = redis_conn_command(conn, ask, 2, &server, why);
    if (rc == RC_OK) rc = redis_conn_command(conn, ask2, 2, &replication, why);
    if (rc == RC_OK && (!info_value(server, "run_id", &run) || !info_value(replication, "master_replid", &history) ||
                        !info_value(replication, "role", &role) || run.len + history.len + 2 > REDIS_LIFE_MAX))
        rc = why_set(why, RC_BROKEN, "Redis does not say its run_id, master_replid and role in INFO");
    if (rc == RC_OK && !str_equal(role, STR("master"))) {
        conn->dead = true;
        rc = why_set(why, RC_BUSY, "this Redis is a replica");
    }
    if (rc == RC_OK) (void)snprintf(out, REDIS_LIFE_MAX, "%.*s.%.*s", STR_ARG(run), STR_ARG(history));
    if (server) freeReplyObject(server);
    if (replication) freeReplyObject(replication);
    return rc;
}

RC redis_conn_ask_life(struct redis_conn *conn, char out[REDIS_LIFE_MAX], struct why *why) {
    char now[REDIS_LIFE_MAX];
    TRY(read_life(conn, now, why));
    if (strcmp(now, conn->life) != 0) {
        conn->dead = true;
        return why_set(why, RC_BUSY, "the connection leads to another Redis than before");
    }
    memcpy(out, now, REDIS_LIFE_MAX);
    return RC_OK;
}

/* ---- opening ---- */

static char *text_or_null(struct str s) { return s.len ? alloc_text(s.at, s.len) : NULL; }

static bool pipeline_can_be(struct str name) {
    for (size_t i = 0; i < name.len; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", name.at[i])) return false;
    return name.len > 0 && name.len <= 128;
}

RC redis_conn_settings_make(const struct ledger_redis_settings *from, struct redis_conn_settings *out,
                            struct why *why) {
    struct ledger_redis_url url;
    if (!pipeline_can_be(from->pipeline))
        return why_set(why, RC_BAD, "a pipeline's name is 1 to 128 of A-Z a-z 0-9 . _ -");
    TRY(ledger_redis_url_parse(from->url, &url, why));
    if (from->user.len) {
        free(url.user);
        url.user = text_or_null(from->user);
    }
    if (from->password.len) {
        free(url.password);
        url.password = text_or_null(from->password);
    }
#ifndef SLUICE_REDIS_TLS
    if (url.tls) {
        ledger_redis_url_done(&url);
        return why_set(why, RC_DENIED,
                       "rediss:// needs hiredis 1.0 or newer, and this build has an older one: build "
                       "with a newer one, or go through a TLS proxy such as stunnel on 127.0.0.1");
    }
#endif
    *out = (struct redis_conn_settings){.url = url,
                                        .ca = text_or_null(from->ca),
                                        .cert = text_or_null(from->cert),
                                        .key = text_or_null(from->key),
                                        .connect_ms = from->connect_ms ? from->connect_ms : CONNECT_MS,
                                        .call_ms = from->call_ms ? from->call_ms : CALL_MS};
    return RC_OK;
}

void redis_conn_settings_done(struct redis_conn_settings *settings) {
    ledger_redis_url_done(&settings->url);
    free(settings->ca);
    free(settings->cert);
    free(settings->key);
}

static RC start_tls(struct redis_conn *conn, const struct redis_conn_settings *s, struct why *why) {
#ifdef SLUICE_REDIS_TLS
    redisSSLContextError error = 0;
    redisSSLContext *context = redisCreateSSLContext(s->ca, NULL, s->cert, s->key, s->url.host, &error);
    if (!context) return why_set(why, RC_DENIED, "TLS: %s", redisSSLContextGetError(error));
    bool done = redisInitiateSSLWithContext(conn->c, context) == REDIS_OK;
    redisFreeSSLContext(context);
    if (!done) return lost(conn, why);
#else
    (void)conn, (void)s, (void)why;
#endif
    return RC_OK;
}

static struct timeval time_of(uint64_t ms) {
    return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

static RC reach(struct redis_conn *conn, const struct redis_conn_settings *s, struct why *why) {
    const struct ledger_redis_url *url = &s->url;
    struct timeval patience = time_of(s->connect_ms), call = time_of(s->call_ms);
    conn->c = url->path ? redisConnectUnixWithTimeout(url->path, patience)
                        : redisConnectWithTimeout(url->host, url->port, patience);
    const char *where = url->path ? url->path : url->host;
    if (!conn->c) return why_set(why, RC_BUSY, "no connection to Redis at %s", where);
    if (conn->c->err) return why_set(why, RC_BUSY, "no connection to Redis at %s: %s", where, conn->c->errstr);
    if (redisSetTimeout(conn->c, call) != REDIS_OK) return lost(conn, why);
    if (!url->path) (void)redisEnableKeepAlive(conn->c);
    return url->tls ? start_tls(conn, s, why) : RC_OK;
}

static RC log_in(struct redis_conn *conn, const struct ledger_redis_url *url, struct why *why) {
    redisReply *reply = NULL;
    if (url->password) {
        const struct str both[] = {STR("AUTH"), str_of(url->user), str_of(url->password)},
                         alone[] = {STR("AUTH"), str_of(url->password)};
        TRY(redis_conn_command(conn, url->user ? both : alone, url->user ? 3 : 2, &reply, why));
        freeReplyObject(reply);
    }
    if (!url->db) return RC_OK;
    char db[16];
    (void)snprintf(db, sizeof db, "%" PRIu32, url->db);
    const struct str words[] = {STR("SELECT"), str_of(db)};
    TRY(redis_conn_command(conn, words, 2, &reply, why));
    freeReplyObject(reply);
    return RC_OK;
}

/* Does every command that a decision may need once: a user who may not use one would leave half a decision behind. */
static RC probe(struct redis_conn *conn, struct str prefix, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(256), other = BUF_INIT(256);
    buf_add_format(&key, "%.*sprobe:h", STR_ARG(prefix));
    buf_add_format(&other, "%.*sprobe:s", STR_ARG(prefix));
    struct redis_args args = {0};
    /* No comparison; then each write: its name, one of the two keys, and how many arguments it has. */
    struct str rest =
                   STR("0 del H 0 del S 0 hset H 2 f v hdel H 1 f idx H 2 f v del H 0 set S 1 v append S 1 v del S 0 "
                       "sadd S 1 v srem S 1 v zadd S 2 0 v zrem S 1 v"),
               word;
    while (str_cut(&rest, ' ', &word)) {
        if (str_equal(word, STR("H"))) word = buf_str(&key);
        if (str_equal(word, STR("S"))) word = buf_str(&other);
        redis_args_add(&args, word);
    }
    redisReply *reply = NULL;
    enum rc rc = redis_conn_run(conn, REDIS_COMMIT, 0, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc == RC_BROKEN) rc = RC_DENIED;
    if (rc == RC_OK) freeReplyObject(reply);
    return rc;
}

RC redis_conn_open(const struct redis_conn_settings *settings, struct str prefix, struct redis_conn **out,
                   struct why *why) {
    struct redis_conn *conn = ALLOC(struct redis_conn);
    conn->gate_key = BUF_INIT(256);
    buf_add(&conn->gate_key, prefix);
    buf_add(&conn->gate_key, STR("gate"));
    enum rc rc = reach(conn, settings, why);
    if (rc == RC_OK) rc = log_in(conn, &settings->url, why);
    if (rc == RC_OK) rc = read_life(conn, conn->life, why);
    if (rc == RC_OK) rc = load_scripts(conn, why);
    if (rc == RC_OK) rc = probe(conn, prefix, why);
    if (rc == RC_OK)
        *out = conn;
    else
        redis_conn_free(conn);
    return rc;
}

void redis_conn_free(struct redis_conn *conn) {
    if (!conn) return;
    if (conn->c) redisFree(conn->c);
    buf_done(&conn->gate_key);
    free(conn);
}

bool redis_conn_dead(const struct redis_conn *conn) { return conn->dead; }
