/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include "must.h"
#include "num.h"
#include "reject_uri.h"
#include "own.h"

const char *status_state_name(enum status_state state) {
    static const char *const names[STATUS_STATES] = {
        [STATUS_OPEN] = "open",           [STATUS_CLOSED] = "closed", [STATUS_RECEIPTED] = "receipted",
        [STATUS_SET_ASIDE] = "set aside", [STATUS_GONE] = "gone",     [STATUS_INCOMPLETE] = "incomplete"};
    MUST((unsigned)state < STATUS_STATES);
    return names[state];
}

static enum status_state state_of(const struct ledger_listing *l, uint64_t done) {
    if (l->state == LEDGER_RECEIPTED) return STATUS_RECEIPTED;
    if (l->state == LEDGER_SET_ASIDE) return STATUS_SET_ASIDE;
    if (l->gone) return !l->closed || done < l->closed_end ? STATUS_INCOMPLETE : STATUS_GONE;
    return l->state == LEDGER_CLOSED ? STATUS_CLOSED : STATUS_OPEN;
}

bool status_finished(const struct status_file *f) {
    if (f->state == STATUS_SET_ASIDE || f->state == STATUS_INCOMPLETE) return f->outstanding == 0;
    return f->durable >= f->size && f->done >= f->size;
}

/* What is converted and what is durable (nothing outstanding) by the cells of the grid. A stripe's last line reaches
 * into the next one: without clipping it would count twice, and hide as many bytes that nobody has converted yet. */
static RC cell_bytes(const struct report *r, const struct ledger_listing *l, uint64_t *out_done, uint64_t *out_durable,
                     struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    uint64_t grid = l->facts.stripe_bytes;
    *out_done = *out_durable = 0;
    TRY(ledger_list_stripes(r->ledger, l->file, &arena, &stripes, &n, why));
    for (size_t i = 0; i < n; i++) {
        uint64_t start = stripe_start(stripes[i].stripe, grid);
        uint64_t bytes = MIN(stripes[i].at, stripe_end(stripes[i].stripe, grid)) - start;
        *out_done += bytes;
        if (!stripes[i].outstanding) *out_durable += bytes;
    }
    return RC_OK;
}

static RC describe(const struct report *r, const struct status_ask *ask, const struct ledger_listing *l,
                   struct status_file *out, struct why *why) {
    struct status_file f = {.file = l->file,
                            .source = l->facts.source,
                            .uri = l->facts.uri,
                            .outstanding = l->outstanding,
                            .counts = l->counts,
                            .reason = l->set_aside_reason};
    enum rc rc = ask->size && !l->gone ? ask->size(ask->context, l, &f.size) : RC_ABSENT;
    if (rc != RC_OK && rc != RC_ABSENT) return why_set(why, rc, "the size of %.*s", STR_ARG(l->facts.uri));
    f.size_known = rc == RC_OK || l->closed;
    if (rc != RC_OK && l->closed) f.size = l->closed_end;
    f.done = f.durable = l->converted_bytes;
    bool whole = l->state == LEDGER_RECEIPTED && f.size_known && f.size <= l->closed_end; /* many files, and no doubt */
    if (!whole && (l->outstanding || l->converted_bytes > l->facts.stripe_bytes))
        TRY(cell_bytes(r, l, &f.done, &f.durable, why));
    if (!f.size_known) f.size = f.done;
    f.done = MIN(f.done, f.size);
    f.durable = MIN(f.durable, f.done);
    f.state = state_of(l, f.done);
    *out = f;
    return RC_OK;
}

static void add_total(struct status_total *total, const struct status_file *f) {
    total->files++;
    total->size += f->size;
    total->done += f->done;
    total->durable += f->durable;
    total->outstanding += f->outstanding;
    total->states[f->state]++;
    counts_add(&total->counts, &f->counts);
}

static bool is_asked(const struct status_ask *ask, struct str uri) {
    for (size_t i = 0; i < ask->files_len; i++)
        if (report_names(ask->files[i], uri)) return true;
    return ask->files_len == 0;
}

/* Rejects of a generation are files of that one alone. */
static bool is_of_another_generation(const struct report *r, struct str uri) {
    return reject_uri_is(uri) && !reject_uri_of(uri, r->generation);
}

RC status_each(const struct report *r, const struct status_ask *ask, status_visit visit, void *context,
               struct status_total *out_total, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct status_total total = {0};
    struct id after = {0};
    for (size_t n = r->ledger.ops ? STATUS_PAGE : 0; n == STATUS_PAGE;) {
        struct ledger_listing *page = NULL;
        arena_reset(&arena);
        TRY(ledger_list(r->ledger, after, STATUS_PAGE, &arena, &page, &n, why));
        for (size_t i = 0; i < n; i++) {
            struct status_file file = {0};
            after = page[i].file;
            if (!is_asked(ask, page[i].facts.uri) || is_of_another_generation(r, page[i].facts.uri)) continue;
            TRY(describe(r, ask, &page[i], &file, why));
            add_total(&total, &file);
            if (visit) TRY(visit(context, &file));
        }
    }
    *out_total = total;
    return RC_OK;
}

/* ---- JSON ---- */

void status_counts_json(const struct counts *c, struct json_out *json) {
    json_open(json, '{');
    json_key_u64(json, STR("lines"), c->lines);
    json_key_u64(json, STR("converted"), c->converted);
    json_key_u64(json, STR("rejects"), c->rejects);
    json_key_u64(json, STR("filtered"), c->filtered);
    json_key_u64(json, STR("blank"), c->blank);
    json_key_u64(json, STR("records"), c->records);
    json_close(json, '}');
}

void status_json(const struct status_file *f, struct json_out *json) {
    char id[ID_TEXT];
    json_open(json, '{');
    json_key_str(json, STR("file"), str_of(id_format(f->file, id)));
    json_key_str(json, STR("source"), f->source);
    json_key_str(json, STR("uri"), f->uri);
    json_key_str(json, STR("state"), str_of(status_state_name(f->state)));
    json_key(json, STR("size"));
    if (f->size_known)
        json_u64(json, f->size);
    else
        json_null(json);
    json_key_u64(json, STR("done"), f->done);
    json_key_u64(json, STR("durable"), f->durable);
    json_key_u64(json, STR("outstanding"), f->outstanding);
    json_key_u64(json, STR("lines"), f->counts.lines);
    json_key_u64(json, STR("rejects"), f->counts.rejects);
    json_key(json, STR("counts"));
    status_counts_json(&f->counts, json);
    if (f->reason.len) json_key_str(json, STR("reason"), f->reason);
    json_close(json, '}');
}

void status_total_json(const struct status_total *t, struct json_out *json) {
    json_open(json, '{');
    json_key_u64(json, STR("files"), t->files);
    json_key_u64(json, STR("size"), t->size);
    json_key_u64(json, STR("done"), t->done);
    json_key_u64(json, STR("durable"), t->durable);
    json_key_u64(json, STR("outstanding"), t->outstanding);
    json_key(json, STR("counts"));
    status_counts_json(&t->counts, json);
    json_key(json, STR("states"));
    json_open(json, '{');
    for (int i = 0; i < STATUS_STATES; i++)
        json_key_u64(json, str_of(status_state_name((enum status_state)i)), t->states[i]);
    json_close(json, '}');
    json_close(json, '}');
}
