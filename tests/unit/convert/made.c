/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include "alloc.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct str *names_of(const char *text, size_t *out_count) {
    struct str *names = alloc_zero(strlen(text) + 1, sizeof *names), rest = str_of(text);
    while (str_cut(&rest, ',', &names[*out_count])) (*out_count)++;
    return names;
}

static struct str_pair *pairs_of(const char *text, size_t *out_count) {
    AUTO(own_free) struct str *texts = names_of(text, out_count);
    struct str_pair *pairs = alloc_zero(*out_count, sizeof *pairs);
    for (size_t i = 0; i < *out_count; i++) {
        struct str rest = texts[i];
        assert_true(str_cut(&rest, '=', &pairs[i].name) && str_cut(&rest, '=', &pairs[i].value));
    }
    return pairs;
}

static void set_shape(struct made *made, const struct made_settings *s, struct converter_settings *settings) {
    struct converter_shape *shape = &settings->shape;
    shape->where = str_of(s->where);
    if (s->types) settings->types = made->types = pairs_of(s->types, &settings->types_len);
    if (s->keep) shape->keep = made->keep = names_of(s->keep, &shape->keep_len);
    if (s->drop) shape->drop = made->drop = names_of(s->drop, &shape->drop_len);
    if (s->rename) shape->rename = made->rename = pairs_of(s->rename, &shape->rename_len);
    if (s->add) shape->add = made->add = pairs_of(s->add, &shape->add_len);
}

void made_open(struct made *made, const struct made_settings *s) {
    struct why why = {0};
    AUTO(own_free) struct str *columns = NULL;
    struct converter_settings settings = {.kind = s->kind,
                                          .source = STR("src"),
                                          .partition = str_of(s->partition),
                                          .time_given = s->time_field != NULL,
                                          .time_optional = s->time_optional,
                                          .time_field = str_of(s->time_field),
                                          .record_bytes_max = s->record_bytes_max};
    *made = (struct made){0};
    settings.line_bytes_max = s->line_bytes_max;
    settings.record = (struct segments_settings){.kind = s->start ? SEGMENTS_START : SEGMENTS_NONE,
                                                 .start = str_of(s->start),
                                                 .lines_max = s->lines_max,
                                                 .bytes_max = s->bytes_max};
    settings.table.separator = s->separator ? str_of(s->separator) : STR(",");
    settings.syslog_year = s->syslog_year;
    settings.syslog_month = s->syslog_month;
    settings.pattern = str_of(s->pattern);
    settings.table.quoted_newlines = s->newlines;
    if (s->repeated) settings.table.header = TABLE_HEADER_REPEATED;
    if (s->columns) {
        settings.table.header = TABLE_HEADER_NONE;
        settings.table.columns = columns = names_of(s->columns, &settings.table.columns_len);
    }
    set_shape(made, s, &settings);
    settings.script = (struct converter_script){str_of(s->script), "t.lua", 1000000, 4 << 20};
    struct str format = s->time_format ? str_of(s->time_format) : STR("rfc3339");
    assert_int_equal(time_parse_compile(format, &settings.time_format, &why), RC_OK);
    if (converter_new(&settings, &made->converter, &why) != RC_OK) fail_msg("%s", why.text);
    made->slice = slice_new(s->limits);
    struct slice_place place = {
        .uri = s->uri ? str_of(s->uri) : STR("/in.log"), .generation = 3, .stripe = 2, .line_in_stripe = 10};
    memset(place.file.bytes, 0xab, sizeof place.file.bytes);
    slice_begin(made->slice, made->converter, &place);
    made->result = slice_result(made->slice);
}

