/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the public suites of JSON, UTF-8 and naughty strings get the answers that they demand, each line alone and
 * all lines together; where a suite leaves the answer open, ours is in tests/data/json/JSONTestSuite.decided. */
#include "made.h"

#include "alloc.h"
#include "buf.h"
#include "json_out.h"
#include "own.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { FILES_MAX = 400, BYTES_MAX = 1 << 20, SUITE_FILES = 318 };

struct text {
    char name[256];
    struct str bytes; /* without a newline at its end */
    char verdict[32]; /* what is demanded: "record", "blank", or the reason; "" for any reject */
};

struct suite {
    struct text *texts;
    size_t count;
};

static struct str read_file(const char *path) {
    AUTO(own_fclose) FILE *file = fopen(path, "rb");
    if (!file) fail_msg("no %s", path);
    char *bytes = alloc_bytes(BYTES_MAX);
    size_t len = fread(bytes, 1, BYTES_MAX, file);
    assert_true(len < BYTES_MAX);
    return (struct str){alloc_resize(bytes, len + 1, 1), len}; /* exact, for ASan */
}

static void free_str(struct str *s) { free((char *)(uintptr_t)s->at); }

/* "record", "blank", or the reason of a reject. */
static const char *verdict_of(const struct made *made) {
    const struct slice_counts *c = &made->result->counts;
    assert_int_equal(c->lines, 1);
    if (c->converted) return "record";
    if (c->blank) return "blank";
    for (enum converter_reason r = REASON_NONE; r < REASON_COUNT; r++) {
        if (c->reasons[r]) return converter_reason_name(r);
    }
    return "?";
}

static const char *verdict_alone(struct str line, uint64_t offset) {
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .offset = offset}, line);
    return verdict_of(&made);
}

static void load_decided(struct suite *suite) {
    AUTO(free_str) struct str decided = read_file(TEST_DATA "/json/JSONTestSuite.decided");
    struct str rest = decided, line;
    size_t named = 0;
    while (str_cut(&rest, '\n', &line)) {
        struct str name;
        if (line.len == 0 || line.at[0] == '#') continue;
        assert_true(str_cut(&line, '\t', &name));
        for (size_t i = 0; i < suite->count; i++) {
            if (!str_equal(name, str_of(suite->texts[i].name))) continue;
            (void)snprintf(suite->texts[i].verdict, sizeof suite->texts[i].verdict, "%.*s", STR_ARG(line));
            named++;
        }
    }
    assert_int_equal(named, 35 + 2); /* all i_, and two blank ones */
}

static struct suite load_suite(void) {
    struct suite suite = {.texts = alloc_zero(FILES_MAX, sizeof(struct text))};
    DIR *dir = opendir(JSON_SUITE);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        assert_true(suite.count < FILES_MAX);
        struct text *text = &suite.texts[suite.count++];
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/%s", JSON_SUITE, entry->d_name);
        (void)snprintf(text->name, sizeof text->name, "%s", entry->d_name);
        text->bytes = read_file(path);
        if (str_ends(text->bytes, STR("\n"))) text->bytes.len--;
        if (entry->d_name[0] == 'y') {
            bool object = str_starts(str_trim(text->bytes), STR("{"));
            (void)snprintf(text->verdict, sizeof text->verdict, object ? "record" : "not an object");
        }
    }
    (void)closedir(dir);
    assert_int_equal(suite.count, SUITE_FILES);
    load_decided(&suite);
    return suite;
}

static void suite_done(struct suite *suite) {
    for (size_t i = 0; i < suite->count; i++) free_str(&suite->texts[i].bytes);
    free(suite->texts);
}

static bool has_newline(const struct text *text) { return memchr(text->bytes.at, '\n', text->bytes.len) != NULL; }

static bool as_demanded(const struct text *text, const char *verdict) {
    if (text->verdict[0]) return strcmp(verdict, text->verdict) == 0;
    return strcmp(verdict, "record") != 0 && strcmp(verdict, "not an object") != 0 && strcmp(verdict, "blank") != 0;
}

