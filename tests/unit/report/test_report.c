/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what a person reads holds nothing that drives a terminal, whatever files are called and hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base64.h"
#include "made_world.h"
#include "own.h"

static void shown(const char *text, size_t len, size_t max, const char *expected) {
    AUTO(buf_done) struct buf out = BUF_INIT(4096);
    report_show((struct str){text, len}, max, &out);
    assert_string_equal(buf_text(&out), expected);
}

static void text_from_outside_is_shown_without_control_characters(void **state) {
    (void)state;
    shown("a b\xc3\xa4", 5, 0, "a b\xc3\xa4");
    shown("\x1b[31m\n\r\t\x7f", 9, 0, "\\x1b[31m\\x0a\\x0d\\x09\\x7f");
    shown("\xff\xc3", 2, 0, "\\xff\\xc3");
    shown("\xc2\x9b", 2, 0, "\\xc2\\x9b");          /* CSI in one character */
    shown("\xe2\x80\xae", 3, 0, "\\xe2\\x80\\xae"); /* right to left */
    shown("a\0b", 3, 0, "a\\x00b");
    shown("0123456789", 10, 4, "0123...");
    shown("0123", 4, 4, "0123");
}

static void a_file_is_found_by_its_id_alone(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct ledger_listing listing;
    assert_int_equal(report_file(&w.report, w.b, &w.arena, &listing, NULL), RC_OK);
    assert_true(id_equal(listing.file, w.b));
    struct id other = w.b;
    other.bytes[ID_BYTES - 1]++;
    assert_int_equal(report_file(&w.report, other, &w.arena, &listing, NULL), RC_ABSENT);
    assert_int_equal(report_file(&w.report, (struct id){{0}}, &w.arena, &listing, NULL), RC_ABSENT);
}

static void ids_are_counted_down_as_numbers(void **state) {
    (void)state;
    struct id id = {{1}}, before = report_id_before(id);
    assert_int_equal(before.bytes[0], 0);
    for (size_t i = 1; i < ID_BYTES; i++) assert_int_equal(before.bytes[i], 0xff);
    assert_true(id_compare(before, id) < 0);
}

static void base64_is_read_in_its_one_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
    } rows[] = {{"", ""},           {"YQ==", "a"},        {"YWI=", "ab"},
                {"YWJj", "abc"},    {"YWJjZA==", "abcd"}, {"//4=", "\xff\xfe"},
                {"YQ", NULL},       {"YQ=", NULL},        {"YR==", NULL},
                {"YWJ=", NULL},     {"=YWJ", NULL},       {"Y===", NULL},
                {"YQ==YQ==", NULL}, {"YW-j", NULL},       {"YWJ\n", NULL},
                {"====", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO(buf_done) struct buf out = BUF_INIT(64);
        buf_add(&out, STR("<"));
        enum rc rc = base64_decode(str_of(rows[i].text), &out);
        assert_int_equal(rc, rows[i].bytes ? RC_OK : RC_BAD);
        assert_string_equal(buf_text(&out) + 1, rows[i].bytes ? rows[i].bytes : "");
    }
    AUTO(buf_done) struct buf small = BUF_INIT(2);
    assert_int_equal(base64_decode(STR("YWJj"), &small), RC_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_from_outside_is_shown_without_control_characters),
        cmocka_unit_test(a_file_is_found_by_its_id_alone),
        cmocka_unit_test(ids_are_counted_down_as_numbers),
        cmocka_unit_test(base64_is_read_in_its_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
