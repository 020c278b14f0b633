/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the schema is JSON and the reference Markdown, and both hold every key of the table with its description,
 * default and bounds; the table itself is whole: every default fits its own bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "config_reference.h"
#include "config_schema.h"
#include "config_table.h"
#include "config_value.h"
#include "json.h"
#include "own.h"

/* ---- the table */

static void paths_are_unique_and_follow_the_map_they_are_in(void **state) {
    (void)state;
    for (size_t i = 0; i < config_table_count; i++) {
        const char *path = config_table[i].path, *dot = strrchr(path, '.');
        bool parent = !dot;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(path, config_table[j].path);
            const char *other = config_table[j].path;
            size_t len = strlen(other);
            if (!dot || strncmp(path, other, len) != 0) continue;
            size_t to = (size_t)(dot - path);
            parent |= config_table[j].kind == CONFIG_MAP && to == len;
            parent |= config_table[j].kind == CONFIG_LIST && to == len + 2 && path[len] == '[';
        }
        if (!parent) fail_msg("%s stands in no map", path);
    }
}

static void every_default_fits_its_own_row(void **state) {
    (void)state;
    for (size_t i = 0; i < config_table_count; i++) {
        const struct config_row *row = &config_table[i];
        assert_true(row->about && strlen(row->about) > 10 && row->about[strlen(row->about) - 1] == '.');
        assert_true(row->low <= row->high);
        assert_true(row->kind == CONFIG_PAIRS || (row->kind == CONFIG_ENUM) == (row->names != NULL));
        assert_int_equal(row->fits != NULL, row->fits && row->allowed && row->pattern);
        assert_false(row->required && row->fallback);
        if (!row->fallback) continue;
        union {
            uint64_t number;
            struct str text;
        } field;
        struct why why = {0};
        if (config_value_store(row, str_of(row->fallback), &field, &why) != RC_OK)
            fail_msg("%s: %s", row->path, why.text);
    }
}

/* ---- the schema */

static struct str with_padding(struct buf *buf) {
    assert_int_equal(buf_reserve(buf, JSON_PADDING), RC_OK);
    memset(buf->at + buf->len, 0, JSON_PADDING);
    return buf_str(buf);
}

static struct json_node get(struct json_node node, const char *key) {
    struct json_node out;
    if (json_get(node, str_of(key), &out) != RC_OK) fail_msg("the schema has no %s", key);
    return out;
}

static void assert_text(struct json_node node, const char *want) {
    struct str text;
    assert_int_equal(json_get_str(node, &text), RC_OK);
    assert_int_equal(text.len, strlen(want));
    assert_memory_equal(text.at, want, text.len);
}

static bool array_has(struct json_node array, const char *text) {
    struct json_node entry;
    for (struct json_iter each = json_each(array); json_next(&each, NULL, &entry);) {
        struct str have;
        if (json_get_str(entry, &have) == RC_OK && str_equal(have, str_of(text))) return true;
    }
    return false;
}

/* The schema of the map in which the row stands. */
static struct json_node map_of(struct json_node root, const struct config_row *row) {
    char path[128];
    snprintf(path, sizeof path, "%s", row->path);
    struct json_node now = root;
    for (char *part = path, *dot; (dot = strchr(part, '.')); part = dot + 1) {
        *dot = '\0';
        size_t len = strlen(part);
        bool list = len > 2 && strcmp(part + len - 2, "[]") == 0;
        if (list) part[len - 2] = '\0';
        now = get(get(now, "properties"), part);
        if (list) now = get(now, "items");
    }
    return now;
}

static void check_default(struct json_node property, const struct config_row *row) {
    struct json_node node;
    enum rc rc = json_get(property, STR("default"), &node);
    assert_int_equal(rc, row->fallback ? RC_OK : RC_ABSENT);
    char digits[JSON_NUMBER_MAX];
    struct str text;
    if (!row->fallback) return;
    assert_int_equal(json_text(node, digits, &text), RC_OK);
    assert_true(str_equal(text, str_of(row->fallback)));
    enum json_type type = row->kind == CONFIG_BOOL ? JSON_BOOL : row->kind == CONFIG_COUNT ? JSON_I64 : JSON_STR;
    assert_int_equal(json_type(node), type);
}

/* What the value's own type says; the last of anyOf is the environment. */
static void check_bounds(struct json_node property, const struct config_row *row) {
    uint64_t low, high;
    if (row->kind == CONFIG_MAP) return;
    if (row->kind == CONFIG_LIST || row->kind == CONFIG_STRS) {
        assert_text(get(property, "type"), "array");
        assert_int_equal(json_get_u64(get(property, "minItems"), &low), RC_OK);
        assert_int_equal(json_get_u64(get(property, "maxItems"), &high), RC_OK);
        assert_true(low == row->low && high == row->high);
        return;
    }
    if (row->kind == CONFIG_PAIRS) {
        assert_text(get(property, "type"), "object");
        assert_int_equal(json_get_u64(get(property, "maxProperties"), &high), RC_OK);
        assert_true(high == row->high);
        return;
    }
    struct json_node type;
    struct json_iter each = json_each(get(property, "anyOf"));
    assert_true(json_next(&each, NULL, &type));
    if (row->kind == CONFIG_ENUM) {
        for (size_t i = 0; row->names[i]; i++) assert_true(array_has(get(type, "enum"), row->names[i]));
    } else if (row->kind == CONFIG_COUNT || row->kind == CONFIG_BYTES) {
        assert_int_equal(json_get_u64(get(type, "minimum"), &low), RC_OK);
        assert_int_equal(json_get_u64(get(type, "maximum"), &high), RC_OK);
        assert_true(low == row->low && high == row->high);
    } else if (row->pattern) {
        assert_text(get(type, "pattern"), row->pattern);
    }
}

