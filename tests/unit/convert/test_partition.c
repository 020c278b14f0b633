/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a template is refused at the place of its mistake; and whatever values records hold, a path is one that
 * every file system and bucket can take, is bounded, and is the same for the same values. */
#include "partition.h"

#include "num.h"
#include "own.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define DAY 86400000000000
#define D "__HIVE_DEFAULT_PARTITION__"

static struct partition *open_template(const char *template) {
    struct partition *partition = NULL;
    struct why why = {0};
    if (partition_new(str_of(template), STR("web"), &partition, &why) != RC_OK) fail_msg("%s: %s", template, why.text);
    return partition;
}

/* The path of `template` with `fields`, 2001-09-09T01:46:40Z. */
static void expect_path(const char *template, const struct str *fields, const char *expected) {
    AUTO(partition_done) struct partition *partition = open_template(template);
    char path[PARTITION_PATH_MAX + 1];
    struct partition_values values = {.has_time = true, .time_ns = 1000000000000000000, .fields = fields};
    assert_int_equal(partition_path(partition, &values, path), strlen(expected));
    assert_string_equal(path, expected);
}

static void expect_encoded(struct str value, const char *encoded) {
    char expected[PARTITION_PATH_MAX];
    (void)snprintf(expected, sizeof expected, "a=%s", encoded);
    expect_path("a={x}", &value, expected);
}

static void expect_bad(const char *template, const char *words) {
    struct partition *partition = NULL;
    struct why why = {0};
    if (partition_new(str_of(template), STR("web"), &partition, &why) != RC_BAD) fail_msg("%s was accepted", template);
    assert_null(partition);
    if (!strstr(why.text, words)) fail_msg("%s: \"%s\" does not hold \"%s\"", template, why.text, words);
}

static void templates_make_paths(void **state) {
    (void)state;
    struct str fields[] = {STR("200"), STR("DE")};
    expect_path("", NULL, "");
    expect_path("all", NULL, "all");
    expect_path("dt={time:%Y-%m-%d}/hour={time:%H}", NULL, "dt=2001-09-09/hour=01");
    expect_path("status={status}/{user.country}-{status}", fields, "status=200/DE-200");
    expect_path("{/a~1b}/s={source}", fields, "200/s=web");
    expect_path("t={time:%H:%M %b}", NULL, "t=01%3A46%20Sep");
}

static void fields_are_listed_once(void **state) {
    (void)state;
    AUTO(partition_done) struct partition *partition = open_template("{a}/{b.c}/{a}/{/time}");
    assert_int_equal(partition_field_count(partition), 3);
    assert_true(str_equal(partition_field_name(partition, 1), STR("b.c")));
    assert_int_equal(partition_fields(partition)[1].step_count, 2);
    assert_false(partition_uses_time(partition));
}

static void values_cannot_leave_their_component(void **state) {
    (void)state;
    expect_encoded(STR("../../etc"), "..%2F..%2Fetc");
    expect_encoded(STR("."), "%2E");
    expect_encoded(STR(".."), "%2E%2E");
    expect_encoded(STR("..."), "...");
    expect_encoded(STR("a b=c%"), "a%20b%3Dc%25");
    expect_encoded(STR("\0"), "%00");
    expect_encoded(STR("\xff\xc3\xa9\n"), "%FF%C3%A9%0A");
    expect_encoded(STR("\\"), "%5C");
    expect_encoded(STR("Az09_.-"), "Az09_.-");
    expect_path("{x}", &STR("."), "%2E");
    expect_path("{x}", &STR("_seals"), "%5Fseals");
    expect_path("{x}", &STR(".hidden"), "%2Ehidden");
    expect_path("{x}{x}", &STR("."), "%2E%2E");
    expect_path("{x}.", &STR("."), "%2E.");
}

static void what_is_missing_has_its_own_partition(void **state) {
    (void)state;
    expect_encoded((struct str){0}, D);
    expect_encoded(STR(""), D);
    expect_path("{x}", &STR(""), D);
    AUTO(partition_done) struct partition *partition = open_template("dt={time:%Y}/x={x}");
    char path[PARTITION_PATH_MAX + 1];
    struct partition_values values = {.fields = &STR("1")};
    (void)partition_path(partition, &values, path);
    assert_string_equal(path, "dt=" D "/x=1");
}

