/* SPDX-License-Identifier: Apache-2.0 */
#include "config_inputs.h"

#include "config_error.h"
#include "config_paths.h"
#include "config_value.h"
#include "num.h"

enum { TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256 };

struct checker {
    struct config *config;
    struct config_source *source;
    size_t i;
    struct why *why;
};

#define FAIL(checker, key, ...) config_error((checker)->config, (key).text, (checker)->why, __VA_ARGS__)
#define KEY(checker, name) config_key("sources[%zu].%s", (checker)->i, (name))

static bool given(const struct checker *c, struct config_key key) {
    return config_mark_find(c->config, key.text) != NULL;
}

/* Made absolute, unless it is of a bucket. */
static RC check_glob(const struct checker *c, const char *name, size_t k, struct str *glob) {
    struct str bucket = {0};
    struct why reason = {0};
    enum rc rc = config_paths_is_s3(*glob) ? config_paths_check_s3(*glob, &bucket, &reason)
                                           : config_paths_absolute(c->config, *glob, true, glob, &reason);
    if (rc == RC_OK) return RC_OK;
    return FAIL(c, config_key("sources[%zu].%s[%zu]", c->i, name, k), "%s", reason.text);
}

static bool names_bucket(const struct config_source *source, struct str bucket) {
    struct str other = {0};
    for (size_t k = 0; k < source->paths.count; k++)
        if (config_paths_is_s3(source->paths.at[k]) &&
            config_paths_check_s3(source->paths.at[k], &other, NULL) == RC_OK && str_equal(other, bucket))
            return true;
    return false;
}

static RC check_globs(const struct checker *c) {
    struct config_source *s = c->source;
    struct str bucket = {0};
    for (size_t k = 0; k < s->paths.count; k++) TRY(check_glob(c, "paths", k, &s->paths.at[k]));
    for (size_t k = 0; k < s->exclude.count; k++) {
        struct str *exclude = &s->exclude.at[k];
        if (!memchr(exclude->at, '/', exclude->len)) continue;
        TRY(check_glob(c, "exclude", k, exclude));
        if (config_paths_is_s3(*exclude) && config_paths_check_s3(*exclude, &bucket, NULL) == RC_OK &&
            !names_bucket(s, bucket))
            return FAIL(c, config_key("sources[%zu].exclude[%zu]", c->i, k),
                        "is of the bucket %.*s, which no path of this source names", STR_ARG(bucket));
    }
    return RC_OK;
}

static size_t buckets_of(const struct config_source *s) {
    size_t n = 0;
    for (size_t k = 0; k < s->paths.count; k++) n += config_paths_is_s3(s->paths.at[k]);
    return n;
}

/* The one way to a bucket: a URI names a bucket and no source. */
static bool is_same_way(const struct config_s3 *a, const struct config_s3 *b) {
    const struct {
        struct str a, b;
    } texts[] = {{a->endpoint, b->endpoint},     {a->region, b->region},   {a->access_key, b->access_key},
                 {a->secret_key, b->secret_key}, {a->profile, b->profile}, {a->session_token, b->session_token},
                 {a->ca_file, b->ca_file}};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!str_equal(texts[i].a, texts[i].b)) return false;
    return a->style == b->style && a->connections == b->connections;
}

static RC check_same_way(const struct checker *c) {
    for (size_t k = 0; k < c->source->paths.count; k++) {
        struct str bucket = {0};
        if (!config_paths_is_s3(c->source->paths.at[k])) continue;
        TRY(config_paths_check_s3(c->source->paths.at[k], &bucket, c->why));
        for (size_t j = 0; j < c->i; j++) {
            const struct config_source *other = &c->config->sources[j];
            if (names_bucket(other, bucket) && !is_same_way(&other->s3, &c->source->s3))
                return FAIL(c, KEY(c, "s3"),
                            "the bucket %.*s is reached in another way by sources[%zu]; give both the same keys",
                            STR_ARG(bucket), j);
        }
    }
    return RC_OK;
}

