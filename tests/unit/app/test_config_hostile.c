/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever bytes stand in the file, reading ends soon, in bounded memory, with a configuration or with one
 * line that says where and why. */
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
#include "rng.h"

static void refuse_bytes(const char *text, size_t len, const char *want) {
    struct config *config = NULL;
    struct why why = {0};
    char *copy = malloc(len ? len : 1); /* of exactly the size, for the sanitizer */
    assert_non_null(copy);
    memcpy(copy, text, len);
    assert_int_equal(config_from_text((struct str){copy, len}, "c.yaml", "/etc", &config, &why), RC_DENIED);
    free(copy);
    assert_null(config);
    if (want) assert_string_equal(why.text, want);
    assert_int_equal(strncmp(why.text, "c.yaml:", 7), 0);
}

static void refuse(const char *text, const char *want) { refuse_bytes(text, strlen(text), want); }

static void what_yaml_can_do_beyond_plain_values_is_refused(void **state) {
    (void)state;
    refuse("pipeline: &a web\n", "c.yaml:1:11: anchors (&name) are not supported: write it out");
    refuse("pipeline: web\nsources: &s []\n", "c.yaml:2:10: anchors (&name) are not supported: write it out");
    refuse("log: &l {level: info}\n", "c.yaml:1:6: anchors (&name) are not supported: write it out");
    refuse("pipeline: *a\n", "c.yaml:1:11: aliases (*name) are not supported: write it out");
    refuse("pipeline: !!str web\n", "c.yaml:1:11: tags (!name) are not supported: take it out");
    refuse("sources: !x []\n", "c.yaml:1:10: tags (!name) are not supported: take it out");
    refuse("log: !x {}\n", "c.yaml:1:6: tags (!name) are not supported: take it out");
    refuse("pipeline: web\n---\npipeline: web\n", "c.yaml:2:1: a second document (---): one is allowed");
    refuse("? [a]\n: b\n", "c.yaml:1:3: a key must be a single word");
    refuse("{{a: b}: c}\n", "c.yaml:1:2: a key must be a single word");
    refuse("<<: {a: b}\n", NULL);
}

static void broken_yaml_has_its_position(void **state) {
    (void)state;
    refuse("pipeline: web\n  generation: 1\n",
           "c.yaml:2:13: not valid YAML: mapping values are not allowed in this context");
    refuse("pipeline: \"web\n",
           "c.yaml:2:1: not valid YAML: found unexpected end of stream while scanning a quoted scalar");
    refuse("sources: [a\n",
           "c.yaml:2:1: not valid YAML: did not find expected ',' or ']' while parsing a flow sequence");
    refuse("pipeline: web\n\tgeneration: 1\n",
           "c.yaml:2:1: not valid YAML: found a tab character that violates indentation while scanning a plain scalar");
    refuse("a: b\n- c\n", "c.yaml:2:1: not valid YAML: did not find expected key while parsing a block mapping");
    refuse("a: \"\\q\"\n", "c.yaml:1:5: not valid YAML: found unknown escape character while parsing a quoted scalar");
    refuse("%YAML 9.9\n---\na: b\n", "c.yaml:1:1: not valid YAML: found incompatible YAML document");
}

static void bytes_that_are_no_text_are_refused(void **state) {
    (void)state;
    refuse_bytes("pipeline: web\nx: \xff\n", 20, "c.yaml:2:4: the file is no UTF-8 text: invalid leading UTF-8 octet");
    refuse_bytes("pipeline: \0web\n", 15, "c.yaml:1:11: the file is no UTF-8 text: control characters are not allowed");
    refuse_bytes("pipeline: a\x1b[2Jb\n", 17,
                 "c.yaml:1:12: the file is no UTF-8 text: control characters are not allowed");
    refuse_bytes("\xff\xfep\0:\0", 6, NULL);
    refuse("pipeline: \"a\\0b\"\n", "c.yaml:1:11: pipeline: holds the control character 0x00, which no value may");
    refuse("pipeline: \"a\\eb\"\n", "c.yaml:1:11: pipeline: holds the control character 0x1b, which no value may");
    refuse("pipeline: |\n  a\n  b\n", "c.yaml:1:11: pipeline: holds the control character 0x0a, which no value may");
}

