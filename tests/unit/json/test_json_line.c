/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a line gets the same answer inside a batch as alone, whatever its neighbours are: a document that runs over
 * a line's end, two in one line, an open string never pass and never spoil another line. */
#include "json.h"

#include "alloc.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Parses all lines of `text` (which ends in LF) as one batch and compares each with itself alone. Gives the number of
 * good ones. */
static size_t compare(struct str text) {
    AUTO(json_parser_done) struct json_parser *batch = json_parser_new((struct json_parser_limits){.any_number = true});
    AUTO(json_parser_done) struct json_parser *alone = json_parser_new((struct json_parser_limits){.any_number = true});
    AUTO(own_free) char *copy = alloc_bytes(text.len + JSON_PADDING);
    memcpy(copy, text.at, text.len);
    memset(copy + text.len, '"', JSON_PADDING);
    json_batch(batch, (struct str){copy, text.len});
    size_t good = 0;
    for (const char *p = copy, *end = copy + text.len; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        struct str line = {p, (size_t)((lf ? lf : end) - p)};
        struct json_node a, b;
        enum rc in_batch = json_line(batch, line, &a, NULL), by_itself = json_parse(alone, line, &b, NULL);
        if (in_batch != by_itself) {
            fail_msg("line \"%.*s\" of \"%.*s\": %s in a batch, %s alone", STR_ARG(line), STR_ARG(text),
                     rc_name(in_batch), rc_name(by_itself));
        }
        assert_int_equal(json_failure(batch), json_failure(alone));
        if (in_batch == RC_OK) assert_int_equal(json_type(a), json_type(b));
        good += in_batch == RC_OK;
        p = (lf ? lf : end) + 1;
    }
    return good;
}

static void a_document_never_spans_lines(void **state) {
    (void)state;
    assert_int_equal(compare(STR("{\"a\":{\n\"b\":1}}\n")), 0);
    assert_int_equal(compare(STR("{\"a\":1\n}\n")), 0);
    assert_int_equal(compare(STR("[1,\n2]\n")), 0);
    assert_int_equal(compare(STR("{\"a\":\n1}\n{\"b\":2}\n")), 1);
    assert_int_equal(compare(STR("{\"a\":1}\n{\"a\":\n{\"b\":2}\n}\n{\"c\":3}\n")), 3);
}

static void two_documents_in_a_line_are_none(void **state) {
    (void)state;
    assert_int_equal(compare(STR("{\"a\":1}{\"b\":2}\n{}\n")), 1);
    assert_int_equal(compare(STR("{\"a\":1} {\"b\":2}\n{}\n")), 1);
    assert_int_equal(compare(STR("{},\n{}\n")), 1);
    assert_int_equal(compare(STR("1 2\n3\n")), 1);
    assert_int_equal(compare(STR("{}}\n{}\n")), 1);
}

static void a_bad_line_does_not_spoil_its_neighbours(void **state) {
    (void)state;
    assert_int_equal(compare(STR("{\"a\":1}\n{\"open\n{\"b\":2}\n")), 2);
    assert_int_equal(compare(STR("{\"a\":1}\n{\"x\":\"\\\n{\"b\":2}\n")), 2);
    assert_int_equal(compare(STR("{\"a\":1}\n\\\n{\"b\":2}\n")), 2);
    assert_int_equal(compare(STR("{\"a\":1}\n\xff\n{\"b\":2}\n")), 2);
    assert_int_equal(compare(STR("{\"a\":1}\n\xe2\x82\n{\"b\":2}\n")), 2);
    assert_int_equal(compare(STR("{\"a\":\"\xe2\x82\n\xac\"}\n{\"b\":2}\n")), 1);
    assert_int_equal(compare(STR("{}\n\"\n{}\n\"\n{}\n")), 3);
    assert_int_equal(compare(STR("\n\n  \n{}\r\n\r\n{}\n")), 2);
    assert_int_equal(compare(STR("\xef\xbb\xbf{}\n{}\n")), 1);
    assert_int_equal(compare(STR("{}\n{\"n\":1e999}\n{}")), 3);
}

