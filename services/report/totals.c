/* SPDX-License-Identifier: Apache-2.0 */
#include "totals.h"

#include "alloc.h"
#include "json.h"
#include "manifests.h"
#include "must.h"
#include "own.h"
#include "source_of.h"
#include "stored.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_MAX = 1024 * 1024 }; /* an aggregate's bounds are far below */

struct totals {
    const struct totals_ask *ask;
    struct totals_result result;
    void *rows; /* of tsearch(): struct row */
    struct arena texts;
    /* while reading: */
    struct source_of source;
    struct stored stored;
    struct json_parser *json;
    struct buf record; /* with the parser's padding behind it */
};

/* What the tree holds, and what is asked of it. */
struct row {
    size_t values_len;
    struct totals_row row;
};

/* ---- the order of rows ---- */

static bool is_whole(struct str text) {
    if (!text.len || (text.at[0] == '0' && text.len > 1)) return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9') return false;
    return true;
}

static int compare_values(const struct totals_value *a, const struct totals_value *b) {
    bool whole_a = is_whole(a->text), whole_b = is_whole(b->text);
    if (whole_a != whole_b) return whole_a ? -1 : 1;
    if (whole_a && a->text.len != b->text.len) return a->text.len < b->text.len ? -1 : 1;
    int by_text = str_compare(a->text, b->text);
    return by_text ? by_text : (int)a->is_text - (int)b->is_text;
}

static int compare_rows(const void *left, const void *right) {
    const struct row *a = left, *b = right;
    for (size_t i = 0; i < a->values_len; i++) {
        int order = compare_values(&a->row.values[i], &b->row.values[i]);
        if (order) return order;
    }
    return 0;
}

/* ---- one record ---- */

static RC add_row(struct totals *t, const struct row *more, struct why *why) {
    struct row **found = tfind(more, &t->rows, compare_rows);
    if (!found) {
        if (t->result.groups == TOTALS_GROUPS_MAX)
            return why_set(why, RC_LIMIT, "more than %d groups; group by fewer fields, or by ones with fewer values",
                           (int)TOTALS_GROUPS_MAX);
        struct row *made = ARENA_NEW(&t->texts, struct row);
        *made = *more;
        for (size_t i = 0; i < more->values_len; i++)
            made->row.values[i].text = arena_str(&t->texts, more->row.values[i].text);
        MUST(tsearch(made, &t->rows, compare_rows));
        t->result.groups++;
        return RC_OK;
    }
    struct totals_row *to = &(*found)->row;
    for (size_t i = 0; i < t->ask->sum_len; i++)
        if (decimal_add(&to->sums[i], more->row.sums[i]) != RC_OK)
            return why_set(why, RC_LIMIT, "the sum of %.*s is too large", STR_ARG(t->ask->sum[i]));
    to->count += more->row.count;
    return RC_OK;
}

/* A member by the whole of its name, which may look like a path. */
static RC read_value(struct json_node root, struct str name, char digits[JSON_NUMBER_MAX], struct totals_value *out) {
    struct json_node node;
    TRY(json_get(root, name, &node));
    out->is_text = json_type(node) == JSON_STR;
    return json_text(node, digits, &out->text);
}

typedef char digits_text[JSON_NUMBER_MAX];

static RC read_row(const struct totals *t, struct json_node root, digits_text *digits, struct row *out) {
    struct totals_value sum;
    struct json_node count;
    char text[JSON_NUMBER_MAX];
    for (size_t i = 0; i < t->ask->group_by_len; i++)
        TRY(read_value(root, t->ask->group_by[i], digits[i], &out->row.values[i]));
    for (size_t i = 0; i < t->ask->sum_len; i++) {
        TRY(read_value(root, t->ask->sum[i], text, &sum));
        TRY(decimal_parse(sum.text, &out->row.sums[i]));
    }
    TRY(json_get(root, STR("count"), &count));
    return json_get_u64(count, &out->row.count);
}

