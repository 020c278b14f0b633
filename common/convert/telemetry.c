/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry: Mozilla's framed records (telemetry_frame.h) to compact ones (telemetry_ping.h). What is a line elsewhere
 * is a stretch here: a record, or bytes that are none and become one reject. The partition's {schema} is one folder a
 * dimension (telemetry_schema.h); other fields are `uuid`, `info.NAME` of the converted ping, and what the ping came
 * with. */
#include "alloc.h"
#include "converter_impl.h"
#include "json.h"
#include "json_out.h"
#include "num.h"
#include "own.h"
#include "telemetry_folder.h"
#include "telemetry_frame.h"
#include "telemetry_inflate.h"
#include "telemetry_ping.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FIELD_NAME_MAX = 16, DAY_TEXT = 9, NS_PER_MS = 1000000 };
#define SCHEMA "schema"
#define REPLACED_MAX(bytes) ((bytes)*3) /* U+FFFD for each byte */

struct telemetry {
    enum telemetry_framing framing;
    bool v2log;
    struct telemetry_schema *schema; /* NULL: none */
    struct telemetry_inflate *inflate;
    struct telemetry_ping ping;
    struct json_parser *parser;
    struct buf inflated, replaced, record, folders;
    char digits[PARTITION_FIELDS_MAX][JSON_NUMBER_MAX];
};

/* {schema} becomes {schema.0}/{schema.1}/…, whose values the converter gives. */
static RC telemetry_template(const struct converter_settings *settings, struct buf *out, struct why *why) {
    AUTO(telemetry_schema_done) struct telemetry_schema *schema = NULL;
    struct str rest = settings->partition, part;
    while (str_cut(&rest, '/', &part)) {
        if (out->len) buf_add_char(out, '/');
        if (!memmem(part.at, part.len, "{" SCHEMA "}", sizeof SCHEMA + 1)) {
            buf_add(out, part);
            continue;
        }
        if (!str_equal(part, STR("{" SCHEMA "}")))
            return why_set(why, RC_BAD, "{" SCHEMA "} stands for several folders, and nothing can be beside it in one");
        if (!settings->telemetry.schema.len)
            return why_set(why, RC_BAD, "{" SCHEMA "} needs the key \"telemetry.schema\"");
        telemetry_schema_free(TAKE(schema));
        TRY(telemetry_schema_new(settings->telemetry.schema, &schema, why));
        for (size_t i = 0; i < telemetry_schema_count(schema); i++)
            buf_add_format(out, "%s{" SCHEMA ".%zu}", i ? "/" : "", i);
    }
    return buf_rc(out) == RC_OK ? RC_OK : why_set(why, RC_BAD, "the template is too long");
}

static RC telemetry_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    const struct converter_telemetry *s = &settings->telemetry;
    struct telemetry_schema *schema = NULL;
    if (s->schema.len) TRY(telemetry_schema_new(s->schema, &schema, why));
    struct telemetry *t = ALLOC(struct telemetry);
    size_t most = MAX(s->inflated_max, (size_t)TELEMETRY_DATA_MAX);
    c->self = t;
    c->spans_lines = true;
    c->line_bytes_max = TELEMETRY_STRETCH_MAX;
    t->schema = schema;
    t->framing = s->framing_v2 ? TELEMETRY_V2 : TELEMETRY_V1;
    t->v2log = s->v2log;
    t->inflate = telemetry_inflate_new();
    t->ping.cache.library = telemetry_folder(s->definitions);
    t->ping.has_uuid = !s->v2log;
    t->parser = json_parser_new(
        (struct json_parser_limits){.bytes_max = REPLACED_MAX(most) + JSON_PADDING, .any_number = true});
    t->inflated = BUF_INIT(s->inflated_max + JSON_PADDING);
    t->replaced = BUF_INIT(REPLACED_MAX(most) + JSON_PADDING);
    t->record = BUF_INIT(c->record_bytes_max + 1);
    t->folders = BUF_INIT(c->record_bytes_max * 2);
    return RC_OK;
}

