/* SPDX-License-Identifier: Apache-2.0 */
/* lua: a user's function convert(line, meta) makes the records of a line (script.h). Times and the partition's fields
 * are looked for in what it returns. */
#include "alloc.h"
#include "buf.h"
#include "converter_impl.h"
#include "json.h"
#include "own.h"
#include "script.h"

#include <stdlib.h>

struct lua {
    struct script *script;
    struct json_parser *parser;
    struct str uri;
    struct script_result result;
    size_t next;       /* of the records, to be given */
    struct buf record; /* the one that is given, with padding */
    char digits[PARTITION_FIELDS_MAX + 1][JSON_NUMBER_MAX];
};

static RC lua_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    struct script_limits limits = {.instructions_max = settings->script.instructions_max,
                                   .bytes_max = settings->script.bytes_max,
                                   .record_bytes_max = c->record_bytes_max};
    AUTO(script_done) struct script *script = NULL;
    TRY(script_new(settings->script.text, settings->script.name, limits, &script, why));
    struct lua *self = ALLOC(struct lua);
    c->self = self;
    self->script = TAKE(script);
    self->parser = json_parser_new((struct json_parser_limits){.bytes_max = c->record_bytes_max});
    self->record = BUF_INIT(c->record_bytes_max + JSON_PADDING);
    return RC_OK;
}

static void lua_close_converter(struct converter *c) {
    struct lua *self = c->self;
    script_free(self->script);
    json_parser_free(self->parser);
    buf_done(&self->record);
    free((char *)(uintptr_t)self->uri.at);
    free(self);
}

static void lua_file(struct converter *c, struct str uri) {
    struct lua *self = c->self;
    free((char *)(uintptr_t)self->uri.at);
    self->uri = (struct str){alloc_text(uri.at, uri.len), uri.len};
}

/* The record's time and the partition's fields, as ndjson has them. */
static void read_record(struct converter *c, struct lua *self, struct str record, struct converted *out) {
    struct json_node root, node;
    buf_reset(&self->record);
    buf_add(&self->record, record);
    if (buf_reserve(&self->record, JSON_PADDING) != RC_OK ||
        json_parse(self->parser, buf_str(&self->record), &root, NULL) != RC_OK) {
        converter_reject(out, REASON_JSON);
        return;
    }
    for (size_t i = 0; i < partition_field_count(c->partition); i++) {
        bool there =
            json_find(root, &partition_fields(c->partition)[i], &node) == RC_OK && json_type(node) != JSON_NULL;
        if (!there || json_text(node, self->digits[i], &c->fields[i]) != RC_OK) c->fields[i] = (struct str){0};
    }
    out->record = buf_str(&self->record);
    if (!c->time_given) return;
    struct str text = {0};
    if (json_find(root, &c->time_field, &node) != RC_OK ||
        json_text(node, self->digits[PARTITION_FIELDS_MAX], &text) != RC_OK)
        text = (struct str){0};
    out->values.has_time = text.at && time_parse_ns(&c->time_format, text, &out->values.time_ns) == RC_OK;
    if (!out->values.has_time && !c->time_optional) converter_reject(out, REASON_TIME);
}

static bool lua_next_record(struct converter *c, struct converted *out) {
    struct lua *self = c->self;
    if (self->next == self->result.count) return false;
    read_record(c, self, self->result.records[self->next++], out);
    return true;
}

static const enum converter_reason reasons[] = {[SCRIPT_REJECTED] = REASON_SCRIPT,
                                                [SCRIPT_FAILED] = REASON_SCRIPT,
                                                [SCRIPT_LIMIT] = REASON_LIMIT,
                                                [SCRIPT_TOO_LONG] = REASON_TOO_LONG,
                                                [SCRIPT_NOT_UTF8] = REASON_UTF8};

static void lua_rewind(struct converter *c) {
    struct lua *self = c->self;
    self->next = 0;
}

static void lua_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    (void)scratch;
    struct lua *self = c->self;
    struct script_meta meta = {c->source, self->uri};
    enum script_verdict verdict = script_convert(self->script, line, &meta, &self->result);
    if (verdict == SCRIPT_FILTERED) {
        out->verdict = CONVERTER_FILTERED;
    } else if (verdict != SCRIPT_RECORDS) {
        converter_reject(out, reasons[verdict]);
        out->detail = self->result.words;
    }
}

const struct converter_ops lua_ops = {.name = "lua",
                                      .open = lua_open,
                                      .close = lua_close_converter,
                                      .file = lua_file,
                                      .line = lua_line,
                                      .takes_lines = true,
                                      .next = lua_next_record,
                                      .rewind = lua_rewind};