static void every_text_of_the_json_suite_alone(void **state) {
    (void)state;
    AUTO(suite_done) struct suite suite = load_suite();
    size_t lines = 0, wrong = 0;
    for (size_t i = 0; i < suite.count; i++) {
        const struct text *text = &suite.texts[i];
        if (has_newline(text)) continue;
        const char *verdict = text->bytes.len ? verdict_alone(text->bytes, 100) : "blank";
        lines++;
        if (as_demanded(text, verdict)) continue;
        print_error("%s: %s, not %s\n", text->name, verdict, text->verdict[0] ? text->verdict : "a reject");
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(lines, SUITE_FILES - 5);
}

/* A text that holds newlines is several lines, and none of them may be taken for the whole. */
static void texts_that_hold_newlines_are_lines(void **state) {
    (void)state;
    static const struct {
        const char *name, *counts; /* lines/converted/rejects/blank */
    } cases[] = {{"n_array_newlines_unclosed.json", "3/0/3/0"},
                 {"n_array_unclosed_with_new_lines.json", "3/0/3/0"},
                 {"n_string_unescaped_newline.json", "2/0/2/0"},
                 {"y_array_with_1_and_newline.json", "2/0/2/0"},
                 {"y_object_with_newlines.json", "3/0/3/0"}};
    AUTO(suite_done) struct suite suite = load_suite();
    size_t seen = 0;
    for (size_t i = 0; i < suite.count; i++) {
        const struct text *text = &suite.texts[i];
        if (!has_newline(text)) continue;
        const char *counts = NULL;
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            if (strcmp(cases[c].name, text->name) == 0) counts = cases[c].counts;
        }
        if (!counts) fail_msg("%s", text->name);
        AUTO(made_done) struct made made;
        made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .offset = 100}, text->bytes);
        made_expect_counts(&made, counts);
        seen++;
    }
    assert_int_equal(seen, sizeof cases / sizeof cases[0]);
}

/* All texts in one slice, good lines between them, in an order that `step` says: neighbours change nothing. */
static void check_together(const struct suite *suite, size_t step) {
    AUTO(buf_done) struct buf all = BUF_INIT(16u << 20);
    size_t good = 0, records = 0, blank = 0, rejects = 0;
    for (size_t i = 0, at = 0; i < suite->count; i++, at = (at + step) % suite->count) {
        const struct text *text = &suite->texts[at];
        if (has_newline(text)) continue;
        buf_add(&all, text->bytes);
        buf_add(&all, STR("\n{\"good\":[1,\"line\"]}\n"));
        good++;
        records += strcmp(text->verdict, "record") == 0;
        blank += strcmp(text->verdict, "blank") == 0;
    }
    rejects = good - records - blank;
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_NDJSON, .offset = 100}, buf_str(&all));
    assert_int_equal(made.result->counts.lines, 2 * good);
    assert_int_equal(made.result->counts.blank, blank);
    assert_int_equal(made.result->counts.converted, good + records);
    assert_int_equal(made.result->counts.rejects, rejects);
}

static void every_text_of_the_json_suite_among_others(void **state) {
    (void)state;
    AUTO(suite_done) struct suite suite = load_suite();
    static const size_t steps[] = {1, 5, 7, 11, 101, 317}; /* prime to 318 */
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) check_together(&suite, steps[i]);
}

static void a_bom_before_an_object_is_fine_at_the_start_of_a_file(void **state) {
    (void)state;
    AUTO(free_str) struct str text = read_file(JSON_SUITE "/i_structure_UTF-8_BOM_empty_object.json");
    assert_string_equal(verdict_alone(text, 0), "record");
}

/* Each line of utf8tests.bin is NUMBER:valid|invalid:BYTES. */
static void utf8_conformance(void **state) {
    (void)state;
    AUTO(free_str) struct str tests = read_file(TEST_DATA "/json/utf8tests.bin");
    struct str rest = tests, line, number, kind;
    size_t valid = 0, invalid = 0;
    while (str_cut(&rest, '\n', &line)) {
        if (!str_cut(&line, ':', &number) || !str_cut(&line, ':', &kind)) continue;
        bool is_valid = str_equal(kind, STR("valid")), json_safe = true;
        for (size_t i = 0; i < line.len; i++) json_safe = json_safe && (unsigned char)line.at[i] >= 0x20;
        char json[512], log[512];
        int n = snprintf(json, sizeof json, "{\"s\":\"");
        memcpy(json + n, line.at, line.len);
        memcpy(json + n + line.len, "\"}", 2);
        const char *verdict = verdict_alone((struct str){json, (size_t)n + line.len + 2}, 0);
        const char *expected = !is_valid ? "utf8" : json_safe ? "record" : "json";
        if (strcmp(verdict, expected) != 0) fail_msg("%.*s: %s, not %s", STR_ARG(number), verdict, expected);
        n = snprintf(log, sizeof log, "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1 \"-\" \"");
        memcpy(log + n, line.at, line.len);
        log[(size_t)n + line.len] = '"';
        AUTO(made_done) struct made made;
        made_init(&made, &(struct made_settings){.kind = CONVERTER_COMBINED},
                  (struct str){log, (size_t)n + line.len + 1});
        assert_string_equal(verdict_of(&made), is_valid ? "record" : "utf8");
        valid += is_valid;
        invalid += !is_valid;
    }
    assert_true(valid > 50 && invalid > 50);
}

