/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever is logged becomes one line, of bounded length, that a reader of logfmt or JSON takes apart into
 * exactly the fields that were given; and a call site that repeats itself is told about without flooding. */
#include "buf.h"
#include "log.h"
#include "num.h"
#include "own.h"
#include "stamp.h"
#include "utf8.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t now_ms;
static uint64_t fake_clock(void) { return now_ms; }
static struct buf lines = {.cap = 1 << 20};

static void begin(enum log_format format, enum log_level level) {
    now_ms = 1795255571123; /* 2026-11-21T10:06:11.123Z */
    buf_reset(&lines);
    log_setup(&(struct log_options){.level = level, .format = format, .clock_ms = fake_clock});
    log_set_writer(log_to_buf, &lines);
}
static int logfmt(void **state) {
    (void)state;
    begin(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO);
    return 0;
}
static int json(void **state) {
    (void)state;
    begin(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    return 0;
}
static int restore(void **state) {
    (void)state;
    log_tell_suppressed(true);
    log_set_writer(NULL, NULL);
    log_setup(&(struct log_options){.level = LOG_LEVEL_INFO});
    buf_done(&lines);
    return 0;
}

static size_t count_lines(void) {
    size_t n = 0;
    for (size_t i = 0; i < lines.len; i++) n += lines.at[i] == '\n';
    return n;
}
static bool has(const char *text) { return strstr(buf_text(&lines), text) != NULL; }

/* A strict reader of one JSON object of flat fields: true when `line` is exactly that, and a newline. */
static const char *json_string(const char *p) {
    if (*p++ != '"') return NULL;
    for (; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20) return NULL;
        if (*p != '\\') continue;
        p++;
        if (*p == 'u') {
            for (int i = 1; i <= 4; i++)
                if (!isxdigit((unsigned char)p[i])) return NULL;
            p += 4;
        } else if (!*p || !strchr("\"\\/bfnrt", *p)) {
            return NULL;
        }
    }
    return p + 1;
}
static const char *json_scalar(const char *p) {
    if (*p == '"') return json_string(p);
    if (strncmp(p, "true", 4) == 0 || strncmp(p, "null", 4) == 0) return p + 4;
    if (strncmp(p, "false", 5) == 0) return p + 5;
    char *end = NULL;
    (void)strtod(p, &end);
    return end > p && (isdigit((unsigned char)*p) || *p == '-') ? end : NULL;
}
static bool is_json_line(const char *p) {
    if (*p++ != '{') return false;
    for (;;) {
        p = json_string(p);
        if (!p || *p++ != ':') return false;
        p = json_scalar(p);
        if (!p) return false;
        if (*p == '}') return strcmp(p, "}\n") == 0;
        if (*p++ != ',') return false;
    }
}
/* The same for logfmt: key=bare or key="…", one blank between. */
static bool is_logfmt_line(const char *p) {
    for (;;) {
        const char *key = p;
        while (isalnum((unsigned char)*p) || *p == '_') p++;
        if (p == key || *p++ != '=') return false;
        if (*p == '"') {
            p = json_string(p);
            if (!p) return false;
        } else {
            const char *value = p;
            while (*p > ' ' && *p < 0x7f && !strchr("\"=\\", *p)) p++;
            if (p == value) return false;
        }
        if (*p == '\n') return p[1] == '\0';
        if (*p++ != ' ') return false;
    }
}

static void a_line_tells_time_level_message_and_fields_in_order(void **state) {
    (void)state;
    struct id id = {{0xab, 1}};
    const char *none = NULL;
    LOG_INFO("batch sealed", F_STR("file", "a.log"), F_STR("partition", STR("dt=1")), F_U64("offset", UINT64_MAX),
             F_I64("delta", INT64_MIN), F_F64("share", 0.1), F_BOOL("last", false), F_ID("attempt", id), F_RC(RC_STALE),
             F_STR("none", none));
    assert_string_equal(buf_text(&lines),
                        "ts=2026-11-21T10:06:11.123Z level=info msg=\"batch sealed\" file=a.log partition=\"dt=1\" "
                        "offset=18446744073709551615 delta=-9223372036854775808 share=0.1 last=false "
                        "attempt=ab010000000000000000000000000000 rc=stale none=\"\"\n");
}

static void the_same_line_as_json(void **state) {
    (void)state;
    struct why why = {.text = "disk \"x\" is full"};
    LOG_ERROR("put failed", F_U64("bytes", 7), F_WHY(&why), F_F64("nan", NAN), F_F64("inf", INFINITY));
    assert_string_equal(buf_text(&lines),
                        "{\"ts\":\"2026-11-21T10:06:11.123Z\",\"level\":\"error\",\"msg\":\"put failed\",\"bytes\":7,"
                        "\"error\":\"disk \\\"x\\\" is full\",\"nan\":null,\"inf\":null}\n");
    assert_true(is_json_line(buf_text(&lines)));
}

