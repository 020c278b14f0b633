/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what /metrics tells is the text format 0.0.4 of Prometheus to the letter, with names as Prometheus wants
 * them, and its numbers are the ones that were added. */
#include "buf.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SERIES_MAX = 4096, NAME_MAX_BYTES = 128 };

/* What the checker knows of the family that it is in. */
struct family {
    char name[NAME_MAX_BYTES], type[16];
    bool has_help, has_type;
    uint64_t bucket, count; /* of a histogram: the last bucket, the one of +Inf */
    bool has_inf;
    double bound;
};

static size_t name_length(const char *p) {
    size_t n = 0;
    while (isalpha((unsigned char)p[n]) || p[n] == '_' || p[n] == ':' || (n && isdigit((unsigned char)p[n]))) n++;
    return n;
}

static void check_comment(struct family *family, char *line) {
    char name[NAME_MAX_BYTES], word[8];
    int at = 0;
    assert_int_equal(sscanf(line, "# %7s %127s %n", word, name, &at), 2);
    assert_true(at > 0 && line[at]);
    assert_int_equal(name_length(name), strlen(name));
    if (strcmp(word, "HELP") == 0) {
        assert_string_not_equal(name, family->name);
        *family = (struct family){.has_help = true, .bound = -1};
        (void)snprintf(family->name, sizeof family->name, "%s", name);
        for (char *c = line + at; *c; c++)
            if (*c == '\\') assert_non_null(strchr("\\n", *++c));
        return;
    }
    assert_string_equal(word, "TYPE");
    assert_string_equal(name, family->name);
    assert_true(family->has_help && !family->has_type);
    family->has_type = true;
    (void)snprintf(family->type, sizeof family->type, "%s", line + at);
    assert_true(!strcmp(family->type, "counter") || !strcmp(family->type, "gauge") ||
                !strcmp(family->type, "histogram"));
    const size_t n = strlen(name);
    const bool total = n > 6 && strcmp(name + n - 6, "_total") == 0;
    assert_true(total == (strcmp(family->type, "counter") == 0));
    assert_true(strncmp(name, "sluice_", 7) == 0 || strncmp(name, "process_", 8) == 0);
}

/* {name="value"}: gives what follows, the value (escaped as it is) in `out`. */
static char *check_label(char *p, char *out_name, char *out_value) {
    size_t n = name_length(++p);
    assert_true(n > 0 && n < NAME_MAX_BYTES && p[n] == '=' && p[n + 1] == '"');
    memcpy(out_name, p, n);
    out_name[n] = '\0';
    p += n + 2;
    size_t m = 0;
    for (; *p != '"'; p++) {
        assert_true(*p);
        out_value[m++] = *p;
        if (*p != '\\') continue;
        p++;
        assert_non_null(strchr("\\\"n", *p));
        out_value[m++] = *p;
    }
    out_value[m] = '\0';
    assert_memory_equal(p, "\"}", 2);
    return p + 2;
}

static double check_number(const char *p) {
    char *end = NULL;
    assert_true(isdigit((unsigned char)*p) || *p == '-');
    double value = strtod(p, &end);
    assert_true(end > p && *end == '\0');
    return value;
}

static void check_bucket(struct family *family, const char *le, double value) {
    const bool inf = strcmp(le, "+Inf") == 0;
    const double bound = inf ? 1e300 : check_number(le);
    assert_true(bound > family->bound && !family->has_inf);
    assert_true((uint64_t)value >= family->bucket);
    family->bound = bound;
    family->bucket = (uint64_t)value;
    family->has_inf = inf;
}

static void check_sample(struct family *family, char *line) {
    char name[NAME_MAX_BYTES], label[NAME_MAX_BYTES] = "", value_text[1024] = "";
    const size_t n = name_length(line);
    assert_true(n > 0 && n < sizeof name);
    memcpy(name, line, n);
    name[n] = '\0';
    char *rest = line + n;
    if (*rest == '{') rest = check_label(rest, label, value_text);
    assert_int_equal(*rest, ' ');
    const double value = check_number(rest + 1);
    assert_true(family->has_type);
    assert_memory_equal(name, family->name, strlen(family->name));
    const char *suffix = name + strlen(family->name);
    if (strcmp(family->type, "histogram") != 0) {
        assert_string_equal(suffix, "");
        assert_true(value >= 0 || strcmp(family->type, "gauge") == 0);
        return;
    }
    if (strcmp(suffix, "_bucket") == 0) {
        assert_string_equal(label, "le");
        check_bucket(family, value_text, value);
    } else if (strcmp(suffix, "_count") == 0) {
        assert_true(family->has_inf && (uint64_t)value == family->bucket);
    } else {
        assert_string_equal(suffix, "_sum");
    }
}

