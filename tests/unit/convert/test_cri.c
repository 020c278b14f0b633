/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a container's log in CRI's or Docker's form becomes JSON objects that say which container wrote them. */
#include "made.h"

#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define TIME "\"time\":\"2016-10-06T00:17:09.669794202Z\""

static void expect(const char *uri, const char *line, const char *json) {
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_CRI, .uri = uri}, str_of(line));
    if (made.result->counts.converted != 1) fail_msg("%s is no record", line);
    char text[4096];
    (void)snprintf(text, sizeof text, "%s\n", json);
    made_expect(&made, "", text);
}

static void expect_reject(const char *line, enum converter_reason reason) {
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_CRI}, str_of(line));
    if (made.result->counts.reasons[reason] != 1)
        fail_msg("%s is no reject for %s", line, converter_reason_name(reason));
}

static void lines_of_cri(void **state) {
    (void)state;
    expect("/x.log", "2016-10-06T00:17:09.669794202Z stdout F The content of the log entry 1",
           "{" TIME ",\"stream\":\"stdout\",\"message\":\"The content of the log entry 1\"}");
    expect("/x.log", "2016-10-06T00:17:09.669794202Z stderr P:x  half \"",
           "{" TIME ",\"stream\":\"stderr\",\"partial\":true,\"message\":\" half \\\"\"}");
    expect("/x.log", "2016-10-06T00:17:09.669794202Z stdout F ", "{" TIME ",\"stream\":\"stdout\",\"message\":\"\"}");
    expect("/x.log", "2016-10-06T00:17:09.669794202Z stdout F", "{" TIME ",\"stream\":\"stdout\",\"message\":\"\"}");
}

static void lines_of_docker(void **state) {
    (void)state;
    expect("/x.log",
           "{\"log\":\"a \\u00e9\\t\\u0000\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:17:09.669794202Z\"}",
           "{" TIME ",\"stream\":\"stdout\",\"message\":\"a \xc3\xa9\\t\\u0000\"}");
    expect("/x.log",
           "{\"log\":\"half\",\"stream\":\"stderr\",\"time\":\"2016-10-06T00:17:09.669794202Z\",\"attrs\":{}}",
           "{" TIME ",\"stream\":\"stderr\",\"partial\":true,\"message\":\"half\"}");
}

static void the_path_says_whose_log_it_is(void **state) {
    (void)state;
    static const char line[] = "2016-10-06T00:17:09.669794202Z stdout F m";
    static const char pod[] = "{" TIME ",\"stream\":\"stdout\",\"namespace\":\"shop\",\"pod\":\"web-7d4b\","
                              "\"uid\":\"0f1e-22\",\"container\":\"nginx\",\"restart_count\":3,\"message\":\"m\"}";
    expect("file:///var/log/pods/shop_web-7d4b_0f1e-22/nginx/3.log", line, pod);
    expect("file:///var/log/pods/shop_web-7d4b_0f1e-22/nginx/3.log.20260101-000000", line, pod);
    expect("file:///var/log/pods/shop_web-7d4b_0f1e-22/nginx/3.log.20260101-000000.gz", line, pod);
    expect("s3://bucket/pods/node_1_x/var/log/pods/shop_web-7d4b_0f1e-22/nginx/3.log", line, pod);
    expect("file:///var/log/containers/web-7d4b_shop_nginx-side-0123456789abcdef.log", line,
           "{" TIME ",\"stream\":\"stdout\",\"namespace\":\"shop\",\"pod\":\"web-7d4b\",\"container\":\"nginx-side\","
           "\"container_id\":\"0123456789abcdef\",\"message\":\"m\"}");
    static const char docker[] = "{\"log\":\"m\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:17:09.669794202Z\"}";
    static const char id[] = "{" TIME ",\"stream\":\"stdout\",\"container_id\":\"0f1e\",\"message\":\"m\"}";
    expect("file:///var/lib/docker/containers/0f1e/0f1e-json.log", docker, id);
    expect("file:///var/lib/docker/containers/0f1e/0f1e-json.log.1.gz", docker, id);
    expect("file:///var/log/pods/shop_web-7d4b_0f1e-22/nginx/3.log", docker, pod);
}

