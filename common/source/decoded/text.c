/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include "alloc.h"
#include "num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK = 64 * 1024,
    PIECE = 64 * 1024,
    KEEP_FIRST = 1 << 20,
    KEEP_MAX = 64 << 20, /* the largest window of a lane, and a line in front of it */
    SEEN = 4096          /* bytes of the file that are looked at again */
};

/* Bytes of the file as they were when they were decoded. */
struct seen {
    uint64_t from;
    size_t len;
    char bytes[SEEN];
};

struct text {
    struct text_settings settings;
    struct source inner;
    struct source_file *file;
    bool fixed; /* its bytes never change: nothing is looked at again */
    struct decode *decode;
    char chunk[CHUNK]; /* of the file; what is not decoded yet is in [chunk_from, chunk_to) */
    size_t chunk_from, chunk_to;
    char *head; /* the text's beginning */
    size_t head_len;
    char *kept; /* the text in front of where it is */
    size_t kept_len, kept_room, keep;
    uint64_t kept_at; /* where it begins */
    struct seen first, last;
};

struct text *text_new(const struct text_settings *settings) {
    struct text *t = ALLOC(struct text);
    t->settings = *settings;
    t->decode = decode_new(&settings->decode);
    t->head = alloc_bytes(TEXT_HEAD);
    t->keep = KEEP_FIRST;
    return t;
}

void text_free(struct text *t) {
    if (!t) return;
    decode_free(t->decode);
    free(t->head);
    free(t->kept);
    free(t);
}

void text_of(struct text *t, struct source inner, struct source_file *file) {
    t->inner = inner;
    t->file = file;
}

uint64_t text_at(const struct text *t) { return t->kept_at + t->kept_len; }

bool text_is_near(const struct text *t, uint64_t from) { return from >= t->kept_at; }

bool text_begins_with(const struct text *t, size_t len) { return len <= t->head_len; }

static void begin_again(struct text *t, uint64_t from) {
    uint64_t back = text_at(t) - MIN(text_at(t), from);
    t->keep = (size_t)MIN(MAX((uint64_t)t->keep, 2 * back), (uint64_t)KEEP_MAX);
    decode_free(t->decode);
    t->decode = decode_new(&t->settings.decode);
    t->chunk_from = t->chunk_to = t->head_len = t->kept_len = 0;
    t->kept_at = 0;
    t->first.len = t->last.len = 0;
}

/* Room for one more piece: what is too far behind goes, in large steps, so that each byte is moved about once. */
static void make_room(struct text *t) {
    size_t room = 2 * t->keep + PIECE;
    if (t->kept_room < room) {
        t->kept = alloc_resize(t->kept, room, 1);
        t->kept_room = room;
    }
    if (t->kept_room - t->kept_len >= PIECE) return;
    size_t gone = t->kept_len - t->keep;
    memmove(t->kept, t->kept + gone, t->keep);
    t->kept_len = t->keep;
    t->kept_at += gone;
}

static void remember(struct text *t, const char *from, size_t len) {
    uint64_t at = decode_state(t->decode).raw_at - len;
    if (t->first.len < SEEN && at <= SEEN) {
        size_t more = MIN(len, (size_t)SEEN - t->first.len);
        memcpy(t->first.bytes + t->first.len, from, more);
        t->first.len += more;
    }
    if (!len) return;
    size_t tail = MIN(len, (size_t)SEEN);
    memcpy(t->last.bytes, from + len - tail, tail);
    t->last.from = at + len - tail;
    t->last.len = tail;
}

static RC still(struct text *t, const struct seen *seen, struct why *why) {
    char now[SEEN];
    size_t got = 0;
    if (t->fixed) return RC_OK;
    TRY(source_read(t->inner, t->file, seen->from, now, seen->len, &got, why));
    if (got == seen->len && memcmp(now, seen->bytes, got) == 0) return RC_OK;
    return why_set(why, RC_STALE, "the file was rewritten while it was read");
}

/* What was decoded and what comes now must have been in the file together. */
static RC refill(struct text *t, uint64_t raw_limit, struct why *why) {
    uint64_t at = decode_state(t->decode).raw_at;
    if (t->last.len) TRY(still(t, &t->last, why));
    size_t want = (size_t)MIN((uint64_t)CHUNK, raw_limit - MIN(raw_limit, at));
    t->chunk_from = t->chunk_to = 0;
    return want ? source_read(t->inner, t->file, at, t->chunk, want, &t->chunk_to, why) : RC_OK;
}

static void add_head(struct text *t, const char *made, size_t len) {
    if (text_at(t) != t->head_len) return;
    size_t more = MIN(len, TEXT_HEAD - t->head_len);
    memcpy(t->head + t->head_len, made, more);
    t->head_len += more;
}

static bool is_over(const struct text *t) {
    enum decode_status status = decode_state(t->decode).status;
    return status == DECODE_DAMAGED || status == DECODE_LIMIT;
}

/* A little more of the text; *out_made 0: there is no more in the file's first raw_limit bytes. */
static RC advance(struct text *t, uint64_t raw_limit, size_t *out_made, struct why *why) {
    *out_made = 0;
    make_room(t);
    for (;;) {
        if (t->chunk_from == t->chunk_to && !is_over(t)) TRY(refill(t, raw_limit, why));
        const char *from = t->chunk + t->chunk_from;
        struct decode_piece piece = {from, t->chunk_to - t->chunk_from, t->kept + t->kept_len,
                                     MIN(t->kept_room - t->kept_len, (size_t)PIECE)};
        decode_step(t->decode, &piece);
        size_t took = (size_t)(piece.in - from), made = (size_t)(piece.out - (t->kept + t->kept_len));
        t->chunk_from += took;
        remember(t, from, took);
        add_head(t, t->kept + t->kept_len, made);
        t->kept_len += made;
        *out_made = made;
        if (made || !took) return RC_OK;
    }
}

