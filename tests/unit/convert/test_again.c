/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: of a file of rejects what can be converted becomes what it is in its own file; what cannot is a reject of
 * the same place; and what is not asked for, or not whole, stays byte for byte. */
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

#define NAME "rejects:_rejects/g1/source=s/k.jsonl.zst?manifest=p0/0&bytes=1"
#define PLACE(file)                                                                                                    \
    "{\"source\":\"s\",\"uri\":\"file:///" file                                                                        \
    "\",\"file\":\"09000000000000000000000000000000\",\"generation\":1,\"stripe\":4,\"line_in_stripe\":3,"
#define GOOD PLACE("a.log") "\"offset\":70,\"length\":9,\"reason\":\"time\",\"raw\":\"{\\\"k\\\":\\\"x\\\"}\"}\n"
#define BAD PLACE("a.log") "\"offset\":80,\"length\":3,\"reason\":\"time\",\"raw\":\"bad\"}\n"
#define CUT PLACE("a.log") "\"offset\":90,\"length\":9,\"reason\":\"too long\",\"raw\":\"{}\",\"truncated\":true}\n"
#define PART PLACE("b.log") "\"offset\":9,\"length\":2,\"record_offset\":1,\"reason\":\"json\",\"raw\":\"{}\"}\n"
#define BYTES PLACE("b.log") "\"offset\":9,\"length\":2,\"reason\":\"json\",\"raw_base64\":\"e30=\"}\n"

struct bench {
    struct converter *converter;
    struct slice *slice;
    char *bytes;
    const struct slice_result *result;
};

static void bench_init(struct bench *b, enum converter_kind kind, const char *uri, const char *text) {
    *b = (struct bench){0};
    struct converter_settings settings = {
        .kind = kind, .source = STR("s"), .partition = STR(""), .table = {.separator = STR(",")}};
    size_t len = strlen(text), taken = 0;
    assert_int_equal(converter_new(&settings, &b->converter, NULL), RC_OK);
    b->slice = slice_new((struct slice_limits){0});
    b->bytes = alloc_zero(len + JSON_PADDING, 1);
    memcpy(b->bytes, text, len);
    slice_begin(b->slice, b->converter, &(struct slice_place){.uri = str_of(uri), .generation = 9, .stripe = 8});
    slice_add(b->slice, (struct str){b->bytes, len}, 1000, &taken);
    assert_int_equal(taken, len);
    b->result = slice_result(b->slice);
}

static void bench_done(struct bench *b) {
    converter_free(b->converter);
    slice_free(b->slice);
    free(b->bytes);
}

static void expect(const struct bench *b, bool rejects, const char *text) {
    char got[8192] = {0};
    size_t len = 0;
    for (size_t i = 0; i < b->result->output_count; i++)
        for (const struct slice_pieces *p = b->result->outputs[i].pieces; p; p = p->next)
            for (uint32_t k = 0; k < p->count && b->result->outputs[i].is_reject == rejects; k++) {
                memcpy(got + len, p->at[k].at, p->at[k].bytes);
                len += p->at[k].bytes;
            }
    assert_string_equal(got, text);
}

static void what_converts_is_a_record_and_what_does_not_keeps_its_place(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, CONVERTER_NDJSON, NAME, GOOD BAD CUT PART BYTES "no reject\n");
    expect(&b, false, "{\"k\":\"x\"}\n{}\n");
    expect(&b, true,
           PLACE("a.log") "\"offset\":80,\"length\":3,\"reason\":\"json\",\"raw\":\"bad\"}\n" CUT PART "no reject\n");
    assert_int_equal(b.result->counts.lines, 6);
    assert_int_equal(b.result->counts.converted, 2);
    assert_int_equal(b.result->counts.rejects, 4);
}

static void what_is_not_asked_for_stays(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b, c;
    bench_init(&b, CONVERTER_NDJSON, NAME "&reason=json", GOOD BYTES);
    expect(&b, false, "{}\n");
    expect(&b, true, GOOD);
    bench_init(&c, CONVERTER_NDJSON, NAME "&reason=time&file=b.log", GOOD BAD BYTES);
    expect(&c, false, "");
    expect(&c, true, GOOD BAD BYTES);
}

static void lines_that_mean_nothing_alone_stay(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, CONVERTER_CSV, NAME, GOOD BAD);
    expect(&b, false, "");
    expect(&b, true, GOOD BAD);
}

static void a_line_of_rejects_is_as_long_as_rejects_are(void **state) {
    (void)state;
    assert_int_equal(slice_line_bytes_max(STR(NAME), 64), SLICE_REJECT_BYTES_MAX);
    assert_int_equal(slice_line_bytes_max(STR("file:///a"), 64), 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_converts_is_a_record_and_what_does_not_keeps_its_place),
        cmocka_unit_test(what_is_not_asked_for_stays),
        cmocka_unit_test(lines_that_mean_nothing_alone_stay),
        cmocka_unit_test(a_line_of_rejects_is_as_long_as_rejects_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
