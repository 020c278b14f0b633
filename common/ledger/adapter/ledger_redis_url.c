/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_url.h"

#include "alloc.h"

#include <stdlib.h>

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a percent sign without two digits, or a NUL. */
static char *decoded(struct str s) {
    char *out = alloc_text(s.at, s.len), *to = out;
    for (size_t i = 0; i < s.len; i++, to++) {
        *to = s.at[i];
        if (s.at[i] != '%') continue;
        int high = i + 2 < s.len ? hex(s.at[i + 1]) : -1, low = i + 2 < s.len ? hex(s.at[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(out);
            return NULL;
        }
        *to = (char)(high * 16 + low);
        i += 2;
    }
    *to = 0;
    return out;
}

static bool take_db(struct str text, uint32_t *out) {
    uint64_t db = 0;
    if (text.len && (str_parse_u64(text, &db) != RC_OK || db > 65535)) return false;
    *out = (uint32_t)db;
    return true;
}

static bool take_login(struct str login, struct ledger_redis_url *out) {
    struct str user = {0};
    bool colon = memchr(login.at, ':', login.len) != NULL;
    (void)str_cut(&login, ':', &user);
    if (user.len && !(out->user = decoded(user))) return false;
    return !colon || (out->password = decoded(login)) != NULL;
}

/* host, host:port, [v6], [v6]:port */
static bool take_host(struct str host, struct ledger_redis_url *out) {
    uint64_t port = REDIS_PORT;
    struct str name = host, rest = {0};
    if (host.len && *host.at == '[') {
        const char *end = memchr(host.at, ']', host.len);
        if (!end) return false;
        name = (struct str){host.at + 1, (size_t)(end - host.at) - 1};
        rest = (struct str){end + 1, host.len - name.len - 2};
    } else {
        const char *colon = memchr(host.at, ':', host.len);
        if (colon) {
            name.len = (size_t)(colon - host.at);
            rest = (struct str){colon, host.len - name.len};
        }
    }
    if (rest.len && *rest.at != ':') return false;
    if (rest.len && (str_parse_u64(str_sub(rest, 1, rest.len), &port) != RC_OK || port == 0 || port > 65535))
        return false;
    if (!name.len) return false;
    out->host = alloc_text(name.at, name.len);
    out->port = (uint16_t)port;
    return true;
}

static bool take_socket(struct str rest, struct ledger_redis_url *out) {
    struct str path = {0};
    bool more = memchr(rest.at, '?', rest.len) != NULL;
    (void)str_cut(&rest, '?', &path);
    if (!path.len || *path.at != '/') return false;
    out->path = alloc_text(path.at, path.len);
    if (!more) return true;
    return str_starts(rest, STR("db=")) && take_db(str_sub(rest, 3, rest.len), &out->db);
}

static bool take_network(struct str rest, struct ledger_redis_url *out) {
    struct str host = {0};
    const char *at = memrchr(rest.at, '@', rest.len);
    if (at) {
        struct str login = {rest.at, (size_t)(at - rest.at)};
        if (!take_login(login, out)) return false;
        rest = str_sub(rest, login.len + 1, rest.len);
    }
    if (!rest.len) return false;
    (void)str_cut(&rest, '/', &host);
    return take_host(host, out) && take_db(rest, &out->db);
}

RC ledger_redis_url_parse(struct str url, struct ledger_redis_url *out, struct why *why) {
    struct ledger_redis_url made = {0};
    bool plain = str_starts(url, STR("redis://")), socket = str_starts(url, STR("unix://"));
    made.tls = str_starts(url, STR("rediss://"));
    bool good = false;
    if (socket)
        good = take_socket(str_sub(url, 7, url.len), &made);
    else if (plain || made.tls)
        good = take_network(str_sub(url, made.tls ? 9 : 8, url.len), &made);
    if (good) {
        *out = made;
        return RC_OK;
    }
    ledger_redis_url_done(&made);
    return why_set(why, RC_BAD,
                   "the ledger's url is none of redis://[user:password@]host[:port][/db], rediss://…, unix:///path");
}

void ledger_redis_url_done(struct ledger_redis_url *url) {
    if (url->password) explicit_bzero(url->password, strlen(url->password));
    free(url->host);
    free(url->path);
    free(url->user);
    free(url->password);
    *url = (struct ledger_redis_url){0};
}