static void many_bad_lines_in_a_batch_are_still_told_apart(void **state) {
    (void)state;
    enum { LINES = 200 };
    char text[LINES * 16];
    size_t len = 0;
    for (int i = 0; i < LINES; i++) {
        const char *line = i % 3 == 0 ? "{\"a\":[1,\n" : i % 3 == 1 ? "2]}\n" : "{\"c\":true}\n";
        memcpy(text + len, line, strlen(line));
        len += strlen(line);
    }
    assert_int_equal(compare((struct str){text, len}), LINES / 3);
}

static void lines_can_be_left_out(void **state) {
    (void)state;
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    char text[64 + JSON_PADDING] = "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n";
    json_batch(parser, (struct str){text, 24});
    struct json_node root, value;
    uint64_t n = 0;
    assert_int_equal(json_line(parser, (struct str){text + 16, 7}, &root, NULL), RC_OK);
    assert_int_equal(json_get(root, STR("c"), &value), RC_OK);
    assert_int_equal(json_get_u64(value, &n), RC_OK);
    assert_int_equal(n, 3);
}

static void a_line_that_begins_in_a_word_is_read_from_its_begin(void **state) {
    (void)state;
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    char text[64 + JSON_PADDING] = "\xef\xbb\xbf@{}\n{}@\n";
    struct json_node root;
    json_batch(parser, (struct str){text, 11});
    assert_int_equal(json_line(parser, (struct str){text + 3, 3}, &root, NULL), RC_BAD);
    assert_int_equal(json_line(parser, (struct str){text + 4, 2}, &root, NULL), RC_OK);
    assert_int_equal(json_line(parser, (struct str){text + 7, 2}, &root, NULL), RC_OK);
    assert_int_equal(json_line(parser, (struct str){text + 7, 3}, &root, NULL), RC_BAD);
}

static void a_batch_over_the_bound_is_parsed_line_by_line(void **state) {
    (void)state;
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){.bytes_max = 8});
    char text[32 + JSON_PADDING] = "{\"a\":1}\n{\"b\":22}\n";
    json_batch(parser, (struct str){text, 17});
    struct json_node root;
    assert_int_equal(json_line(parser, (struct str){text, 7}, &root, NULL), RC_OK);
    assert_int_equal(json_line(parser, (struct str){text + 8, 8}, &root, NULL), RC_OK);
    json_batch(parser, (struct str){text, 8});
    assert_int_equal(json_line(parser, (struct str){text, 7}, &root, NULL), RC_OK);
    assert_int_equal(json_parse(parser, (struct str){text + 8, 9}, &root, NULL), RC_LIMIT);
}

/* Lines put together from pieces that break rules. */
static void random_lines_get_the_same_answer(void **state) {
    (void)state;
    static const char *const pieces[] = {
        "{",    "}",         "[",     "]",     "\"",           "\\",    ":",  ",",       "1",    "-",
        "e5",   "true",      "null",  " ",     "\r",           "\"a\"", "{}", "\"b\":1", "\xc3", "\xa9",
        "\x01", "{\"a\":1}", "1e999", "\\u00", "\xef\xbb\xbf", "[1,2]", "\""};
    enum { PIECES = sizeof pieces / sizeof pieces[0] };
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct rng rng = rng_from_seed(seed);
        char text[2048];
        size_t len = 0;
        for (uint64_t lines = 1 + rng_below(&rng, 12); lines; lines--) {
            for (uint64_t n = rng_below(&rng, 8); n; n--) {
                const char *piece = rng_below(&rng, 4) ? pieces[rng_below(&rng, PIECES)] : "{\"ok\":[1,\"x\"]}";
                memcpy(text + len, piece, strlen(piece));
                len += strlen(piece);
            }
            text[len++] = '\n';
        }
        (void)compare((struct str){text, len});
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_never_spans_lines),
        cmocka_unit_test(two_documents_in_a_line_are_none),
        cmocka_unit_test(a_bad_line_does_not_spoil_its_neighbours),
        cmocka_unit_test(many_bad_lines_in_a_batch_are_still_told_apart),
        cmocka_unit_test(lines_can_be_left_out),
        cmocka_unit_test(a_line_that_begins_in_a_word_is_read_from_its_begin),
        cmocka_unit_test(a_batch_over_the_bound_is_parsed_line_by_line),
        cmocka_unit_test(random_lines_get_the_same_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
