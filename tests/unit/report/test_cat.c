/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: cat gives exactly the records of the partitions and the span of time that were asked for, and reads no frame
 * that cannot hold one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cat.h"
#include "made_world.h"
#include "own.h"
#include "time_parse.h"

#include <string.h>

#define MINUTE INT64_C(60000000000)
#define T0 INT64_C(1767225600000000000)

struct reader {
    struct buf text;
    size_t writes, stop_after;
    size_t asked;      /* times of records */
    struct str source; /* of the last one */
    char source_text[16];
};

static enum rc time_of(void *context, struct str source, struct str record, int64_t *out_ns) {
    struct reader *r = context;
    r->asked++;
    (void)memcpy(r->source_text, source.at ? source.at : "", source.len);
    r->source = (struct str){r->source_text, source.len};
    return time_parse_rfc3339(str_sub(record, STR("{\"time\":\"").len, STR("{\"time\":\"2026-01-01T00:00:00Z").len),
                              out_ns);
}

static enum rc take(void *context, struct str records, struct why *why) {
    (void)why;
    struct reader *r = context;
    buf_add(&r->text, records);
    return ++r->writes == r->stop_after ? RC_STOP : RC_OK;
}

/* The numbers of the records, in the order they came: "0 1 2 ". */
static struct cat_result numbers(struct made_world *w, struct cat_ask ask, struct reader *r, char out[256]) {
    struct cat_result result = {0};
    struct why why = {0};
    r->text = BUF_INIT(1 << 20);
    ask.time = time_of;
    ask.write = take;
    ask.context = r;
    if (cat_records(&w->report, &ask, &result, &why) != RC_OK) fail_msg("%s", why.text);
    struct str rest = buf_str(&r->text), line;
    size_t len = 0;
    out[0] = 0;
    while (rest.len && str_cut(&rest, '\n', &line)) {
        const char *n = strstr(line.at, "\"n\":") + 4;
        for (; *n != '}'; n++) out[len++] = *n;
        out[len++] = ' ';
        out[len] = 0;
    }
    buf_done(&r->text);
    return result;
}

static void expect(struct made_world *w, struct cat_ask ask, const char *expected) {
    char found[256];
    struct reader r = {0};
    (void)numbers(w, ask, &r, found);
    assert_string_equal(found, expected);
}

static void everything_is_given_without_a_wish(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct reader r = {0};
    char found[256];
    struct cat_result result = numbers(&w, (struct cat_ask){0}, &r, found);
    assert_string_equal(found, "0 1 2 3 4 5 6 9 10 11 12 13 14 15 16 17 22 23 24 7 8 18 19 20 21 ");
    assert_int_equal(result.records, 25);
    assert_int_equal(result.objects, 3); /* no rejects */
    assert_int_equal(r.asked, 0);
}

static void partitions_are_chosen_by_whole_components(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    expect(&w, (struct cat_ask){.partition = STR("dt=2")}, "7 8 18 19 20 21 ");
    expect(&w, (struct cat_ask){.partition = STR("dt=2/")}, "7 8 18 19 20 21 ");
    expect(&w, (struct cat_ask){.partition = STR("dt=2/k=y%2Fz")}, "7 8 18 19 20 21 ");
    expect(&w, (struct cat_ask){.partition = STR("dt=")}, "");
    expect(&w, (struct cat_ask){.partition = STR("dt=2/k=y")}, "");
}

static void components_are_compared_decoded(void **state) {
    (void)state;
    static const struct {
        struct cat_where where[2];
        size_t count;
        const char *expected;
    } asks[] = {
        {{{{"k", 1}, {"y/z", 3}}}, 1, "7 8 18 19 20 21 "},
        {{{{"k", 1}, {"y%2Fz", 5}}}, 1, ""},
        {{{{"k", 1}, {"y", 1}}}, 1, ""},
        {{{{"k", 1}, {"y/zz", 4}}}, 1, ""},
        {{{{"k", 1}, {"y/z", 3}}, {{"dt", 2}, {"2", 1}}}, 2, "7 8 18 19 20 21 "},
        {{{{"k", 1}, {"y/z", 3}}, {{"dt", 2}, {"1", 1}}}, 2, ""},
        {{{{"x", 1}, {"", 0}}}, 1, ""},
    };
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++)
        expect(&w, (struct cat_ask){.where = asks[i].where, .where_len = asks[i].count}, asks[i].expected);
}

