/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "cut.h"
#include "must.h"
#include "noted.h"
#include "num.h"

RC reader_open(struct reader *r, struct source source, const struct job *job, struct why *why) {
    struct source_stat expected = {
        .inode = job->facts.inode, .birth_ns = job->facts.birth_ns, .volume = job->facts.volume};
    struct source_file *file = NULL;
    TRY(source_open(source, job->at.len ? job->at : job->facts.uri, &expected, &file, why));
    *r = (struct reader){.source = source, .file = file, .uri = job->facts.uri};
    return RC_OK;
}

void reader_close(struct reader *r) {
    if (!r || !r->file) return;
    source_close(r->source, r->file);
    r->file = NULL;
}

RC reader_read(const struct reader *r, uint64_t from, char *out, size_t len, struct why *why) {
    size_t got = 0;
    TRY(source_read(r->source, r->file, from, out, len, &got, why));
    if (got == len) {
        if (r->noted) noted_read(r->noted, from, (struct str){out, len});
        return RC_OK;
    }
    return why_set(why, RC_STALE, "%.*s is shorter than it was: %llu bytes asked at %llu, %zu there", STR_ARG(r->uri),
                   (unsigned long long)len, (unsigned long long)from, got);
}

RC reader_stop(const struct reader *r, uint64_t at, struct source_stop *out, struct why *why) {
    return source_stop(r->source, r->file, at, out, why);
}

static RC hash_of(const struct reader *r, uint64_t from, size_t len, uint64_t *out, struct why *why) {
    char bytes[PREFIX_MAX];
    MUST(len <= sizeof bytes);
    TRY(reader_read(r, from, bytes, len, why));
    *out = hash_bytes((struct str){bytes, len});
    return RC_OK;
}

RC reader_tail(const struct reader *r, uint64_t at, uint64_t *out, struct why *why) {
    size_t len = (size_t)MIN(at, (uint64_t)TAIL_MAX);
    return hash_of(r, at - len, len, out, why);
}

RC reader_check(const struct reader *r, const struct job *job, uint64_t at, bool has_tail, uint64_t tail_hash,
                struct why *why) {
    uint64_t hash = 0;
    uint32_t prefix = job->facts.prefix_len;
    if (prefix > PREFIX_MAX) return why_set(why, RC_BAD, "a prefix of %u bytes is over %d", prefix, PREFIX_MAX);
    TRY(hash_of(r, 0, prefix, &hash, why));
    if (prefix && hash != job->facts.prefix_hash)
        return why_set(why, RC_STALE, "%.*s begins with other bytes than the file that was identified",
                       STR_ARG(r->uri));
    if (!has_tail) return RC_OK;
    TRY(reader_tail(r, at, &hash, why));
    if (hash != tail_hash)
        return why_set(why, RC_STALE, "%.*s has other bytes before offset %llu than when it was converted up to there",
                       STR_ARG(r->uri), (unsigned long long)at);
    return RC_OK;
}

RC reader_line_end(const struct reader *r, const struct reader_lines *ask, uint64_t *out, struct why *why) {
    for (uint64_t at = ask->from; at < ask->below;) {
        size_t len = (size_t)MIN(ask->below - at, (uint64_t)ask->work_bytes);
        TRY(reader_read(r, at, ask->work, len, why));
        const char *hit = memchr(ask->work, '\n', len);
        if (hit) {
            *out = at + (size_t)(hit - ask->work) + 1;
            return RC_OK;
        }
        at += len;
    }
    return RC_ABSENT;
}

RC reader_line_start(const struct reader *r, const struct reader_lines *ask, uint64_t *out, struct why *why) {
    if (ask->from == 0) {
        *out = 0;
        return RC_OK;
    }
    uint64_t end = cut_next_end(ask->ends, ask->ends_len, ask->from), start = 0;
    /* A LF at p makes a line start at p + 1: those of [from, below) have their LF in [from - 1, below - 1). */
    struct reader_lines search = *ask;
    search.from = ask->from - 1;
    search.below = MIN(ask->below, num_add(end, 1)) - 1;
    enum rc rc = search.from < search.below ? reader_line_end(r, &search, &start, why) : RC_ABSENT;
    if (rc == RC_OK)
        *out = MIN(start, end);
    else if (rc == RC_ABSENT && end < ask->below)
        *out = end;
    else
        return rc;
    return RC_OK;
}
