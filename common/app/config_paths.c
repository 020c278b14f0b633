/* SPDX-License-Identifier: Apache-2.0 */
#include "config_paths.h"

#include "buf.h"
#include "config_error.h"
#include "own.h"

/* Adds the parts of `path`, each with a '/' before it. */
static void add_parts(struct buf *out, struct str path, bool escape) {
    struct str part;
    while (str_cut(&path, '/', &part)) {
        if (!part.len || str_equal(part, STR("."))) continue;
        buf_add_char(out, '/');
        for (size_t i = 0; i < part.len; i++) {
            if (escape && strchr("*?[]\\", part.at[i])) buf_add_char(out, '\\');
            buf_add_char(out, part.at[i]);
        }
    }
}

RC config_paths_absolute(struct config *config, struct str text, bool glob, struct str *out, struct why *why) {
    AUTO(buf_done) struct buf buf = BUF_INIT(CONFIG_VALUE_MAX - 1); /* with its NUL at most PATH_MAX */
    if (!str_starts(text, STR("/"))) add_parts(&buf, config->folder, glob);
    add_parts(&buf, text, false);
    if (!buf.len) buf_add_char(&buf, '/');
    if (buf_rc(&buf) != RC_OK) return why_set(why, RC_DENIED, "the absolute path is longer than 4095 bytes");
    *out = arena_str(&config->arena, buf_str(&buf));
    return RC_OK;
}

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 8089: the path of a file URL is percent-encoded. */
static RC decode(struct config *config, struct str path, struct str *out, struct why *why) {
    AUTO(buf_done) struct buf buf = BUF_INIT(CONFIG_VALUE_MAX);
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] != '%') {
            buf_add_char(&buf, path.at[i]);
            continue;
        }
        int high = i + 2 < path.len ? hex(path.at[i + 1]) : -1, low = high < 0 ? -1 : hex(path.at[i + 2]);
        if (low < 0 || high * 16 + low < 0x20)
            return why_set(why, RC_DENIED,
                           "a %% in a file:// URL starts a byte as two hexadecimal digits (%%25 is a %%)");
        buf_add_char(&buf, (char)(high * 16 + low));
        i += 2;
    }
    TRY(buf_rc(&buf));
    *out = arena_str(&config->arena, buf_str(&buf));
    return RC_OK;
}

/* Names of buckets: what every service takes, and no more. */
static bool is_bucket(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool middle = i > 0 && i + 1 < s.len;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (middle && (c == '-' || c == '.'))) continue;
        return false;
    }
    return s.len >= 3 && s.len <= 63;
}

#define S3_SCHEME "s3://"

bool config_paths_is_s3(struct str path) { return str_starts(path, STR(S3_SCHEME)); }

static RC bad_bucket(struct str bucket, struct why *why) {
    return why_set(why, RC_DENIED,
                   "\"%s\" is no bucket's name: 3 to 63 of a-z, 0-9, . and -, with a letter or digit at both ends",
                   config_show(bucket).text);
}

RC config_paths_check_s3(struct str path, struct str *out_bucket, struct why *why) {
    struct str rest = str_sub(path, sizeof S3_SCHEME - 1, path.len);
    if (!str_cut(&rest, '/', out_bucket) || !is_bucket(*out_bucket)) return bad_bucket(*out_bucket, why);
    if (!rest.len)
        return why_set(why, RC_DENIED, "\"%s\" names no keys; s3://%.*s/** is all of the bucket's",
                       config_show(path).text, STR_ARG(*out_bucket));
    return RC_OK;
}

/* s3://BUCKET/PREFIX, as it is: a '%' in it is a '%'. */
static RC bucket_of_url(struct config *config, struct str rest, struct config_output *out, struct why *why) {
    struct str bucket = {0};
    if (!str_cut(&rest, '/', &bucket) || !is_bucket(bucket)) return bad_bucket(bucket, why);
    AUTO(buf_done) struct buf prefix = BUF_INIT(CONFIG_VALUE_MAX);
    struct str part;
    while (str_cut(&rest, '/', &part)) {
        if (!part.len) continue;
        if (str_equal(part, STR(".")) || str_equal(part, STR("..")))
            return why_set(why, RC_DENIED, "the prefix of an s3:// URL has a part \".\" or \"..\"");
        if (prefix.len) buf_add_char(&prefix, '/');
        buf_add(&prefix, part);
    }
    out->bucket = arena_str(&config->arena, bucket);
    out->prefix = arena_str(&config->arena, buf_str(&prefix));
    return RC_OK;
}

RC config_paths_of_url(struct config *config, struct str url, struct config_output *out, struct why *why) {
    const char *scheme_end = memmem(url.at, url.len, "://", 3);
    if (!scheme_end) return config_paths_absolute(config, url, false, &out->dir, why);
    if (str_starts(url, STR("s3://")))
        return bucket_of_url(config, str_sub(url, sizeof "s3://" - 1, url.len), out, why);
    if (!str_starts(url, STR("file:///")))
        return why_set(why, RC_DENIED,
                       "\"%s\" is not one of file:///FOLDER, /FOLDER, a path relative to this file, s3://BUCKET/PREFIX",
                       config_show(url).text);
    struct str path;
    TRY(decode(config, str_sub(url, sizeof "file://" - 1, url.len), &path, why));
    return config_paths_absolute(config, path, false, &out->dir, why);
}
