/* SPDX-License-Identifier: Apache-2.0 */
#include "run_settings.h"

#include "aggregate.h"
#include "alloc.h"
#include "metric.h"
#include "num.h"
#include "own.h"
#include "regex.h"
#include "run.h"
#include "script.h"
#include "source_decoded.h"
#include "telemetry_schema.h"
#include "where.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    POLL_MS = 100, /* one machine: the ledger is a function call away */
    POLL_WATCH_MS = 500,
    REPUBLISH_MS = 2000,
    HELD_SHARE = 4, /* of the descriptors we may have, files kept open get this part; the rest is for those in work */
};

_Static_assert((int)DECODE_BZIP2 + 1 == (int)CONFIG_COMPRESSION_BZIP2, "auto comes first, and then the kinds");
_Static_assert((int)TABLE_HEADER_NONE == (int)CONFIG_HEADER_NONE, "both list the same kinds of headers");

static enum converter_kind kind_of(enum config_converter converter) {
    switch (converter) {
    case CONFIG_NDJSON: return CONVERTER_NDJSON;
    case CONFIG_COMBINED: return CONVERTER_COMBINED;
    case CONFIG_RAW: return CONVERTER_RAW;
    case CONFIG_CSV: return CONVERTER_CSV;
    case CONFIG_TSV: return CONVERTER_TSV;
    case CONFIG_DELIMITED: return CONVERTER_DELIMITED;
    case CONFIG_LOGFMT: return CONVERTER_LOGFMT;
    case CONFIG_REGEX: return CONVERTER_REGEX;
    case CONFIG_SYSLOG: return CONVERTER_SYSLOG;
    case CONFIG_CRI: return CONVERTER_CRI;
    case CONFIG_LUA: return CONVERTER_LUA;
    case CONFIG_TELEMETRY: return CONVERTER_TELEMETRY;
    }
    return CONVERTER_RAW;
}

/* What errors of a script begin with. */
static const char *base_name(struct str file) {
    const char *slash = file.len ? strrchr(file.at, '/') : NULL;
    return slash ? slash + 1 : "script";
}

static struct converter_shape shape_of(const struct config_source *s) {
    const struct config_fields *f = &s->fields;
    return (struct converter_shape){.where = s->where,
                                    .keep = f->keep.at,
                                    .drop = f->drop.at,
                                    .keep_len = f->keep.count,
                                    .drop_len = f->drop.count,
                                    .rename = f->rename.at,
                                    .add = f->add.at,
                                    .rename_len = f->rename.count,
                                    .add_len = f->add.count,
                                    .once = {.key = s->dedupe.key.at,
                                             .key_len = s->dedupe.key.count,
                                             .when = s->dedupe.when,
                                             .window_ns = (int64_t)s->dedupe.window_ms * 1000000}};
}

static struct converter_telemetry telemetry_of(const struct config_telemetry *t) {
    return (struct converter_telemetry){.definitions = t->definitions.at,
                                        .schema = t->schema_text,
                                        .framing_v2 = t->framing == CONFIG_FRAMING_V2,
                                        .v2log = t->emit == CONFIG_EMIT_V2LOG,
                                        .inflated_max = (size_t)t->max_inflated};
}

struct converter_settings run_converter(const struct config *config, const struct config_source *source) {
    return (struct converter_settings){.kind = kind_of(source->converter),
                                       .source = source->name,
                                       .partition = config->output.partition,
                                       .time_given = source->time.given,
                                       .time_optional = source->time.on_error == CONFIG_TIME_PARTITION,
                                       .utf8_only = source->text.encoding != CHARSET_UTF8,
                                       .time_field = source->time.field,
                                       .time_format = source->time.format,
                                       .line_bytes_max = (size_t)source->max_line_bytes,
                                       .script = {source->script.text, base_name(source->script.file),
                                                  source->script.instructions, (size_t)source->script.memory_bytes},
                                       .telemetry = telemetry_of(&source->telemetry),
                                       .shape = shape_of(source),
                                       .aggregate = {.group_by = source->aggregate.group_by.at,
                                                     .sum = source->aggregate.sum.at,
                                                     .group_by_len = source->aggregate.group_by.count,
                                                     .sum_len = source->aggregate.sum.count},
                                       .record = {.kind = source->record.start.len ? SEGMENTS_START : SEGMENTS_NONE,
                                                  .start = source->record.start,
                                                  .lines_max = (size_t)source->record.lines_max,
                                                  .bytes_max = (size_t)source->record.bytes_max},
                                       .syslog_year = source->syslog_year,
                                       .syslog_month = source->syslog_month,
                                       .pattern = source->pattern,
                                       .types = source->types.at,
                                       .types_len = source->types.count,
                                       .table = {.header = (enum table_header)source->table.header,
                                                 .columns = source->table.columns.at,
                                                 .columns_len = source->table.columns.count,
                                                 .separator = source->table.separator,
                                                 .quoted_newlines = source->table.quoted_newlines}};
}

