/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: ${NAME}, ${NAME:-text} and $$ mean what the reference says in every value and in no key; what the
 * environment holds is checked like what the file holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config.h"
#include "num.h"
#include "own.h"

static int prepare(void **state) {
    (void)state;
    return setenv("SLUICE_T_ROOT", "/data", 1) || setenv("SLUICE_T_LEVEL", "7", 1) || setenv("SLUICE_T_EMPTY", "", 1) ||
           setenv("SLUICE_T_YES", "true", 1) || setenv("SLUICE_T_CONTROL", "a\nb", 1) ||
           setenv("SLUICE_T_LATIN1", "caf\xe9", 1) || setenv("SLUICE_T_NESTED", "${SLUICE_T_ROOT}", 1) ||
           unsetenv("SLUICE_T_NONE");
}

/* The output's partition when `value` stands for it, or the message. */
static void check_text(const char *value, const char *want, const char *want_why) {
    char text[512];
    snprintf(text, sizeof text,
             "pipeline: web\nstate: /s\nsources: [{name: a, paths: [/l], converter: raw}]\noutput:\n  url: /out\n"
             "  partition: \"%s\"\n",
             value);
    AUTO(config_done) struct config *config = NULL;
    struct why why = {0};
    enum rc rc = config_from_text(str_of(text), "c.yaml", "/etc", &config, &why);
    if (want_why) {
        assert_int_equal(rc, RC_DENIED);
        assert_string_equal(why.text, want_why);
        return;
    }
    if (rc != RC_OK) fail_msg("%s: %s", value, why.text);
    assert_string_equal(config->output.partition.at, want);
}

