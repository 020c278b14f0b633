/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: of a source that is added up a slice writes one record a group and output, in the order of their first
 * records, the same for the same lines; what cannot be added is a reject; too many groups are written and begun anew.
 */
#include "alloc.h"
#include "json.h"
#include "own.h"
#include "slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct bench {
    struct str group_by[2], sum[2];
    struct converter *converter;
    struct slice *slice;
    char *bytes;
    const struct slice_result *result;
};

static void bench_init(struct bench *b, const char *partition, const char *text) {
    *b = (struct bench){.group_by = {STR("id"), STR("u.n")}, .sum = {STR("v"), STR("w")}};
    struct converter_settings settings = {.kind = CONVERTER_NDJSON,
                                          .source = STR("s"),
                                          .partition = str_of(partition),
                                          .aggregate = {b->group_by, b->sum, 2, 2}};
    size_t len = strlen(text), taken = 0;
    assert_int_equal(converter_new(&settings, &b->converter, NULL), RC_OK);
    b->slice = slice_new((struct slice_limits){0});
    b->bytes = alloc_zero(len + JSON_PADDING, 1);
    memcpy(b->bytes, text, len);
    slice_begin(b->slice, b->converter, &(struct slice_place){.uri = STR("file:///x")});
    slice_add(b->slice, (struct str){b->bytes, len}, 1000, &taken);
    assert_int_equal(taken, len);
    b->result = slice_result(b->slice);
    assert_ptr_equal(slice_result(b->slice), b->result); /* asked twice it adds nothing */
}

static void bench_done(struct bench *b) {
    converter_free(b->converter);
    slice_free(b->slice);
    free(b->bytes);
}

static void expect(const struct bench *b, size_t output, const char *path, const char *records) {
    char text[2048];
    size_t len = 0;
    const struct slice_output *o = &b->result->outputs[output];
    for (const struct slice_pieces *p = o->pieces; p; p = p->next)
        for (uint32_t i = 0; i < p->count; i++) {
            memcpy(text + len, p->at[i].at, p->at[i].bytes);
            len += p->at[i].bytes;
        }
    text[len] = 0;
    assert_string_equal(text, records);
    assert_string_equal(o->path.at, path);
}

static void expect_counts(const struct bench *b, const char *counts) {
    const struct slice_counts *c = &b->result->counts;
    char got[100];
    (void)snprintf(got, sizeof got, "%d/%d/%d/%d", (int)c->lines, (int)c->converted, (int)c->rejects, (int)c->records);
    assert_string_equal(got, counts);
}

static void groups_of_an_output_are_added_up(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "k={k}",
               "{\"k\":1,\"id\":\"a\",\"u\":{\"n\":1},\"v\":1,\"w\":\"0.1\"}\n"
               "{\"k\":2,\"id\":\"a\",\"u\":{\"n\":1},\"v\":10,\"w\":0}\n"
               "{\"k\":1,\"id\":\"b\",\"u\":{\"n\":1.0},\"v\":5,\"w\":-7}\n"
               "{\"k\":1,\"id\":\"a\",\"u\":{\"n\":1},\"v\":18446744073709551615,\"w\":0.2}\n");
    expect_counts(&b, "4/4/0/3");
    assert_int_equal(b.result->output_count, 2);
    expect(&b, 0, "k=1",
           "{\"id\":\"a\",\"u.n\":1,\"v\":18446744073709551616,\"w\":0.3,\"count\":2}\n"
           "{\"id\":\"b\",\"u.n\":1.0,\"v\":5,\"w\":-7,\"count\":1}\n");
    expect(&b, 1, "k=2", "{\"id\":\"a\",\"u.n\":1,\"v\":10,\"w\":0,\"count\":1}\n");
}

static void what_cannot_be_added_is_a_reject(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "",
               "{\"id\":null,\"u\":{\"n\":1},\"v\":1,\"w\":1}\n"
               "{\"id\":1,\"u\":1,\"v\":1,\"w\":1}\n"
               "{\"id\":1,\"u\":{\"n\":1},\"v\":1}\n"
               "{\"id\":1,\"u\":{\"n\":1},\"v\":1,\"w\":true}\n"
               "{\"id\":1,\"u\":{\"n\":1},\"v\":1e2,\"w\":1}\n");
    expect_counts(&b, "5/0/5/0");
    assert_int_equal(b.result->counts.reasons[REASON_TYPE], 5);
    assert_int_equal(b.result->output_count, 1);
}

static void too_long_a_group_is_a_reject(void **state) {
    (void)state;
    AUTO(own_free) char *text = alloc_zero(2 * AGGREGATE_GROUP_MAX, 1);
    AUTO(bench_done) struct bench b;
    (void)snprintf(text, 2 * AGGREGATE_GROUP_MAX, "{\"id\":\"%0*d\",\"u\":{\"n\":1},\"v\":1,\"w\":1}\n",
                   AGGREGATE_GROUP_MAX, 0);
    bench_init(&b, "", text);
    expect_counts(&b, "1/0/1/0");
    assert_int_equal(b.result->counts.reasons[REASON_TOO_LONG], 1);
}

/* So many groups twice: each has two records, for none was known any more when it came again. */
static void more_groups_than_there_is_room_for_are_written_and_begun_anew(void **state) {
    (void)state;
    enum { LINE = 64, LINES = 2 * (SLICE_GROUPS_MAX + 1) };
    AUTO(own_free) char *text = alloc_zero(LINES, LINE);
    AUTO(bench_done) struct bench b;
    size_t len = 0;
    for (int i = 0; i < LINES; i++)
        len += (size_t)snprintf(text + len, LINE, "{\"id\":%d,\"u\":{\"n\":1},\"v\":1,\"w\":1}\n", i % (LINES / 2));
    bench_init(&b, "", text);
    assert_int_equal(b.result->counts.converted, LINES);
    assert_int_equal(b.result->counts.records, LINES);
    assert_int_equal(b.result->outputs[0].records, LINES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_an_output_are_added_up),
        cmocka_unit_test(what_cannot_be_added_is_a_reject),
        cmocka_unit_test(too_long_a_group_is_a_reject),
        cmocka_unit_test(more_groups_than_there_is_room_for_are_written_and_begun_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
