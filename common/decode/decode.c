/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include "alloc.h"
#include "decode_codec.h"
#include "num.h"

#include <stdlib.h>
#include <string.h>

enum { MIDDLE = 64 * 1024, MEMORY_MAX = 128 * 1024 * 1024 };

static const struct codec *const codecs[DECODE_KINDS] = {
    [DECODE_GZIP] = &decode_gzip,
    [DECODE_ZSTD] = &decode_zstd,
    [DECODE_XZ] = &decode_xz,
    [DECODE_BZIP2] = &decode_bzip2,
};

struct decode {
    struct decode_settings settings;
    const struct codec *codec; /* NULL: not compressed */
    void *self;                /* NULL before the first member */
    bool in_member, magic;     /* its first bytes are still looked at one by one */
    size_t magic_at;
    struct decode_state state;
    uint64_t cap;
    char extra[CHARSET_BYTES_MAX]; /* what was made to see whether there is anything behind the cap */
    size_t extra_len;
    char held[DECODE_HELD]; /* of an unsteady codec: a cell of the member's text, until it is full */
    size_t held_from, held_len;
    struct charset_state charset;
    char *middle; /* what is decompressed and not yet of another charset */
    size_t middle_from, middle_to;
};

struct decode *decode_new(const struct decode_settings *settings) {
    struct decode *d = ALLOC(struct decode);
    d->settings = *settings;
    if (!d->settings.memory_max) d->settings.memory_max = MEMORY_MAX;
    d->codec = codecs[settings->kind];
    d->state.words = "";
    d->cap = UINT64_MAX;
    d->charset = (struct charset_state){.charset = settings->charset, .replace = settings->replace};
    if (settings->charset != CHARSET_UTF8) d->middle = alloc_bytes(MIDDLE);
    return d;
}

void decode_free(struct decode *d) {
    if (!d) return;
    if (d->self) d->codec->end(d->self);
    charset_done(&d->charset);
    free(d->middle);
    free(d);
}

void decode_set_cap(struct decode *d, uint64_t cap) {
    d->cap = cap;
    if (d->extra_len && cap >= d->state.at + d->extra_len) d->state.status = DECODE_GOING;
}

static bool is_over(const struct decode *d) {
    return d->state.status == DECODE_DAMAGED || d->state.status == DECODE_LIMIT;
}

static void stop(struct decode *d, enum decode_status status, const char *words) {
    d->state.status = status;
    d->state.words = words;
}

static void copy(struct decode *d, struct decode_piece *piece) {
    size_t len = MIN(piece->in_len, piece->out_room);
    if (!len) return;
    memcpy(piece->out, piece->in, len);
    piece->in += len;
    piece->in_len -= len;
    piece->out += len;
    piece->out_room -= len;
    d->state.raw_at += len;
}

/* At the end of a member: zero bytes are skipped, anything else begins the next one. False: there is no more. */
static bool begin_member(struct decode *d, struct decode_piece *piece) {
    while (piece->in_len && d->self && !*piece->in) {
        piece->in++;
        piece->in_len--;
        d->state.raw_at++;
    }
    if (!piece->in_len) return false;
    d->state.member_at = d->state.raw_at;
    if (d->self)
        d->codec->again(d->self);
    else
        d->self = d->codec->begin(d->settings.memory_max);
    d->in_member = d->magic = true;
    d->magic_at = 0;
    return true;
}

/* How much of the input the codec is given: the first bytes of a member one by one, as long as they fit. */
static size_t allowed(struct decode *d, const struct decode_piece *piece) {
    bool known = false;
    if (!d->magic || !piece->in_len) return piece->in_len;
    if (!decode_kind_fits(d->settings.kind, d->magic_at, (unsigned char)*piece->in, &known)) {
        stop(d, DECODE_DAMAGED,
             d->state.member_at ? "there is something behind the last member that is none"
                                : "it does not begin like such a file");
        return 0;
    }
    d->magic = known;
    d->magic_at++;
    return known ? 1 : piece->in_len;
}

static void end_step(struct decode *d, enum codec_result result, const char *words) {
    if (result == CODEC_END) d->in_member = false;
    if (result == CODEC_BAD) stop(d, DECODE_DAMAGED, words);
    if (result == CODEC_MEMORY) stop(d, DECODE_LIMIT, words);
}

/* The codec's next bytes. True: it took or made something, or its member ended. */
static bool step_codec(struct decode *d, struct decode_piece *piece) {
    size_t in = allowed(d, piece), room = piece->out_room;
    if (is_over(d)) return false;
    struct decode_piece now = {piece->in, in, piece->out, room};
    const char *words = "";
    enum codec_result result = d->codec->step(d->self, &now, &words);
    size_t took = in - now.in_len;
    *piece = (struct decode_piece){now.in, piece->in_len - took, now.out, now.out_room};
    d->state.raw_at += took;
    end_step(d, result, words);
    return took || now.out_room < room || result != CODEC_MORE;
}