static RC check_s3(const struct checker *c) {
    struct config_s3 *s3 = &c->source->s3;
    struct why reason = {0};
    if (!buckets_of(c->source))
        return given(c, KEY(c, "s3")) ? FAIL(c, KEY(c, "s3"), "is for paths of s3:// only; take this key out") : RC_OK;
    if (!s3->access_key.len != !s3->secret_key.len)
        return FAIL(c, KEY(c, s3->access_key.len ? "s3.access_key" : "s3.secret_key"),
                    "s3.access_key and s3.secret_key go together; the other one is missing");
    if (s3->session_token.len && !s3->access_key.len)
        return FAIL(c, KEY(c, "s3.session_token"), "s3.access_key and s3.secret_key are missing beside it");
    if (s3->ca_file.len && config_paths_absolute(c->config, s3->ca_file, false, &s3->ca_file, &reason) != RC_OK)
        return FAIL(c, KEY(c, "s3.ca_file"), "%s", reason.text);
    return check_same_way(c);
}

/* What S3 takes in tags. */
static bool is_tag(struct str text, size_t most) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !strchr(" +-=._:/@", c)) return false;
    }
    return text.len <= most;
}

/* "tag" or "tag:KEY=VALUE". */
static RC check_tag(const struct checker *c, struct str text) {
    struct config_source *s = c->source;
    struct config_key key = KEY(c, "after_durable");
    struct str rest = text.len > 3 ? str_sub(text, 4, text.len) : STR("sluice=durable");
    bool split = memchr(rest.at, '=', rest.len) && str_cut(&rest, '=', &s->tag_key);
    s->tag_value = rest;
    s->after_durable = CONFIG_TAG;
    if (!split || !s->tag_key.len || !is_tag(s->tag_key, TAG_KEY_MAX) || !is_tag(s->tag_value, TAG_VALUE_MAX))
        return FAIL(c, key,
                    "\"%s\" is no tag:KEY=VALUE with a KEY of 1 to 128 and a VALUE of up to 256 of letters, digits, "
                    "blanks and + - . _ : / @",
                    config_show(text).text);
    if (buckets_of(s) == s->paths.count) return RC_OK;
    return FAIL(c, key, "tags are for objects, and not all paths of this source begin with s3://");
}

static RC check_move(const struct checker *c, struct str folder) {
    struct why reason = {0};
    c->source->after_durable = CONFIG_MOVE;
    if (buckets_of(c->source))
        return FAIL(c, KEY(c, "after_durable"), "objects of a bucket are not moved; say keep, delete or tag");
    if (config_paths_absolute(c->config, folder, false, &c->source->move_to, &reason) != RC_OK)
        return FAIL(c, KEY(c, "after_durable"), "%s", reason.text);
    return RC_OK;
}

static RC check_after(const struct checker *c) {
    struct str text = c->source->after_text;
    if (str_equal(text, STR("tag")) || str_starts(text, STR("tag:"))) return check_tag(c, text);
    if (str_starts(text, STR("move:")) && text.len > 5) return check_move(c, str_sub(text, 5, text.len));
    c->source->after_durable = str_equal(text, STR("delete")) ? CONFIG_DELETE : CONFIG_KEEP;
    if (c->source->after_durable == CONFIG_DELETE || str_equal(text, STR("keep"))) return RC_OK;
    struct config_hint hint = CONFIG_HINT_INIT;
    config_hint_offer(&hint, text, STR("keep"));
    config_hint_offer(&hint, text, STR("delete"));
    config_hint_offer(&hint, text, STR("tag"));
    return FAIL(c, KEY(c, "after_durable"), "\"%s\" is not one of keep, delete, move:FOLDER, tag, tag:KEY=VALUE%s",
                config_show(text).text, hint.text);
}

RC config_inputs_check(struct config *config, size_t i, struct why *why) {
    const struct checker c = {config, &config->sources[i], i, why};
    TRY(check_globs(&c));
    TRY(check_s3(&c));
    return check_after(&c);
}
