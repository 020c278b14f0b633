/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: hostile input costs no more than its size: nothing here is slower than linear, crashes, or is lost. (Times
 * are not measured: a quadratic way would run into the test's time limit.) */
#include "made.h"

#include "alloc.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { BYTES = 4 << 20 };

static const struct made_settings kinds[] = {
    {.kind = CONVERTER_NDJSON, .partition = "dt={time:%Y}/{a}/{b.c}", .time_field = "t", .time_optional = true},
    {.kind = CONVERTER_NDJSON, .partition = "{/0/x}", .time_field = "t"},
    {.kind = CONVERTER_COMBINED, .partition = "{path}/{agent}/{user}", .time_optional = true},
    {.kind = CONVERTER_COMBINED, .partition = "dt={time:%Y-%m-%d %H}"},
    {.kind = CONVERTER_RAW, .partition = "{x}"},
    {.kind = CONVERTER_CSV, .partition = "{a}", .columns = "a,b"},
    {.kind = CONVERTER_CSV, .columns = "a,b,c", .newlines = true},
    {.kind = CONVERTER_TSV, .separator = "\t", .columns = "a", .types = "a=auto"},
    {.kind = CONVERTER_SYSLOG, .partition = "{host}/{data.a.b}", .time_optional = true},
    {.kind = CONVERTER_CRI, .partition = "{message}", .time_optional = true},
    {.kind = CONVERTER_NDJSON, .where = "a != 1 and c matches 'x'", .drop = "a", .rename = "c=d"},
    {.kind = CONVERTER_LOGFMT, .partition = "{a}/{x}", .types = "*=auto"},
    {.kind = CONVERTER_REGEX, .pattern = "(?<a>.*)(?<b>[a-z ]+)*$", .partition = "{a}"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Converts all of `text`, slice by slice, and checks that every line is accounted for. */
static void convert_all(const struct made_settings *settings, const char *text, size_t len) {
    AUTO(made_done) struct made made;
    made_open(&made, settings);
    uint64_t lines = 0, expected = 0;
    for (size_t i = 0; i < len; expected++)
        i += converter_record_end(made.converter, (struct str){text + i, len - i}, true);
    for (size_t at = 0; at < len;) {
        size_t taken = 0;
        slice_begin(made.slice, made.converter, &(struct slice_place){.uri = STR("/x")});
        slice_add(made.slice, (struct str){text + at, len - at}, at, &taken);
        const struct slice_result *result = slice_result(made.slice);
        assert_true(taken > 0);
        uint64_t records = 0;
        for (size_t i = 0; i < result->output_count; i++) {
            records += result->outputs[i].records;
            free(made_text(&result->outputs[i]));
        }
        assert_int_equal(records, result->counts.converted + result->counts.rejects);
        assert_int_equal(result->counts.lines, records + result->counts.blank + result->counts.filtered);
        lines += result->counts.lines;
        at += taken;
    }
    assert_int_equal(lines, expected);
}

/* `unit` again and again, as all kinds. */
static void repeat(struct str unit, size_t bytes) {
    AUTO(own_free) char *text = alloc_bytes(bytes + JSON_PADDING);
    size_t n = 0;
    for (; n + unit.len <= bytes; n += unit.len) memcpy(text + n, unit.at, unit.len);
    memset(text + n, '}', JSON_PADDING);
    for (size_t k = 0; k < KINDS; k++) convert_all(&kinds[k], text, n);
}

static void documents_over_the_ends_of_lines(void **state) {
    (void)state;
    repeat(STR("{\"a\":1,\"c\":[\n"), BYTES / 16);
    repeat(STR("[1,\n2,\n3,\n4,\n5,\n6,\n"), BYTES / 16);
    repeat(STR("{\"a\":\n"), BYTES / 16);
    repeat(STR("1\n"), BYTES / 16);
    repeat(STR("\"\n"), BYTES / 16);
    repeat(STR("{}}\n"), BYTES / 16);
}

static void one_long_line(void **state) {
    (void)state;
    static const char *const units[] = {"[",      "{\"a\":", "\"",   "\\",      "\\\"", "x", " ",  "{}",
                                        "1e400,", "\x01",    "\xff", "a - - [", "]",    "-", "\r", "{\"a\":1},"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) repeat(str_of(units[i]), BYTES / 8);
}

static void quotes_and_escapes_in_logs(void **state) {
    (void)state;
    AUTO(own_free) char *text = alloc_bytes(BYTES + 200);
    static const char *const units[] = {"\\\"", "\\x", "\\xff", "\\\\", " ", "\"", "\\"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = (size_t)sprintf(text, "h - - [10/Oct/2000:13:55:36 -0700] \"GET /");
        while (n < BYTES / 8) n += (size_t)sprintf(text + n, "%s", units[i]);
        n += (size_t)sprintf(text + n, "\" 200 1 \"-\" \"-\"\n");
        memset(text + n, '"', JSON_PADDING);
        convert_all(&kinds[2], text, n);
        convert_all(&kinds[3], text, n);
    }
}

static void many_short_lines(void **state) {
    (void)state;
    repeat(STR("\n"), BYTES / 8);
    repeat(STR("\r\n"), BYTES / 8);
    repeat(STR("{}\n"), BYTES / 8);
    repeat(STR("\0\n"), BYTES / 32);
}

static void keys_of_every_record_are_new(void **state) {
    (void)state;
    AUTO(own_free) char *text = alloc_bytes(BYTES + JSON_PADDING);
    size_t n = 0;
    for (unsigned i = 0; n < BYTES - 100; i++)
        n += (size_t)sprintf(text + n, "{\"a\":\"%u\",\"b\":{\"c\":%u.5}}\n", i, i);
    memset(text + n, 0, JSON_PADDING);
    convert_all(&kinds[0], text, n);
}

static void random_bytes(void **state) {
    (void)state;
    static const char alphabet[] = "{}[]\":,\\ \n\r\t-01e.\"ntf\"ax\xc3\xa9\xff\0[/]";
    AUTO(own_free) char *text = alloc_bytes(20000 + JSON_PADDING);
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct rng rng = rng_from_seed(seed);
        size_t len = (size_t)rng_below(&rng, 20000);
        for (size_t i = 0; i < len + JSON_PADDING; i++) {
            text[i] = seed % 3 ? alphabet[rng_below(&rng, sizeof alphabet)] : (char)rng_below(&rng, 256);
        }
        for (size_t k = 0; k < KINDS; k++) convert_all(&kinds[k], text, len);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_over_the_ends_of_lines), cmocka_unit_test(one_long_line),
        cmocka_unit_test(quotes_and_escapes_in_logs),       cmocka_unit_test(many_short_lines),
        cmocka_unit_test(keys_of_every_record_are_new),     cmocka_unit_test(random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
