/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a row of progress never takes more columns than the terminal has, whatever its width, its labels and its
 * numbers are, and it tells the truth about how much is done. */
#include "buf.h"
#include "num.h"
#include "own.h"
#include "progress_frame.h"
#include "utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <wchar.h>

#include <cmocka.h>

static struct buf out = {.cap = 1 << 20};
static int end(void **state) {
    (void)state;
    buf_done(&out);
    return 0;
}

/* Columns of `line` by a counter of its own; fails on anything but printable text and colours. */
static unsigned columns_of(struct str line, bool color) {
    unsigned sum = 0;
    mbstate_t shift = {0};
    for (size_t i = 0; i < line.len;) {
        if (line.at[i] == '\x1b') {
            assert_true(color);
            const char *m = memchr(line.at + i, 'm', line.len - i);
            assert_non_null(m);
            i = (size_t)(m - line.at) + 1;
            continue;
        }
        wchar_t c = 0;
        const size_t n = mbrtowc(&c, line.at + i, line.len - i, &shift);
        assert_true(n > 0 && n <= 4);
        const int width = wcwidth(c);
        assert_true(width > 0);
        sum += (unsigned)width;
        i += n;
    }
    return sum;
}

static const struct progress_line hostile[] = {
    {.row = {STR("access"), 5, 10}, .per_s = 1},
    {.row = {STR("a/very/long/path/to/a/file/that/does/not/fit/anywhere/at/all/2026-11-21.ndjson"), 0, UINT64_MAX - 1}},
    {.row = {STR(""), 0, 0}},
    {.row = {STR("\x1b[2J\x1b]0;title\x07\r\n\t\0x\x7f\xc2\x9b"), 7, PROGRESS_UNKNOWN}, .per_s = UINT64_MAX},
    {.row = {STR("\xff\xfe\xed\xa0\x80"), UINT64_MAX - 2, UINT64_MAX - 1}, .per_s = UINT64_MAX},
    {.row = {STR("日本語のとても長いファイル名です.ログ"), 1, 3}, .per_s = 12345678},
    {.row = {STR("e\xcc\x81\xcc\x81\xcc\x81 \xe2\x80\xae\xe2\x81\xa6 \xe2\x80\x8b 😀😀"), 20, 10}, .per_s = 3},
};

static void no_line_is_wider_than_the_terminal_at_any_width(void **state) {
    (void)state;
    for (unsigned columns = 0; columns <= 220; columns++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            const struct term term = {.columns = columns, .lines = 24, .utf8 = kind & 1, .color = kind & 2};
            buf_reset(&out);
            const unsigned width = progress_frame(&term, hostile, COUNT_OF(hostile), &out);
            if (columns < 2) {
                assert_int_equal(out.len, 0);
                assert_int_equal(width, 0);
                continue;
            }
            assert_true(width < columns);
            struct str rest = buf_str(&out), line;
            for (size_t i = 0; i < COUNT_OF(hostile); i++) {
                assert_true(str_cut(&rest, '\n', &line));
                assert_int_equal(columns_of(line, term.color), width);
                for (size_t k = 0; !term.utf8 && k < line.len; k++) assert_true(line.at[k] >= 0);
            }
            assert_int_equal(rest.len, 0);
        }
    }
}

static const char *render(unsigned columns, bool utf8, struct progress_line line) {
    const struct term term = {.columns = columns, .lines = 24, .utf8 = utf8};
    buf_reset(&out);
    (void)progress_frame(&term, &line, 1, &out);
    return buf_text(&out);
}

static void a_wide_screen_shows_everything(void **state) {
    (void)state;
    const struct progress_line line = {.row = {STR("access"), UINT64_C(3) << 29, UINT64_C(3) << 30},
                                       .per_s = 512 << 20};
    assert_string_equal(render(80, false, line),
                        "access  50% #########----------    1.5 GiB/3.0 GiB     512.0 MiB/s ETA 0:03    \n");
    assert_string_equal(render(80, true, line),
                        "access  50% █████████▌░░░░░░░░░    1.5 GiB/3.0 GiB     512.0 MiB/s ETA 0:03    \n");
}

