/* SPDX-License-Identifier: Apache-2.0 */
#include "config_check.h"

#include "config_error.h"
#include "config_inputs.h"
#include "config_paths.h"
#include "config_ports.h"
#include "config_script.h"
#include "config_table.h"
#include "config_value.h"
#include "json_path.h"

#include <arpa/inet.h>

struct checker {
    struct config *config;
    struct why *why;
};

#define FAIL(checker, key, ...) config_error((checker)->config, (key), (checker)->why, __VA_ARGS__)

static bool given(const struct checker *c, const char *key) { return config_mark_find(c->config, key) != NULL; }

/* ---- a source */

static const char *const converter_names[] = {"ndjson", "combined", "raw",    "csv", "tsv", "delimited",
                                              "logfmt", "regex",    "syslog", "cri", "lua", "telemetry"};

static bool has_own_time(enum config_converter converter) {
    return converter == CONFIG_COMBINED || converter == CONFIG_SYSLOG || converter == CONFIG_CRI ||
           converter == CONFIG_TELEMETRY;
}

static RC check_name(const struct checker *c, size_t i) {
    const struct config_source *sources = c->config->sources;
    for (size_t j = 0; j < i; j++)
        if (str_equal(sources[i].name, sources[j].name))
            return FAIL(c, config_key("sources[%zu].name", i).text, "\"%.*s\" is the name of sources[%zu] already",
                        STR_ARG(sources[i].name), j);
    return RC_OK;
}

static bool has_fields(const struct config_source *source) {
    bool text = source->converter == CONFIG_TELEMETRY && source->telemetry.emit == CONFIG_EMIT_V2LOG;
    return source->converter != CONFIG_RAW && !text;
}

static bool has_table(enum config_converter converter) {
    return converter == CONFIG_CSV || converter == CONFIG_TSV || converter == CONFIG_DELIMITED;
}

/* Keys that say nothing to this converter are a mistake. */
static RC check_only_for(const struct checker *c, size_t i, const char *name, bool fits, const char *fitting) {
    struct config_key key = config_key("sources[%zu].%s", i, name);
    if (fits || !given(c, key.text)) return RC_OK;
    return FAIL(c, key.text, "is for %s, and means nothing to %s; take this key out", fitting,
                converter_names[c->config->sources[i].converter]);
}

static RC check_separator(const struct checker *c, size_t i) {
    struct config_source *source = &c->config->sources[i];
    struct str *separator = &source->table.separator;
    struct config_key key = config_key("sources[%zu].table.separator", i);
    bool delimited = source->converter == CONFIG_DELIMITED;
    if (!separator->len && delimited) return FAIL(c, key.text, "is missing; delimited needs it");
    if (!separator->len) *separator = source->converter == CONFIG_TSV ? STR("\t") : STR(",");
    if (delimited) return RC_OK;
    char s = separator->at[0];
    bool fits = separator->len == 1 && s != '"' && (s & 0x80) == 0;
    return fits ? RC_OK
                : FAIL(c, key.text, "\"%s\" must be one ASCII character, and no quote", config_show(*separator).text);
}

/* What is kept once is kept once a window, so there has to be a time. */
static RC check_dedupe(const struct checker *c, size_t i) {
    const struct config_source *source = &c->config->sources[i];
    struct config_key key = config_key("sources[%zu].dedupe", i);
    enum config_converter kind = source->converter;
    bool own_time = kind == CONFIG_COMBINED || kind == CONFIG_SYSLOG || kind == CONFIG_TELEMETRY;
    if (!given(c, key.text)) return RC_OK;
    if (kind == CONFIG_CRI || source->record.start.len)
        return FAIL(c, key.text, "is for records of one line, and these are made of several");
    if (!source->dedupe.key.count)
        return FAIL(c, key.text, "needs the key \"key\": the fields whose values are the same");
    if (!own_time && !source->time.given)
        return FAIL(c, key.text, "is once for each window of a time; add the key \"time\"");
    if (source->time.on_error == CONFIG_TIME_PARTITION)
        return FAIL(c, key.text, "needs every record's time; say \"time.on_error: reject\"");
    return RC_OK;
}

