/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_credentials_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX_BYTES = 64 * 1024, RETRY_MS = 30 * 1000 };

static const struct {
    s3_loader load;
    const char *words;
} sources[] = {
    {load_settings, "the configuration"},
    {load_environment, "the environment (AWS_ACCESS_KEY_ID)"},
    {load_web_identity, "a web identity (AWS_ROLE_ARN)"},
    {load_file, "the shared credentials file"},
    {load_container, "the container's credentials service"},
    {load_instance, "the instance's metadata service"},
};

const char *credentials_env(const struct s3_credentials *c, const char *name) {
    const char *value = c->settings.env ? c->settings.env(name) : getenv(name);
    return value && value[0] ? value : NULL;
}

RC credentials_copy(struct str from, char *out, size_t room, const char *what, struct why *why) {
    if (from.len >= room || (from.len && memchr(from.at, '\0', from.len)))
        return why_set(why, RC_DENIED, "%s is longer than %zu bytes", what, room - 1);
    if (from.len) memcpy(out, from.at, from.len);
    out[from.len] = '\0';
    return RC_OK;
}

struct str credentials_trim(struct str text) {
    for (size_t before = text.len + 1; text.len < before;) {
        before = text.len;
        text = str_trim(text);
        if (text.len && text.at[text.len - 1] == '\n') text.len--;
        if (text.len && text.at[0] == '\n') text = str_sub(text, 1, text.len);
    }
    return text;
}

RC credentials_read_file(const char *path, struct buf *out, struct why *why) {
    AUTO(own_fclose) FILE *file = fopen(path, "re");
    if (!file) return why_errno(why, errno == ENOENT || errno == ENOTDIR ? RC_ABSENT : RC_DENIED, errno, "%s", path);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) buf_add(out, (struct str){block, n});
    if (ferror(file)) return why_errno(why, RC_DENIED, errno, "cannot read %s", path);
    if (buf_rc(out) != RC_OK) return why_set(why, RC_DENIED, "%s is longer than 64 KiB", path);
    return RC_OK;
}

static const char *own_text(const char *text) { return text ? alloc_text(text, strlen(text)) : NULL; }

struct s3_credentials *s3_credentials_new(const struct s3_credentials_settings *settings, struct s3_http *http) {
    struct s3_credentials *c = ALLOC(struct s3_credentials);
    c->settings = *settings;
    const char **texts[] = {&c->settings.access, &c->settings.secret, &c->settings.token,   &c->settings.profile,
                            &c->settings.file,   &c->settings.region, &c->settings.sts_url, &c->settings.instance_url};
    for (size_t i = 0; i < COUNT_OF(texts); i++) *texts[i] = own_text(*texts[i]);
    if (!c->settings.clock.ops) c->settings.clock = clock_real();
    c->http = http;
    c->source = -1;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->loaded, NULL);
    return c;
}

void s3_credentials_free(struct s3_credentials *c) {
    if (!c) return;
    if (c->settings.secret) OPENSSL_cleanse((char *)(uintptr_t)c->settings.secret, strlen(c->settings.secret));
    const char *texts[] = {c->settings.access, c->settings.secret, c->settings.token,   c->settings.profile,
                           c->settings.file,   c->settings.region, c->settings.sts_url, c->settings.instance_url};
    for (size_t i = 0; i < COUNT_OF(texts); i++) free((char *)(uintptr_t)texts[i]);
    OPENSSL_cleanse(&c->keys, sizeof c->keys);
    (void)pthread_cond_destroy(&c->loaded);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

/* From the place that gave them before, or the first that has some. */
static RC load(struct s3_credentials *c, int *source, struct s3_keys *out, struct why *why) {
    int from = MAX(*source, 0), to = *source < 0 ? (int)COUNT_OF(sources) : *source + 1;
    for (int i = from; i < to; i++) {
        *out = (struct s3_keys){.ends_ns = INT64_MAX};
        enum rc rc = sources[i].load(c, out, why);
        if (rc == RC_OK) *source = i;
        if (rc == RC_OK || (rc != RC_ABSENT && rc != RC_BUSY)) return rc;
        if (rc == RC_BUSY) return why_wrap(why, rc, "credentials from %s", sources[i].words);
    }
    return why_set(
        why, RC_DENIED,
        "no credentials found: neither in the configuration, in the environment (AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY), by a web identity, in the shared credentials file, nor from a container's or "
        "an instance's metadata service");
}

enum need { NEED_NONE, NEED_REFRESH, NEED_NEW };

static enum need need_of(const struct s3_credentials *c, int64_t now_ns) {
    if (!c->have || c->keys.ends_ns <= now_ns) return NEED_NEW;
    if (c->keys.ends_ns == INT64_MAX || c->keys.ends_ns - now_ns > (int64_t)S3_REFRESH_MS * 1000000) return NEED_NONE;
    return now_ns < c->retry_ns ? NEED_NONE : NEED_REFRESH;
}

/* The outcome of loading, with the lock held. */
static void keep(struct s3_credentials *c, enum rc rc, int source, const struct s3_keys *keys, int64_t now_ns) {
    c->loading = false;
    if (rc == RC_OK) {
        c->keys = *keys;
        c->have = true;
        c->source = source;
    }
    /* what is given may end sooner than we refresh: not at every call then */
    c->retry_ns = now_ns + (int64_t)RETRY_MS * 1000000;
    (void)pthread_cond_broadcast(&c->loaded);
}

RC s3_credentials_get(struct s3_credentials *c, struct s3_keys *out, struct why *why) {
    int64_t now_ns = clock_wall_ns(c->settings.clock);
    enum need need;
    int source;
    {
        LOCKED(&c->lock);
        while ((need = need_of(c, now_ns)) == NEED_NEW && c->loading) (void)pthread_cond_wait(&c->loaded, &c->lock);
        if (need == NEED_NONE || c->loading) {
            *out = c->keys;
            return RC_OK;
        }
        c->loading = true;
        source = c->source;
    }
    struct s3_keys keys;
    enum rc rc = load(c, &source, &keys, why);
    LOCKED(&c->lock);
    keep(c, rc, source, &keys, now_ns);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (rc != RC_OK && need == NEED_NEW) return rc;
    *out = c->keys;
    return RC_OK;
}

void s3_credentials_expired(struct s3_credentials *c) {
    LOCKED(&c->lock);
    c->have = false;
}

const char *s3_credentials_source(struct s3_credentials *c) {
    LOCKED(&c->lock);
    return c->source < 0 ? "nowhere yet" : sources[c->source].words;
}
