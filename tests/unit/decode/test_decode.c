/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the text of a file is a function of its bytes alone, whole or damaged anywhere, however it is cut; the text
 * of its beginning is a beginning of its text; members, padding, garbage and limits are as DESIGN.md says. */
#include "decode.h"

#include "num.h"
#include "own.h"
#include "packed.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { TEXT_MAX = 8 << 20, PIECE_MAX = 256 * 1024 };

static void free_decode(struct decode **d) { decode_free(*d); }

/* Decodes all of it in cuts of up to in_max and out_max bytes; NULL rng: as large as they may be. */
struct cuts {
    struct rng *rng;
    size_t in_max, out_max;
    uint64_t cap;
};

static size_t cut_of(const struct cuts *cuts, size_t most, size_t least) {
    return cuts->rng ? least + (size_t)rng_below(cuts->rng, most) : PIECE_MAX;
}

static struct decode_state unpack(const struct decode_settings *settings, struct str file, const struct cuts *cuts,
                                  struct buf *out) {
    AUTO(free_decode) struct decode *d = decode_new(settings);
    static char room[PIECE_MAX + 16];
    if (cuts->cap) decode_set_cap(d, cuts->cap);
    for (size_t at = 0;;) {
        size_t in = MIN(cut_of(cuts, cuts->in_max, 0), file.len - at);
        struct decode_piece piece = {file.at + at, in, room, cut_of(cuts, cuts->out_max, CHARSET_BYTES_MAX)};
        decode_step(d, &piece);
        size_t made = (size_t)(piece.out - room);
        buf_add(out, (struct str){room, made});
        at += in - piece.in_len;
        enum decode_status status = decode_state(d).status;
        bool over = status == DECODE_DAMAGED || status == DECODE_LIMIT;
        if (made || (!over && at < file.len)) continue;
        piece = (struct decode_piece){NULL, 0, room, PIECE_MAX};
        buf_add(out, (struct str){room, decode_rest(d, &piece)});
        return decode_state(d);
    }
}

static const struct cuts whole = {0};

static void make_lines(struct rng *rng, size_t bytes, struct buf *out) {
    while (out->len < bytes)
        buf_add_format(out, "{\"n\":%llu,\"t\":\"aaaa\"}\n", (unsigned long long)rng_below(rng, 1u << 20));
}

static void add_members(enum decode_kind kind, struct rng *rng, size_t bytes, struct buf *file, struct buf *text) {
    AUTO(buf_done) struct buf part = BUF_INIT(TEXT_MAX);
    make_lines(rng, bytes, &part);
    packed_add(kind, buf_str(&part), file);
    buf_add(text, buf_str(&part));
}

static void members_are_one_text_however_cut(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        struct rng rng = rng_from_seed(kind);
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
        add_members(kind, &rng, 1 << 20, &file, &text);
        packed_add(kind, STR(""), &file);
        add_members(kind, &rng, 100, &file, &text);
        for (int i = 0; i < 4; i++) buf_add_char(&file, '\0');
        assert_int_equal(decode_kind_of(buf_str(&file)), kind);
        struct decode_settings settings = {.kind = kind};
        for (size_t round = 0; round < 12; round++) {
            struct cuts cuts = {&rng, round % 2 ? 7000 : 100, round % 3 ? 5000 : 300000, 0};
            AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
            struct decode_state end = unpack(&settings, buf_str(&file), round ? &cuts : &whole, &out);
            assert_int_equal(end.status, DECODE_WHOLE);
            assert_int_equal(end.raw_at, file.len);
            assert_int_equal(end.at, text.len);
            assert_true(str_equal(buf_str(&out), buf_str(&text)));
        }
    }
}

/* Compares what comes out in one go with what comes out in many cuts. */
static void check_cuts(const struct decode_settings *settings, struct str file, struct rng *rng) {
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct decode_state end = unpack(settings, file, &whole, &out);
    static const size_t sizes[][2] = {{1, 1}, {3, 60000}, {200, 40}, {60000, 300}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct cuts cuts = {rng, sizes[i][0] + 1, sizes[i][1], 0};
        AUTO(buf_done) struct buf other = BUF_INIT(TEXT_MAX);
        struct decode_state now = unpack(settings, file, &cuts, &other);
        assert_int_equal(now.status, end.status);
        assert_int_equal(now.at, end.at);
        assert_int_equal(now.member_at, end.member_at);
        assert_true(str_equal(buf_str(&other), buf_str(&out)));
    }
}

static void damage_anywhere_gives_the_same_bytes_however_cut(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        struct rng rng = rng_from_seed(100 + kind);
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
        add_members(kind, &rng, 700, &file, &text);
        add_members(kind, &rng, 300, &file, &text);
        struct decode_settings settings = {.kind = kind};
        for (size_t at = 0; at < file.len; at++) {
            char kept = file.at[at];
            file.at[at] = (char)(kept ^ (1 << rng_below(&rng, 8)));
            check_cuts(&settings, buf_str(&file), &rng);
            file.at[at] = kept;
        }
    }
}

static void damage_in_a_large_member_keeps_what_is_before(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        struct rng rng = rng_from_seed(200 + kind);
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
        add_members(kind, &rng, 3 << 20, &file, &text);
        struct decode_settings settings = {.kind = kind};
        for (size_t round = 0; round < 12; round++) {
            size_t at = file.len / 2 + (size_t)rng_below(&rng, file.len / 2);
            char kept = file.at[at];
            file.at[at] = (char)(kept ^ (1 << rng_below(&rng, 8)));
            AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
            struct decode_state end = unpack(&settings, buf_str(&file), &whole, &out);
            struct cuts cuts = {&rng, 5000, 70000, 0};
            AUTO(buf_done) struct buf other = BUF_INIT(TEXT_MAX);
            (void)unpack(&settings, buf_str(&file), &cuts, &other);
            assert_true(str_equal(buf_str(&other), buf_str(&out)));
            assert_int_equal(end.status, DECODE_DAMAGED);
            assert_true(end.at > text.len / 8);
            file.at[at] = kept;
        }
    }
}

