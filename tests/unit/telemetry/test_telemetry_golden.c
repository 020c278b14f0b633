/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: buckets, conversions, folders and frames are those of the golden vectors: all of them, and no vector is
 * passed over. */
#include "alloc.h"
#include "json_raw.h"
#include "own.h"
#include "telemetry_frame.h"
#include "telemetry_inflate.h"
#include "telemetry_ping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TEXT_MAX = 4 << 20 };

struct golden {
    struct json_parser *parser;
    char *text;
    struct telemetry_members top;
};

static char *padded(struct str text) {
    char *copy = alloc_zero(1, text.len + JSON_PADDING);
    memcpy(copy, text.at, text.len);
    return copy;
}

static int setup(void **state) {
    struct golden *g = ALLOC(struct golden);
    FILE *file = fopen(GOLDEN, "rb");
    struct json_node root;
    assert_non_null(file);
    g->text = alloc_zero(1, TEXT_MAX);
    size_t len = fread(g->text, 1, TEXT_MAX - JSON_PADDING, file);
    assert_int_equal(fclose(file), 0);
    g->parser = json_parser_new((struct json_parser_limits){.any_number = true});
    assert_int_equal(json_parse(g->parser, (struct str){g->text, len}, &root, NULL), RC_OK);
    telemetry_members_read(&g->top, root, (struct str){g->text, len});
    *state = g;
    return 0;
}

static int teardown(void **state) {
    struct golden *g = *state;
    telemetry_members_done(&g->top);
    json_parser_free(g->parser);
    free(g->text);
    free(g);
    return 0;
}

static struct json_node vectors(const struct golden *g, const char *name, size_t expected) {
    const struct telemetry_member *m = telemetry_members_find(&g->top, str_of(name));
    assert_non_null(m);
    assert_int_equal(json_count(m->node), expected);
    return m->node;
}

static struct str text_of(struct json_node node, const char *key) {
    struct str text = {0};
    assert_int_equal(json_get_str(telemetry_member_last(node, str_of(key)), &text), RC_OK);
    return text;
}

static void buckets_are_the_golden_ones(void **state) {
    struct json_node one, bound;
    struct json_iter each = json_each(vectors(*state, "buckets", 173));
    while (json_next(&each, NULL, &one)) {
        struct telemetry_range range;
        AUTO(own_free) struct telemetry_buckets *made = NULL;
        assert_int_equal(telemetry_range_of(telemetry_member_last(one, STR("definition")), &range), RC_OK);
        assert_int_equal(telemetry_buckets_new(&range, &made), RC_OK);
        struct json_node bounds = telemetry_member_last(one, STR("bounds"));
        assert_int_equal(made->count, json_count(bounds));
        struct json_iter all = json_each(bounds);
        for (size_t i = 0; json_next(&all, NULL, &bound); i++) {
            int64_t value = 0;
            size_t index = 0;
            assert_int_equal(json_get_i64(bound, &value), RC_OK);
            assert_int_equal(telemetry_buckets_index(made, value, &index), RC_OK);
            assert_true(index == i || made->distinct < made->count);
        }
    }
}

static bool same(struct json_node a, struct json_node b) {
    char x[JSON_NUMBER_MAX], y[JSON_NUMBER_MAX];
    struct str s, t;
    struct json_node value, other;
    if (json_type(a) != json_type(b) || json_count(a) != json_count(b)) return false;
    if (json_type(a) != JSON_OBJECT && json_type(a) != JSON_ARRAY)
        return json_text(a, x, &s) == RC_OK && json_text(b, y, &t) == RC_OK && str_equal(s, t);
    struct json_iter each = json_each(a), beside = json_each(b);
    while (json_next(&each, &s, &value)) {
        if (!json_next(&beside, &t, &other)) return false;
        if (json_type(a) == JSON_OBJECT) other = telemetry_member_last(b, s);
        if (!json_given(other) || !same(value, other)) return false;
    }
    return true;
}