/* What a codec holds back, where the file ends. */
static void take_rest(struct text *t) {
    make_room(t);
    struct decode_piece piece = {NULL, 0, t->kept + t->kept_len, PIECE};
    size_t made = decode_rest(t->decode, &piece);
    add_head(t, t->kept + t->kept_len, made);
    t->kept_len += made;
}

static uint64_t cap_of(const struct text *t, uint64_t raw_size) {
    uint64_t cap = t->settings.bytes_max ? t->settings.bytes_max : UINT64_MAX, ratio = t->settings.ratio_max;
    if (!ratio || raw_size > UINT64_MAX / 2 / ratio) return cap;
    return MIN(cap, raw_size * ratio + TEXT_RATIO_FREE);
}

static RC look_again(struct text *t, struct why *why) {
    TRY(still(t, &t->first, why));
    return still(t, &t->last, why);
}

static RC begin(struct text *t, struct why *why) {
    struct source_stat now;
    TRY(source_stat(t->inner, t->file, &now, why));
    t->fixed = now.fixed;
    if (now.size < decode_state(t->decode).raw_at) return why_set(why, RC_STALE, "the file is shorter than it was");
    decode_set_cap(t->decode, cap_of(t, now.size));
    return RC_OK;
}

/* Copies what is here of [from, from + len). */
static size_t copy(const struct text *t, uint64_t from, char *out, size_t len) {
    bool in_head = from < t->head_len;
    const char *bytes = in_head ? t->head : t->kept;
    uint64_t at = in_head ? 0 : t->kept_at, end = in_head ? t->head_len : text_at(t);
    if (from < at || from >= end) return 0;
    size_t n = (size_t)MIN((uint64_t)len, end - from);
    memcpy(out, bytes + (from - at), n);
    return n;
}

/* A text that stops before its first byte is one empty line: what came of it has to have a place. */
static bool is_empty_stop(const struct text *t) {
    return !text_at(t) && decode_state(t->decode).status != DECODE_WHOLE;
}

static RC read_on(struct text *t, uint64_t from, char *out, size_t len, size_t *done, struct why *why) {
    size_t made = 1;
    while (*done < len) {
        size_t n = copy(t, from + *done, out + *done, len - *done);
        *done += n;
        if (n) continue;
        if (!made) return RC_OK;
        TRY(advance(t, UINT64_MAX, &made, why));
        if (!made) take_rest(t);
    }
    return RC_OK;
}

RC text_read(struct text *t, uint64_t from, char *out, size_t len, size_t *out_len, struct why *why) {
    size_t done = 0;
    TRY(begin(t, why));
    if (from + len <= text_at(t)) TRY(look_again(t, why));
    if (from < t->kept_at && from + len > t->head_len) {
        begin_again(t, from);
        TRY(begin(t, why));
    }
    TRY(read_on(t, from, out, len, &done, why));
    if (!from && len && !done && is_empty_stop(t)) out[done++] = '\n';
    *out_len = done;
    return RC_OK;
}

static void tell_stop(const struct text *t, struct source_stop *out) {
    struct decode_state s = decode_state(t->decode);
    *out = (struct source_stop){.at = s.at, .raw_at = s.member_at};
    if (s.status == DECODE_WHOLE) return;
    out->stopped = true;
    const char *name = decode_kind_name(t->settings.decode.kind);
    bool going = s.status == DECODE_GOING, packed = t->settings.decode.kind != DECODE_NONE;
    if (going && !packed)
        (void)snprintf(out->words, sizeof out->words, "the file ends within a character");
    else if (going)
        (void)snprintf(out->words, sizeof out->words,
                       "%s: the file ends at its byte %llu, within the member that begins at %llu", name,
                       (unsigned long long)s.raw_at, (unsigned long long)s.member_at);
    else
        (void)snprintf(out->words, sizeof out->words, "%s: %s, in the member that begins at byte %llu of the file",
                       name, s.words, (unsigned long long)s.member_at);
}

RC text_measure(struct text *t, uint64_t raw_size, uint64_t budget, struct text_end *out, struct why *why) {
    uint64_t from = text_at(t);
    TRY(begin(t, why));
    if (decode_state(t->decode).raw_at) TRY(look_again(t, why));
    decode_set_cap(t->decode, cap_of(t, raw_size));
    for (size_t made = 1; made;) {
        TRY(advance(t, raw_size, &made, why));
        if (made && text_at(t) - from >= budget) return RC_BUSY;
    }
    *out = (struct text_end){.steady = text_at(t)};
    take_rest(t);
    out->at = is_empty_stop(t) ? 1 : text_at(t);
    tell_stop(t, &out->stop);
    /* One byte is kept back from an open file: with it the stop has a place when the file is closed. */
    if (out->stop.stopped) out->steady = MIN(out->steady, out->at - 1);
    return RC_OK;
}

RC text_stop_at(struct text *t, uint64_t at, struct source_stop *out, struct why *why) {
    char byte = 0;
    size_t got = 0;
    *out = (struct source_stop){.stopped = false};
    TRY(text_read(t, at, &byte, 1, &got, why));
    if (got || at != (is_empty_stop(t) ? 1 : text_at(t))) return RC_OK;
    tell_stop(t, out);
    return RC_OK;
}
