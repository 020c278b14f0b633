/* SPDX-License-Identifier: Apache-2.0 */
/* Listings: what lies below the part of a path that has no globs, page by page, and of that what matches. Nothing is
 * remembered from one listing to the next, so a key that sorts before others and came later is found like any other. */
#include "source_s3_private.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "s3_list.h"
#include "source_match.h"
#include "source_uri.h"

#include <stdlib.h>

enum { NS_PER_S = 1000000000, PATTERNS_MAX = 4096 };

/* The paths and excludes of a pattern as globs over "/" and the key. */
struct globs {
    struct str *paths, *excludes;
    struct source_match match;
};

static void globs_done(struct globs *globs) {
    source_match_done(&globs->match);
    free(globs->paths);
    free(globs->excludes);
}

static RC globs_make(const struct source_s3 *s3, const struct source_pattern *pattern, struct globs *out,
                     struct why *why) {
    out->paths = alloc_zero(pattern->paths_len, sizeof *out->paths);
    out->excludes = alloc_zero(pattern->excludes_len, sizeof *out->excludes);
    size_t prefix = strlen(s3->prefix), excludes = 0;
    for (size_t i = 0; i < pattern->paths_len; i++) {
        struct str path = pattern->paths[i];
        if (!str_starts(path, str_of(s3->prefix)) || path.len == prefix)
            return why_set(why, RC_BAD, "pattern '%.*s': not %s and a glob over keys",
                           STR_ARG(str_sub(path, 0, MIN(path.len, (size_t)300))), s3->prefix);
        out->paths[i] = str_sub(path, prefix - 1, path.len);
    }
    for (size_t i = 0; i < pattern->excludes_len; i++) {
        struct str exclude = pattern->excludes[i];
        bool ours = str_starts(exclude, str_of(s3->prefix));
        if (ours || !memchr(exclude.at, '/', exclude.len))
            out->excludes[excludes++] = ours ? str_sub(exclude, prefix - 1, exclude.len) : exclude;
    }
    struct source_pattern keys = {out->paths, pattern->paths_len, out->excludes, excludes, false};
    return source_match_parse(&keys, &out->match, why);
}

/* What keys that match begin with: the text up to the first special character. */
static void literal_start(struct str glob, struct buf *out) {
    for (size_t i = 1; i < glob.len; i++) {
        char c = glob.at[i];
        if (c == '*' || c == '?' || c == '[') return;
        if (c == '\\' && ++i == glob.len) return;
        buf_add_char(out, glob.at[i]);
    }
}

struct listing {
    const struct source_s3 *s3;
    const struct globs *globs;
    size_t path; /* which of them is listed */
    source_visit visit;
    source_problem problem;
    void *context;
    struct buf uri, key;
};

static void listing_done(struct listing *l) {
    buf_done(&l->uri);
    buf_done(&l->key);
}

static enum rc tell(void *context, const struct s3_object *object) {
    struct listing *l = context;
    buf_reset(&l->key);
    buf_add_char(&l->key, '/');
    buf_add(&l->key, object->key);
    const char *key = buf_text(&l->key);
    if (!source_match_wants(&l->globs->match, l->path, key)) return RC_OK;
    for (size_t i = 0; i < l->path; i++) /* each once: an earlier path has told of it */
        if (source_match_wants(&l->globs->match, i, key)) return RC_OK;
    char piece[3 * S3_OBJECT_KEY_MAX];
    buf_reset(&l->uri);
    buf_add(&l->uri, str_of(l->s3->prefix));
    buf_add(&l->uri, (struct str){piece, source_uri_encode_piece(object->key, piece)});
    struct source_entry entry = {.uri = buf_str(&l->uri)};
    struct why why = {0};
    enum rc rc = s3_identify(l->s3, object->key, object->etag, &entry.stat, &why);
    if (rc != RC_OK) {
        if (l->problem) l->problem(l->context, entry.uri, rc, &why);
        return RC_OK;
    }
    entry.stat.size = object->bytes;
    entry.stat.mtime_ns = object->modified_ns / NS_PER_S * NS_PER_S; /* as HEAD tells it */
    return l->visit(l->context, &entry);
}

/* One path. What a person has to mend is a problem of this place, and others are listed all the same. */
static RC list_path(struct source_s3 *s3, struct listing *l, struct why *why) {
    AUTO(buf_done) struct buf start = BUF_INIT(S3_OBJECT_KEY_MAX);
    literal_start(l->globs->paths[l->path], &start);
    if (buf_rc(&start) != RC_OK) return RC_OK; /* no key is that long */
    struct why inner = {0};
    enum rc rc = s3_list_objects(&s3->bucket, buf_str(&start), STR(""), tell, l, &inner);
    if (rc == RC_DENIED) {
        buf_reset(&l->uri);
        buf_add_format(&l->uri, "s3://%s%.*s", s3->bucket.name, STR_ARG(l->globs->paths[l->path]));
        if (l->problem) l->problem(l->context, buf_str(&l->uri), rc, &inner);
        return RC_OK;
    }
    if (rc != RC_OK && why) *why = inner;
    return rc;
}

enum rc s3_source_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                       void *context, struct why *why) {
    struct source_s3 *s3 = self;
    AUTO(globs_done) struct globs globs = {0};
    TRY(globs_make(s3, pattern, &globs, why));
    AUTO(listing_done)
    struct listing l = {.s3 = s3,
                        .globs = &globs,
                        .visit = visit,
                        .problem = problem,
                        .context = context,
                        .uri = BUF_INIT(SOURCE_URI_MAX),
                        .key = BUF_INIT(S3_OBJECT_KEY_MAX + 1)};
    for (; l.path < pattern->paths_len; l.path++) TRY(list_path(s3, &l, why));
    return RC_OK;
}

enum rc s3_source_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    AUTO(globs_done) struct globs globs = {0};
    return globs_make(self, pattern, &globs, why);
}