static void a_byte_order_mark_is_skipped_and_crlf_is_a_line_end(void **state) {
    (void)state;
    refuse("\xef\xbb\xbfpipeline: Web\n",
           "c.yaml:1:11: pipeline: \"Web\" does not fit; allowed: 1 to 64 of a-z, 0-9, _ and -");
    refuse("\xef\xbb\xbfpipeline: web\r\nsources: 1\r\n", "c.yaml:2:10: sources: must be a list, not one value");
    refuse("\xef\xbb\xbf", "c.yaml:1:1: the file is empty");
}

static void nesting_is_bounded(void **state) {
    (void)state;
    char text[20000];
    memset(text, '[', sizeof text);
    refuse_bytes(text, 16, NULL);
    refuse_bytes(text, 17, "c.yaml:1:17: nested more than 16 levels deep");
    refuse_bytes(text, sizeof text, "c.yaml:1:17: nested more than 16 levels deep");
    for (size_t i = 0; i < sizeof text / 2; i++) memcpy(text + i * 2, "- ", 2);
    refuse_bytes(text, sizeof text, "c.yaml:1:33: nested more than 16 levels deep");
}

static void size_and_number_of_values_are_bounded(void **state) {
    (void)state;
    size_t len = CONFIG_BYTES_MAX;
    AUTO(own_free) char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '#', len + 1);
    refuse_bytes(text, len, "c.yaml:1:1: the file is empty");
    refuse_bytes(text, len + 1, "c.yaml: the file is larger than 1 MiB");
    memset(text, 'x', len + 1);
    refuse_bytes(text, len, "c.yaml:1:1: the file must be a map of keys");
    text[0] = '[';
    for (size_t i = 1; i + 1 < len; i += 2) memcpy(text + i, "a,", 2);
    refuse_bytes(text, len, "c.yaml:1:131072: the file has more than 65536 values");
    for (size_t i = 0; i + 4 <= len; i += 4) memcpy(text + i, "a:\n ", 4);
    refuse_bytes(text, len, NULL);
    for (size_t i = 0; i + 4 <= len; i += 4) memcpy(text + i, "a: \n", 4);
    refuse_bytes(text, len, NULL);
}

static void a_value_is_bounded_and_its_message_too(void **state) {
    (void)state;
    char text[8000];
    memset(text, 'a', sizeof text);
    memcpy(text, "pipeline: ", 10);
    refuse_bytes(text, 10 + 4097, "c.yaml:1:11: pipeline: is longer than 4096 bytes");
    struct config *config = NULL;
    struct why why = {0};
    assert_int_equal(config_from_text((struct str){text, 10 + 4096}, "c.yaml", "/etc", &config, &why), RC_DENIED);
    assert_true(strlen(why.text) < 250);
    assert_non_null(strstr(why.text, "aaa...\" does not fit; allowed: 1 to 64"));
    memset(text, 'a', sizeof text);
    memcpy(text + 1000, ": b\n", 4);
    assert_int_equal(config_from_text((struct str){text, 1004}, "c.yaml", "/etc", &config, &why), RC_DENIED);
    assert_true(strlen(why.text) < 400);
    text[7000] = '\0';
    assert_int_equal(config_from_text(STR("a: b"), text, "/etc", &config, &why),
                     RC_DENIED); /* a name that is too long */
    assert_int_equal(strlen(why.text), WHY_TEXT_MAX - 1);
}

static void too_many_entries_are_refused(void **state) {
    (void)state;
    AUTO(own_free) char *text = malloc(100000);
    size_t len = (size_t)sprintf(text, "sources:\n");
    for (int i = 0; i < 257; i++) len += (size_t)sprintf(text + len, "- {name: n%d, paths: [/l], converter: raw}\n", i);
    refuse_bytes(text, len, "c.yaml:2:1: sources: has 257 entries; allowed: 1 to 256");
    len = (size_t)sprintf(text, "sources:\n- paths:\n");
    for (int i = 0; i < 1025; i++) len += (size_t)sprintf(text + len, "  - /l%d\n", i);
    refuse_bytes(text, len, "c.yaml:3:3: sources[0].paths: has 1025 entries; allowed: 1 to 1024");
}

