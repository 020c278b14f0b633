/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a good file sets what it says, everything else has its documented default, paths come out absolute, and
 * every value's place is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "config.h"
#include "own.h"

static struct config *load(const char *text) {
    struct config *config = NULL;
    struct why why = {0};
    if (config_from_text(str_of(text), "c.yaml", "/etc/sluice", &config, &why) != RC_OK) fail_msg("%s", why.text);
    assert_non_null(config);
    return config;
}

#define assert_str(have, want) assert_string_equal((have).at, (want))

static const char SMALLEST[] = "pipeline: web\n"
                               "sources:\n"
                               "  - name: a\n"
                               "    paths: [/l/*]\n"
                               "    converter: ndjson\n"
                               "output: {url: /out}\n"
                               "state: /state\n";

static void what_is_not_given_has_its_default(void **state) {
    (void)state;
    AUTO(config_done) struct config *c = load(SMALLEST);
    assert_int_equal(c->generation, 1);
    assert_int_equal(c->source_count, 1);
    const struct config_source *s = &c->sources[0];
    assert_int_equal(s->exclude.count, 0);
    assert_false(s->time.given);
    assert_int_equal(s->time.on_error, CONFIG_TIME_REJECT);
    assert_int_equal(s->max_line_bytes, 1 << 20);
    assert_int_equal(s->stripe_bytes, 64 << 20);
    assert_int_equal(s->after_durable, CONFIG_KEEP);
    assert_int_equal(s->close_after_ms, 300000);
    assert_int_equal(s->rotated_after_ms, 30000);
    assert_true(s->follow_symlinks);
    assert_str(c->output.partition, "");
    assert_int_equal(c->output.format, CONFIG_JSONL_ZST);
    assert_int_equal(c->output.level, 1);
    assert_int_equal(c->output.object_bytes, 256 << 20);
    assert_int_equal(c->output.flush_ms, 600000);
    assert_int_equal(c->output.block_bytes, 2 << 20);
    assert_int_equal(c->output.seal_bytes_max, 1 << 30);
    assert_str(c->broker.url, "local");
    assert_int_equal(c->broker.partitions, 1);
    assert_true(c->broker.backlog_bytes_max == 4ull << 30);
    assert_int_equal(c->broker.keep_ms, 0);
    assert_str(c->ledger.url, "local");
    assert_int_equal(c->lanes, 0);
    assert_true(config_lanes(c) >= 1);
    assert_int_equal(c->lane_bytes, 64 << 20);
    assert_int_equal(c->rescan_ms, 10000);
    assert_int_equal(c->jobs.attempts_max, 5);
    assert_int_equal(c->jobs.void_after_ms, 300000);
    assert_str(c->http.listen, "");
    assert_int_equal(c->log.level, CONFIG_LOG_INFO);
    assert_int_equal(c->log.format, CONFIG_LOG_LOGFMT);
}

