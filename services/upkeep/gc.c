/* SPDX-License-Identifier: Apache-2.0 */
#include "gc.h"

#include "generations.h"
#include "names.h"
#include "own.h"
#include "tombstone.h"

#include <inttypes.h>
#include <stdlib.h>

static RC check(const struct upkeep *upkeep, const struct gc_ask *ask, struct gc_result *result, struct why *why) {
    if (ask->generation >= upkeep->generation)
        return why_set(why, RC_DENIED,
                       "generation %" PRIu64 " is %s: the configuration says `generation: %" PRIu64
                       "`, and only lower ones are removed. Raise it first",
                       ask->generation, ask->generation == upkeep->generation ? "the one in use" : "not there yet",
                       upkeep->generation);
    AUTO(own_free) struct generations_one *all = NULL;
    size_t n = 0;
    TRY(generations_find(upkeep, &all, &n, why));
    for (size_t i = 0; i < n; i++) {
        if (all[i].generation != ask->generation) continue;
        result->in_ledger = all[i].in_ledger;
        return RC_OK;
    }
    return why_set(why, RC_ABSENT, "neither the output nor the ledger knows generation %" PRIu64, ask->generation);
}

/* ---- what goes ---- */

struct sweep {
    const struct upkeep *upkeep;
    const struct gc_ask *ask;
    struct gc_result *result;
    struct remover remover;
    struct why *why;
};

static void sweep_done(struct sweep *sweep) { remover_done(&sweep->remover); }

static enum rc goes(struct sweep *s, struct upkeep_tally *tally, struct str key, uint64_t bytes) {
    upkeep_tally_add(tally, bytes);
    return s->ask->yes ? remover_add(&s->remover, key, s->why) : RC_OK;
}

static enum rc see_object(void *context, struct str key, uint64_t bytes) {
    struct sweep *s = context;
    struct name_object name;
    if (name_object_parse(key, &name) != RC_OK || name.generation != s->ask->generation)
        upkeep_tally_add(&s->result->unknown, bytes);
    else if (!id_equal(name.queue, s->upkeep->queue))
        upkeep_tally_add(&s->result->foreign, bytes);
    else
        return goes(s, name.rejects ? &s->result->rejects : &s->result->objects, key, bytes);
    return RC_OK;
}

static enum rc see_receipt(void *context, struct str key, uint64_t bytes) {
    struct sweep *s = context;
    struct id file;
    uint64_t generation = 0, end = 0;
    if (name_receipt_parse(key, &generation, &file, &end) == RC_OK && generation == s->ask->generation)
        return goes(s, &s->result->receipts, key, bytes);
    upkeep_tally_add(&s->result->unknown, bytes);
    return RC_OK;
}

static RC sweep_all(struct sweep *s, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES), receipts = BUF_INIT(NAME_MAX_BYTES);
    struct store store = s->upkeep->store;
    buf_add_format(&prefix, "_rejects/g%" PRIu64 "/", s->ask->generation);
    TRY(name_receipts_prefix(s->ask->generation, &receipts));
    struct str rejects = buf_str(&prefix), objects = str_sub(rejects, STR("_rejects/").len, rejects.len);
    TRY(store_list(store, buf_str(&receipts), STR(""), see_receipt, s, why));
    TRY(store_list(store, objects, STR(""), see_object, s, why));
    TRY(store_list(store, rejects, STR(""), see_object, s, why));
    return s->ask->yes ? remover_flush(&s->remover, why) : RC_OK;
}

/* ---- who may still make something ---- */

static RC bury(const struct upkeep *upkeep, const struct gc_ask *ask, struct why *why) {
    struct removed removed = {upkeep->queue, ask->generation, ask->now_ns};
    enum rc rc = tombstone_put(upkeep->store, &removed, why);
    return rc == RC_STALE ? RC_OK : rc;
}

static RC forget(const struct upkeep *upkeep, const struct gc_ask *ask, struct why *why) {
    struct ledger ledger = upkeep->ledger;
    struct id after = {{0}};
    ledger.at.generation = ask->generation;
    for (bool done = false; !done;) TRY(ledger_forget(ledger, GC_FORGET, &after, &done, why));
    return RC_OK;
}

RC gc_run(const struct upkeep *upkeep, const struct gc_ask *ask, struct gc_result *out, struct why *why) {
    struct gc_result result = {0};
    int64_t when = 0;
    AUTO(sweep_done)
    struct sweep sweep = {upkeep, ask, &result, {.store = upkeep->store, .many = ask->many}, why};
    TRY(check(upkeep, ask, &result, why));
    TRY(tombstone_look(upkeep->store, upkeep->queue, ask->generation, &result.tombstone, &when, why));
    if (ask->yes) {
        TRY(bury(upkeep, ask, why));
        if (upkeep->ledger.ops) TRY(forget(upkeep, ask, why));
    }
    TRY(sweep_all(&sweep, why));
    *out = result;
    return RC_OK;
}
