/* SPDX-License-Identifier: Apache-2.0 */
#include "redrive.h"

#include "alloc.h"
#include "json.h"
#include "own.h"
#include "rejects.h"
#include "slice.h"

#include <stdlib.h>
#include <string.h>

struct finding {
    const struct redrive_ask *ask;
    struct redrive *found;
    struct converter **converters;
    struct slice *slice;
    struct buf uri, line, named; /* named: the last object that was */
    struct why *why;
};

static void finding_done(struct finding *f) {
    for (size_t i = 0; f->converters && i < f->ask->converters_len; i++) converter_free(f->converters[i]);
    free(f->converters);
    slice_free(f->slice);
    buf_done(&f->uri);
    buf_done(&f->line);
    buf_done(&f->named);
}

static bool find_converter(struct finding *f, struct str source, size_t *out) {
    for (size_t i = 0; i < f->ask->converters_len; i++)
        if (str_equal(f->ask->converters[i].source, source)) {
            *out = i;
            /* A file of rejects is lines, and those of framed records are none: they stay as they are. */
            return !converter_framed(f->ask->converters[i].kind);
        }
    return false; /* it is not in this configuration any more */
}

/* Does the line become anything but a reject? As a lane would do it, in a slice of its own. */
static RC try_line(struct finding *f, struct converter *converter, const struct rejects_line *line,
                   bool *out_converts) {
    size_t taken = 0;
    buf_reset(&f->line);
    buf_add(&f->line, line->record);
    buf_add_char(&f->line, '\n');
    TRY(buf_reserve(&f->line, JSON_PADDING));
    memset(f->line.at + f->line.len, 0, JSON_PADDING);
    slice_begin(f->slice, converter, &(struct slice_place){.uri = buf_str(&f->uri)});
    slice_add(f->slice, buf_str(&f->line), 0, &taken);
    *out_converts = slice_result(f->slice)->counts.rejects == 0;
    return RC_OK;
}

static void name_object(struct finding *f, size_t source) {
    struct redrive_names *names = &f->found->names[source];
    alloc_grow(&names->at, &names->room, names->len + 1, sizeof *names->at);
    names->at[names->len++] = arena_str(&f->found->texts, buf_str(&f->uri));
    f->found->objects++;
}

static enum rc see(void *context, const struct rejects_line *line) {
    struct finding *f = context;
    size_t source = 0;
    bool converts = false;
    struct reject_uri uri = line->object;
    if (str_equal(uri.key, buf_str(&f->named)) || !find_converter(f, line->source, &source)) return RC_OK;
    if (!f->converters[source]) TRY(converter_new(&f->ask->converters[source], &f->converters[source], f->why));
    uri.reason = f->ask->reason;
    uri.file = f->ask->file;
    buf_reset(&f->uri);
    reject_uri_format(&uri, &f->uri);
    TRY(try_line(f, f->converters[source], line, &converts));
    f->found->lines++;
    if (!converts) return RC_OK;
    buf_reset(&f->named);
    buf_add(&f->named, uri.key);
    name_object(f, source);
    return RC_OK;
}

RC redrive_find(const struct report *report, const struct redrive_ask *ask, struct redrive *out, struct why *why) {
    AUTO(finding_done)
    struct finding f = {.ask = ask,
                        .found = out,
                        .converters = alloc_zero(ask->converters_len, sizeof(struct converter *)),
                        .slice = slice_new((struct slice_limits){0}),
                        .uri = BUF_INIT(LEDGER_TEXT_MAX),
                        .line = BUF_INIT(SLICE_REJECT_BYTES_MAX + JSON_PADDING + 1),
                        .named = BUF_INIT(LEDGER_TEXT_MAX),
                        .why = why};
    struct rejects_ask rejects = {.source = ask->source, .reason = ask->reason, .file = ask->file};
    *out = (struct redrive){.names = alloc_zero(ask->converters_len, sizeof *out->names),
                            .names_len = ask->converters_len};
    enum rc rc = rejects_each(report, &rejects, see, &f, why);
    if (rc != RC_OK) redrive_done(out);
    return rc;
}

void redrive_done(struct redrive *r) {
    for (size_t i = 0; i < r->names_len; i++) free(r->names[i].at);
    free(r->names);
    arena_done(&r->texts);
    *r = (struct redrive){0};
}
