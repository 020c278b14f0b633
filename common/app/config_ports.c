/* SPDX-License-Identifier: Apache-2.0 */
#include "config_ports.h"

#include "buf.h"
#include "config_error.h"
#include "config_paths.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

struct checker {
    struct config *config;
    struct why *why;
};

#define FAIL(checker, key, ...) config_error((checker)->config, (key), (checker)->why, __VA_ARGS__)

static bool given(const struct checker *c, const char *key) { return config_mark_find(c->config, key) != NULL; }

/* Keys that mean something only with one kind of URL: given with another they are a mistake, not a detail. */
static RC refuse_keys(const struct checker *c, const char *const *keys, size_t n, const char *only) {
    for (size_t i = 0; i < n; i++)
        if (given(c, keys[i])) return FAIL(c, keys[i], "is for %s only; take this key out", only);
    return RC_OK;
}

/* A file that a key names, made absolute. */
static RC check_file(const struct checker *c, const char *key, struct str *path) {
    struct why reason = {0};
    if (path->len && config_paths_absolute(c->config, *path, false, path, &reason) != RC_OK)
        return FAIL(c, key, "%s", reason.text);
    return RC_OK;
}

static RC check_s3(const struct checker *c) {
    static const char *const keys[] = {"output.endpoint",        "output.region",         "output.style",
                                       "output.access_key",      "output.secret_key",     "output.session_token",
                                       "output.profile",         "output.ca_file",        "output.part_bytes",
                                       "output.connections",     "output.parts_parallel", "output.tries",
                                       "output.connect_timeout", "output.stall_timeout",  "output.request_timeout"};
    struct config_s3 *s3 = &c->config->output.s3;
    if (!c->config->output.bucket.len) return refuse_keys(c, keys, COUNT_OF(keys), "an output of s3://");
    if (!s3->access_key.len != !s3->secret_key.len)
        return FAIL(c, s3->access_key.len ? "output.access_key" : "output.secret_key",
                    "output.access_key and output.secret_key go together; the other one is missing");
    if (s3->session_token.len && !s3->access_key.len)
        return FAIL(c, "output.session_token", "output.access_key and output.secret_key are missing beside it");
    return check_file(c, "output.ca_file", &s3->ca_file);
}

static RC check_cache(const struct checker *c) {
    struct config *config = c->config;
    struct str *cache = &config->broker.cache;
    if (cache->len) return check_file(c, "broker.cache", cache);
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX - 1);
    const char *temp = getenv("TMPDIR");
    buf_add(&path, config->state.len ? config->state : str_of(temp && *temp == '/' ? temp : "/tmp"));
    buf_add_format(&path, config->state.len ? "/cache" : "/sluice-%s", config->pipeline.at);
    if (buf_rc(&path) != RC_OK)
        return FAIL(c, "broker.cache", "the folder of the cache has a path of more than 4095 bytes");
    *cache = arena_str(&config->arena, buf_str(&path));
    return RC_OK;
}

static RC check_broker(const struct checker *c) {
    static const char *const keys[] = {"broker.properties", "broker.job_partitions", "broker.replication",
                                       "broker.instance",   "broker.cache",          "broker.cache_bytes_max"};
    struct config_broker *broker = &c->config->broker;
    if (config_broker_is_local(c->config)) return refuse_keys(c, keys, COUNT_OF(keys), "a broker of kafka://");
    broker->servers = str_sub(broker->url, sizeof "kafka://" - 1, broker->url.len);
    if (memchr(broker->url.at, '@', broker->url.len)) /* what stands before it may be a password: not shown */
        return FAIL(c, "broker.url", "is not kafka://HOST:PORT[,HOST:PORT]; credentials go to broker.properties");
    if (memchr(broker->servers.at, '/', broker->servers.len))
        return FAIL(c, "broker.url", "\"%s\" is not kafka://HOST:PORT[,HOST:PORT]", config_show(broker->url).text);
    return check_cache(c);
}

static RC check_ledger(const struct checker *c) {
    static const char *const keys[] = {"ledger.user",      "ledger.password", "ledger.ca_file",
                                       "ledger.cert_file", "ledger.key_file", "ledger.snapshot"};
    struct config_ledger *ledger = &c->config->ledger;
    bool local = config_ledger_is_local(c->config);
    if (local != config_broker_is_local(c->config))
        return FAIL(c, local ? "broker.url" : "ledger.url",
                    "broker and ledger are both local (one machine), or kafka:// and redis:// (a fleet)");
    if (local) return refuse_keys(c, keys, COUNT_OF(keys), "a ledger of redis://");
    TRY(check_file(c, "ledger.ca_file", &ledger->ca_file));
    TRY(check_file(c, "ledger.cert_file", &ledger->cert_file));
    TRY(check_file(c, "ledger.key_file", &ledger->key_file));
    if (!ledger->cert_file.len != !ledger->key_file.len)
        return FAIL(c, ledger->cert_file.len ? "ledger.cert_file" : "ledger.key_file",
                    "ledger.cert_file and ledger.key_file go together; the other one is missing");
    return RC_OK;
}

static RC check_events(const struct checker *c) {
    static const char *const topic[] = {"events.topic"}, *const hook[] = {"events.webhook.secret",
                                                                          "events.webhook.timeout"};
    if (config_broker_is_local(c->config)) TRY(refuse_keys(c, topic, 1, "a broker of kafka://"));
    if (!c->config->events.webhook_url.len) return refuse_keys(c, hook, COUNT_OF(hook), "an events.webhook.url");
    return RC_OK;
}

enum { TOKEN_MIN = 16, TOKEN_MAX = 1024 };

static bool is_token(struct str token) {
    for (size_t i = 0; i < token.len; i++)
        if (token.at[i] <= ' ' || token.at[i] > '~') return false;
    return token.len >= TOKEN_MIN && token.len <= TOKEN_MAX;
}

static RC check_serve(const struct checker *c) {
    static const char *const keys[] = {"serve.listen", "serve.url", "serve.token"};
    struct config_serve *serve = &c->config->serve;
    if (!given(c, "serve")) return RC_OK;
    if (config_broker_is_local(c->config)) return refuse_keys(c, keys, COUNT_OF(keys), "a broker of kafka://");
    if (!serve->listen.len || !serve->url.len || !serve->token.len)
        return FAIL(c, "serve", "serve.listen, serve.url and serve.token go together; one of them is missing");
    if (!is_token(serve->token))
        return FAIL(c, "serve.token", "the value (which is secret) is not 16 to 1024 characters without blanks");
    while (serve->url.at[serve->url.len - 1] == '/') serve->url.len--;
    return RC_OK;
}

RC config_ports_check(struct config *config, struct why *why) {
    struct checker c = {config, why};
    TRY(check_s3(&c));
    TRY(check_broker(&c));
    TRY(check_ledger(&c));
    TRY(check_serve(&c));
    return check_events(&c);
}
