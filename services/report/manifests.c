/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests.h"

#include "names.h"
#include "own.h"
#include "tombstone.h"

struct walk {
    const struct report *report;
    manifests_visit visit;
    void *context;
    struct arena arena;
    struct buf bytes;
    struct why *why;
};

static void walk_done(struct walk *w) {
    arena_done(&w->arena);
    buf_done(&w->bytes);
}

static enum rc see(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    struct walk *w = context;
    if (name_is_removed(key)) return RC_OK; /* put since the walk began */
    struct manifest manifest;
    arena_reset(&w->arena);
    buf_reset(&w->bytes);
    enum rc rc = store_get(w->report->store, key, 0, MANIFEST_BYTES_MAX, &w->bytes, w->why);
    if (rc == RC_OK && manifest_decode(buf_str(&w->bytes), &w->arena, &manifest, w->why) != RC_OK) rc = RC_BROKEN;
    if (rc != RC_OK) return why_wrap(w->why, rc, "%.*s", STR_ARG(key));
    return w->visit(w->context, &manifest, w->why);
}

RC manifests_each(const struct report *report, manifests_visit visit, void *context, struct why *why) {
    if (!report->store.ops) return RC_OK;
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    AUTO(walk_done) struct walk w = {report, visit, context, ARENA_INIT, BUF_INIT(MANIFEST_BYTES_MAX), why};
    TRY(tombstone_check(report->store, report->queue, report->generation, RC_ABSENT, why));
    TRY(name_manifests_prefix(report->queue, report->generation, &prefix));
    enum rc rc = store_list(report->store, buf_str(&prefix), STR(""), see, &w, why);
    return rc == RC_STOP ? RC_OK : rc;
}
