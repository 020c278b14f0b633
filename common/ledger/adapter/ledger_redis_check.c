/* SPDX-License-Identifier: Apache-2.0 */
/* Is this Redis set so that what it acknowledged stays? */
#include "ledger_redis_link.h"

#include "alloc.h"
#include "arena.h"
#include "buf.h"
#include "num.h"

enum { FINDINGS_MAX = 8, VERSION_MIN = 7 };

struct checking {
    struct redis_link *link;
    struct arena *arena;
    struct ledger_redis_finding *found;
    size_t n;
};

static void tell(struct checking *k, enum ledger_redis_weight weight, struct str text) {
    if (k->n < FINDINGS_MAX) k->found[k->n++] = (struct ledger_redis_finding){weight, text};
}

/* A setting by CONFIG GET; .at NULL: the user may not, or the service has no CONFIG. */
static RC setting(struct checking *k, const char *name, struct str *out, struct why *why) {
    const struct str words[] = {STR("CONFIG"), STR("GET"), str_of(name)};
    redisReply *reply = NULL;
    enum rc rc = redis_link_command(k->link, words, 3, &reply, why);
    *out = (struct str){0};
    if (rc == RC_DENIED || rc == RC_BROKEN) return RC_OK;
    if (rc != RC_OK) return rc;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2)
        *out = arena_str(k->arena, redis_reply_str(reply->element[1]));
    redis_replies_free(&reply, 1);
    return RC_OK;
}

/* The same out of INFO, which nearly everybody may ask. */
static RC told(struct checking *k, const char *section, const char *name, struct str *out, struct why *why) {
    const struct str words[] = {STR("INFO"), str_of(section)};
    redisReply *reply = NULL;
    TRY(redis_link_command(k->link, words, 2, &reply, why));
    struct str rest = redis_reply_str(reply), line, key;
    *out = (struct str){0};
    while (str_cut(&rest, '\n', &line)) {
        line = str_trim(line);
        if (str_cut(&line, ':', &key) && str_equal(key, str_of(name))) *out = arena_str(k->arena, line);
    }
    redis_replies_free(&reply, 1);
    return RC_OK;
}

static struct str say(struct checking *k, const char *what, struct str is, const char *then) {
    struct buf text = BUF_INIT(1024);
    buf_add_format(&text, "Redis: %s is %.*s: %s", what, STR_ARG(is), then);
    struct str out = arena_str(k->arena, buf_str(&text));
    buf_done(&text);
    return out;
}

static RC check_policy(struct checking *k, struct why *why) {
    struct str is;
    TRY(setting(k, "maxmemory-policy", &is, why));
    if (!is.at) TRY(told(k, "memory", "maxmemory_policy", &is, why));
    if (!is.at)
        tell(k, LEDGER_REDIS_UNKNOWN, STR("Redis: maxmemory-policy cannot be read; it has to be noeviction"));
    else if (!str_equal(is, STR("noeviction")))
        tell(k, LEDGER_REDIS_RISK,
             say(k, "maxmemory-policy", is,
                 "it would forget checkpoints when memory is short, and lines would be converted twice; set "
                 "noeviction"));
    return RC_OK;
}

static RC check_log(struct checking *k, struct why *why) {
    struct str on, sync;
    TRY(setting(k, "appendonly", &on, why));
    bool is_on = str_equal(on, STR("yes"));
    if (!on.at) {
        TRY(told(k, "persistence", "aof_enabled", &on, why));
        is_on = str_equal(on, STR("1"));
    }
    if (!is_on)
        tell(k, on.at ? LEDGER_REDIS_RISK : LEDGER_REDIS_UNKNOWN,
             say(k, "appendonly", on.at ? on : STR("not known"),
                 "what it acknowledged may be gone after a restart; recovery brings it back from the seals, but set "
                 "appendonly yes"));
    TRY(setting(k, "appendfsync", &sync, why));
    if (is_on && !str_equal(sync, STR("always")))
        tell(k, sync.at ? LEDGER_REDIS_RISK : LEDGER_REDIS_UNKNOWN,
             say(k, "appendfsync", sync.at ? sync : STR("not known (CONFIG is forbidden, and INFO does not tell it)"),
                 "a crash of the machine may take back what was acknowledged last; recovery brings it back from the "
                 "seals; set appendfsync always"));
    return RC_OK;
}

static RC check_version(struct checking *k, struct why *why) {
    struct str is, major;
    uint64_t n = 0;
    TRY(told(k, "server", "redis_version", &is, why));
    struct str rest = is;
    if (!is.at || !str_cut(&rest, '.', &major) || str_parse_u64(major, &n) != RC_OK || n < VERSION_MIN)
        tell(k, is.at ? LEDGER_REDIS_RISK : LEDGER_REDIS_UNKNOWN,
             say(k, "the version", is.at ? is : STR("not known"), "sluice is tested with 7.0 and newer"));
    return RC_OK;
}

RC ledger_redis_check(const struct ledger_redis_settings *settings, struct arena *arena,
                      struct ledger_redis_finding **out, size_t *out_n, struct why *why) {
    struct checking k = {.arena = arena, .found = ARENA_ARRAY(arena, struct ledger_redis_finding, FINDINGS_MAX)};
    TRY(redis_link_new(settings, &k.link, why));
    enum rc rc = check_policy(&k, why);
    if (rc == RC_OK) rc = check_log(&k, why);
    if (rc == RC_OK) rc = check_version(&k, why);
    redis_link_free(k.link);
    if (rc != RC_OK) return rc;
    *out = k.found;
    *out_n = k.n;
    return RC_OK;
}