static enum rc read_specs(void *self, struct str revision, struct buf *out, struct why *why) {
    (void)revision;
    (void)why;
    buf_add(out, *(const struct str *)self);
    return RC_OK;
}

/* The text of a member of a vector, and it parsed alone. */
static struct str raw_member(const struct telemetry_members *members, const char *name) {
    const struct telemetry_member *m = telemetry_members_find(members, str_of(name));
    assert_non_null(m);
    return m->raw;
}

static void one_conversion(struct str vector) {
    struct json_parser_limits limits = {.any_number = true};
    AUTO(json_parser_done) struct json_parser *parser = json_parser_new(limits), *second = json_parser_new(limits);
    AUTO(own_free) char *vector_text = padded(vector);
    AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX);
    struct telemetry_members members = {0};
    struct json_node root, made;
    assert_int_equal(json_parse(parser, (struct str){vector_text, vector.len}, &root, NULL), RC_OK);
    telemetry_members_read(&members, root, (struct str){vector_text, vector.len});
    struct str specs = raw_member(&members, "specs"), input = raw_member(&members, "input");
    struct telemetry_ping ping = {.cache.library = {read_specs, &specs}};
    struct json_node expected = telemetry_member_last(root, STR("output"));
    AUTO(own_free) char *input_text = padded(input);
    struct json_out json = {.to = &out};
    assert_int_equal(json_parse(second, (struct str){input_text, input.len}, &made, NULL), RC_OK);
    json_open(&json, '{');
    enum telemetry_outcome outcome = telemetry_ping_convert(&ping, made, (struct str){input_text, input.len}, &json);
    bool rejects = json_given(telemetry_member_last(root, STR("reject")));
    if (outcome != (rejects ? TELEMETRY_REJECT : TELEMETRY_DONE)) fail_msg("%s", ping.why.text);
    if (!rejects) {
        size_t len = out.len;
        assert_int_equal(buf_reserve(&out, JSON_PADDING), RC_OK);
        assert_int_equal(json_parse(second, (struct str){out.at, len}, &made, NULL), RC_OK);
        if (!same(made, expected)) fail_msg("%.*s", (int)len, out.at);
    }
    telemetry_ping_done(&ping);
    telemetry_members_done(&members);
}

static void conversions_are_the_golden_ones(void **state) {
    const struct golden *g = *state;
    struct str raw = raw_member(&g->top, "conversions");
    size_t at = json_raw_open(raw), count = 0;
    vectors(g, "conversions", 14);
    /* An array's elements, cut by wrapping each as a member. */
    while (raw.at[at + strspn(raw.at + at, " \n\r\t,")] == '{') {
        at += strspn(raw.at + at, " \n\r\t,");
        AUTO(buf_done) struct buf wrapped = BUF_INIT(TEXT_MAX);
        buf_add(&wrapped, STR("{\"v\":"));
        buf_add(&wrapped, str_sub(raw, at, raw.len));
        size_t inside = 1;
        struct str one = json_raw_next(buf_str(&wrapped), &inside, NULL);
        one_conversion(one);
        at += one.len;
        count++;
    }
    assert_int_equal(count, 14);
}