static void hand_out(struct decode *d, struct decode_piece *piece) {
    size_t len = MIN(d->held_len - d->held_from, piece->out_room);
    memcpy(piece->out, d->held + d->held_from, len);
    piece->out += len;
    piece->out_room -= len;
    d->held_from += len;
    bool done = d->held_len == DECODE_HELD || !d->in_member;
    if (done && d->held_from == d->held_len) d->held_from = d->held_len = 0;
}

/* The same through cells: each begins with all its room, whatever room we have, and is handed out whole. */
static bool step_held(struct decode *d, struct decode_piece *piece) {
    bool moved = false;
    if (d->held_len < DECODE_HELD) {
        struct decode_piece cell = {piece->in, piece->in_len, d->held + d->held_len, DECODE_HELD - d->held_len};
        moved = step_codec(d, &cell);
        piece->in = cell.in;
        piece->in_len = cell.in_len;
        d->held_len = DECODE_HELD - cell.out_room;
        if (d->state.status == DECODE_DAMAGED) d->held_len = d->held_from;
    }
    if (d->in_member && d->held_len < DECODE_HELD) return moved;
    hand_out(d, piece);
    return true;
}

/* Decompresses. A codec may hold output back while it has no input: it is asked until it gives nothing more. */
static void unpack(struct decode *d, struct decode_piece *piece) {
    if (!d->codec) {
        copy(d, piece);
        return;
    }
    bool more = true;
    while (more && !is_over(d) && piece->out_room) {
        if (d->held_len > d->held_from && !d->in_member)
            hand_out(d, piece);
        else if (d->in_member || begin_member(d, piece))
            more = d->codec->unsteady ? step_held(d, piece) : step_codec(d, piece);
        else
            more = false;
    }
}

static bool refill(struct decode *d, struct decode_piece *piece) {
    if (d->middle_from) memmove(d->middle, d->middle + d->middle_from, d->middle_to - d->middle_from);
    d->middle_to -= d->middle_from;
    d->middle_from = 0;
    struct decode_piece inner = {piece->in, piece->in_len, d->middle + d->middle_to, MIDDLE - d->middle_to};
    char *before = inner.out;
    if (!is_over(d)) unpack(d, &inner);
    piece->in = inner.in;
    piece->in_len = inner.in_len;
    d->middle_to += (size_t)(inner.out - before);
    return inner.out > before;
}

static void step(struct decode *d, struct decode_piece *piece) {
    if (!d->middle) {
        unpack(d, piece);
        return;
    }
    bool more = true;
    while (more && piece->out_room) {
        more = refill(d, piece);
        struct decode_piece text = {d->middle + d->middle_from, d->middle_to - d->middle_from, piece->out,
                                    piece->out_room};
        charset_step(&d->charset, &text);
        more = more || text.out > piece->out;
        piece->out = text.out;
        piece->out_room = text.out_room;
        d->middle_from = d->middle_to - text.in_len;
    }
}

/* At the cap: is there anything behind it? It is kept, in case that the cap is raised. */
static void look_behind(struct decode *d, struct decode_piece *piece) {
    size_t room = d->middle ? sizeof d->extra : 1;
    struct decode_piece behind = {piece->in, piece->in_len, d->extra, room};
    step(d, &behind);
    piece->in = behind.in;
    piece->in_len = behind.in_len;
    d->extra_len = room - behind.out_room;
    if (d->extra_len) stop(d, DECODE_LIMIT, "it would be more text than is allowed");
}

static void go_on(struct decode *d, struct decode_piece *piece) {
    char *from = piece->out;
    if (d->extra_len) memcpy(piece->out, d->extra, d->extra_len);
    piece->out += d->extra_len;
    piece->out_room -= d->extra_len;
    uint64_t left = d->cap - MIN(d->cap, d->state.at + d->extra_len);
    d->extra_len = 0;
    size_t room = (size_t)MIN((uint64_t)piece->out_room, left);
    struct decode_piece now = {piece->in, piece->in_len, piece->out, room};
    if (room) step(d, &now);
    size_t made = room - now.out_room;
    *piece = (struct decode_piece){now.in, now.in_len, now.out, piece->out_room - made};
    d->state.at += (uint64_t)(piece->out - from);
    /* What did not fit into what is left did so for the cap's sake, and not for the room's. */
    left = d->cap - MIN(d->cap, d->state.at);
    if (left < piece->out_room && left < (d->middle ? sizeof d->extra : 1) && !is_over(d)) look_behind(d, piece);
}

void decode_step(struct decode *d, struct decode_piece *piece) {
    bool capped = d->state.status == DECODE_LIMIT && d->extra_len;
    if (!capped) go_on(d, piece);
    if (is_over(d)) return;
    bool half = d->in_member || d->held_len > d->held_from || d->middle_to > d->middle_from;
    d->state.status = half ? DECODE_GOING : DECODE_WHOLE;
}

size_t decode_rest(struct decode *d, struct decode_piece *piece) {
    size_t room = piece->out_room;
    if (d->held_len > d->held_from && !d->middle && d->state.status == DECODE_GOING) hand_out(d, piece);
    d->state.at += room - piece->out_room;
    return room - piece->out_room;
}

struct decode_state decode_state(const struct decode *d) {
    return d->state;
}