/* Goes through every line; no family and no series may come twice. */
static void check_exposition(struct buf *text) {
    static char *seen[SERIES_MAX];
    size_t count = 0;
    struct family family = {0};
    assert_int_equal(buf_rc(text), RC_OK);
    assert_true(utf8_valid(buf_str(text)));
    assert_int_equal(text->at[text->len - 1], '\n');
    AUTO(own_free) char *copy = strdup(buf_text(text));
    assert_int_equal(strlen(copy), text->len); /* no NUL in it */
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
        AUTO(own_free) char *series = strdup(line);
        char *blank = strrchr(series, ' ');
        if (line[0] != '#') *blank = '\0';
        for (size_t i = 0; i < count; i++) assert_string_not_equal(seen[i], series);
        assert_true(count < SERIES_MAX);
        seen[count++] = TAKE(series);
        if (line[0] == '#')
            check_comment(&family, line);
        else
            check_sample(&family, line);
    }
    for (size_t i = 0; i < count; i++) free(seen[i]);
    assert_true(count > METRIC_COUNT * 2);
}

static struct buf text = {.cap = METRIC_TEXT_MAX};
static int begin(void **state) {
    (void)state;
    metric_reset();
    return 0;
}
static int end(void **state) {
    (void)state;
    metric_reset();
    buf_done(&text);
    return 0;
}
static void expose(void) {
    buf_reset(&text);
    metric_expose(&text);
}
/* Is `line` (without newline) one of the lines? */
static bool told(const char *line) {
    struct str rest = buf_str(&text), one;
    while (str_cut(&rest, '\n', &one))
        if (str_equal(one, str_of(line))) return true;
    return false;
}

static void untouched_metrics_are_told_as_zero(void **state) {
    (void)state;
    expose();
    check_exposition(&text);
    assert_true(told("# TYPE sluice_blocks_total counter"));
    assert_true(told("sluice_blocks_total 0"));
    assert_true(told("sluice_attempts_total{result=\"void\"} 0"));
    assert_true(told("sluice_scan_duration_seconds_bucket{le=\"+Inf\"} 0"));
    assert_true(told("# TYPE sluice_lines_read_total counter"));
    assert_null(strstr(buf_text(&text), "sluice_lines_read_total{")); /* no source is known yet */
}

static void what_was_added_is_told(void **state) {
    (void)state;
    const unsigned access = metric_label(LABEL_SOURCE, STR("access"));
    metric_add(METRIC_BLOCKS, 3);
    metric_add(METRIC_BLOCKS, UINT64_C(10000000000000000));
    metric_add_at(METRIC_LINES_READ, access, 7);
    metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_LOST, 2);
    metric_add_at(METRIC_ERRORS, RC_BROKEN, 1);
    metric_set(METRIC_BACKLOG, -12);
    metric_move(METRIC_BACKLOG, 2);
    metric_set_at(METRIC_FILES, LABEL_STATE_OPEN, 4);
    metric_move_at(METRIC_FILES, LABEL_STATE_OPEN, -1);
    metric_set_version(STR("1.2.3"));
    expose();
    check_exposition(&text);
    assert_true(told("sluice_blocks_total 10000000000000003"));
    assert_true(told("sluice_lines_read_total{source=\"access\"} 7"));
    assert_true(told("sluice_attempts_total{result=\"lost\"} 2"));
    assert_true(told("sluice_errors_total{rc=\"broken\"} 1"));
    assert_true(told("sluice_backlog_bytes -10"));
    assert_true(told("sluice_files{state=\"open\"} 3"));
    assert_true(told("sluice_build_info{version=\"1.2.3\"} 1"));
}