static void every_key_is_taken_from_the_file(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c =
        load("pipeline: web_1-x\n"
             "generation: 7\n"
             "sources:\n"
             "  - name: First.1\n"
             "    paths: [/var/log/a*.ndjson, \"b/[0-9]*.log\"]\n"
             "    exclude: [\"*.gz\", old/*]\n"
             "    converter: ndjson\n"
             "    time: {field: event.created, format: \"%d.%m.%Y %H:%M\", on_error: partition}\n"
             "    max_line_bytes: 64\n"
             "    stripe_bytes: 1k\n"
             "    after_durable: move:done/there/\n"
             "    close_after: 1h30m\n"
             "    rotated_after: 10ms\n"
             "    follow_symlinks: false\n"
             "  - {name: b, paths: [/b], converter: combined, time: {on_error: partition}, after_durable: delete}\n"
             "  - {name: c, paths: [/c], converter: raw, after_durable: keep}\n"
             "output:\n"
             "  url: file:///data/out%20put/%25/\n"
             "  partition: \"dt={time:%Y-%m-%d}/status={status}\"\n"
             "  format: jsonl.gz\n"
             "  level: 9\n"
             "  object_bytes: 64KiB\n"
             "  flush: 2s\n"
             "  block_bytes: 64KiB\n"
             "  seal_bytes_max: 1MiB\n"
             "broker: {url: local, partitions: 4, backlog_bytes_max: 1GiB, keep: 1d}\n"
             "ledger: {url: local}\n"
             "state: st/./ate//\n"
             "lanes: 3\n"
             "lane_bytes: 8MiB\n"
             "rescan: 500ms\n"
             "jobs: {attempts_max: 2, void_after: 20ms}\n"
             "http: {listen: \"[::1]:9464\"}\n"
             "log: {level: debug, format: json}\n");
    assert_str(c->pipeline, "web_1-x");
    assert_int_equal(c->generation, 7);
    assert_int_equal(c->source_count, 3);
    const struct config_source *s = &c->sources[0];
    assert_str(s->name, "First.1");
    assert_int_equal(s->paths.count, 2);
    assert_str(s->paths.at[0], "/var/log/a*.ndjson");
    assert_str(s->paths.at[1], "/etc/sluice/b/[0-9]*.log");
    assert_int_equal(s->exclude.count, 2);
    assert_str(s->exclude.at[0], "*.gz");
    assert_str(s->exclude.at[1], "/etc/sluice/old/*");
    assert_int_equal(s->converter, CONFIG_NDJSON);
    assert_true(s->time.given);
    assert_str(s->time.field, "event.created");
    int64_t ns;
    assert_int_equal(time_parse_ns(&s->time.format, STR("02.01.1970 00:01"), &ns), RC_OK);
    assert_true(ns == (86400 + 60) * INT64_C(1000000000));
    assert_int_equal(s->time.on_error, CONFIG_TIME_PARTITION);
    assert_int_equal(s->max_line_bytes, 64);
    assert_int_equal(s->stripe_bytes, 1000);
    assert_int_equal(s->after_durable, CONFIG_MOVE);
    assert_str(s->move_to, "/etc/sluice/done/there");
    assert_int_equal(s->close_after_ms, 5400000);
    assert_int_equal(s->rotated_after_ms, 10);
    assert_false(s->follow_symlinks);
    assert_int_equal(c->sources[1].converter, CONFIG_COMBINED);
    assert_true(c->sources[1].time.given);
    assert_int_equal(c->sources[1].time.format.kind, TIME_PARSE_CLF);
    assert_int_equal(c->sources[1].time.on_error, CONFIG_TIME_PARTITION);
    assert_int_equal(c->sources[1].after_durable, CONFIG_DELETE);
    assert_int_equal(c->sources[2].converter, CONFIG_RAW);
    assert_false(c->sources[2].time.given);
    assert_str(c->output.url, "file:///data/out%20put/%25/");
    assert_str(c->output.dir, "/data/out put/%");
    assert_str(c->output.partition, "dt={time:%Y-%m-%d}/status={status}");
    assert_int_equal(c->output.format, CONFIG_JSONL_GZ);
    assert_int_equal(c->output.level, 9);
    assert_int_equal(c->output.object_bytes, 65536);
    assert_int_equal(c->output.flush_ms, 2000);
    assert_int_equal(c->output.block_bytes, 65536);
    assert_int_equal(c->output.seal_bytes_max, 1 << 20);
    assert_int_equal(c->broker.partitions, 4);
    assert_int_equal(c->broker.backlog_bytes_max, 1 << 30);
    assert_int_equal(c->broker.keep_ms, 86400000);
    assert_str(c->state, "/etc/sluice/st/ate");
    assert_int_equal(c->lanes, 3);
    assert_int_equal(config_lanes(c), 3);
    assert_int_equal(c->lane_bytes, 8 << 20);
    assert_int_equal(c->rescan_ms, 500);
    assert_int_equal(c->jobs.attempts_max, 2);
    assert_int_equal(c->jobs.void_after_ms, 20);
    assert_str(c->http.host, "::1");
    assert_int_equal(c->http.port, 9464);
    assert_int_equal(c->log.level, CONFIG_LOG_DEBUG);
    assert_int_equal(c->log.format, CONFIG_LOG_JSON);
}

static void the_same_file_may_be_json(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c = load("{\"pipeline\": \"web\", \"generation\": 2, \"sources\": [{\"name\": \"a\", "
                            "\"paths\": [\"/l/\\u00e4$$*\"], \"converter\": \"raw\", "
                            "\"follow_symlinks\": false}], \"output\": {\"url\": \"/out\"}, "
                            "\"state\": \"/s\"}");
    assert_int_equal(c->generation, 2);
    assert_str(c->sources[0].paths.at[0], "/l/\xc3\xa4$*");
    assert_false(c->sources[0].follow_symlinks);
}

static void ndjson_takes_rfc3339_when_no_format_is_given(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c = load("pipeline: web\n"
                            "sources: [{name: a, paths: [/a], converter: ndjson, time: {field: /a~1b/0}}]\n"
                            "output: {url: /}\n"
                            "state: /s\n");
    assert_int_equal(c->sources[0].time.format.kind, TIME_PARSE_RFC3339);
    assert_str(c->sources[0].time.format_text, "rfc3339");
    assert_str(c->sources[0].time.field, "/a~1b/0");
    assert_str(c->output.dir, "/");
}

static void the_folders_own_glob_characters_are_escaped(void **state) {
    (void)state;
    AUTO(config_done) struct config *c = NULL;
    struct why why = {0};
    assert_int_equal(config_from_text(STR("pipeline: web\n"
                                          "sources: [{name: a, paths: [./x*, /abs/*], converter: raw}]\n"
                                          "output: {url: out}\n"
                                          "state: s\n"),
                                      "c.yaml", "/srv/[prod]*", &c, &why),
                     RC_OK);
    assert_str(c->sources[0].paths.at[0], "/srv/\\[prod\\]\\*/x*");
    assert_str(c->sources[0].paths.at[1], "/abs/*");
    assert_str(c->output.dir, "/srv/[prod]*/out");
    assert_str(c->state, "/srv/[prod]*/s");
}