void made_add(struct made *made, struct str text, uint64_t offset) {
    assert_null(made->bytes);
    made->bytes = alloc_bytes(text.len + JSON_PADDING);
    if (text.len) memcpy(made->bytes, text.at, text.len);
    memset(made->bytes + text.len, '"', JSON_PADDING);
    if (converter_needs_head(made->converter) && offset == 0) {
        size_t end = converter_record_end(made->converter, text, true);
        struct str line = str_sub(text, 0, end);
        if (str_ends(line, STR("\n"))) line.len -= str_ends(line, STR("\r\n")) ? 2 : 1;
        converter_head(made->converter, line, line.len <= CONVERTER_HEAD_MAX);
    }
    slice_add(made->slice, (struct str){made->bytes, text.len}, offset, &made->taken);
}

void made_segments(struct made *made, struct str text) {
    struct segments_state state = {0};
    bool closed = false;
    assert_null(made->bytes);
    made->bytes = alloc_bytes(text.len + JSON_PADDING);
    memcpy(made->bytes, text.at, text.len);
    memset(made->bytes + text.len, '"', JSON_PADDING);
    for (size_t at = 0, bytes = 0; at < text.len; at += bytes) {
        struct segments_ask ask = {
            .window = {made->bytes + at, text.len - at}, .at = at, .end = text.len, .ready = text.len};
        assert_int_equal(segments_next(converter_segments(made->converter), &state, &ask, &bytes, &closed),
                         SEGMENTS_WHOLE);
        slice_add_segment(made->slice, str_sub(ask.window, 0, bytes), at);
    }
    assert_true(closed);
}

void made_init(struct made *made, const struct made_settings *s, struct str text) {
    made_open(made, s);
    made_add(made, text, s->offset);
}

void made_done(struct made *made) {
    slice_free(made->slice);
    converter_free(made->converter);
    free(made->bytes);
    free(made->types);
    free(made->rename);
    free(made->add);
    free(made->keep);
    free(made->drop);
}

const struct slice_output *made_output(const struct made *made, const char *path) {
    for (size_t i = 0; i < made->result->output_count; i++) {
        const struct slice_output *output = &made->result->outputs[i];
        if (!output->is_reject && str_equal(output->path, str_of(path))) return output;
    }
    return NULL;
}

const struct slice_output *made_rejects(const struct made *made) {
    for (size_t i = 0; i < made->result->output_count; i++) {
        if (made->result->outputs[i].is_reject) return &made->result->outputs[i];
    }
    return NULL;
}

char *made_text(const struct slice_output *output) {
    if (!output) return alloc_text("", 0);
    char *text = alloc_bytes(output->bytes + 1);
    size_t len = 0, records = 0;
    for (const struct slice_pieces *pieces = output->pieces; pieces; pieces = pieces->next) {
        assert_true(pieces->count > 0 && pieces->count <= pieces->room);
        for (uint32_t i = 0; i < pieces->count; i++) {
            const struct slice_piece *piece = &pieces->at[i];
            assert_true(piece->bytes > 0 && len + piece->bytes <= output->bytes);
            assert_true(piece->records == 1 || piece->bytes <= SLICE_PIECE_MAX);
            assert_true(piece->at[piece->bytes - 1] == '\n');
            memcpy(text + len, piece->at, piece->bytes);
            len += piece->bytes;
            records += piece->records;
        }
    }
    assert_int_equal(len, output->bytes);
    assert_int_equal(records, output->records);
    text[len] = '\0';
    return text;
}

void made_expect(const struct made *made, const char *path, const char *expected) {
    const struct slice_output *output = made_output(made, path);
    if (!output) fail_msg("no output \"%s\"", path);
    char *text = made_text(output);
    assert_string_equal(text, expected);
    free(text);
}

void made_expect_counts(const struct made *made, const char *expected) {
    const struct slice_counts *c = &made->result->counts;
    char text[128];
    (void)snprintf(text, sizeof text, "%llu/%llu/%llu/%llu", (unsigned long long)c->lines,
                   (unsigned long long)c->converted, (unsigned long long)c->rejects, (unsigned long long)c->blank);
    assert_string_equal(text, expected);
    assert_int_equal(c->lines, c->converted + c->rejects + c->filtered + c->blank);
}