static void a_message_needs_no_fields(void **state) {
    (void)state;
    LOG_INFO("started");
    assert_string_equal(buf_text(&lines), "ts=2026-11-21T10:06:11.123Z level=info msg=started\n");
}

static uint64_t evaluated;
static uint64_t evaluate(void) { return ++evaluated; }

static void what_is_below_the_level_is_not_even_evaluated(void **state) {
    (void)state;
    evaluated = 0;
    LOG_DEBUG("detail", F_U64("n", evaluate()));
    assert_int_equal(evaluated, 0);
    assert_int_equal(lines.len, 0);
    log_set_level(LOG_LEVEL_DEBUG);
    LOG_DEBUG("detail", F_U64("n", evaluate()));
    assert_int_equal(evaluated, 1);
    assert_true(has("level=debug msg=detail n=1"));
    log_set_level(LOG_LEVEL_ERROR);
    LOG_WARN("w");
    assert_int_equal(count_lines(), 1);
}

static void hostile_values_cannot_break_the_line_or_drive_the_terminal(void **state) {
    (void)state;
    LOG_INFO("m", F_STR("v", STR("a\nts=x level=error\r\t\x1b[2J\x7f\x00\"\\ \xc2\x9b"
                                 "31m \xe2\x80\xae \xe2\x81\xa6 \xe2\x80\xa8 \xd8\x9c \xff\xc0\xaf\xed\xa0\x80 ü€😀")));
    assert_true(has("v=\"a\\nts=x level=error\\r\\t\\u001b[2J\\u007f\\u0000\\\"\\\\ \\u009b31m \\u202e \\u2066 \\u2028 "
                    "\\u061c "));
    assert_true(has("ü€😀\""));
    assert_true(has("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd ü"));
    assert_int_equal(count_lines(), 1);
    assert_true(is_logfmt_line(buf_text(&lines)));
}

static void every_byte_value_and_every_pair_gives_a_valid_line_in_both_formats(void **state) {
    (void)state;
    for (int format = 0; format < 2; format++) {
        begin((enum log_format)format, LOG_LEVEL_INFO);
        for (unsigned pair = 0; pair < 65536; pair++) {
            const char bytes[3] = {(char)(pair >> 8), (char)pair, '\0'};
            buf_reset(&lines);
            LOG_INFO("m", F_STR("v", ((struct str){bytes, 2})));
            assert_int_equal(count_lines(), 1);
            assert_true(utf8_valid(buf_str(&lines)));
            assert_true(format ? is_json_line(buf_text(&lines)) : is_logfmt_line(buf_text(&lines)));
        }
    }
}

static void a_bad_key_is_made_harmless(void **state) {
    (void)state;
    LOG_INFO("m", F_U64("a b=\"\n", 1), F_U64("", 2));
    assert_true(has("msg=m a_b___=1 _=2\n"));
}

static void a_long_value_is_cut_between_characters_and_marked(void **state) {
    (void)state;
    static char text[5000];
    for (size_t i = 0; i + 3 <= sizeof text; i += 3) memcpy(text + i, "€", 3);
    for (int format = 0; format < 2; format++) {
        begin((enum log_format)format, LOG_LEVEL_INFO);
        LOG_INFO("m", F_STR("v", ((struct str){text, sizeof text})), F_U64("after", 1));
        assert_true(lines.len < 1024 + 200);
        assert_true(has(format ? ",\"after\":1,\"cut\":true}\n" : " after=1 cut=true\n"));
        assert_true(utf8_valid(buf_str(&lines)));
    }
}

/* Fields of growing sizes around every place where the line can end. */
static void a_line_never_exceeds_its_limit_and_stays_valid(void **state) {
    (void)state;
    static char text[1100];
    for (int format = 0; format < 2; format++) {
        for (unsigned hostile = 0; hostile < 2; hostile++) {
            memset(text, hostile ? 1 : 'x', sizeof text);
            for (size_t n = 900; n < 1060; n++) {
                struct str v = {text, hostile ? n / 6 : n};
                begin((enum log_format)format, LOG_LEVEL_INFO);
                LOG_INFO("m", F_STR("a", v), F_STR("b", v), F_STR("c", v), F_STR("d", v), F_U64("number", n),
                         F_BOOL("truth", true), F_STR("e", v), F_STR("f", "g"));
                assert_true(lines.len <= LOG_LINE_MAX);
                assert_int_equal(count_lines(), 1);
                assert_true(format ? is_json_line(buf_text(&lines)) : is_logfmt_line(buf_text(&lines)));
                assert_true(has(format ? ",\"cut\":true}\n" : " cut=true\n"));
            }
        }
    }
}