static void every_value_has_its_place(void **state) {
    (void)state;
    AUTO(config_done) struct config *c = load(SMALLEST);
    const struct {
        const char *key;
        uint32_t line, column;
    } rows[] = {
        {"pipeline", 1, 11},
        {"sources", 3, 3},
        {"sources[0]", 3, 5},
        {"sources[0].name", 3, 11},
        {"sources[0].paths[0]", 4, 13},
        {"output.url", 6, 15},
        {"output.partition", 6, 9},
        {"sources[0].time.field", 3, 5},
        {"sources[0].paths[7]", 4, 12},
        {"generation", 0, 0},
        {"nonsense", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_place place = config_place(c, rows[i].key);
        if (place.line != rows[i].line || place.column != rows[i].column)
            fail_msg("%s is at %u:%u", rows[i].key, place.line, place.column);
    }
}

static void another_modules_check_reports_the_place_and_the_key(void **state) {
    (void)state;
    AUTO(config_done) struct config *c = load(SMALLEST);
    struct why why = {0};
    assert_int_equal(config_error(c, config_key("sources[%d].name", 0).text, &why, "not %s", "good"), RC_DENIED);
    assert_string_equal(why.text, "c.yaml:3:11: sources[0].name: not good");
    assert_int_equal(config_error(c, "lanes", &why, "too many"), RC_DENIED);
    assert_string_equal(why.text, "c.yaml: lanes: too many");
    assert_int_equal(config_error(c, "lanes", NULL, "too many"), RC_DENIED);
}

/* ---- files */

struct place {
    char folder[64], file[128];
};

static struct place folder_with(const char *text) {
    struct place p = {.folder = "config-test-XXXXXX"};
    assert_non_null(mkdtemp(p.folder));
    snprintf(p.file, sizeof p.file, "%s/sluice.yaml", p.folder);
    FILE *file = fopen(p.file, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return p;
}

static void remove_folder(const struct place *p) {
    (void)unlink(p->file);
    assert_int_equal(rmdir(p->folder), 0);
}

static void a_file_is_loaded_and_its_folder_is_where_paths_start(void **state) {
    (void)state;
    struct place p = folder_with("pipeline: web\n"
                                 "sources: [{name: a, paths: [in/*], converter: raw}]\n"
                                 "output: {url: out}\n"
                                 "state: state\n");
    AUTO(config_done) struct config *c = NULL;
    struct why why = {0};
    if (config_load(p.file, &c, &why) != RC_OK) fail_msg("%s", why.text);
    AUTO(own_free) char *folder = realpath(p.folder, NULL);
    assert_str(c->folder, folder);
    char want[4096];
    snprintf(want, sizeof want, "%s/out", folder);
    assert_str(c->output.dir, want);
    assert_str(c->file, p.file);
    remove_folder(&p);
}

static void a_file_that_cannot_be_read_is_named(void **state) {
    (void)state;
    struct config *c = (struct config *)&c;
    struct why why = {0};
    assert_int_equal(config_load("no-such-folder/sluice.yaml", &c, &why), RC_DENIED);
    assert_string_equal(why.text,
                        "no-such-folder/sluice.yaml: the configuration cannot be read: No such file or directory");
    assert_int_equal(config_load("no-such-file.yaml", &c, &why), RC_DENIED);
    assert_string_equal(why.text, "no-such-file.yaml: the configuration cannot be read: No such file or directory");
    assert_int_equal(config_load("/", &c, &why), RC_DENIED);
    assert_string_equal(why.text, "/: the configuration cannot be read: Is a directory");
    assert_ptr_equal(c, &c);
}

static void an_error_in_a_loaded_file_has_its_name_and_changes_nothing(void **state) {
    (void)state;
    struct place p = folder_with("pipeline: web\nsources: 1\n");
    struct config *c = (struct config *)&c;
    struct why why = {0};
    assert_int_equal(config_load(p.file, &c, &why), RC_DENIED);
    char want[256];
    snprintf(want, sizeof want, "%s:2:10: sources: must be a list, not one value", p.file);
    assert_string_equal(why.text, want);
    assert_ptr_equal(c, &c);
    remove_folder(&p);
}

static void nothing_is_freed_twice(void **state) {
    (void)state;
    config_free(NULL);
    struct config *none = NULL;
    config_done(&none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_default),
        cmocka_unit_test(every_key_is_taken_from_the_file),
        cmocka_unit_test(the_same_file_may_be_json),
        cmocka_unit_test(ndjson_takes_rfc3339_when_no_format_is_given),
        cmocka_unit_test(the_folders_own_glob_characters_are_escaped),
        cmocka_unit_test(every_value_has_its_place),
        cmocka_unit_test(another_modules_check_reports_the_place_and_the_key),
        cmocka_unit_test(a_file_is_loaded_and_its_folder_is_where_paths_start),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(an_error_in_a_loaded_file_has_its_name_and_changes_nothing),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