static RC add_record(struct totals *t, struct str record, struct why *why) {
    struct row row = {.values_len = t->ask->group_by_len};
    digits_text digits[TOTALS_FIELDS_MAX];
    struct json_node root;
    buf_reset(&t->record);
    buf_add(&t->record, record);
    TRY(buf_reserve(&t->record, JSON_PADDING));
    memset(t->record.at + t->record.len, 0, JSON_PADDING);
    if (json_parse(t->json, buf_str(&t->record), &root, NULL) != RC_OK || read_row(t, root, digits, &row) != RC_OK)
        return why_set(why, RC_BAD,
                       "%.*s: holds a record that is no sum of these fields; a source that is added up from some time "
                       "on, or by other fields, needs a raised generation",
                       STR_ARG(t->stored.key));
    t->result.counted += row.row.count;
    return add_row(t, &row, why);
}

/* ---- all of them ---- */

static bool is_asked(const struct totals *t, struct str source) {
    for (size_t i = 0; i < t->ask->sources_len; i++)
        if (str_equal(source, t->ask->sources[i])) return true;
    return false;
}

static RC add_part(struct totals *t, struct id file, uint64_t records, struct str *raw, struct why *why) {
    struct str source, record;
    bool asked = t->ask->all_sources;
    if (!asked) {
        TRY(source_of_file(&t->source, file, &source, why));
        if (!source.len)
            return why_set(why, RC_BROKEN, "%.*s: of a file that the ledger does not know", STR_ARG(t->stored.key));
        asked = is_asked(t, source);
    }
    for (uint64_t i = 0; i < records && object_next_record(raw, &record); i++)
        if (asked) TRY(add_record(t, record, why));
    return RC_OK;
}

static RC add_frame(struct totals *t, struct why *why) {
    const struct footer_block *head = stored_head(&t->stored);
    struct str raw;
    TRY(stored_next(&t->stored, &raw, why));
    for (size_t i = 0; head && i < head->parts_len; i++)
        TRY(add_part(t, head->parts[i].file, head->parts[i].records, &raw, why));
    return raw.len ? add_part(t, (struct id){0}, UINT64_MAX, &raw, why) : RC_OK;
}

static enum rc each_manifest(void *context, const struct manifest *m, struct why *why) {
    struct totals *t = context;
    for (size_t i = 0; i < m->attempts_len; i++)
        if (is_asked(t, m->attempts[i].source)) t->result.converted += m->attempts[i].counts.converted;
    for (size_t i = 0; i < m->objects_len; i++) {
        if (m->objects[i].rejects) continue;
        TRY(stored_open(&t->stored, t->source.report->store, &m->objects[i], m->settings.format, why));
        while (stored_more(&t->stored)) TRY(add_frame(t, why));
    }
    return RC_OK;
}

RC totals_read(const struct report *report, const struct totals_ask *ask, struct totals **out, struct why *why) {
    MUST(ask->group_by_len <= TOTALS_FIELDS_MAX && ask->sum_len <= TOTALS_FIELDS_MAX);
    AUTO(totals_done) struct totals *t = ALLOC(struct totals);
    t->ask = ask;
    t->source = SOURCE_OF_INIT(report);
    t->stored = STORED_INIT;
    t->json = json_parser_new((struct json_parser_limits){.bytes_max = RECORD_MAX, .any_number = true});
    t->record = BUF_INIT(RECORD_MAX + JSON_PADDING);
    TRY(manifests_each(report, each_manifest, t, why));
    *out = TAKE(t);
    return RC_OK;
}

static void leave(void *row) { (void)row; /* the arena's */ }

void totals_free(struct totals *t) {
    if (!t) return;
    tdestroy(t->rows, leave);
    arena_done(&t->texts);
    source_of_done(&t->source);
    stored_done(&t->stored);
    json_parser_free(t->json);
    buf_done(&t->record);
    free(t);
}

const struct totals_result *totals_result(const struct totals *t) { return &t->result; }

struct visiting {
    void (*visit)(void *context, const struct totals_row *row);
    void *context;
};

static void visit_node(const void *node, VISIT which, void *context) {
    const struct visiting *v = context;
    const struct row *const *row = node;
    if (which == postorder || which == leaf) v->visit(v->context, &(*row)->row);
}

void totals_each(const struct totals *t, void (*visit)(void *context, const struct totals_row *row), void *context) {
    struct visiting v = {visit, context};
    twalk_r(t->rows, visit_node, &v);
}