static void repeat(unsigned times) {
    for (unsigned i = 0; i < times; i++) LOG_WARN("cannot read", F_U64("i", i));
}

static void a_repeated_warning_is_counted_and_told_by_the_next_line(void **state) {
    (void)state;
    repeat(100);
    assert_int_equal(count_lines(), LOG_BURST);
    now_ms += LOG_WINDOW_MS - 1;
    repeat(1);
    assert_int_equal(count_lines(), LOG_BURST);
    now_ms += 1;
    buf_reset(&lines);
    repeat(1);
    assert_true(has("level=warn msg=\"cannot read\" suppressed=96 i=0\n"));
    buf_reset(&lines);
    repeat(1);
    assert_false(has("suppressed"));
}

static void a_site_that_goes_quiet_still_tells_what_it_left_out(void **state) {
    (void)state;
    now_ms += 100 * LOG_WINDOW_MS; /* the window that an earlier test began is over */
    repeat(50);
    buf_reset(&lines);
    log_tell_suppressed(false);
    assert_int_equal(lines.len, 0); /* its window is not over */
    now_ms += LOG_WINDOW_MS;
    log_tell_suppressed(false);
    assert_true(has("level=warn msg=\"cannot read\" suppressed=45 summary=true\n"));
    buf_reset(&lines);
    log_tell_suppressed(true);
    assert_int_equal(lines.len, 0); /* told once */
}

static void information_is_never_left_out(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) LOG_INFO("rotated");
    assert_int_equal(count_lines(), 50);
}

static void two_sites_do_not_share_their_limit(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) LOG_WARN("one");
    for (int i = 0; i < 10; i++) LOG_WARN("two");
    assert_int_equal(count_lines(), 2 * LOG_BURST);
}

static void levels_and_formats_are_parsed_by_their_exact_names(void **state) {
    (void)state;
    enum log_level level = LOG_LEVEL_ERROR;
    enum log_format format = LOG_FORMAT_LOGFMT;
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        assert_int_equal(log_level_parse(str_of(log_level_name((enum log_level)i)), &level), RC_OK);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse(STR("warning"), &level), RC_BAD);
    assert_int_equal(log_level_parse(STR(""), &level), RC_BAD);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_format_parse(STR("json"), &format), RC_OK);
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_int_equal(log_format_parse(STR("JSON"), &format), RC_BAD);
    assert_int_equal(format, LOG_FORMAT_JSON);
}

static void time_stamps_are_rfc_3339_to_the_end_of_its_years(void **state) {
    (void)state;
    char text[STAMP_TEXT];
    assert_string_equal(stamp_format(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(stamp_format(951782399999, text), "2000-02-28T23:59:59.999Z");
    assert_string_equal(stamp_format(951782400001, text), "2000-02-29T00:00:00.001Z");
    assert_string_equal(stamp_format(253402300799999, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(stamp_format(UINT64_MAX, text), "9999-12-31T23:59:59.999Z");
    uint64_t before = stamp_mono_ns();
    assert_true(stamp_mono_ns() >= before);
    assert_true(stamp_wall_ms() > 1700000000000u);
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, restore)
int main(void) {
    const struct CMUnitTest tests[] = {
        WITH(logfmt, a_line_tells_time_level_message_and_fields_in_order),
        WITH(json, the_same_line_as_json),
        WITH(logfmt, a_message_needs_no_fields),
        WITH(logfmt, what_is_below_the_level_is_not_even_evaluated),
        WITH(logfmt, hostile_values_cannot_break_the_line_or_drive_the_terminal),
        WITH(logfmt, every_byte_value_and_every_pair_gives_a_valid_line_in_both_formats),
        WITH(logfmt, a_bad_key_is_made_harmless),
        WITH(logfmt, a_long_value_is_cut_between_characters_and_marked),
        WITH(logfmt, a_line_never_exceeds_its_limit_and_stays_valid),
        WITH(logfmt, a_repeated_warning_is_counted_and_told_by_the_next_line),
        WITH(logfmt, a_site_that_goes_quiet_still_tells_what_it_left_out),
        WITH(logfmt, information_is_never_left_out),
        WITH(logfmt, two_sites_do_not_share_their_limit),
        cmocka_unit_test(levels_and_formats_are_parsed_by_their_exact_names),
        cmocka_unit_test(time_stamps_are_rfc_3339_to_the_end_of_its_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