static void a_beginning_gives_a_beginning(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        struct rng rng = rng_from_seed(300 + kind);
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
        add_members(kind, &rng, 2000, &file, &text);
        size_t first = file.len, first_text = text.len, before = 0;
        add_members(kind, &rng, 700, &file, &text);
        struct decode_settings settings = {.kind = kind};
        for (size_t len = 0; len <= file.len; len++) {
            AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
            struct decode_state end = unpack(&settings, str_sub(buf_str(&file), 0, len), &whole, &out);
            bool at_end = len == 0 || len == first || len == file.len;
            assert_int_equal(end.status, at_end ? DECODE_WHOLE : DECODE_GOING);
            assert_true(out.len >= before);
            assert_true(str_equal(buf_str(&out), str_sub(buf_str(&text), 0, out.len)));
            if (len == first) assert_int_equal(out.len, first_text);
            before = out.len;
        }
    }
}

static void garbage_behind_a_member_is_damage(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
        packed_add(kind, STR("one\n"), &file);
        buf_add_char(&file, '\0');
        size_t end = file.len;
        buf_add(&file, STR("garbage"));
        struct decode_settings settings = {.kind = kind};
        struct decode_state seen = unpack(&settings, buf_str(&file), &whole, &out);
        assert_int_equal(seen.status, DECODE_DAMAGED);
        assert_int_equal(seen.member_at, end);
        assert_true(str_equal(buf_str(&out), STR("one\n")));
    }
}

static void a_bomb_ends_at_the_cap(void **state) {
    (void)state;
    for (enum decode_kind kind = DECODE_GZIP; kind < DECODE_KINDS; kind++) {
        AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
        for (int i = 0; i < 100000; i++) buf_add_char(&text, 'a');
        packed_add(kind, buf_str(&text), &file);
        struct decode_settings settings = {.kind = kind};
        static const uint64_t caps[] = {1, 4096, 99999, 100000};
        for (size_t i = 0; i < COUNT_OF(caps); i++) {
            struct rng rng = rng_from_seed(i);
            struct cuts cuts = {&rng, 10, 500, caps[i]};
            AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
            struct decode_state end = unpack(&settings, buf_str(&file), &cuts, &out);
            assert_int_equal(out.len, caps[i]);
            assert_int_equal(end.status, caps[i] < text.len ? DECODE_LIMIT : DECODE_WHOLE);
        }
    }
}

static void a_raised_cap_goes_on_where_it_was(void **state) {
    (void)state;
    AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX);
    packed_add(DECODE_GZIP, STR("0123456789"), &file);
    AUTO(free_decode) struct decode *d = decode_new(&(struct decode_settings){.kind = DECODE_GZIP});
    char room[64];
    struct decode_piece piece = {file.at, file.len, room, sizeof room};
    for (uint64_t cap = 1; cap <= 11; cap++) {
        decode_set_cap(d, cap);
        decode_step(d, &piece);
        assert_int_equal(piece.out - room, MIN(cap, (uint64_t)10));
        assert_int_equal(decode_state(d).status, cap < 10 ? DECODE_LIMIT : DECODE_WHOLE);
    }
    assert_memory_equal(room, "0123456789", 10);
}

static void a_window_over_the_limit_is_refused(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(1);
    AUTO(buf_done) struct buf xz = BUF_INIT(TEXT_MAX), zstd = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
    add_members(DECODE_XZ, &rng, 1 << 20, &xz, &text);
    add_members(DECODE_ZSTD, &rng, 1 << 20, &zstd, &text);
    struct decode_settings settings = {.kind = DECODE_XZ, .memory_max = 64 * 1024};
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    assert_int_equal(unpack(&settings, buf_str(&xz), &whole, &out).status, DECODE_LIMIT);
    settings.kind = DECODE_ZSTD;
    assert_int_equal(unpack(&settings, buf_str(&zstd), &whole, &out).status, DECODE_LIMIT);
    assert_int_equal(out.len, 0);
}

static void what_is_no_magic_is_plain(void **state) {
    (void)state;
    static const struct str plain[] = {{"", 0},
                                       {"B", 1},
                                       {"BZh9 is a text", 14},
                                       {"(", 1},
                                       {"\x1f", 1},
                                       {"{\"a\":1}\n", 8},
                                       {"P*M", 3},
                                       {"\xfd"
                                        "7zXY",
                                        5}};
    for (size_t i = 0; i < COUNT_OF(plain); i++) assert_int_equal(decode_kind_of(plain[i]), DECODE_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_one_text_however_cut),
        cmocka_unit_test(damage_anywhere_gives_the_same_bytes_however_cut),
        cmocka_unit_test(damage_in_a_large_member_keeps_what_is_before),
        cmocka_unit_test(a_beginning_gives_a_beginning),
        cmocka_unit_test(garbage_behind_a_member_is_damage),
        cmocka_unit_test(a_bomb_ends_at_the_cap),
        cmocka_unit_test(a_raised_cap_goes_on_where_it_was),
        cmocka_unit_test(a_window_over_the_limit_is_refused),
        cmocka_unit_test(what_is_no_magic_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
