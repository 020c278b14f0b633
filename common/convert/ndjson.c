/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson: a line is one JSON object, validated and passed on as it is. */
#include "alloc.h"
#include "converter_impl.h"
#include "json.h"
#include "num.h"

#include <stdlib.h>

enum { PATHS_MAX = PARTITION_FIELDS_MAX + 1 };
_Static_assert(PATHS_MAX <= (int)JSON_FIND_MAX, "all fields are found in one pass");

/* Batches of slice.c have at most this; a smaller parser would have to parse each line alone. */
enum { BATCH_BYTES = 256 * 1024 };

struct ndjson {
    struct json_parser *parser;
    struct json_path paths[PATHS_MAX]; /* the partition's fields, then the time's */
    size_t path_count, field_count;
    bool time_given;
    struct time_parse time_format;
    struct time_minute minute; /* of the line before */
};

static RC ndjson_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)why;
    struct ndjson *n = ALLOC(struct ndjson);
    c->self = n;
    n->field_count = n->path_count = partition_field_count(c->partition);
    for (size_t i = 0; i < n->field_count; i++) n->paths[i] = partition_fields(c->partition)[i];
    n->time_given = settings->time_given;
    if (n->time_given) {
        n->paths[n->path_count++] = c->time_field;
        n->time_format = settings->time_format;
    }
    size_t bytes_max = MAX(c->line_bytes_max, (size_t)BATCH_BYTES);
    n->parser = json_parser_new((struct json_parser_limits){.bytes_max = bytes_max, .any_number = true});
    return RC_OK;
}

static void ndjson_close(struct converter *c) {
    struct ndjson *n = c->self;
    json_parser_free(n->parser);
    free(n);
}

static void ndjson_batch(struct converter *c, struct str lines) {
    struct ndjson *n = c->self;
    json_batch(n->parser, lines);
}

static enum converter_reason reason_of(enum json_error error) {
    switch (error) {
    case JSON_ERROR_UTF8: return REASON_UTF8;
    case JSON_ERROR_DEPTH: return REASON_DEPTH;
    case JSON_ERROR_NUMBER: return REASON_NUMBER;
    case JSON_ERROR_TOO_LONG: return REASON_TOO_LONG;
    default: return REASON_JSON;
    }
}

static RC time_of(struct ndjson *n, struct json_found found, int64_t *out_ns) {
    if (!found.text.at) return RC_ABSENT;
    return time_parse_near(&n->time_format, &n->minute, found.text, out_ns);
}

static void ndjson_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    (void)scratch;
    struct ndjson *n = c->self;
    struct json_found found[PATHS_MAX];
    enum json_type type = JSON_ABSENT;
    if (json_line_find(n->parser, line, n->paths, n->path_count, found, &type, NULL) != RC_OK) {
        converter_reject(out, reason_of(json_failure(n->parser)));
        return;
    }
    if (type != JSON_OBJECT) {
        converter_reject(out, REASON_NOT_OBJECT);
        return;
    }
    for (size_t i = 0; i < n->field_count; i++)
        c->fields[i] = found[i].type == JSON_NULL ? (struct str){0} : found[i].text;
    if (n->time_given) {
        out->values.has_time = time_of(n, found[n->path_count - 1], &out->values.time_ns) == RC_OK;
        if (!out->values.has_time && !c->time_optional) converter_reject(out, REASON_TIME);
    }
    out->record = line;
    out->in_line = true;
}

const struct converter_ops ndjson_ops = {
    .name = "ndjson", .open = ndjson_open, .close = ndjson_close, .batch = ndjson_batch, .line = ndjson_line};
