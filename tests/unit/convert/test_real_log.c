/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: of a real access log of 10,000 lines by others each line is a record whose fields are what stands in it, but
 * the one line that was cut off in the middle of its agent. */
#include "made.h"

#include "alloc.h"
#include "json.h"
#include "own.h"

#include <zstd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LOG_BYTES_MAX = 8 << 20, LOG_LINES = 10000, CUT_LINE = 8898 /* from 0 */ };

static struct str read_log(void) {
    AUTO(own_fclose) FILE *file = fopen(TEST_DATA "/logs/apache_combined.log.zst", "rb");
    assert_non_null(file);
    AUTO(own_free) char *packed = alloc_bytes(LOG_BYTES_MAX);
    size_t len = fread(packed, 1, LOG_BYTES_MAX, file);
    char *log = alloc_bytes(LOG_BYTES_MAX);
    size_t bytes = ZSTD_decompress(log, LOG_BYTES_MAX, packed, len);
    assert_false(ZSTD_isError(bytes));
    return (struct str){log, bytes};
}

static struct json_node get(struct json_node record, const char *key) {
    struct json_node node;
    assert_int_equal(json_get(record, str_of(key), &node), RC_OK);
    return node;
}

/* The string at `key`, and `from` in its place when it is null. */
static const char *text(struct json_node record, const char *key, char out[65536]) {
    struct str s = STR("-");
    if (json_type(get(record, key)) != JSON_NULL) assert_int_equal(json_get_str(get(record, key), &s), RC_OK);
    assert_true(s.len < 65536);
    memcpy(out, s.at, s.len);
    out[s.len] = '\0';
    return out;
}

/* Puts the line together again from the record's fields; this log has times of +0000 in one month. */
static void expect_same_line(struct json_node record, struct str line) {
    static char remote[65536], user[65536], time[65536], method[65536], path[65536], protocol[65536], referer[65536],
        agent[65536], again[8 * 65536];
    uint64_t status = 0, bytes = 0;
    assert_int_equal(json_get_u64(get(record, "status"), &status), RC_OK);
    bool has_bytes = json_get_u64(get(record, "bytes"), &bytes) == RC_OK;
    char count[24] = "-";
    if (has_bytes) (void)snprintf(count, sizeof count, "%llu", (unsigned long long)bytes);
    (void)text(record, "time", time); /* 2015-05-17T10:05:03+00:00 */
    int n = snprintf(again, sizeof again, "%s - %s [%.2s/May/%.4s:%.8s +0000] \"%s %s %s\" %llu %s \"%s\" \"%s\"",
                     text(record, "remote", remote), text(record, "user", user), time + 8, time, time + 11,
                     text(record, "method", method), text(record, "path", path), text(record, "protocol", protocol),
                     (unsigned long long)status, count, text(record, "referer", referer), text(record, "agent", agent));
    if (memchr(line.at, '\\', line.len)) return; /* decoded, so it does not read the same; test_combined has those */
    if (!str_equal((struct str){again, (size_t)n}, line)) fail_msg("%s\n%.*s", again, STR_ARG(line));
}

static void every_field_of_every_line_is_in_its_record(void **state) {
    (void)state;
    struct str log = read_log();
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_COMBINED}, log);
    assert_int_equal(made.result->counts.converted, LOG_LINES - 1);
    assert_int_equal(made.result->counts.lines, LOG_LINES);
    assert_int_equal(made.result->counts.reasons[REASON_FORMAT], 1);
    AUTO(own_free) char *reject = made_text(made_rejects(&made));
    assert_non_null(strstr(reject, "\"line_in_stripe\":8908,")); /* made.c begins at 10 */
    assert_non_null(strstr(reject, "+http://www.google.com/bot.html\"}\n"));
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    const struct slice_output *output = made_output(&made, "");
    AUTO(own_free) char *records = alloc_resize(made_text(output), output->bytes + JSON_PADDING, 1);
    struct str rest = {records, output->bytes}, lines = log, record, line;
    for (size_t i = 0; i < LOG_LINES; i++) {
        struct json_node root;
        assert_true(str_cut(&lines, '\n', &line));
        if (i == CUT_LINE) continue;
        assert_true(str_cut(&rest, '\n', &record));
        assert_int_equal(json_parse(parser, record, &root, NULL), RC_OK);
        expect_same_line(root, line);
    }
    free((char *)(uintptr_t)log.at);
}

static void hours_and_days_add_up(void **state) {
    (void)state;
    struct str log = read_log();
    AUTO(made_done) struct made made;
    made_init(&made,
              &(struct made_settings){.kind = CONVERTER_COMBINED, .partition = "dt={time:%Y-%m-%d}/status={status}"},
              log);
    uint64_t records = 0;
    for (size_t i = 0; i < made.result->output_count; i++) {
        const struct slice_output *output = &made.result->outputs[i];
        if (output->is_reject) continue;
        assert_true(str_starts(output->path, STR("dt=2015-05-")));
        assert_true(output->time_max - output->time_min < 86400000000000);
        assert_true(output->time_min / 86400000000000 == output->time_max / 86400000000000);
        records += output->records;
        free(made_text(output));
    }
    assert_int_equal(records, LOG_LINES - 1);
    assert_true(made.result->output_count > 8);
    free((char *)(uintptr_t)log.at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_line_is_in_its_record),
        cmocka_unit_test(hours_and_days_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