static void too_much_goes_to_the_overflow(void **state) {
    (void)state;
    AUTO(partition_done) struct partition *partition = open_template("s={source}/dt={time:%Y}/x={x}-{y}/end");
    char path[PARTITION_PATH_MAX + 1];
    size_t len = partition_overflow_path(partition, path);
    assert_string_equal(path, "s=web/dt=__OVERFLOW__/x=__OVERFLOW__-__OVERFLOW__/end");
    assert_int_equal(len, strlen(path));
}

/* What is allowed in a component, and no cut inside a %XX. */
static void check_component(struct str c) {
    assert_true(c.len >= 1 && c.len <= PARTITION_COMPONENT_MAX);
    assert_false(str_equal(c, STR(".")) || str_equal(c, STR("..")));
    for (size_t i = 0; i < c.len; i++) {
        bool plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-=", c.at[i]) && c.at[i];
        bool encoded = c.at[i] == '%' && i + 2 < c.len && strchr("0123456789ABCDEF", c.at[i + 1]) &&
                       strchr("0123456789ABCDEF", c.at[i + 2]);
        if (!plain && !encoded) fail_msg("\"%.*s\" at %zu", STR_ARG(c), i);
    }
}

static void long_values_are_cut_with_a_hash(void **state) {
    (void)state;
    char value[5000], path[PARTITION_PATH_MAX + 1], other[PARTITION_PATH_MAX + 1];
    AUTO(partition_done) struct partition *partition = open_template("a={x}/end");
    for (size_t len = 1; len < sizeof value; len += len < 400 ? 1 : 97) {
        memset(value, len % 2 ? '/' : 'x', sizeof value);
        struct str text = {value, len};
        size_t n = partition_path(partition, &(struct partition_values){.fields = &text}, path);
        check_component((struct str){path, n - 4});
        assert_string_equal(path + n - 4, "/end");
        value[len - 1] = 'y'; /* differs only where it was cut off */
        (void)partition_path(partition, &(struct partition_values){.fields = &text}, other);
        assert_string_not_equal(path, other);
    }
    memset(value, 'x', 253);
    expect_encoded((struct str){value, 253}, (value[253] = '\0', value));
}

static void long_paths_are_cut_component_by_component(void **state) {
    (void)state;
    char value[3000], path[PARTITION_PATH_MAX + 1], again[PARTITION_PATH_MAX + 1];
    memset(value, '\xff', sizeof value);
    struct str fields[8];
    for (size_t i = 0; i < 8; i++) fields[i] = (struct str){value, sizeof value - i};
    AUTO(partition_done)
    struct partition *partition = open_template("k1={a}/k2={b}/k3={c}/k4={d}/k5={e}/k6={f}/s=1/k8={g}");
    size_t n = partition_path(partition, &(struct partition_values){.fields = fields}, path);
    assert_true(n <= PARTITION_PATH_MAX && n == strlen(path));
    assert_non_null(strstr(path, "/s=1/k8=%FF"));
    struct str rest = {path, n}, component;
    size_t count = 0;
    for (; str_cut(&rest, '/', &component); count++) {
        check_component(component);
        assert_true(component.at[0] == 'k' || component.at[0] == 's');
    }
    assert_int_equal(count, 8);
    (void)partition_path(partition, &(struct partition_values){.fields = fields}, again);
    assert_string_equal(path, again);
}

