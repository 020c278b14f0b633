/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a slice keeps one record of each key and window, the first, unless its key is somebody else's; which records
 * have a key, and which keys are one, is what once.h says; and what is dropped is counted. */
#include "kept.h"
#include "slice.h"

#include "json.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

struct bench {
    struct str key[2];
    struct converter *converter;
    struct slice *slice;
    struct kept *kept;
    char *bytes;
};

static void bench_init(struct bench *b, const char *when, const char *text) {
    *b = (struct bench){.key = {STR("id"), STR("sub.n")}};
    struct converter_settings settings = {
        .kind = CONVERTER_NDJSON,
        .source = STR("s"),
        .partition = STR(""),
        .time_given = true,
        .time_field = STR("t"),
        .time_format = {.kind = TIME_PARSE_EPOCH_S},
        .shape = {.once = {b->key, 2, str_of(when), 10 * (int64_t)1000000000}},
    };
    size_t len = strlen(text), taken = 0;
    assert_int_equal(converter_new(&settings, &b->converter, NULL), RC_OK);
    b->slice = slice_new((struct slice_limits){0});
    b->kept = kept_new();
    b->bytes = calloc(1, len + JSON_PADDING);
    memcpy(b->bytes, text, len);
    slice_begin(b->slice, b->converter, &(struct slice_place){.uri = STR("file:///x"), .kept = b->kept});
    slice_add(b->slice, (struct str){b->bytes, len}, 1000, &taken);
    assert_int_equal(taken, len);
}

static void bench_again(struct bench *b) {
    size_t taken = 0, len = strlen(b->bytes);
    slice_begin(b->slice, b->converter, &(struct slice_place){.uri = STR("file:///x"), .kept = b->kept});
    slice_add(b->slice, (struct str){b->bytes, len}, 1000, &taken);
    assert_int_equal(taken, len);
}

static void bench_done(struct bench *b) {
    converter_free(b->converter);
    slice_free(b->slice);
    kept_free(b->kept);
    free(b->bytes);
}

/* "lines/converted/rejects/filtered/records/duplicates" and the claims' offsets - 1000. */
static void expect(struct bench *b, const char *counts, const char *offsets) {
    const struct slice_counts *c = &slice_result(b->slice)->counts;
    char got[200];
    (void)snprintf(got, sizeof got, "%d/%d/%d/%d/%d/%d", (int)c->lines, (int)c->converted, (int)c->rejects,
                   (int)c->filtered, (int)c->records, (int)c->duplicates);
    assert_string_equal(got, counts);
    got[0] = 0;
    struct str claims = kept_claims(b->kept);
    for (size_t i = 0, at = 0; i < claims_count(claims); i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%d ", (int)claims_at(claims, i).offset - 1000);
    assert_string_equal(got, offsets);
}

static void the_first_of_a_key_and_window_is_kept(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "",
               "{\"t\":1,\"id\":\"a\",\"sub\":{\"n\":1} }\n"    /* kept */
               "{\"t\":9,\"id\":\"a\",\"sub\":{\"n\":1} }\n"    /* the same */
               "{\"t\":10,\"id\":\"a\",\"sub\":{\"n\":1}}\n"    /* the next window */
               "{\"t\":1,\"id\":\"b\",\"sub\":{\"n\":1} }\n"    /* another key */
               "{\"t\":1,\"id\":\"a\",\"sub\":{\"n\":\"1\"}}\n" /* a text is no number */
               "{\"t\":-1,\"id\":\"a\",\"sub\":{\"n\":1}}\n"    /* windows go on before 1970 */
               "{\"t\":-9,\"id\":\"a\",\"sub\":{\"n\":1}}\n");  /* the same */
    expect(&b, "7/5/0/2/5/2", "0 64 96 128 161 ");
}

static void a_record_without_the_whole_key_is_always_kept(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "",
               "{\"t\":1,\"id\":\"a\"}\n{\"t\":1,\"id\":\"a\"}\n{\"t\":1,\"id\":null,\"sub\":{\"n\":1}}\n"
               "{\"t\":1,\"id\":null,\"sub\":{\"n\":1}}\n{\"t\":1,\"id\":[1],\"sub\":{\"n\":1}}\n"
               "{\"t\":1,\"id\":[1],\"sub\":{\"n\":1}}\n");
    expect(&b, "6/6/0/0/6/0", "");
}