static void telemetry_close(struct converter *c) {
    struct telemetry *t = c->self;
    telemetry_schema_free(t->schema);
    telemetry_inflate_free(t->inflate);
    telemetry_ping_done(&t->ping);
    json_parser_free(t->parser);
    buf_done(&t->inflated);
    buf_done(&t->replaced);
    buf_done(&t->record);
    buf_done(&t->folders);
    free(t);
}

static size_t telemetry_stretch_end(const struct converter *c, struct str bytes, bool closed) {
    const struct telemetry *t = c->self;
    return telemetry_frame_end(t->framing, bytes, closed);
}

static void reject(struct converted *out, enum converter_reason reason, const char *words) {
    converter_reject(out, reason);
    out->detail = str_of(words);
}

/* Text with padding behind it: as it is, inflated, or with what is not UTF-8 replaced. */
static bool text_of(struct telemetry *t, struct str data, struct str *out, struct converted *made) {
    if (telemetry_inflate_wanted(data)) {
        t->inflated.cap -= JSON_PADDING;
        enum rc rc = telemetry_inflate(t->inflate, data, &t->inflated);
        t->inflated.cap += JSON_PADDING;
        if (rc != RC_OK) {
            reject(made, rc == RC_LIMIT ? REASON_LIMIT : REASON_INFLATE,
                   rc == RC_LIMIT ? "more than max_inflated" : "no whole gzip");
            return false;
        }
        if (buf_reserve(&t->inflated, JSON_PADDING) != RC_OK) return false; /* its cap has it */
        data = buf_str(&t->inflated);
    }
    if (!utf8_valid(data)) {
        buf_reset(&t->replaced);
        utf8_replace(data, &t->replaced);
        if (buf_reserve(&t->replaced, JSON_PADDING) != RC_OK) return false;
        data = buf_str(&t->replaced);
    }
    *out = data;
    return true;
}

static void put_uuid(struct telemetry *t, struct str uuid, struct json_out *json) {
    if (!t->v2log) {
        json_open(json, '{');
        json_key_str(json, STR("uuid"), uuid);
        return;
    }
    utf8_replace(uuid, &t->record);
    for (size_t i = 0; i < t->record.len; i++)
        if (strchr("\t\r\n", t->record.at[i])) t->record.at[i] = ' ';
    buf_add_char(&t->record, '\t');
    json_open(json, '{');
}

static bool convert(struct converter *c, struct str uuid, struct str text, struct json_node *out_root,
                    struct converted *out) {
    struct telemetry *t = c->self;
    struct json_out json = {.to = &t->record};
    /* A BOM would be skipped by the parser, and not by who goes through the text. */
    if (str_starts(text, STR("\xEF\xBB\xBF")) || json_parse(t->parser, text, out_root, NULL) != RC_OK) {
        enum json_error error = json_failure(t->parser);
        reject(out, error == JSON_ERROR_DEPTH ? REASON_DEPTH : REASON_JSON, "");
        return false;
    }
    buf_reset(&t->record);
    put_uuid(t, uuid, &json);
    enum telemetry_outcome outcome = telemetry_ping_convert(&t->ping, *out_root, text, &json);
    if (outcome == TELEMETRY_LATER) converter_wait(c, t->ping.why.text);
    if (outcome != TELEMETRY_DONE)
        reject(out, outcome == TELEMETRY_REJECT ? REASON_PING : REASON_DEFINITION, t->ping.why.text);
    else if (buf_rc(&t->record) != RC_OK)
        converter_reject(out, REASON_TOO_LONG);
    out->dropped = t->ping.dropped;
    return out->verdict == CONVERTER_RECORD;
}