static void any_values_make_a_path_that_can_be_one(void **state) {
    (void)state;
    AUTO(partition_done) struct partition *partition = open_template("{a}/x{b}/{c}{d}/y={a}.{b}/{time:%j}");
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct rng rng = rng_from_seed(seed);
        char bytes[4][700], path[PARTITION_PATH_MAX + 1];
        struct str fields[4];
        for (size_t i = 0; i < 4; i++) {
            size_t len = (size_t)rng_below(&rng, rng_below(&rng, 3) ? 4 : sizeof bytes[i]);
            for (size_t j = 0; j < len; j++) bytes[i][j] = (char)(rng_below(&rng, 2) ? '.' : rng_below(&rng, 256));
            fields[i] = (struct str){bytes[i], len};
        }
        struct partition_values values = {.has_time = true, .time_ns = (int64_t)rng_next(&rng), .fields = fields};
        size_t n = partition_path(partition, &values, path);
        assert_true(n <= PARTITION_PATH_MAX && n == strlen(path));
        struct str rest = {path, n}, component;
        size_t count = 0;
        for (; str_cut(&rest, '/', &component); count++) check_component(component);
        assert_int_equal(count, 5);
    }
}

static void times_of_one_bucket_have_one_path(void **state) {
    (void)state;
    static const struct {
        const char *template;
        int64_t step;
    } cases[] = {{"dt={time:%Y-%m-%d}", DAY}, {"{time:%Y}/{time:%H}", DAY / 24}, {"{time:%M}/{time:%d}", DAY / 1440}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(partition_done) struct partition *partition = open_template(cases[i].template);
        int64_t edge = 20000 * DAY;
        assert_int_equal(partition_bucket(partition, edge), partition_bucket(partition, edge + cases[i].step - 1));
        assert_int_not_equal(partition_bucket(partition, edge), partition_bucket(partition, edge - 1));
        assert_int_not_equal(partition_bucket(partition, 0), partition_bucket(partition, -1));
    }
    AUTO(partition_done) struct partition *partition = open_template("x={x}");
    assert_int_equal(partition_bucket(partition, 5), partition_bucket(partition, -DAY));
}

static void mistakes_are_named_with_their_place(void **state) {
    (void)state;
    expect_bad("/a", "position 1");
    expect_bad("a/", "position 3");
    expect_bad("a//b", "position 3");
    expect_bad("a/../b", "position 3");
    expect_bad(".", "position 1");
    expect_bad("_seals/x", "position 1");
    expect_bad("a/_b={x}", "position 3");
    expect_bad("a b", "position 2");
    expect_bad("a=}", "position 3");
    expect_bad("a={x", "position 3");
    expect_bad("a={}", "position 3");
    expect_bad("a={x..y}", "position 3");
    expect_bad("a={/~2}", "position 3");
    expect_bad("a={time}", "{time:%Y-%m-%d}");
    expect_bad("a={time:%Q}", "position 3");
    expect_bad("a\xc3\xa9", "0xc3");
    expect_bad("a%20", "position 2");
    expect_bad("1/2/3/4/5/6/7/8/9", "more than 8 components");
    expect_bad("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "over 64 literal bytes");
    expect_bad("{1}{2}{3}{4}{5}{6}{7}{8}{9}{10}{11}{12}{13}{14}{15}{16}{17}", "more than 16 fields");
    char text[PARTITION_TEMPLATE_MAX + 2];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    expect_bad(text, "over 1024 bytes");
    for (size_t i = 0; i + 3 < sizeof text; i += 3) memcpy(text + i, "{a}", 3);
    expect_bad((text[1023] = '\0', text), "more than 64 pieces");
}

static void a_name_alone_can_be_encoded(void **state) {
    (void)state;
    char out[PARTITION_COMPONENT_MAX + 1];
    assert_int_equal(partition_encode(STR("web-1"), out), 5);
    assert_string_equal(out, "web-1");
    (void)partition_encode(STR("a/b"), out);
    assert_string_equal(out, "a%2Fb");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_make_paths),
        cmocka_unit_test(fields_are_listed_once),
        cmocka_unit_test(values_cannot_leave_their_component),
        cmocka_unit_test(what_is_missing_has_its_own_partition),
        cmocka_unit_test(too_much_goes_to_the_overflow),
        cmocka_unit_test(long_values_are_cut_with_a_hash),
        cmocka_unit_test(long_paths_are_cut_component_by_component),
        cmocka_unit_test(any_values_make_a_path_that_can_be_one),
        cmocka_unit_test(times_of_one_bucket_have_one_path),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(a_name_alone_can_be_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