static void variables_and_dollars_are_expanded(void **state) {
    (void)state;
    static const struct {
        const char *value, *want;
    } rows[] = {
        {"${SLUICE_T_ROOT}", "/data"},
        {"x${SLUICE_T_ROOT}y${SLUICE_T_LEVEL}", "x/datay7"},
        {"${SLUICE_T_NONE:-text}", "text"},
        {"${SLUICE_T_NONE:-}", ""},
        {"${SLUICE_T_EMPTY:-text}", "text"},
        {"${SLUICE_T_EMPTY}", ""},
        {"${SLUICE_T_ROOT:-text}", "/data"},
        {"${SLUICE_T_NONE:-a:-b $ c}", "a:-b $ c"},
        {"$$", "$"},
        {"$${SLUICE_T_ROOT}", "${SLUICE_T_ROOT}"},
        {"$$$$x", "$$x"},
        {"${SLUICE_T_NESTED}", "${SLUICE_T_ROOT}"},
        {"{time:%Y}", "{time:%Y}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) check_text(rows[i].value, rows[i].want, NULL);
}

#define AT "c.yaml:6:14: output.partition: "
#define NO_DOLLAR AT "a $ that is neither ${NAME}, ${NAME:-text}, ${file:/PATH} nor $$ (a dollar sign)"

static void what_cannot_be_expanded_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *value, *why;
    } rows[] = {
        {"${SLUICE_T_NONE}", AT "the environment has no SLUICE_T_NONE; set it, or write ${SLUICE_T_NONE:-text}"},
        {"$HOME", NO_DOLLAR},
        {"$", NO_DOLLAR},
        {"a$", NO_DOLLAR},
        {"${", NO_DOLLAR},
        {"${}", NO_DOLLAR},
        {"${SLUICE_T_ROOT", NO_DOLLAR},
        {"${:-x}", NO_DOLLAR},
        {"${1}", NO_DOLLAR},
        {"${A B}", NO_DOLLAR},
        {"${SLUICE_T_ROOT:x}", NO_DOLLAR},
        {"${SLUICE_T_ROOT:}", NO_DOLLAR},
        {"${SLUICE_T_ROOT-x}", NO_DOLLAR},
        {"$(id)", NO_DOLLAR},
        {"${\xc3\xa4}", NO_DOLLAR},
        {"${SLUICE_T_CONTROL}", AT "holds the control character 0x0a, which no value may"},
        {"${SLUICE_T_LATIN1}", AT "is not UTF-8 once the environment is put in"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) check_text(rows[i].value, NULL, rows[i].why);
}

static void a_name_may_have_127_bytes(void **state) {
    (void)state;
    char name[129], value[160];
    memset(name, 'A', sizeof name);
    name[127] = '\0';
    snprintf(value, sizeof value, "${%s:-x}", name);
    check_text(value, "x", NULL);
    name[127] = 'A';
    name[128] = '\0';
    snprintf(value, sizeof value, "${%s:-x}", name);
    check_text(value, NULL, NO_DOLLAR);
}

static void numbers_lists_and_names_come_from_the_environment_too(void **state) {
    (void)state;
    AUTO(config_done) struct config *config = NULL;
    struct why why = {0};
    enum rc rc =
        config_from_text(STR("pipeline: ${SLUICE_T_NONE:-web}\n"
                             "state: ${SLUICE_T_ROOT}/state\n"
                             "sources:\n"
                             "  - name: s${SLUICE_T_LEVEL}\n"
                             "    paths: [\"${SLUICE_T_ROOT}/*\"]\n"
                             "    converter: ${SLUICE_T_NONE:-raw}\n"
                             "    follow_symlinks: ${SLUICE_T_YES}\n"
                             "    max_line_bytes: ${SLUICE_T_LEVEL}0KiB\n"
                             "output: {url: out, level: \"${SLUICE_T_LEVEL}\", flush: \"${SLUICE_T_LEVEL}s\"}\n"),
                         "c.yaml", "/etc", &config, &why);
    if (rc != RC_OK) fail_msg("%s", why.text);
    assert_string_equal(config->pipeline.at, "web");
    assert_string_equal(config->state.at, "/data/state");
    assert_string_equal(config->sources[0].name.at, "s7");
    assert_string_equal(config->sources[0].paths.at[0].at, "/data/*");
    assert_int_equal(config->sources[0].converter, CONFIG_RAW);
    assert_true(config->sources[0].follow_symlinks);
    assert_int_equal(config->sources[0].max_line_bytes, 70 * 1024);
    assert_int_equal(config->output.level, 7);
    assert_int_equal(config->output.flush_ms, 7000);
}

static void keys_are_not_expanded(void **state) {
    (void)state;
    struct config *config = NULL;
    struct why why = {0};
    assert_int_equal(config_from_text(STR("${SLUICE_T_ROOT}: web\n"), "c.yaml", "/etc", &config, &why), RC_DENIED);
    assert_string_equal(
        why.text, "c.yaml:1:1: \"${SLUICE_T_ROOT}\" is not one of the keys pipeline, generation, sources, output, "
                  "broker, ledger, events, state, lanes, lane_bytes, rescan, drain, jobs, http, serve, log");
}

static void a_long_variable_cannot_fill_the_memory(void **state) {
    (void)state;
    char value[5000];
    memset(value, 'x', sizeof value);
    value[sizeof value - 1] = '\0';
    assert_int_equal(setenv("SLUICE_T_LONG", value, 1), 0);
    check_text("${SLUICE_T_LONG}", NULL, AT "is longer than 4096 bytes");
    value[4096] = '\0';
    assert_int_equal(setenv("SLUICE_T_LONG", value, 1), 0);
    check_text("${SLUICE_T_LONG}", value, NULL);

    AUTO(own_free) char *text = malloc(200000);
    size_t len = (size_t)sprintf(text, "pipeline: web\nsources:\n");
    for (int i = 0; i < 2; i++) {
        len += (size_t)sprintf(text + len, "- name: n%d\n  converter: raw\n  paths:\n", i);
        for (int j = 0; j < 1000; j++) len += (size_t)sprintf(text + len, "  - ${SLUICE_T_LONG}\n");
    }
    struct config *config = NULL;
    struct why why = {0};
    assert_int_equal(config_from_text((struct str){text, len}, "c.yaml", "/etc", &config, &why), RC_DENIED);
    assert_string_equal(why.text, "c.yaml:1032:5: sources[1].paths[23]: all values together are over 4 MiB");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_and_dollars_are_expanded),
        cmocka_unit_test(what_cannot_be_expanded_is_refused),
        cmocka_unit_test(a_name_may_have_127_bytes),
        cmocka_unit_test(numbers_lists_and_names_come_from_the_environment_too),
        cmocka_unit_test(keys_are_not_expanded),
        cmocka_unit_test(a_long_variable_cannot_fill_the_memory),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