static void a_path_that_becomes_too_long_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *key;
    } rows[] = {
        {"pipeline: web\nstate: /s\noutput: {url: out}\nsources: [{name: a, paths: [/l], converter: raw}]\n",
         "c.yaml:3:15: output.url"},
        {"pipeline: web\nstate: s\noutput: {url: /out}\nsources: [{name: a, paths: [/l], converter: raw}]\n",
         "c.yaml:2:8: state"},
        {"pipeline: web\nstate: /s\noutput: {url: /out}\nsources: [{name: a, paths: [/l, m], converter: raw}]\n",
         "c.yaml:4:33: sources[0].paths[1]"},
        {"pipeline: web\nstate: /s\noutput: {url: /out}\n"
         "sources: [{name: a, paths: [/l], converter: raw, after_durable: move:m}]\n",
         "c.yaml:4:65: sources[0].after_durable"},
    };
    char folder[5000], want[256];
    memset(folder, 'f', sizeof folder);
    folder[0] = '/';
    folder[sizeof folder - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config *config = NULL;
        struct why why = {0};
        assert_int_equal(config_from_text(str_of(rows[i].text), "c.yaml", folder, &config, &why), RC_DENIED);
        snprintf(want, sizeof want, "%s: the absolute path is longer than 4095 bytes", rows[i].key);
        assert_string_equal(why.text, want);
        assert_null(config);
    }
}

static const char GOOD[] = "pipeline: web\n"
                           "generation: 3\n"
                           "sources:\n"
                           "  - name: access\n"
                           "    paths: [\"/var/log/*.ndjson\", b]\n"
                           "    converter: ndjson\n"
                           "    time: {field: time, format: \"%Y-%m-%d\", on_error: partition}\n"
                           "    max_line_bytes: 1MiB\n"
                           "    after_durable: move:done\n"
                           "    close_after: 1m\n"
                           "output:\n"
                           "  url: file:///out%20x\n"
                           "  partition: 'dt={time:%Y}/${SLUICE_T_X:-x}'\n"
                           "  level: 3\n"
                           "http: {listen: '127.0.0.1:0'}\n"
                           "state: state\n";

static void random_damage_is_survived(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(31);
    static const char bytes[] = "\0\t\n :-[]{}\"'&*!|>%#?,$~0a\xff\xc3\xa4";
    for (int i = 0; i < 4000; i++) {
        size_t len = sizeof GOOD - 1 - (rng_below(&rng, 4) ? 0 : rng_below(&rng, sizeof GOOD - 1));
        char *text = malloc(len ? len : 1);
        assert_non_null(text);
        memcpy(text, GOOD, len);
        for (uint64_t n = 1 + rng_below(&rng, 3); n && len; n--)
            text[rng_below(&rng, len)] = bytes[rng_below(&rng, sizeof bytes - 1)];
        struct config *config = NULL;
        struct why why = {0};
        enum rc rc = config_from_text((struct str){text, len}, "c.yaml", "/etc", &config, &why);
        assert_true(rc == RC_OK ? config && !why.text[0] : rc == RC_DENIED && !config && why.text[0]);
        config_free(config);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_yaml_can_do_beyond_plain_values_is_refused),
        cmocka_unit_test(broken_yaml_has_its_position),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(a_byte_order_mark_is_skipped_and_crlf_is_a_line_end),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(size_and_number_of_values_are_bounded),
        cmocka_unit_test(a_value_is_bounded_and_its_message_too),
        cmocka_unit_test(too_many_entries_are_refused),
        cmocka_unit_test(a_path_that_becomes_too_long_is_refused),
        cmocka_unit_test(random_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
