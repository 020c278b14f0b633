/* SPDX-License-Identifier: Apache-2.0 */
#include "noted.h"

#include "alloc.h"
#include "hash_stream.h"
#include "num.h"
#include "own.h"
#include "reader.h"

#include <stdlib.h>

void noted_done(struct noted *n) {
    free(n->ranges);
    hash_stream_free(n->hash);
    *n = (struct noted){0};
}

RC noted_begin(struct noted *n, struct reader *r, bool keeps, struct why *why) {
    r->noted = NULL;
    n->len = 0;
    hash_stream_free(n->hash);
    n->hash = NULL;
    TRY(source_stat(r->source, r->file, &n->stat, why));
    n->keeps = keeps || n->stat.changing;
    if (n->keeps) n->hash = hash_stream_new();
    r->noted = n;
    return RC_OK;
}

void noted_read(struct noted *n, uint64_t from, struct str bytes) {
    if (!n->keeps || !bytes.len) return;
    hash_stream_add(n->hash, bytes);
    if (n->len && n->ranges[n->len - 1].to == from) {
        n->ranges[n->len - 1].to += bytes.len;
        return;
    }
    alloc_grow(&n->ranges, &n->room, n->len + 1, sizeof *n->ranges);
    n->ranges[n->len++] = (struct noted_range){from, from + bytes.len};
}

static RC hash_again(const struct noted *n, const struct reader *r, struct str work, uint64_t *out, struct why *why) {
    AUTO(hash_stream_done) struct hash_stream *hash = hash_stream_new();
    char *bytes = (char *)(uintptr_t)work.at;
    for (size_t i = 0; i < n->len; i++)
        for (uint64_t at = n->ranges[i].from; at < n->ranges[i].to;) {
            size_t len = (size_t)MIN(n->ranges[i].to - at, (uint64_t)work.len);
            TRY(reader_read(r, at, bytes, len, why));
            hash_stream_add(hash, (struct str){bytes, len});
            at += len;
        }
    *out = hash_stream_end(hash);
    return RC_OK;
}

RC noted_ask(struct noted *n, struct reader *r, struct str work, enum noted_answer *out, struct why *why) {
    struct source_stat now;
    uint64_t hash = 0;
    r->noted = NULL;
    TRY(source_stat(r->source, r->file, &now, why));
    bool moved = now.size != n->stat.size || now.mtime_ns != n->stat.mtime_ns || now.changed_ns != n->stat.changed_ns;
    *out = n->keeps ? NOTED_OTHER : NOTED_UNKNOWN;
    if (!moved && !n->stat.changing) *out = NOTED_SAME;
    if (*out != NOTED_OTHER) return RC_OK;
    TRY(hash_again(n, r, work, &hash, why));
    if (hash == hash_stream_end(n->hash)) *out = NOTED_SAME;
    return RC_OK;
}