static void a_span_of_time_is_exact_and_reads_little(void **state) {
    (void)state;
    for (int format = FRAME_ZST; format <= FRAME_GZ; format++) {
        AUTO(made_world_done) struct made_world w;
        made_world_new(&(struct made_settings){.format = (enum frame_format)format}, &w);
        struct reader r = {0};
        char found[256];
        struct cat_ask ask = {.has_from = true, .has_to = true, .from_ns = T0 + 5 * MINUTE, .to_ns = T0 + 8 * MINUTE};
        struct cat_result result = numbers(&w, ask, &r, found);
        assert_string_equal(found, "5 6 7 "); /* from is in it, to is not */
        assert_int_equal(result.objects_skipped, 1);
        assert_int_equal(result.frames_skipped, 2); /* 0 to 3, and 18 to 21 */
        assert_int_equal(result.frames, 2);
        assert_int_equal(r.asked, 5);
        assert_true(str_equal(r.source, STR("app")));
        expect(&w, (struct cat_ask){.has_from = true, .from_ns = T0 + 23 * MINUTE}, "23 24 ");
        expect(&w, (struct cat_ask){.has_to = true, .to_ns = T0 + MINUTE + 1}, "0 1 ");
        expect(&w, (struct cat_ask){.has_to = true, .to_ns = T0}, "");
    }
}

static void a_reader_that_has_enough_ends_it(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct reader r = {.stop_after = 1};
    char found[256];
    (void)numbers(&w, (struct cat_ask){0}, &r, found);
    assert_string_equal(found, "0 1 2 3 ");
    assert_int_equal(r.writes, 1);
}

static void without_footer(struct made_world *w, struct manifest *m) {
    (void)w;
    for (size_t i = 0; i < m->objects_len; i++) m->objects[i].footer_base64 = STR("");
}

static void gzip_objects_without_a_footer_are_read_too(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){.format = FRAME_GZ}, &w);
    made_edit_manifest(&w, 0, 0, without_footer);
    struct reader r = {0};
    char found[256];
    struct cat_ask ask = {.has_from = true, .has_to = true, .from_ns = T0 + 3 * MINUTE, .to_ns = T0 + 6 * MINUTE};
    struct cat_result result = numbers(&w, ask, &r, found);
    assert_string_equal(found, "3 4 5 ");
    assert_int_equal(result.frames, 2);
    assert_int_equal(r.source.len, 0); /* nobody says of which file a record is */
}

static void a_damaged_object_is_an_error_that_names_it(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct str key = made_object_key(&w, 0, 1, STR("dt=1/k=x"));
    made_remove(&w, key);
    struct reader r = {.text = BUF_INIT(1 << 20)};
    struct why why = {0};
    struct cat_ask ask = {.time = time_of, .write = take, .context = &r};
    assert_int_equal(cat_records(&w.report, &ask, NULL, &why), RC_BROKEN);
    assert_non_null(strstr(why.text, key.at));
    buf_done(&r.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_given_without_a_wish),
        cmocka_unit_test(partitions_are_chosen_by_whole_components),
        cmocka_unit_test(components_are_compared_decoded),
        cmocka_unit_test(a_span_of_time_is_exact_and_reads_little),
        cmocka_unit_test(a_reader_that_has_enough_ends_it),
        cmocka_unit_test(gzip_objects_without_a_footer_are_read_too),
        cmocka_unit_test(a_damaged_object_is_an_error_that_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