static RC check_aggregate(const struct checker *c, size_t i) {
    const struct config_aggregate *a = &c->config->sources[i].aggregate;
    struct config_key key = config_key("sources[%zu].aggregate", i);
    TRY(check_only_for(c, i, "aggregate", has_fields(&c->config->sources[i]), "records with fields"));
    if (!given(c, key.text) || (a->group_by.count && a->sum.count)) return RC_OK;
    return FAIL(c, key.text, "needs the key \"%s\"", a->group_by.count ? "sum" : "group_by");
}

static RC check_table(const struct checker *c, size_t i) {
    struct config_source *source = &c->config->sources[i];
    bool fits = has_table(source->converter);
    TRY(check_only_for(c, i, "table", fits, "csv, tsv and delimited"));
    if (!fits) return RC_OK;
    TRY(check_separator(c, i));
    TRY(check_only_for(c, i, "table.quoted_newlines", source->converter != CONFIG_DELIMITED, "csv and tsv"));
    bool none = source->table.header == CONFIG_HEADER_NONE;
    struct config_key key = config_key("sources[%zu].table.%s", i, none ? "header" : "columns");
    if (none && !source->table.columns.count)
        return FAIL(c, key.text, "is none, and the key \"columns\" with the names is missing");
    if (!none && source->table.columns.count)
        return FAIL(c, key.text, "is given, but the header of the files has the names; say \"header: none\"");
    return RC_OK;
}

static RC check_since(const struct checker *c, size_t i) {
    struct config_source *source = &c->config->sources[i];
    struct str text = source->syslog_since_text;
    uint64_t year = 0, month = 0;
    if (!text.len) return RC_OK;
    bool fits = text.len == 7 && text.at[4] == '-' && str_parse_u64(str_sub(text, 0, 4), &year) == RC_OK &&
                str_parse_u64(str_sub(text, 5, 7), &month) == RC_OK && year >= 1678 && month >= 1 && month <= 12;
    if (!fits)
        return FAIL(c, config_key("sources[%zu].syslog.since", i).text, "\"%s\" is not a month such as 2026-07",
                    config_show(text).text);
    source->syslog_year = (uint32_t)year;
    source->syslog_month = (uint32_t)month;
    return RC_OK;
}

static RC check_script(const struct checker *c, size_t i) {
    struct config_script *script = &c->config->sources[i].script;
    struct config_key key = config_key("sources[%zu].lua.file", i);
    struct why reason = {0};
    if (!script->file.len)
        return FAIL(c, config_key("sources[%zu].converter", i).text, "lua needs the key \"lua.file\"");
    if (config_paths_absolute(c->config, script->file, false, &script->file, &reason) != RC_OK ||
        config_script_read(c->config, script->file, &script->text, &reason) != RC_OK)
        return FAIL(c, key.text, "%s", reason.text);
    return RC_OK;
}

/* The folder may be filled later; a name that is none is a mistake. */
static RC check_telemetry(const struct checker *c, size_t i) {
    struct config_telemetry *t = &c->config->sources[i].telemetry;
    struct why reason = {0};
    if (!t->definitions.len)
        return FAIL(c, config_key("sources[%zu].converter", i).text,
                    "telemetry needs the key \"telemetry.definitions\": a folder with REVISION.json files");
    if (config_paths_absolute(c->config, t->definitions, false, &t->definitions, &reason) != RC_OK ||
        config_script_folder(t->definitions, &reason) != RC_OK)
        return FAIL(c, config_key("sources[%zu].telemetry.definitions", i).text, "%s", reason.text);
    TRY(check_only_for(c, i, "encoding", false, "lines of text"));
    if (c->config->sources[i].max_line_bytes < CONFIG_STRETCH_MIN)
        return FAIL(c, config_key("sources[%zu].max_line_bytes", i).text,
                    "a framed record can have 256KiB; at least that");
    if (!t->schema.len) return RC_OK;
    if (config_paths_absolute(c->config, t->schema, false, &t->schema, &reason) != RC_OK ||
        config_script_read(c->config, t->schema, &t->schema_text, &reason) != RC_OK)
        return FAIL(c, config_key("sources[%zu].telemetry.schema", i).text, "%s", reason.text);
    return RC_OK;
}