static void folders_are_the_golden_ones(void **state) {
    struct json_node one;
    const struct golden *g = *state;
    struct str raw = raw_member(&g->top, "paths");
    size_t at = json_raw_open(raw);
    struct json_iter each = json_each(vectors(g, "paths", 6));
    while (json_next(&each, NULL, &one)) {
        AUTO(telemetry_schema_done) struct telemetry_schema *schema = NULL;
        AUTO(buf_done) struct buf path = BUF_INIT(4096), wrapped = BUF_INIT(TEXT_MAX);
        struct telemetry_members members = {0};
        size_t inside = 1;
        at += strspn(raw.at + at, " \n\r\t,");
        buf_add(&wrapped, STR("{\"v\":"));
        buf_add(&wrapped, str_sub(raw, at, raw.len));
        struct str vector = json_raw_next(buf_str(&wrapped), &inside, NULL);
        at += vector.len;
        telemetry_members_read(&members, one, vector);
        assert_int_equal(telemetry_schema_new(raw_member(&members, "schema"), &schema, NULL), RC_OK);
        size_t count = telemetry_schema_count(schema);
        for (size_t i = 0; i < count; i++) {
            struct telemetry_value value = {.node = JSON_NODE_NONE};
            struct str field = telemetry_schema_field(schema, i);
            if (str_equal(field, STR("submission_date")))
                value.fixed = text_of(one, "date");
            else
                value.node = telemetry_member_last(telemetry_member_last(one, STR("info")), field);
            if (i) buf_add_char(&path, i + 1 == count ? '.' : '/');
            telemetry_schema_folder(schema, i, value, &path);
        }
        buf_add(&path, STR(".v2.log"));
        struct str expected = text_of(one, "file");
        if (!str_equal(buf_str(&path), expected)) fail_msg("%s", buf_text(&path));
        telemetry_members_done(&members);
    }
}

static size_t from_hex(struct str hex, char *out) {
    for (size_t i = 0; i < hex.len / 2; i++) {
        char pair[3] = {hex.at[2 * i], hex.at[2 * i + 1], 0};
        out[i] = (char)strtoul(pair, NULL, 16);
    }
    return hex.len / 2;
}

static void one_file(struct json_node vector) {
    struct str hex = text_of(vector, "hex");
    AUTO(own_free) char *bytes = alloc_bytes(hex.len);
    bool v2 = false;
    if (json_get_bool(telemetry_member_last(vector, STR("v2")), &v2) != RC_OK) v2 = false;
    enum telemetry_framing framing = v2 ? TELEMETRY_V2 : TELEMETRY_V1;
    struct str rest = {bytes, from_hex(hex, bytes)};
    struct json_iter records = json_each(telemetry_member_last(vector, STR("records")));
    struct telemetry_inflate *inflate = telemetry_inflate_new();
    AUTO(buf_done) struct buf inflated = BUF_INIT(4096);
    struct json_node record, part;
    while (rest.len) {
        size_t end = telemetry_frame_end(framing, rest, true);
        struct telemetry_frame frame;
        const char *why;
        assert_true(end > 0 && end <= rest.len);
        enum rc rc = telemetry_frame_read(framing, str_sub(rest, 0, end), &frame, &why);
        rest = str_sub(rest, end, rest.len);
        if (rc != RC_OK) continue;
        if (telemetry_inflate_wanted(frame.data)) {
            assert_int_equal(telemetry_inflate(inflate, frame.data, &inflated), RC_OK);
            frame.data = buf_str(&inflated);
        }
        struct str path = {0}, data = {0};
        uint64_t ms = 0;
        assert_true(json_next(&records, NULL, &record));
        struct json_iter parts = json_each(record);
        assert_true(json_next(&parts, NULL, &part) && json_get_u64(part, &ms) == RC_OK && ms == frame.ms);
        assert_true(json_next(&parts, NULL, &part) && json_get_str(part, &path) == RC_OK);
        assert_true(json_next(&parts, NULL, &part) && json_get_str(part, &data) == RC_OK);
        assert_true(str_equal(path, frame.path) && str_equal(data, frame.data));
    }
    assert_false(json_next(&records, NULL, &record));
    telemetry_inflate_free(inflate);
}

static void frames_are_the_golden_ones(void **state) {
    struct json_node one;
    struct json_iter each = json_each(vectors(*state, "frames", 5));
    while (json_next(&each, NULL, &one)) one_file(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_the_golden_ones),
        cmocka_unit_test(conversions_are_the_golden_ones),
        cmocka_unit_test(folders_are_the_golden_ones),
        cmocka_unit_test(frames_are_the_golden_ones),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