static void the_schema_is_json_and_has_every_key(void **state) {
    (void)state;
    AUTO(buf_done) struct buf buf = BUF_INIT(1 << 20);
    config_schema_json(&buf);
    assert_int_equal(buf_rc(&buf), RC_OK);
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    struct json_node root;
    struct why why = {0};
    if (json_parse(parser, with_padding(&buf), &root, &why) != RC_OK) fail_msg("%s", why.text);
    assert_text(get(root, "$schema"), "https://json-schema.org/draft/2020-12/schema");
    assert_text(get(get(get(root, "$defs"), "environment"), "pattern"), "\\$\\{[A-Za-z_]");
    size_t properties = 0;
    for (size_t i = 0; i < config_table_count; i++) {
        const struct config_row *row = &config_table[i];
        struct json_node map = map_of(root, row), property = get(get(map, "properties"), config_table_name(row));
        bool more = true;
        assert_int_equal(json_get_bool(get(map, "additionalProperties"), &more), RC_OK);
        assert_false(more);
        assert_int_equal(array_has(get(map, "required"), config_table_name(row)), row->required);
        assert_text(get(property, "description"), row->about);
        check_default(property, row);
        check_bounds(property, row);
        if (row->kind == CONFIG_MAP) properties += json_count(get(property, "properties"));
        if (row->kind == CONFIG_LIST) properties += json_count(get(get(property, "items"), "properties"));
    }
    assert_int_equal(properties + json_count(get(root, "properties")), config_table_count); /* and no other */
}

/* ---- the reference */

static void the_reference_has_a_line_for_every_key(void **state) {
    (void)state;
    AUTO(buf_done) struct buf buf = BUF_INIT(1 << 20);
    config_reference_markdown(&buf);
    assert_int_equal(buf_rc(&buf), RC_OK);
    const char *text = buf_text(&buf);
    assert_int_equal(text[buf.len - 1], '\n');
    for (size_t i = 0; i < config_table_count; i++) {
        const struct config_row *row = &config_table[i];
        char head[128];
        snprintf(head, sizeof head, "\n| `%s` | ", row->path);
        const char *line = strstr(text, head);
        if (!line) fail_msg("no line for %s", row->path);
        const char *end = strchr(line + 1, '\n');
        AUTO(own_free) char *copy = strndup(line, (size_t)(end - line));
        int cells = 0;
        for (const char *p = copy; *p; p++) cells += *p == '|' && p[-1] != '\\';
        assert_int_equal(cells, 5);
        assert_non_null(strstr(copy, row->about));
        if (row->required) assert_non_null(strstr(copy, "| required |"));
        if (row->fallback && *row->fallback) assert_non_null(strstr(copy, row->fallback));
        for (size_t k = 0; row->names && row->names[k]; k++) assert_non_null(strstr(copy, row->names[k]));
    }
}

static void a_full_buffer_is_told(void **state) {
    (void)state;
    AUTO(buf_done) struct buf buf = BUF_INIT(1000);
    config_schema_json(&buf);
    assert_int_equal(buf_rc(&buf), RC_LIMIT);
    buf_reset(&buf);
    config_reference_markdown(&buf);
    assert_int_equal(buf_rc(&buf), RC_LIMIT);
}

static void numbers_are_written_as_one_types_them(void **state) {
    (void)state;
    static const struct {
        enum config_kind kind;
        uint64_t value;
        const char *text;
    } rows[] = {
        {CONFIG_COUNT, 65536, "65536"},
        {CONFIG_BYTES, 0, "0"},
        {CONFIG_BYTES, 63, "63B"},
        {CONFIG_BYTES, 65536, "64KiB"},
        {CONFIG_BYTES, 65537, "65537B"},
        {CONFIG_BYTES, 1ull << 40, "1TiB"},
        {CONFIG_DURATION, 0, "0s"},
        {CONFIG_DURATION, 10, "10ms"},
        {CONFIG_DURATION, 90000, "90s"},
        {CONFIG_DURATION, 3600000, "1h"},
        {CONFIG_DURATION, 31536000000, "365d"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(config_value_format(rows[i].kind, rows[i].value).text, rows[i].text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_unique_and_follow_the_map_they_are_in),
        cmocka_unit_test(every_default_fits_its_own_row),
        cmocka_unit_test(the_schema_is_json_and_has_every_key),
        cmocka_unit_test(the_reference_has_a_line_for_every_key),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(numbers_are_written_as_one_types_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
