/* SPDX-License-Identifier: Apache-2.0 */
#include "rejects.h"

#include "base64.h"
#include "json.h"
#include "lines_before.h"
#include "manifests.h"
#include "redriven.h"
#include "stored.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

enum { RECORD_MAX = 4 * 1024 * 1024 }; /* a reject holds at most 64 KiB of its line, escaped six times as long */

struct rejects {
    const struct report *report;
    const struct rejects_ask *ask;
    rejects_visit visit;
    void *context;
    struct stored stored;
    struct lines_before lines;
    struct redriven redriven;
    struct reject_uri object; /* the one that is read */
    uint64_t offset;          /* of the next record in it */
    struct json_parser *json;
    struct buf record; /* with the parser's padding behind it */
    struct buf raw;    /* of raw_base64 */
};

static void rejects_done(struct rejects *r) {
    stored_done(&r->stored);
    lines_before_done(&r->lines);
    redriven_done(&r->redriven);
    json_parser_free(r->json);
    buf_done(&r->record);
    buf_done(&r->raw);
}

/* ---- one reject ---- */

static RC text_of(struct json_node root, struct str key, struct str *out) {
    struct json_node node;
    TRY(json_get(root, key, &node));
    return json_get_str(node, out);
}

static RC number_of(struct json_node root, struct str key, uint64_t *out) {
    struct json_node node;
    TRY(json_get(root, key, &node));
    return json_get_u64(node, out);
}

static RC raw_of(struct rejects *r, struct json_node root, struct rejects_line *out) {
    struct str base64;
    out->is_utf8 = text_of(root, STR("raw"), &out->raw) == RC_OK;
    if (out->is_utf8) return RC_OK;
    buf_reset(&r->raw);
    TRY(text_of(root, STR("raw_base64"), &base64));
    TRY(base64_decode(base64, &r->raw));
    out->raw = buf_str(&r->raw);
    return RC_OK;
}

static RC fields_of(struct rejects *r, struct json_node root, struct rejects_line *out) {
    struct str file;
    struct json_node truncated;
    TRY(text_of(root, STR("source"), &out->source));
    TRY(text_of(root, STR("uri"), &out->uri));
    TRY(text_of(root, STR("reason"), &out->reason));
    if (text_of(root, STR("detail"), &out->detail) != RC_OK) out->detail = STR("");
    TRY(text_of(root, STR("file"), &file));
    TRY(id_parse(file.at, file.len, &out->file));
    TRY(number_of(root, STR("stripe"), &out->stripe));
    TRY(number_of(root, STR("line_in_stripe"), &out->line_in_stripe));
    TRY(number_of(root, STR("offset"), &out->offset));
    TRY(number_of(root, STR("length"), &out->length));
    if (json_get(root, STR("truncated"), &truncated) == RC_OK) TRY(json_get_bool(truncated, &out->truncated));
    return raw_of(r, root, out);
}

static RC parse(struct rejects *r, struct str record, struct rejects_line *out, struct why *why) {
    struct json_node root;
    buf_reset(&r->record);
    buf_add(&r->record, record);
    TRY(buf_reserve(&r->record, JSON_PADDING));
    memset(r->record.at + r->record.len, 0, JSON_PADDING);
    *out = (struct rejects_line){.record = buf_str(&r->record)};
    TRY(json_parse(r->json, out->record, &root, why));
    enum rc rc = fields_of(r, root, out);
    return rc == RC_OK ? RC_OK : why_set(why, RC_BAD, "a field is missing or of another type");
}

static bool is_asked(const struct rejects_ask *ask, const struct rejects_line *line) {
    if (ask->source.len && !str_equal(ask->source, line->source)) return false;
    if (ask->reason.len && !str_equal(ask->reason, line->reason)) return false;
    return !ask->file.len || report_names(ask->file, line->uri);
}

static RC one(struct rejects *r, struct str record, struct why *why) {
    struct rejects_line line;
    uint64_t before = 0;
    enum rc rc = parse(r, record, &line, why);
    if (rc != RC_OK) return why_wrap(why, RC_BROKEN, "%.*s: not a reject", STR_ARG(r->stored.key));
    if (!is_asked(r->ask, &line)) return RC_OK;
    line.object = r->object;
    TRY(lines_before_stripe(&r->lines, line.file, line.stripe, &line.line_known, &before, why));
    line.line = line.line_known ? before + line.line_in_stripe + 1 : 0;
    return r->visit(r->context, &line);
}

static RC one_live(struct rejects *r, struct str record, struct why *why) {
    uint64_t at = r->offset;
    r->offset += record.len + 1;
    return redriven_has(&r->redriven, r->object.key, at) ? RC_OK : one(r, record, why);
}

/* ---- all of them ---- */

static enum rc each_manifest(void *context, const struct manifest *m, struct why *why) {
    struct rejects *r = context;
    struct str raw, record;
    for (size_t i = 0; i < m->objects_len; i++) {
        if (!m->objects[i].rejects) continue;
        r->object = (struct reject_uri){
            .key = m->objects[i].key, .partition = m->partition, .index = m->index, .bytes = m->objects[i].raw_bytes};
        r->offset = 0;
        TRY(stored_open(&r->stored, r->report->store, &m->objects[i], m->settings.format, why));
        while (stored_more(&r->stored)) {
            TRY(stored_next(&r->stored, &raw, why));
            while (object_next_record(&raw, &record)) TRY(one_live(r, record, why));
        }
    }
    return RC_OK;
}

RC rejects_each(const struct report *report, const struct rejects_ask *ask, rejects_visit visit, void *context,
                struct why *why) {
    AUTO(rejects_done)
    struct rejects r = {.report = report,
                        .ask = ask,
                        .visit = visit,
                        .context = context,
                        .stored = STORED_INIT,
                        .lines = {.report = report},
                        .json = json_parser_new((struct json_parser_limits){.bytes_max = RECORD_MAX}),
                        .record = BUF_INIT(RECORD_MAX + JSON_PADDING),
                        .raw = BUF_INIT(RECORD_MAX)};
    TRY(redriven_read(report, &r.redriven, why));
    return manifests_each(report, each_manifest, &r, why);
}

void rejects_json(const struct rejects_line *line, struct buf *out) {
    struct str open = {line->record.at, line->record.len - 1}; /* an object with members: it was parsed */
    buf_add(out, open);
    if (line->line_known)
        buf_add_format(out, ",\"line\":%" PRIu64 "}\n", line->line);
    else
        buf_add(out, STR(",\"line\":null}\n"));
}