static void a_path_that_no_runtime_chose_says_nothing(void **state) {
    (void)state;
    static const char line[] = "2016-10-06T00:17:09.669794202Z stdout F m";
    static const char *const others[] = {"file:///var/log/pods/",
                                         "file:///var/log/pods/x",
                                         "file:///pods/x/0.log",
                                         "file:///pods/a_b/c/0.log",
                                         "file:///pods/a_b_/c/0.log",
                                         "file:///pods/a_b_c/0.log",
                                         "file:///pods/a_b_c//0.log",
                                         "file:///containers/a_b",
                                         "file:///containers/a",
                                         "file:///containers/a_b_c.log",
                                         "file:///containers/a_b_c-.log",
                                         "file:///containers/a_b_-1.log",
                                         "file:///containers/a_b_c-1/x.log",
                                         "file:///containers/a/b-json.log",
                                         "file:///containers/",
                                         "containers",
                                         "file:///var/log/x.log",
                                         ""};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect(others[i], line, "{" TIME ",\"stream\":\"stdout\",\"message\":\"m\"}");
    static const char *const counts[] = {"x.log", "00.log", "0", "0.txt", "-1.log", "99999999999.log", ".log"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char uri[64];
        (void)snprintf(uri, sizeof uri, "/pods/a_b_c/d/%s", counts[i]);
        expect(uri, line,
               "{" TIME ",\"stream\":\"stdout\",\"namespace\":\"a\",\"pod\":\"b\",\"uid\":\"c\",\"container\":\"d\","
               "\"message\":\"m\"}");
    }
}

static void partitions_take_what_the_path_says(void **state) {
    (void)state;
    static const char line[] = "2016-10-06T00:17:09.669794202Z stdout F m";
    static const struct {
        const char *uri, *path;
    } cases[] = {{"/pods/shop_web-1_0f/nginx/0.log", "shop/web-1/0f/nginx/0/__HIVE_DEFAULT_PARTITION__"},
                 {"/containers/web-1_shop_nginx-0f.log",
                  "shop/web-1/__HIVE_DEFAULT_PARTITION__/nginx/__HIVE_DEFAULT_PARTITION__/0f"},
                 {"/pods/a%_..%2F_c/d/1.log", "a%25/%2E.%252F/c/d/1/__HIVE_DEFAULT_PARTITION__"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(made_done) struct made made;
        made_init(
            &made,
            &(struct made_settings){.kind = CONVERTER_CRI,
                                    .uri = cases[i].uri,
                                    .partition = "{namespace}/{pod}/{uid}/{container}/{restart_count}/{container_id}"},
            str_of(line));
        assert_int_equal(made.result->counts.converted, 1);
        if (!made_output(&made, cases[i].path)) fail_msg("%.*s", STR_ARG(made.result->outputs[0].path));
    }
}

static void what_is_no_log_of_a_container_is_a_reject(void **state) {
    (void)state;
    static const char *const bad[] = {"x",
                                      "2016-10-06T00:17:09Z stdout",
                                      "2016-10-06T00:17:09Z stdin F x",
                                      "2016-10-06T00:17:09Z stdout X x",
                                      "2016-10-06T00:17:09Z stdout FP x",
                                      "{\"stream\":\"stdout\"}",
                                      "{\"log\":1}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) expect_reject(bad[i], REASON_FORMAT);
    expect_reject("{\"log\":\"", REASON_JSON);
    expect_reject("yesterday stdout F x", REASON_TIME);
    expect_reject("{\"log\":\"x\"}", REASON_TIME);
    expect_reject("2016-10-06T00:17:09Z stdout F \xff", REASON_UTF8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_cri),
        cmocka_unit_test(lines_of_docker),
        cmocka_unit_test(the_path_says_whose_log_it_is),
        cmocka_unit_test(a_path_that_no_runtime_chose_says_nothing),
        cmocka_unit_test(partitions_take_what_the_path_says),
        cmocka_unit_test(what_is_no_log_of_a_container_is_a_reject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