/* Every string, written as JSON, comes back as the partition's and the record's. */
static void naughty_strings_are_records_and_partitions(void **state) {
    (void)state;
    AUTO(free_str) struct str strings = read_file(TEST_DATA "/json/blns.txt");
    AUTO(buf_done) struct buf lines = BUF_INIT(1u << 20);
    struct str rest = strings, line;
    size_t count = 0;
    while (str_cut(&rest, '\n', &line)) {
        struct json_out json = {.to = &lines};
        json_open(&json, '{');
        json_key_str(&json, STR("s"), line);
        json_close(&json, '}');
        buf_add_char(&lines, '\n');
        count++;
    }
    assert_int_equal(buf_rc(&lines), RC_OK);
    AUTO(made_done) struct made json, raw;
    made_init(&json, &(struct made_settings){.kind = CONVERTER_NDJSON, .partition = "s={s}"}, buf_str(&lines));
    assert_int_equal(json.result->counts.converted, count);
    assert_true(count > 600);
    size_t records = 0;
    for (size_t i = 0; i < json.result->output_count; i++) records += json.result->outputs[i].records;
    assert_int_equal(records, count);
    made_init(&raw, &(struct made_settings){.kind = CONVERTER_RAW}, strings);
    assert_int_equal(raw.result->counts.rejects, 0);
    AUTO(made_done) struct made alone, combined;
    made_init(&alone, &(struct made_settings){.kind = CONVERTER_NDJSON}, strings);
    assert_int_equal(alone.result->counts.lines, raw.result->counts.lines);
    made_init(&combined, &(struct made_settings){.kind = CONVERTER_COMBINED}, strings);
    assert_int_equal(combined.result->counts.converted, 0);
    assert_int_equal(combined.result->counts.rejects + combined.result->counts.blank, combined.result->counts.lines);
}

/* How a text stands in a line. */
enum quoting { AS_IT_IS, AS_JSON, AS_ACCESS_LOG };

/* How a text becomes a line of each kind, and that text in the record. */
static const struct {
    struct made_settings settings;
    const char *before, *behind;
    enum quoting quoting;
} texts_as[] = {
    {{.kind = CONVERTER_NDJSON}, "{\"s\":\"", "\"}", AS_JSON},
    {{.kind = CONVERTER_COMBINED},
     "h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1 \"-\" \"",
     "\"",
     AS_ACCESS_LOG},
    {{.kind = CONVERTER_CRI}, "{\"log\":\"", "\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:00:00Z\"}", AS_JSON},
    {{.kind = CONVERTER_LOGFMT}, "s=\"", "\"", AS_JSON},
    {{.kind = CONVERTER_LUA, .script = "function convert(line) return {s = line:sub(2)} end"}, "x", "", AS_IT_IS},
    {{.kind = CONVERTER_CSV, .columns = "s", .separator = "\x1d"}, "", "", AS_IT_IS},
    {{.kind = CONVERTER_TSV, .columns = "t,s", .separator = "\x1d"}, "x\x1d", "", AS_IT_IS},
    {{.kind = CONVERTER_DELIMITED, .columns = "t,s", .separator = "\x1d\x1e"}, "\x1d\x1e", "", AS_IT_IS},
    {{.kind = CONVERTER_REGEX, .pattern = "^x(?<s>(?s:.*))$"}, "x", "", AS_IT_IS},
    {{.kind = CONVERTER_SYSLOG}, "<14>1 2026-01-01T00:00:00Z - - - - - ", "", AS_IT_IS},
    {{.kind = CONVERTER_CRI}, "2026-01-01T00:00:00Z stdout F ", "", AS_IT_IS},
};

static void add_quoted(struct buf *line, struct str text, enum quoting quoting) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (quoting != AS_IT_IS && (c == '"' || c == '\\')) buf_add_char(line, '\\');
        if (quoting == AS_IT_IS || c >= 0x20)
            buf_add_char(line, (char)c);
        else
            buf_add_format(line, quoting == AS_JSON ? "\\u%04x" : "\\x%02x", c);
    }
}

