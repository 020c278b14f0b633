/* SPDX-License-Identifier: Apache-2.0 */
#include "tryout.h"

#include "alloc.h"
#include "lines.h"
#include "own.h"
#include "run_settings.h"
#include "source_glob.h"

static void tell_head(const struct tryout *t, struct converter *converter) {
    if (!converter_needs_head(converter)) return;
    struct str seen = str_sub(t->bytes, 0, t->bytes.len < CONVERTER_HEAD_MAX ? t->bytes.len : CONVERTER_HEAD_MAX);
    size_t end = converter_record_end(converter, seen, t->closed && seen.len == t->bytes.len);
    converter_head(converter, lines_text(str_sub(seen, 0, end ? end : seen.len)), end > 0);
}

/* As lanes do, from the file's first byte on. */
static RC try_records(const struct tryout *t, struct converter *converter, struct slice *slice, struct why *why) {
    struct segments *segments = converter_segments(converter);
    struct segments_state state = {0};
    struct slice_place place = {.uri = t->uri, .generation = t->config->generation};
    bool closed = false;
    for (size_t at = 0, end = 0; at < t->bytes.len && place.line_in_stripe < t->lines_max; at += end) {
        struct segments_ask ask = {.window = str_sub(t->bytes, at, t->bytes.len),
                                   .at = at,
                                   .end = t->closed ? t->bytes.len : UINT64_MAX,
                                   .ready = t->bytes.len};
        if (segments_next(segments, &state, &ask, &end, &closed) != SEGMENTS_WHOLE) break;
        struct str text = str_sub(ask.window, 0, end);
        slice_begin(slice, converter, &place);
        slice_add_segment(slice, text, at);
        struct tryout_line seen = {place.line_in_stripe + 1, lines_text(text), slice_result(slice)};
        place.line_in_stripe += seen.result->counts.lines;
        TRY(t->visit(t->context, &seen, why));
    }
    return RC_OK;
}

RC tryout_lines(const struct tryout *t, struct why *why) {
    AUTO(converter_done) struct converter *converter = NULL;
    struct converter_settings settings = run_converter(t->config, t->source);
    TRY(converter_new(&settings, &converter, why));
    AUTO(slice_done) struct slice *slice = slice_new((struct slice_limits){0});
    tell_head(t, converter);
    if (converter_segments(converter)) return try_records(t, converter, slice, why);
    struct slice_place place = {.uri = t->uri, .generation = t->config->generation};
    for (size_t at = 0; at < t->bytes.len && place.line_in_stripe < t->lines_max; place.line_in_stripe++) {
        struct str rest = str_sub(t->bytes, at, t->bytes.len);
        size_t end = converter_record_end(converter, rest, t->closed), taken = 0;
        if (!end) break;
        struct str line = str_sub(rest, 0, end);
        slice_begin(slice, converter, &place);
        slice_add(slice, line, at, &taken);
        TRY(converter_waits(converter, why));
        struct tryout_line seen = {place.line_in_stripe + 1, lines_text(line), slice_result(slice)};
        TRY(t->visit(t->context, &seen, why));
        at += end;
    }
    return RC_OK;
}

static enum rc each_of(const struct slice_output *output, enum rc (*visit)(void *, struct str, struct str),
                       void *context) {
    for (const struct slice_pieces *pieces = output->pieces; pieces; pieces = pieces->next) {
        for (uint32_t i = 0; i < pieces->count; i++) {
            struct str rest = {pieces->at[i].at, pieces->at[i].bytes}, record;
            while (rest.len && str_cut(&rest, '\n', &record)) TRY(visit(context, output->path, record));
        }
    }
    return RC_OK;
}

enum rc tryout_records(const struct slice_result *result, bool rejects,
                       enum rc (*visit)(void *context, struct str path, struct str record), void *context) {
    for (size_t i = 0; i < result->output_count; i++)
        if (result->outputs[i].is_reject == rejects) TRY(each_of(&result->outputs[i], visit, context));
    return RC_OK;
}

static bool matches(struct str pattern, struct str path) {
    AUTO(source_glob_done) struct source_glob glob = {0};
    if (source_glob_parse(pattern, true, &glob, NULL) != RC_OK) return false;
    uint64_t states = source_glob_start(&glob);
    struct str part = {0};
    bool match = false;
    if (path.len < 2) return false;
    path = str_sub(path, 1, path.len);
    while (str_cut(&path, '/', &part)) {
        AUTO(own_free) char *name = alloc_text(part.at, part.len);
        states = source_glob_step(&glob, states, (struct str){name, part.len}, &match);
    }
    return match;
}

static bool reads(const struct config_source *source, struct str path) {
    for (size_t i = 0; path.len && i < source->paths.count; i++)
        if (matches(source->paths.at[i], path)) return true;
    return false;
}

RC tryout_source(const struct config *config, struct str name, struct str path, const struct config_source **out,
                 struct why *why) {
    if (config->source_count == 1 && !name.len) {
        *out = &config->sources[0];
        return RC_OK;
    }
    const struct config_source *found = NULL;
    for (size_t i = 0; i < config->source_count && !found; i++) {
        const struct config_source *s = &config->sources[i];
        if (name.len ? str_equal(s->name, name) : reads(s, path)) found = s;
    }
    if (!found && name.len) return why_set(why, RC_ABSENT, "there is no source \"%.*s\"", STR_ARG(name));
    if (!found) return why_set(why, RC_ABSENT, "no source's paths match the file; say which source it is of");
    *out = found;
    return RC_OK;
}
