/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: raw lines come out as they went in, byte for byte, whatever they hold. */
#include "made.h"

#include "alloc.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct made_settings raw = {.kind = CONVERTER_RAW};

static void lines_are_records_without_their_ends(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &raw, STR("a\r\nb\rc\r\r\n  d  \n\xff\n{\"x\":1}\nlast\r"));
    made_expect(&made, "", "a\nb\rc\r\n  d  \n\xff\n{\"x\":1}\nlast\r\n");
    made_expect_counts(&made, "6/6/0/0");
}

static void nul_bytes_and_a_bom_stay(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &raw, STR("\xef\xbb\xbfx\n\0y\0\n"));
    const struct slice_output *output = made_output(&made, "");
    AUTO(own_free) char *text = made_text(output);
    assert_int_equal(output->bytes, 9);
    assert_memory_equal(text, "\xef\xbb\xbfx\n\0y\0\n", 9);
}

static void blank_lines_are_counted(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &raw, STR("\n\r\n \t \nx\n\r\r\n  "));
    made_expect(&made, "", "x\n");
    made_expect_counts(&made, "6/1/0/5");
}

static void a_template_with_fields_gives_the_default_partition(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_RAW, .partition = "s={source}/dt={time:%Y}/x={x}"},
              STR("a\n"));
    made_expect(&made, "s=src/dt=__HIVE_DEFAULT_PARTITION__/x=__HIVE_DEFAULT_PARTITION__", "a\n");
    assert_false(converter_gives(made.converter, 0));
}

static void records_over_the_bound_are_rejects(void **state) {
    (void)state;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_RAW, .record_bytes_max = 4}, STR("1234\n12345\n1\n"));
    made_expect(&made, "", "1234\n1\n");
    made_expect_counts(&made, "3/2/1/0");
    assert_int_equal(made.result->counts.reasons[REASON_TOO_LONG], 1);
}

static void any_bytes_come_out_again(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct rng rng = rng_from_seed(seed);
        size_t len = (size_t)rng_below(&rng, 3000), n = 0;
        AUTO(own_free) char *bytes = alloc_bytes(len + 2), *expected = alloc_bytes(len + 2);
        for (size_t i = 0; i < len; i++) bytes[i] = (char)(rng_below(&rng, 9) ? rng_below(&rng, 256) : '\n');
        if (len) bytes[len - 1] = '\n';
        for (size_t from = 0, i = 0; i < len; i++) { /* what a plain loop makes of it */
            if (bytes[i] != '\n') continue;
            size_t end = i > from && bytes[i - 1] == '\r' ? i - 1 : i;
            bool blank = true;
            for (size_t j = from; j < end; j++) blank = blank && strchr(" \t\r", bytes[j]) && bytes[j];
            if (!blank) {
                memcpy(expected + n, bytes + from, end - from);
                n += end - from;
                expected[n++] = '\n';
            }
            from = i + 1;
        }
        AUTO(made_done) struct made made;
        made_init(&made, &raw, (struct str){bytes, len});
        const struct slice_output *output = made_output(&made, "");
        AUTO(own_free) char *text = made_text(output);
        assert_int_equal(output ? output->bytes : 0, n);
        assert_memory_equal(text, expected, n);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_records_without_their_ends),
        cmocka_unit_test(nul_bytes_and_a_bom_stay),
        cmocka_unit_test(blank_lines_are_counted),
        cmocka_unit_test(a_template_with_fields_gives_the_default_partition),
        cmocka_unit_test(records_over_the_bound_are_rejects),
        cmocka_unit_test(any_bytes_come_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