static struct telemetry_value dimension(const struct telemetry *t, size_t i, const struct converted *out,
                                        char day[DAY_TEXT]) {
    struct str name = telemetry_schema_field(t->schema, i);
    if (!str_equal(name, STR("submission_date"))) return telemetry_ping_info(&t->ping, name);
    time_t seconds = (time_t)(out->values.time_ns / ((int64_t)1000 * NS_PER_MS));
    struct tm utc;
    bool known = out->values.has_time && gmtime_r(&seconds, &utc) && strftime(day, DAY_TEXT, "%Y%m%d", &utc);
    return (struct telemetry_value){.node = JSON_NODE_NONE, .fixed = known ? str_of(day) : (struct str){0}};
}

/* The partition's fields: where in t->folders a dimension's name begins is its .len until all are there. */
static void fill_fields(struct converter *c, struct str uuid, struct json_node root, struct converted *out) {
    struct telemetry *t = c->self;
    const struct json_path *paths = partition_fields(c->partition);
    size_t count = partition_field_count(c->partition), from[PARTITION_FIELDS_MAX];
    char day[DAY_TEXT];
    buf_reset(&t->folders);
    for (size_t i = 0; i < count; i++) {
        const struct json_path *path = &paths[i];
        struct str first = json_path_step(path, 0);
        struct telemetry_value value = {.node = JSON_NODE_NONE};
        size_t number = 0;
        c->fields[i] = (struct str){0};
        from[i] = SIZE_MAX;
        if (path->step_count == 2 && t->schema && str_equal(first, STR(SCHEMA)) &&
            json_path_index(json_path_step(path, 1), &number) && number < telemetry_schema_count(t->schema)) {
            from[i] = t->folders.len;
            telemetry_schema_folder(t->schema, number, dimension(t, number, out, day), &t->folders);
            c->fields[i].len = t->folders.len - from[i];
            continue;
        }
        if (path->step_count == 1 && str_equal(first, STR("uuid"))) {
            c->fields[i] = uuid;
            continue;
        }
        if (path->step_count == 2 && str_equal(first, STR("info")))
            value = telemetry_ping_info(&t->ping, json_path_step(path, 1));
        else if (json_find(root, path, &value.node) != RC_OK)
            value.node = JSON_NODE_NONE;
        c->fields[i] = value.fixed;
        if (!value.fixed.at &&
            (json_type(value.node) == JSON_NULL || json_text(value.node, t->digits[i], &c->fields[i]) != RC_OK))
            c->fields[i] = (struct str){0};
    }
    for (size_t i = 0; i < count; i++)
        if (from[i] != SIZE_MAX) c->fields[i].at = t->folders.at + from[i];
}

static void telemetry_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    (void)scratch;
    struct telemetry *t = c->self;
    struct telemetry_frame frame;
    struct json_node root;
    struct str text, uuid, path;
    const char *words = "";
    if (telemetry_frame_read(t->framing, line, &frame, &words) != RC_OK) {
        reject(out, REASON_FRAME, words);
        return;
    }
    out->values.has_time = frame.ms <= (uint64_t)(INT64_MAX / NS_PER_MS);
    if (out->values.has_time) out->values.time_ns = (int64_t)frame.ms * NS_PER_MS;
    if (!out->values.has_time && !c->time_optional) {
        converter_reject(out, REASON_TIME);
        return;
    }
    path = frame.path;
    if (!str_cut(&path, '/', &uuid)) uuid = STR("");
    if (!text_of(t, frame.data, &text, out) || !convert(c, uuid, text, &root, out)) return;
    fill_fields(c, uuid, root, out);
    out->record = buf_str(&t->record);
}

const struct converter_ops telemetry_ops = {.name = "telemetry",
                                            .open = telemetry_open,
                                            .close = telemetry_close,
                                            .template = telemetry_template,
                                            .stretch_end = telemetry_stretch_end,
                                            .line = telemetry_line,
                                            .keep_bom = true,
                                            .blank_is_empty = true,
                                            .own_time = true};
