/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: text of every encoding comes out as the same UTF-8, wherever it is cut (a surrogate pair, too); what is no
 * character is told apart from all that is. */
#include "decode.h"

#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void free_decode(struct decode **d) { decode_free(*d); }

struct text {
    enum charset charset;
    struct str in, out;
};

#define IN(text)                                                                                                       \
    { (text), sizeof(text) - 1 }

static const struct text texts[] = {
    {CHARSET_UTF16LE, IN("a\0\n\0\x3D\xD8\x00\xDE"), IN("a\n\xF0\x9F\x98\x80")},
    {CHARSET_UTF16BE, IN("\0a\0\n\xD8\x3D\xDE\x00"), IN("a\n\xF0\x9F\x98\x80")},
    {CHARSET_UTF16,
     IN("\xFF\xFE"
        "a\0\xE9\0"),
     IN("a\xC3\xA9")},
    {CHARSET_UTF16, IN("\xFE\xFF\0a\0\xE9"), IN("a\xC3\xA9")},
    {CHARSET_UTF16, IN("a\0\xAC\x20"), IN("a\xE2\x82\xAC")},
    {CHARSET_UTF16LE,
     IN("\xFF\xFE"
        "a\0"),
     IN("a")},
    {CHARSET_UTF16LE,
     IN("\x00\xD8"
        "a\0\x00\xDC"),
     IN("\xFF"
        "a\xFF")},
    {CHARSET_LATIN1, IN("caf\xE9\n\x80"), IN("caf\xC3\xA9\n\xC2\x80")},
    {CHARSET_WINDOWS1252, IN("\x80\x81\n"), IN("\xE2\x82\xAC\xFF\n")},
    {CHARSET_SHIFT_JIS, IN("\x93\xFA\x96\x7B\n\xB1"), IN("\xE6\x97\xA5\xE6\x9C\xAC\n\xEF\xBD\xB1")},
    {CHARSET_SHIFT_JIS, IN("\x93\n{}"), IN("\xFF\n{}")},
    {CHARSET_EUC_JP, IN("\xC6\xFC\n"), IN("\xE6\x97\xA5\n")},
    {CHARSET_GBK, IN("\xD6\xD0\xCE\xC4\n"), IN("\xE4\xB8\xAD\xE6\x96\x87\n")},
    {CHARSET_GB18030, IN("\xD6\xD0\x94\x39\xFC\x36\n"), IN("\xE4\xB8\xAD\xF0\x9F\x98\x80\n")},
    {CHARSET_BIG5, IN("\xA4\xA4\n"), IN("\xE4\xB8\xAD\n")},
    {CHARSET_EUC_KR, IN("\xC7\xD1\n"), IN("\xED\x95\x9C\n")},
};

static size_t convert(const struct decode_settings *settings, struct str in, size_t cut, char *out, bool *out_whole) {
    AUTO(free_decode) struct decode *d = decode_new(settings);
    size_t made = 0;
    for (size_t at = 0; at < in.len;) {
        size_t len = MIN(cut, in.len - at);
        struct decode_piece piece = {in.at + at, len, out + made, CHARSET_BYTES_MAX};
        decode_step(d, &piece);
        made = (size_t)(piece.out - out);
        at += len - piece.in_len;
    }
    for (;;) {
        struct decode_piece piece = {NULL, 0, out + made, CHARSET_BYTES_MAX};
        decode_step(d, &piece);
        if (piece.out == out + made) break;
        made = (size_t)(piece.out - out);
    }
    *out_whole = decode_state(d).status == DECODE_WHOLE;
    return made;
}

static void texts_come_out_as_utf8_wherever_they_are_cut(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct decode_settings settings = {.charset = texts[i].charset};
        for (size_t cut = 1; cut <= texts[i].in.len; cut++) {
            char out[128];
            bool is_whole = false;
            size_t len = convert(&settings, texts[i].in, cut, out, &is_whole);
            assert_true(is_whole);
            assert_true(str_equal((struct str){out, len}, texts[i].out));
        }
    }
}

static void what_is_no_character_is_replaced_where_asked(void **state) {
    (void)state;
    struct decode_settings settings = {.charset = CHARSET_UTF16LE, .replace = true};
    char out[64];
    bool is_whole = false;
    size_t len = convert(&settings,
                         (struct str){"\x00\xD8"
                                      "a\0",
                                      4},
                         1, out, &is_whole);
    assert_true(str_equal((struct str){out, len}, STR("\xEF\xBF\xBD"
                                                      "a")));
}

static void half_a_character_at_the_end_is_not_whole(void **state) {
    (void)state;
    static const struct text halves[] = {{CHARSET_UTF16LE, IN("a\0\n"), IN("a")},
                                         {CHARSET_UTF16LE, IN("a\0\x3D\xD8"), IN("a")},
                                         {CHARSET_GBK, IN("a\xD6"), IN("a")}};
    for (size_t i = 0; i < COUNT_OF(halves); i++) {
        struct decode_settings settings = {.charset = halves[i].charset};
        char out[64];
        bool is_whole = true;
        size_t len = convert(&settings, halves[i].in, 1, out, &is_whole);
        assert_false(is_whole);
        assert_true(str_equal((struct str){out, len}, halves[i].out));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_utf8_wherever_they_are_cut),
        cmocka_unit_test(what_is_no_character_is_replaced_where_asked),
        cmocka_unit_test(half_a_character_at_the_end_is_not_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