static RC check_record(const struct checker *c, size_t i) {
    const struct config_source *source = &c->config->sources[i];
    enum config_converter kind = source->converter;
    bool lines = kind == CONFIG_REGEX || kind == CONFIG_LUA || kind == CONFIG_SYSLOG;
    TRY(check_only_for(c, i, "record", lines || kind == CONFIG_CRI, "regex, lua, syslog and cri"));
    TRY(check_only_for(c, i, "record.start", lines, "regex, lua and syslog"));
    if (lines && given(c, config_key("sources[%zu].record", i).text) && !source->record.start.len)
        return FAIL(c, config_key("sources[%zu].record.start", i).text, "is missing: how does a record begin?");
    return RC_OK;
}

/* The keys of single converters, and types. */
static RC check_kinds(const struct checker *c, size_t i) {
    enum config_converter kind = c->config->sources[i].converter;
    bool typed = has_table(kind) || (kind >= CONFIG_LOGFMT && kind <= CONFIG_CRI);
    TRY(check_only_for(c, i, "types", typed, "csv, tsv, delimited, logfmt, regex, syslog and cri"));
    TRY(check_only_for(c, i, "regex", kind == CONFIG_REGEX, "regex"));
    TRY(check_only_for(c, i, "syslog", kind == CONFIG_SYSLOG, "syslog"));
    TRY(check_only_for(c, i, "lua", kind == CONFIG_LUA, "lua"));
    TRY(check_record(c, i));
    TRY(check_only_for(c, i, "telemetry", kind == CONFIG_TELEMETRY, "telemetry"));
    bool fields = has_fields(&c->config->sources[i]);
    TRY(check_only_for(c, i, "where", fields, "records with fields"));
    TRY(check_only_for(c, i, "fields", fields, "records with fields"));
    TRY(check_only_for(c, i, "dedupe", fields, "records with fields"));
    TRY(check_dedupe(c, i));
    TRY(check_aggregate(c, i));
    if (kind == CONFIG_LUA) TRY(check_script(c, i));
    if (kind == CONFIG_TELEMETRY) TRY(check_telemetry(c, i));
    if (kind == CONFIG_SYSLOG) TRY(check_since(c, i));
    if (kind == CONFIG_REGEX && !c->config->sources[i].pattern.len)
        return FAIL(c, config_key("sources[%zu].converter", i).text, "regex needs the key \"regex.pattern\"");
    return RC_OK;
}

static RC check_field_time(const struct checker *c, size_t i) {
    struct config_time *time = &c->config->sources[i].time;
    if (!time->given) return RC_OK;
    if (!time->field.len) return FAIL(c, config_key("sources[%zu].time", i).text, "the key \"field\" is missing");
    struct why reason = {0};
    struct json_path path;
    if (json_path_compile(time->field, &path, &reason) != RC_OK)
        return FAIL(c, config_key("sources[%zu].time.field", i).text, "%s", reason.text);
    if (time_parse_compile(time->format_text, &time->format, &reason) != RC_OK)
        return FAIL(c, config_key("sources[%zu].time.format", i).text, "%s", reason.text);
    return RC_OK;
}

static RC check_own_time(const struct checker *c, size_t i) {
    struct config_time *time = &c->config->sources[i].time;
    static const char *const refused[] = {"field", "format"};
    for (size_t k = 0; k < 2; k++) {
        struct config_key key = config_key("sources[%zu].time.%s", i, refused[k]);
        if (given(c, key.text))
            return FAIL(c, key.text, "%s lines have their time built in; take this key out",
                        converter_names[c->config->sources[i].converter]);
    }
    time->given = true;
    time->format_text = c->config->sources[i].converter == CONFIG_COMBINED ? STR("clf") : STR("rfc3339");
    return time_parse_compile(time->format_text, &time->format, c->why);
}

static RC check_time(const struct checker *c, size_t i) {
    struct config_source *source = &c->config->sources[i];
    struct config_key key = config_key("sources[%zu].time", i);
    source->time.given = given(c, key.text);
    if (has_own_time(source->converter)) return check_own_time(c, i);
    if (source->converter != CONFIG_RAW) return check_field_time(c, i);
    return source->time.given ? FAIL(c, key.text, "raw lines have no time; take this key out") : RC_OK;
}

/* A bound between two keys: `larger` must be at least `smaller`. The one that stands in the file is blamed. */
struct order {
    const char *larger_key, *smaller_key;
    uint64_t larger, smaller;
};

