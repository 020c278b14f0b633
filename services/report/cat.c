/* SPDX-License-Identifier: Apache-2.0 */
#include "cat.h"

#include "manifests.h"
#include "source_of.h"
#include "stored.h"
#include "own.h"

#include <string.h>

struct cat {
    const struct report *report;
    const struct cat_ask *ask;
    struct cat_result result;
    struct stored stored;
    struct source_of source;
    struct buf kept;
};

static void cat_done(struct cat *c) {
    stored_done(&c->stored);
    source_of_done(&c->source);
    buf_done(&c->kept);
}

/* ---- which objects ---- */

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Is `encoded`, with its %XX decoded, the text? */
static bool decodes_to(struct str encoded, struct str text) {
    size_t at = 0;
    for (size_t i = 0; i < encoded.len; i++, at++) {
        char c = encoded.at[i];
        int high = c == '%' && i + 2 < encoded.len ? hex_digit(encoded.at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(encoded.at[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (at >= text.len || text.at[at] != c) return false;
    }
    return at == text.len;
}

static bool has_component(struct str output, const struct cat_where *where) {
    struct str component;
    while (str_cut(&output, '/', &component)) {
        const char *equals = component.len ? memchr(component.at, '=', component.len) : NULL;
        if (!equals) continue;
        size_t at = (size_t)(equals - component.at);
        if (str_equal(str_sub(component, 0, at), where->key) &&
            decodes_to(str_sub(component, at + 1, component.len), where->value))
            return true;
    }
    return false;
}

bool cat_fits(const struct cat_ask *ask, struct str output) {
    struct str path = ask->partition;
    while (path.len && path.at[path.len - 1] == '/') path.len--;
    if (!str_starts(output, path)) return false;
    if (path.len && output.len > path.len && output.at[path.len] != '/') return false;
    for (size_t i = 0; i < ask->where_len; i++)
        if (!has_component(output, &ask->where[i])) return false;
    return true;
}

static bool asks_time(const struct cat_ask *ask) { return ask->has_from || ask->has_to; }

/* Can a record in [min, max] be in the span? What has no time is in none. */
static bool may_fit(const struct cat_ask *ask, bool has_time, int64_t min, int64_t max) {
    if (!asks_time(ask)) return true;
    return has_time && !(ask->has_from && max < ask->from_ns) && !(ask->has_to && min >= ask->to_ns);
}

/* ---- which records ---- */

static bool is_within(const struct cat_ask *ask, struct str source, struct str record) {
    int64_t at = 0;
    if (ask->time(ask->context, source, record, &at) != RC_OK) return false;
    return !(ask->has_from && at < ask->from_ns) && !(ask->has_to && at >= ask->to_ns);
}

/* Keeps those records of the next `records` of *raw that are within the span. */
static void filter_records(struct cat *c, struct str source, uint64_t records, struct str *raw) {
    struct str record;
    for (uint64_t i = 0; i < records && object_next_record(raw, &record); i++) {
        if (!is_within(c->ask, source, record)) continue;
        buf_add(&c->kept, record);
        buf_add_char(&c->kept, '\n');
        c->result.records++;
    }
}

/* The parts of a frame say which of its records are of which file. */
static RC filter(struct cat *c, const struct footer_block *head, struct str raw, struct why *why) {
    struct str source;
    buf_reset(&c->kept);
    for (size_t i = 0; head && i < head->parts_len; i++) {
        TRY(source_of_file(&c->source, head->parts[i].file, &source, why));
        filter_records(c, source, head->parts[i].records, &raw);
    }
    if (raw.len) filter_records(c, STR(""), UINT64_MAX, &raw);
    return buf_rc(&c->kept);
}

static uint64_t count_records(struct str raw) {
    uint64_t records = 0;
    struct str record;
    while (object_next_record(&raw, &record)) records++;
    return records;
}

static RC write_out(struct cat *c, struct str records, struct why *why) {
    if (!records.len) return RC_OK;
    c->result.bytes += records.len;
    return c->ask->write(c->ask->context, records, why);
}

static RC frame(struct cat *c, struct why *why) {
    const struct footer_block *head = stored_head(&c->stored);
    struct str raw;
    if (head && !may_fit(c->ask, head->has_time, head->time_min_ns, head->time_max_ns)) {
        stored_skip(&c->stored);
        c->result.frames_skipped++;
        return RC_OK;
    }
    TRY(stored_next(&c->stored, &raw, why));
    c->result.frames++;
    if (asks_time(c->ask)) {
        TRY(filter(c, head, raw, why));
        return write_out(c, buf_str(&c->kept), why);
    }
    c->result.records += head ? head->records : count_records(raw);
    return write_out(c, raw, why);
}

static enum rc each_manifest(void *context, const struct manifest *m, struct why *why) {
    struct cat *c = context;
    for (size_t i = 0; i < m->objects_len; i++) {
        const struct manifest_object *o = &m->objects[i];
        if (o->rejects || !cat_fits(c->ask, o->output)) continue;
        if (!may_fit(c->ask, o->has_time, o->time_min_ns, o->time_max_ns)) {
            c->result.objects_skipped++;
            continue;
        }
        TRY(stored_open(&c->stored, c->report->store, o, m->settings.format, why));
        c->result.objects++;
        while (stored_more(&c->stored)) TRY(frame(c, why));
    }
    return RC_OK;
}

RC cat_records(const struct report *report, const struct cat_ask *ask, struct cat_result *out, struct why *why) {
    AUTO(cat_done)
    struct cat c = {.report = report,
                    .ask = ask,
                    .stored = STORED_INIT,
                    .source = SOURCE_OF_INIT(report),
                    .kept = BUF_INIT(STORED_RAW_MAX)};
    enum rc rc = manifests_each(report, each_manifest, &c, why);
    if (rc == RC_OK && out) *out = c.result;
    return rc;
}