static void seconds_are_told_without_loss(void **state) {
    (void)state;
    metric_add(METRIC_LANE_IDLE, 1);
    metric_add_at(METRIC_LANE_STAGE, LABEL_STAGE_READ, 1500000000);
    metric_add_at(METRIC_LANE_STAGE, LABEL_STAGE_WAIT, 2000000000);
    metric_add_at(METRIC_LANE_STAGE, LABEL_STAGE_COMPRESS, UINT64_MAX);
    expose();
    check_exposition(&text);
    assert_true(told("sluice_lane_idle_seconds_total 0.000000001"));
    assert_true(told("sluice_lane_stage_seconds_total{stage=\"read\"} 1.5"));
    assert_true(told("sluice_lane_stage_seconds_total{stage=\"wait\"} 2"));
    assert_true(told("sluice_lane_stage_seconds_total{stage=\"compress\"} 18446744073.709551615"));
}

static void a_histogram_puts_a_bound_into_its_own_bucket(void **state) {
    (void)state;
    metric_observe(METRIC_SCAN, 1000000);
    metric_observe(METRIC_SCAN, 1000001);
    metric_observe(METRIC_SCAN, UINT64_C(400000000000));
    metric_observe(METRIC_OBJECT_SIZE, UINT64_C(1) << 20);
    expose();
    check_exposition(&text);
    assert_true(told("sluice_scan_duration_seconds_bucket{le=\"0.001\"} 1"));
    assert_true(told("sluice_scan_duration_seconds_bucket{le=\"0.005\"} 2"));
    assert_true(told("sluice_scan_duration_seconds_bucket{le=\"300\"} 2"));
    assert_true(told("sluice_scan_duration_seconds_bucket{le=\"+Inf\"} 3"));
    assert_true(told("sluice_scan_duration_seconds_sum 400.002000001"));
    assert_true(told("sluice_scan_duration_seconds_count 3"));
    assert_true(told("sluice_object_size_bytes_bucket{le=\"262144\"} 0"));
    assert_true(told("sluice_object_size_bytes_bucket{le=\"1048576\"} 1"));
    assert_int_equal(metric_value(METRIC_SCAN, 0), 3);
}

static void a_hostile_label_value_stays_inside_its_quotes(void **state) {
    (void)state;
    const char *hostile[] = {"a\"} 1\nsluice_blocks_total 99\n#", "back\\slash\\", "\xff\xfe", "", "tab\there", "ü"};
    for (size_t i = 0; i < COUNT_OF(hostile); i++)
        metric_add_at(METRIC_LINES_READ, metric_label(LABEL_SOURCE, str_of(hostile[i])), i + 1);
    char every[256];
    for (int c = 0; c < 256; c++) every[c] = (char)c;
    for (size_t at = 0; at < sizeof every; at += 64) (void)metric_label(LABEL_REASON, (struct str){every + at, 64});
    expose();
    check_exposition(&text);
    assert_true(told("sluice_lines_read_total{source=\"a\\\"} 1\\nsluice_blocks_total 99\\n#\"} 1"));
    assert_true(told("sluice_lines_read_total{source=\"back\\\\slash\\\\\"} 2"));
    assert_true(told("sluice_lines_read_total{source=\"\xef\xbf\xbd\xef\xbf\xbd\"} 3"));
    assert_true(told("sluice_blocks_total 0"));
}

static void a_label_knows_its_values_again_and_is_bounded(void **state) {
    (void)state;
    const unsigned first = metric_label(LABEL_SOURCE, STR("s0"));
    assert_int_not_equal(first, METRIC_OTHER);
    char name[32];
    for (int i = 0; i < 2 * LABEL_SOURCE_VALUES; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        const unsigned value = metric_label(LABEL_SOURCE, str_of(name));
        assert_true(value < LABEL_SOURCE_VALUES);
        assert_true((value == METRIC_OTHER) == (i >= LABEL_SOURCE_VALUES - 1));
        metric_add_at(METRIC_LINES_READ, value, 1);
    }
    assert_int_equal(metric_label(LABEL_SOURCE, STR("s0")), first);
    expose();
    check_exposition(&text);
    assert_true(told("sluice_lines_read_total{source=\"__other__\"} 257"));
    assert_true(told("sluice_lines_read_total{source=\"s254\"} 1"));
}