static void expect_text(size_t kind, struct str text, const char *verdict) {
    AUTO(buf_done) struct buf line = BUF_INIT(16384);
    buf_add(&line, str_of(texts_as[kind].before));
    add_quoted(&line, text, texts_as[kind].quoting);
    buf_add(&line, str_of(texts_as[kind].behind));
    assert_int_equal(buf_rc(&line), RC_OK);
    AUTO(made_done) struct made made;
    struct made_settings settings = texts_as[kind].settings;
    settings.offset = 100;
    made_init(&made, &settings, buf_str(&line));
    assert_string_equal(verdict_of(&made), verdict);
    if (strcmp(verdict, "record") != 0) return;
    AUTO(own_free) char *record = made_text(made_output(&made, ""));
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    size_t len = strlen(record);
    record = alloc_resize(record, len + JSON_PADDING, 1);
    struct json_node root, node;
    struct str got = {0};
    assert_int_equal(json_parse(parser, (struct str){record, len}, &root, NULL), RC_OK);
    if (json_get(root, STR("s"), &node) != RC_OK && json_get(root, STR("message"), &node) != RC_OK &&
        json_get(root, STR("agent"), &node) != RC_OK) {
        assert_int_equal(text.len, 0);
        return;
    }
    assert_int_equal(json_get_str(node, &got), RC_OK);
    if (!str_equal(got, text)) fail_msg("kind %zu: %.*s", kind, STR_ARG(text));
}

/* Neither a CSV field that begins with a quote nor one that ends with a CR of the line's is the text as it stands. */
static bool stays_as_it_is(size_t kind, struct str text) {
    bool quotes = texts_as[kind].settings.kind == CONVERTER_CSV || texts_as[kind].settings.kind == CONVERTER_TSV;
    if (text.len && memchr(text.at, 0x1d, text.len)) return false; /* the separator */
    if (str_starts(text, STR("\xef\xbb\xbf"))) return false;       /* syslog takes a BOM before a message away */
    bool none = texts_as[kind].quoting == AS_ACCESS_LOG && str_equal(text, STR("-"));
    return !none && !(quotes && str_starts(text, STR("\""))) && text.len > 0;
}

static void every_text_goes_through_every_converter(void **state) {
    (void)state;
    AUTO(free_str) struct str strings = read_file(TEST_DATA "/json/blns.txt");
    AUTO(free_str) struct str tests = read_file(TEST_DATA "/json/utf8tests.bin");
    size_t count = 0;
    for (size_t kind = 0; kind < sizeof texts_as / sizeof texts_as[0]; kind++) {
        struct str rest = strings, line, number, validity;
        for (; str_cut(&rest, '\n', &line); count++)
            if (stays_as_it_is(kind, line)) expect_text(kind, line, "record");
        rest = tests;
        for (; str_cut(&rest, '\n', &line); count++) {
            if (!str_cut(&line, ':', &number) || !str_cut(&line, ':', &validity)) continue;
            if (!stays_as_it_is(kind, line)) continue;
            expect_text(kind, line, str_equal(validity, STR("valid")) ? "record" : "utf8");
        }
    }
    assert_true(count > 8000);
}

/* As they stand: whatever comes of them, no line is lost, and each record is JSON. */
static void naughty_lines_as_logfmt(void **state) {
    (void)state;
    AUTO(free_str) struct str strings = read_file(TEST_DATA "/json/blns.txt");
    AUTO(made_done) struct made made;
    made_init(&made, &(struct made_settings){.kind = CONVERTER_LOGFMT, .types = "*=auto"}, strings);
    assert_true(made.result->counts.converted > 300 && made.result->counts.rejects > 10);
    AUTO(own_free) char *records = made_text(made_output(&made, ""));
    AUTO(made_done) struct made again;
    made_init(&again, &(struct made_settings){.kind = CONVERTER_NDJSON}, str_of(records));
    assert_int_equal(again.result->counts.converted, made.result->counts.converted);
}

static void naughty_json_lines(void **state) {
    (void)state;
    AUTO(free_str) struct str json = read_file(TEST_DATA "/json/blns.json");
    struct str rest = json, line;
    while (str_cut(&rest, '\n', &line)) { /*   "string", */
        size_t end = line.len;
        while (end > 0 && line.at[end - 1] != '"') end--;
        if (end < 4 || line.at[2] != '"') continue;
        char text[8192];
        int n = snprintf(text, sizeof text, "{\"k\":%.*s}", (int)(end - 2), line.at + 2);
        assert_string_equal(verdict_alone((struct str){text, (size_t)n}, 0), "record");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_of_the_json_suite_alone),
        cmocka_unit_test(texts_that_hold_newlines_are_lines),
        cmocka_unit_test(every_text_of_the_json_suite_among_others),
        cmocka_unit_test(a_bom_before_an_object_is_fine_at_the_start_of_a_file),
        cmocka_unit_test(utf8_conformance),
        cmocka_unit_test(naughty_strings_are_records_and_partitions),
        cmocka_unit_test(every_text_goes_through_every_converter),
        cmocka_unit_test(naughty_lines_as_logfmt),
        cmocka_unit_test(naughty_json_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