/* What a person wrote for this source alone, each to blame by its own key. */
static RC check_texts(const struct converter_settings *settings, const char **out_key, struct why *why) {
    AUTO(regex_done) struct regex *regex = NULL;
    AUTO(script_done) struct script *script = NULL;
    AUTO(where_done) struct where *where = NULL, *when = NULL;
    AUTO(aggregate_done) struct aggregate *aggregate = NULL;
    AUTO(telemetry_schema_done) struct telemetry_schema *schema = NULL;
    struct json_path path;
    const struct converter_script *s = &settings->script;
    struct script_limits limits = {s->instructions_max, s->bytes_max, CONFIG_BYTES_MAX};
    *out_key = "regex.pattern";
    if (settings->kind == CONVERTER_REGEX) TRY(regex_new(settings->pattern, &regex, why));
    *out_key = "record.start";
    regex_free(TAKE(regex));
    if (settings->record.kind == SEGMENTS_START) TRY(regex_new(settings->record.start, &regex, why));
    *out_key = "lua.file";
    if (settings->kind == CONVERTER_LUA) TRY(script_new(s->text, s->name, limits, &script, why));
    *out_key = "telemetry.schema";
    if (settings->telemetry.schema.len) TRY(telemetry_schema_new(settings->telemetry.schema, &schema, why));
    *out_key = "aggregate";
    TRY(aggregate_new(&settings->aggregate, CONFIG_VALUE_MAX, &aggregate, why));
    *out_key = "dedupe.key";
    for (size_t i = 0; i < settings->shape.once.key_len; i++)
        TRY(json_path_compile(settings->shape.once.key[i], &path, why));
    *out_key = "dedupe.when";
    if (settings->shape.once.when.len) TRY(where_new(settings->shape.once.when, &when, why));
    *out_key = "where";
    return settings->shape.where.len ? where_new(settings->shape.where, &where, why) : RC_OK;
}

static RC check_encoding(const struct config *config, size_t i, struct why *why) {
    enum charset charset = (enum charset)config->sources[i].text.encoding;
    if (charset_is_known(charset)) return RC_OK;
    return config_error(config, config_key("sources[%zu].encoding", i).text, why,
                        "iconv of this system does not know %s; install its conversions (libc-gconv-modules-extra)",
                        charset_name(charset));
}

RC run_check_sources(const struct config *config, struct why *why) {
    for (size_t i = 0; i < config->source_count; i++) {
        TRY(check_encoding(config, i, why));
        struct converter_settings settings = run_converter(config, &config->sources[i]);
        AUTO(converter_done) struct converter *converter = NULL;
        struct why inner = {0};
        const char *key = NULL;
        if (check_texts(&settings, &key, &inner) != RC_OK)
            return config_error(config, config_key("sources[%zu].%s", i, key).text, why, "%s", inner.text);
        if (converter_new(&settings, &converter, &inner) != RC_OK)
            return config_error(config, "output.partition", why, "%s (for source %.*s)", inner.text,
                                STR_ARG(config->sources[i].name));
    }
    return RC_OK;
}

/* As far as segments_window() of segments.h goes. */
static uint64_t record_reach(const struct config_source *s) {
    bool together = s->record.start.len || s->converter == CONFIG_CRI;
    return together ? 2 * MAX(s->record.bytes_max, s->max_line_bytes) + 2 * s->max_line_bytes + 64 : 0;
}

static bool one_stripe(const struct config_source *s) {
    return s->table.quoted_newlines || s->converter == CONFIG_TELEMETRY;
}

static struct emitter_source emitter_source(const struct config_source *s) {
    static const enum emitter_after after[] = {[CONFIG_KEEP] = EMITTER_KEEP,
                                               [CONFIG_DELETE] = EMITTER_DELETE,
                                               [CONFIG_MOVE] = EMITTER_MOVE,
                                               [CONFIG_TAG] = EMITTER_TAG};
    return (struct emitter_source){.name = s->name,
                                   .pattern = {.paths = s->paths.at,
                                               .paths_len = s->paths.count,
                                               .excludes = s->exclude.at,
                                               .excludes_len = s->exclude.count,
                                               .follow_symlinks = s->follow_symlinks},
                                   .stripe_bytes = one_stripe(s) ? CONVERTER_ONE_STRIPE : s->stripe_bytes,
                                   .text_stripe_bytes = CONVERTER_ONE_STRIPE,
                                   .spans_lines = one_stripe(s) || record_reach(s),
                                   .record_bytes_max = record_reach(s),
                                   .weight = (uint32_t)s->weight,
                                   .oldest_first = s->order == CONFIG_ORDER_OLDEST_FIRST,
                                   .close_after_ms = s->close_after_ms,
                                   .rotated_after_ms = s->rotated_after_ms,
                                   .ignore_older_ms = s->ignore_older_ms,
                                   .after = after[s->after_durable],
                                   .move_to = s->move_to,
                                   .tag_key = s->tag_key,
                                   .tag_value = s->tag_value};
}