static RC check_order(const struct checker *c, struct order o) {
    if (o.larger >= o.smaller) return RC_OK;
    struct config_number large = config_value_format(CONFIG_BYTES, o.larger),
                         small = config_value_format(CONFIG_BYTES, o.smaller);
    if (given(c, o.larger_key) || !given(c, o.smaller_key))
        return FAIL(c, o.larger_key, "%s is less than %s of %s; it must be at least that", large.text, small.text,
                    o.smaller_key);
    return FAIL(c, o.smaller_key, "%s is more than %s of %s; it must be at most that", small.text, large.text,
                o.larger_key);
}

static RC check_source(const struct checker *c, size_t i) {
    TRY(check_name(c, i));
    TRY(config_inputs_check(c->config, i, c->why));
    TRY(check_time(c, i));
    TRY(check_table(c, i));
    return check_kinds(c, i);
}

/* ---- the rest */

static RC check_output(const struct checker *c) {
    struct config_output *out = &c->config->output;
    struct why reason = {0};
    if (config_paths_of_url(c->config, out->url, out, &reason) != RC_OK)
        return FAIL(c, "output.url", "%s", reason.text);
    if (out->format == CONFIG_JSONL_GZ && out->level > 9)
        return FAIL(c, "output.level", "%d is not between 1 and 9, the levels of jsonl.gz", (int)out->level);
    uint64_t backlog = c->config->broker.backlog_bytes_max;
    TRY(check_order(c,
                    (struct order){"output.object_bytes", "output.block_bytes", out->object_bytes, out->block_bytes}));
    TRY(check_order(
        c, (struct order){"output.seal_bytes_max", "output.object_bytes", out->seal_bytes_max, out->object_bytes}));
    return check_order(
        c, (struct order){"broker.backlog_bytes_max", "output.seal_bytes_max", backlog, out->seal_bytes_max});
}

static RC check_state(const struct checker *c) {
    struct config *config = c->config;
    bool local = config_broker_is_local(config) || config_ledger_is_local(config);
    if (!config->state.len)
        return local ? config_error_at(config, (struct config_place){1, 1}, "", c->why,
                                       "the key \"state\" is missing; broker or ledger is local and needs the folder")
                     : RC_OK;
    struct why reason = {0};
    if (config_paths_absolute(config, config->state, false, &config->state, &reason) != RC_OK)
        return FAIL(c, "state", "%s", reason.text);
    if (str_equal(config->state, config->output.dir))
        return FAIL(c, "state", "is the folder of output.url; the two must differ");
    return RC_OK;
}

/* 127.0.0.1:9464 or [::1]:9464. */
static bool parse_listen(struct config *config, struct str text) {
    const char *colon = memrchr(text.at, ':', text.len);
    if (!colon) return false;
    struct str host = {text.at, (size_t)(colon - text.at)}, port = str_sub(text, host.len + 1, text.len);
    int family = AF_INET;
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")) && host.len > 2) {
        family = AF_INET6;
        host = str_sub(host, 1, host.len - 1);
    }
    host = arena_str(&config->arena, host);
    unsigned char address[sizeof(struct in6_addr)];
    uint64_t number;
    if (inet_pton(family, host.at, address) != 1) return false;
    if (port.len > 5 || str_parse_u64(port, &number) != RC_OK || number > 65535) return false;
    config->http.host = host;
    config->http.port = (uint16_t)number;
    return true;
}

static RC check_listen(const struct checker *c) {
    struct str text = c->config->http.listen;
    if (!text.len || parse_listen(c->config, text)) return RC_OK;
    return FAIL(c, "http.listen", "\"%s\" is not a numeric address and a port such as 127.0.0.1:9464 or [::1]:9464",
                config_show(text).text);
}

RC config_check(struct config *config, struct why *why) {
    struct checker c = {config, why};
    for (size_t i = 0; i < config->source_count; i++) TRY(check_source(&c, i));
    TRY(check_output(&c));
    TRY(check_state(&c));
    TRY(config_ports_check(config, why));
    /* Each object reads its blocks all over the batch: of a batch that does not fit all is fetched again for each. */
    if (!config_broker_is_local(config))
        TRY(check_order(&c, (struct order){"broker.cache_bytes_max", "output.seal_bytes_max",
                                           config->broker.cache_bytes_max, config->output.seal_bytes_max}));
    return check_listen(&c);
}
