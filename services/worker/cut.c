/* SPDX-License-Identifier: Apache-2.0 */
#include "cut.h"

#include "must.h"
#include "num.h"

uint64_t cut_next_end(const uint64_t *ends, size_t ends_len, uint64_t from) {
    for (size_t i = 0; i < ends_len; i++)
        if (ends[i] >= from) return ends[i];
    return UINT64_MAX;
}

/* Bytes up to and with the last LF; 0 without one. */
static size_t through_last_newline(struct str s) {
    const char *hit = s.len ? memrchr(s.at, '\n', s.len) : NULL;
    return hit ? (size_t)(hit - s.at) + 1 : 0;
}

/* The end of the last line that starts before the stripe's end: behind the first LF at or behind its last byte. */
static size_t stop_at_stripe(const struct cut_ask *ask, size_t bytes) {
    uint64_t last = ask->stripe_end - 1;
    if (ask->at + bytes <= ask->stripe_end) return bytes;
    size_t from = (size_t)(last - ask->at);
    const char *hit = memchr(ask->window.at + from, '\n', bytes - from);
    return hit ? (size_t)(hit - ask->window.at) + 1 : bytes;
}

struct cut cut_framed(const struct cut_ask *ask) {
    uint64_t end = cut_next_end(ask->ends, ask->ends_len, ask->at + 1);
    bool to_end = end != UINT64_MAX && end - ask->at <= ask->window.len;
    size_t bytes = to_end ? (size_t)(end - ask->at) : ask->window.len;
    return (struct cut){.kind = CUT_LINES, .bytes = bytes, .closed = to_end};
}

struct cut cut_lines(const struct cut_ask *ask) {
    MUST(ask->at < ask->stripe_end);
    uint64_t end = cut_next_end(ask->ends, ask->ends_len, ask->at + 1);
    size_t limit = ask->window.len;
    bool to_end = end != UINT64_MAX && end - ask->at <= limit;
    if (to_end) limit = (size_t)(end - ask->at);
    size_t bytes = to_end ? limit : through_last_newline(str_sub(ask->window, 0, limit));
    if (!bytes) return (struct cut){.kind = ask->at + limit >= ask->ready ? CUT_WAIT : CUT_LONGER};
    size_t kept = stop_at_stripe(ask, bytes);
    return (struct cut){.kind = CUT_LINES, .bytes = kept, .closed = to_end && kept == limit};
}