static void only_records_of_the_condition_are_kept_once(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "kind = 'idle'",
               "{\"t\":1,\"id\":1,\"sub\":{\"n\":1},\"kind\":\"idle\"}\n"
               "{\"t\":1,\"id\":1,\"sub\":{\"n\":1},\"kind\":\"main\"}\n"
               "{\"t\":1,\"id\":1,\"sub\":{\"n\":1},\"kind\":\"main\"}\n"
               "{\"t\":1,\"id\":1,\"sub\":{\"n\":1},\"kind\":\"idle\"}\n");
    expect(&b, "4/3/0/1/3/1", "0 ");
}

static void what_is_somebody_elses_is_dropped_and_stays_so_for_the_next_slice(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "", "{\"t\":1,\"id\":1,\"sub\":{\"n\":1}}\n{\"t\":1,\"id\":2,\"sub\":{\"n\":1}}\n");
    expect(&b, "2/2/0/0/2/0", "0 29 ");
    bench_again(&b); /* what was not settled is free again */
    expect(&b, "2/2/0/0/2/0", "0 29 ");
    kept_other(b.kept, claims_at(kept_claims(b.kept), 0).key);
    bench_again(&b);
    expect(&b, "2/1/0/1/1/1", "29 ");
    kept_settle(b.kept); /* published: a duplicate in the next attempt of the run is one */
    bench_again(&b);
    expect(&b, "2/0/0/2/0/2", "");
    kept_forget(b.kept);
    bench_again(&b);
    expect(&b, "2/2/0/0/2/0", "0 29 ");
}

static void the_place_that_the_ledger_has_is_kept_and_not_the_first(void **state) {
    (void)state;
    AUTO(bench_done) struct bench b;
    bench_init(&b, "",
               "{\"t\":1,\"id\":1,\"sub\":{\"n\":1}}\n{\"t\":2,\"id\":1,\"sub\":{\"n\":1}}\n"
               "{\"t\":3,\"id\":1,\"sub\":{\"n\":1}}\n");
    expect(&b, "3/1/0/2/1/2", "0 ");
    kept_only(b.kept, claims_at(kept_claims(b.kept), 0).key, 1029);
    for (int again = 0; again < 2; again++) {
        bench_again(&b);
        expect(&b, "3/1/0/2/1/2", "29 ");
    }
    kept_settle(b.kept);
    bench_again(&b);
    expect(&b, "3/0/0/3/0/3", "");
}

static void many_keys_are_told_apart_and_fill_a_slice(void **state) {
    (void)state;
    struct kept *k = kept_new();
    struct rng rng = rng_from_seed(1);
    struct id first = id_make(&rng);
    kept_begin(k);
    assert_true(kept_take(k, first, 0));
    for (size_t i = 1; i < KEPT_SLICE; i++) {
        assert_false(kept_full(k));
        assert_true(kept_take(k, id_make(&rng), i));
    }
    assert_true(kept_full(k));
    assert_int_equal(kept_keys(k), KEPT_SLICE);
    assert_false(kept_take(k, first, KEPT_SLICE));
    rng = rng_from_seed(1);
    for (size_t i = 0; i < KEPT_SLICE; i++) {
        struct claim claim = claims_at(kept_claims(k), i);
        assert_true(id_equal(claim.key, id_make(&rng)));
        assert_int_equal(claim.offset, i);
    }
    kept_free(k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_a_key_and_window_is_kept),
        cmocka_unit_test(a_record_without_the_whole_key_is_always_kept),
        cmocka_unit_test(only_records_of_the_condition_are_kept_once),
        cmocka_unit_test(what_is_somebody_elses_is_dropped_and_stays_so_for_the_next_slice),
        cmocka_unit_test(the_place_that_the_ledger_has_is_kept_and_not_the_first),
        cmocka_unit_test(many_keys_are_told_apart_and_fill_a_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