static void a_long_label_value_is_cut_between_characters(void **state) {
    (void)state;
    char long_text[3 * METRIC_VALUE_MAX];
    for (size_t i = 0; i < METRIC_VALUE_MAX; i++) memcpy(long_text + 3 * i, "€", 3);
    const unsigned value = metric_label(LABEL_SOURCE, (struct str){long_text, sizeof long_text});
    metric_add_at(METRIC_LINES_READ, value, 1);
    expose();
    check_exposition(&text);
    char line[512];
    (void)snprintf(line, sizeof line, "sluice_lines_read_total{source=\"%.*s\"} 1", METRIC_VALUE_MAX / 3 * 3,
                   long_text);
    assert_true(told(line));
}

static void everything_at_its_bound_fits_the_limit_of_the_text(void **state) {
    (void)state;
    for (unsigned i = 0; i < LABEL_SOURCE_VALUES; i++) {
        char name[METRIC_VALUE_MAX + 1];
        memset(name, '"', sizeof name);
        (void)snprintf(name, 8, "%u", i);
        name[strlen(name)] = '\n';
        (void)metric_label(LABEL_SOURCE, (struct str){name, METRIC_VALUE_MAX});
        if (i < LABEL_REASON_VALUES) (void)metric_label(LABEL_REASON, (struct str){name, METRIC_VALUE_MAX});
    }
    expose();
    check_exposition(&text);
    assert_true(text.len > 100000);
}

static void a_buffer_that_is_too_small_says_so(void **state) {
    (void)state;
    AUTO(buf_done) struct buf small = BUF_INIT(1000);
    metric_expose(&small);
    assert_int_equal(buf_rc(&small), RC_LIMIT);
    assert_true(small.len <= 1000);
}

static void the_process_tells_about_itself(void **state) {
    (void)state;
    metric_process_update();
    assert_true(metric_value(METRIC_PROCESS_RESIDENT, 0) > 100000);
    assert_true(metric_value(METRIC_PROCESS_VIRTUAL, 0) >= metric_value(METRIC_PROCESS_RESIDENT, 0));
    assert_true(metric_value(METRIC_PROCESS_CPU, 0) > 0);
    assert_true(metric_value(METRIC_PROCESS_FDS, 0) >= 3);
    assert_true(metric_value(METRIC_PROCESS_FDS_MAX, 0) >= metric_value(METRIC_PROCESS_FDS, 0));
    assert_true(metric_value(METRIC_PROCESS_START, 0) > INT64_C(1700000000) * 1000000000);
    const int64_t fds = metric_value(METRIC_PROCESS_FDS, 0), cpu = metric_value(METRIC_PROCESS_CPU, 0);
    AUTO(own_fclose) FILE *file = fopen("/dev/null", "re");
    assert_non_null(file);
    metric_process_update();
    assert_int_equal(metric_value(METRIC_PROCESS_FDS, 0), fds + 1);
    assert_true(metric_value(METRIC_PROCESS_CPU, 0) >= cpu);
    expose();
    check_exposition(&text);
}

static void the_reference_has_a_row_for_every_metric(void **state) {
    (void)state;
    AUTO(buf_done) struct buf table = BUF_INIT(METRIC_TEXT_MAX);
    metric_reference_markdown(&table);
    assert_int_equal(buf_rc(&table), RC_OK);
    size_t rows = 0;
    struct str rest = buf_str(&table), line;
    while (str_cut(&rest, '\n', &line)) {
        size_t bars = 0;
        for (size_t i = 0; i < line.len; i++) bars += line.at[i] == '|';
        if (line.len) assert_int_equal(bars, 6);
        rows += line.len > 0;
    }
    assert_int_equal(rows, METRIC_COUNT + 2);
    assert_non_null(strstr(buf_text(&table), "| `sluice_attempts_total` | counter |  | `result`: won, lost, void | "));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(untouched_metrics_are_told_as_zero),
        TEST(what_was_added_is_told),
        TEST(seconds_are_told_without_loss),
        TEST(a_histogram_puts_a_bound_into_its_own_bucket),
        TEST(a_hostile_label_value_stays_inside_its_quotes),
        TEST(a_label_knows_its_values_again_and_is_bounded),
        TEST(a_long_label_value_is_cut_between_characters),
        TEST(everything_at_its_bound_fits_the_limit_of_the_text),
        TEST(a_buffer_that_is_too_small_says_so),
        TEST(the_process_tells_about_itself),
        TEST(the_reference_has_a_row_for_every_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