/* Descriptors cost us nothing: takes as many as are allowed, and leaves most to what is being read and written. */
static size_t held_max(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
    struct rlimit all = {limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &all) == 0) limit = all;
    return MAX((size_t)1, MIN((size_t)EMITTER_HELD_DEFAULT, (size_t)limit.rlim_cur / HELD_SHARE));
}

struct source_view run_view(const struct config_source *s) {
    const struct config_text *t = &s->text;
    bool automatic = t->compression == CONFIG_COMPRESSION_AUTO;
    enum decode_kind kind = automatic ? DECODE_NONE : (enum decode_kind)(t->compression - CONFIG_COMPRESSION_NONE);
    return (struct source_view){.automatic = automatic,
                                .text = {.decode = {.kind = kind,
                                                    .charset = (enum charset)t->encoding,
                                                    .replace = t->encoding_errors == CONFIG_ENCODING_REPLACE,
                                                    .memory_max = (size_t)t->memory_max},
                                         .bytes_max = t->bytes_max,
                                         .ratio_max = t->ratio_max}};
}

/* Nobody who has no source reads its files. */
static struct source view_of(const struct runtime *r, const struct config_source *s) {
    struct source_view view = run_view(s);
    bool as_it_is = s->text.compression == CONFIG_COMPRESSION_NONE && !s->text.encoding;
    return r->source.ops && !as_it_is ? source_decoded_view(r->source, &view) : r->source;
}

RC run_settings_make(const struct runtime *r, bool once, struct run_settings *out, struct why *why) {
    const struct config *c = r->config;
    TRY(run_check_sources(c, why));
    *out = (struct run_settings){0};
    out->emitter_sources = alloc_zero(c->source_count, sizeof *out->emitter_sources);
    out->worker_sources = alloc_zero(c->source_count, sizeof *out->worker_sources);
    for (size_t i = 0; i < c->source_count; i++) {
        const struct config_source *s = &c->sources[i];
        struct source view = view_of(r, s);
        out->emitter_sources[i] = emitter_source(s);
        out->emitter_sources[i].view = view;
        bool guesses = s->text.compression == CONFIG_COMPRESSION_AUTO && !s->text.encoding;
        bool decodes = s->text.compression != CONFIG_COMPRESSION_NONE || s->text.encoding;
        out->emitter_sources[i].fixed_texts = guesses   ? EMITTER_NAMED_TEXTS
                                              : decodes ? EMITTER_ALL_TEXTS
                                                        : EMITTER_NO_TEXTS;
        out->worker_sources[i] = (struct worker_source){.name = s->name,
                                                        .view = view,
                                                        .converter = run_converter(c, s),
                                                        .max_line_bytes = s->max_line_bytes,
                                                        .metric_label = metric_label(LABEL_SOURCE, s->name)};
    }
    out->emitter = (struct emitter_settings){.sources = out->emitter_sources,
                                             .sources_len = c->source_count,
                                             .once = once,
                                             .shared = r->fleet,
                                             .held_max = held_max(),
                                             .rescan_ms = c->rescan_ms,
                                             .poll_ms = once ? POLL_MS : POLL_WATCH_MS,
                                             .republish_ms = REPUBLISH_MS};
    out->worker = (struct worker_settings){.sources = out->worker_sources,
                                           .sources_len = c->source_count,
                                           .format = r->format,
                                           .level = (int)c->output.level,
                                           .block_bytes = c->output.block_bytes,
                                           .object_bytes = c->output.object_bytes,
                                           .lane_bytes = c->lane_bytes,
                                           .jobs_attempts_max = (uint32_t)c->jobs.attempts_max,
                                           .backlog_bytes_max = c->broker.backlog_bytes_max};
    out->uploader = (struct uploader_settings){.queue = r->queue,
                                               .output = {.format = frame_format_name(r->format),
                                                          .level = (int)c->output.level,
                                                          .object_bytes = c->output.object_bytes,
                                                          .block_bytes = c->output.block_bytes,
                                                          .encoder = frame_library(r->format)},
                                               .flush_ms = c->output.flush_ms,
                                               .seal_bytes_max = c->output.seal_bytes_max,
                                               .void_after_ms = c->jobs.void_after_ms,
                                               .keep_ms = c->broker.keep_ms};
    return RC_OK;
}

void run_settings_done(struct run_settings *s) {
    free(s->emitter_sources);
    free(s->worker_sources);
    free(s->lanes_to_free);
    *s = (struct run_settings){0};
}