static void parts_go_in_their_order_when_it_gets_narrow(void **state) {
    (void)state;
    const struct progress_line line = {.row = {STR("access"), 1 << 20, 4 << 20}, .per_s = 1 << 20};
    assert_null(strstr(render(60, false, line), "4.0 MiB"));
    assert_non_null(strstr(render(60, false, line), "1.0 MiB/s ETA 0:03"));
    assert_null(strstr(render(40, false, line), "MiB/s"));
    assert_non_null(strstr(render(40, false, line), "ETA 0:03"));
    assert_string_equal(render(21, false, line), "access  25% ##------\n");
    assert_string_equal(render(20, false, line), "access  25%\n");
    assert_string_equal(render(7, false, line), "access\n");
    assert_string_equal(render(5, false, line), "~ess\n");
    assert_string_equal(render(5, true, line), "…ess\n");
    assert_string_equal(render(2, false, line), "~\n");
    assert_string_equal(render(1, false, line), "");
}

static void only_all_is_100_percent(void **state) {
    (void)state;
    assert_int_equal(progress_percent(&(struct progress_row){.done = 0, .total = 5}), 0);
    assert_int_equal(progress_percent(&(struct progress_row){.done = 999999, .total = 1000000}), 99);
    assert_int_equal(progress_percent(&(struct progress_row){.done = UINT64_MAX - 2, .total = UINT64_MAX - 1}), 99);
    assert_int_equal(progress_percent(&(struct progress_row){.done = 5, .total = 5}), 100);
    assert_int_equal(progress_percent(&(struct progress_row){.done = 6, .total = 5}), 100);
    assert_int_equal(progress_percent(&(struct progress_row){.done = 0, .total = 0}), 100);
    assert_int_equal(progress_percent(&(struct progress_row){.done = 6, .total = PROGRESS_UNKNOWN}), 0);
}

static void what_is_done_says_so_and_what_is_unknown_too(void **state) {
    (void)state;
    assert_non_null(strstr(render(80, false, (struct progress_line){.row = {STR("a"), 5, 5}}), "100% ####"));
    assert_non_null(strstr(buf_text(&out), " done"));
    assert_non_null(
        strstr(render(80, false, (struct progress_line){.row = {STR("a"), 5, PROGRESS_UNKNOWN}}), "   ? ---"));
    assert_non_null(strstr(buf_text(&out), "ETA --:--"));
    assert_non_null(strstr(buf_text(&out), "5 B/?"));
}

static void bytes_are_told_in_four_digits(void **state) {
    (void)state;
    char text[PROGRESS_BYTES_TEXT];
    assert_string_equal(progress_bytes(0, text), "0 B");
    assert_string_equal(progress_bytes(1023, text), "1023 B");
    assert_string_equal(progress_bytes(1024, text), "1.0 KiB");
    assert_string_equal(progress_bytes((1 << 20) - 1, text), "1.0 MiB");
    assert_string_equal(progress_bytes(UINT64_C(1536) << 20, text), "1.5 GiB");
    assert_string_equal(progress_bytes(UINT64_MAX, text), "16.0 EiB");
}

static void the_time_left_is_rounded_up_and_bounded(void **state) {
    (void)state;
    char text[16];
    const struct {
        uint64_t left, per_s;
        const char *told;
    } rows[] = {{0, 5, "0:00"},       {1, 5, "0:01"},           {600, 10, "1:00"},
                {3599, 1, "59:59"},   {3600, 1, "1:00:00"},     {359999, 1, "99:59:59"},
                {360000, 1, "--:--"}, {UINT64_MAX, 1, "--:--"}, {5, 0, "--:--"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct str told = progress_time_left(rows[i].left, rows[i].per_s, text);
        assert_true(str_equal(told, str_of(rows[i].told)));
    }
}

#define TEST(test) cmocka_unit_test_teardown(test, end)
int main(void) {
    if (!setlocale(LC_CTYPE, "C.UTF-8")) return 1; /* for the test's own counting of columns */
    const struct CMUnitTest tests[] = {
        TEST(no_line_is_wider_than_the_terminal_at_any_width), TEST(a_wide_screen_shows_everything),
        TEST(parts_go_in_their_order_when_it_gets_narrow),     TEST(only_all_is_100_percent),
        TEST(what_is_done_says_so_and_what_is_unknown_too),    TEST(bytes_are_told_in_four_digits),
        TEST(the_time_left_is_rounded_up_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
