/* SPDX-License-Identifier: Apache-2.0 */
#include "run_generations.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "tombstone.h"

enum { STEP_WAIT_MS = 20 };

static bool is_over(const struct run_until *until) {
    if (until->loops && loops_stopping(until->loops)) return true;
    if (!until->signals) return false;
    (void)signals_poll(until->signals);
    return signals_draining(until->signals);
}

/* Steps the uploader of one partition up to what was its log's end. On one machine nobody converts for this generation
 * any more, so every attempt in there that did not win is voided at once; in a fleet it is waited for as ever, and what
 * comes behind `end` meanwhile is for the next time: the other partitions wait, too. */
static RC finish_partition(struct runtime *r, struct broker broker, struct uploader_settings settings, uint64_t end,
                           const struct run_until *until, struct why *why) {
    if (!r->fleet) settings.abandoned_before = end;
    struct uploader_ports ports = {broker, r->ledger, r->store};
    struct loops own, *loops = until->loops ? until->loops : &own;
    struct loop loop;
    loops_init(&own, r->ledger);
    loop_init(&loop, loops, "uploader of an earlier generation");
    struct uploader *u = uploader_new(&settings, &ports);
    struct uploader_view view = {0};
    enum rc rc = RC_OK;
    uploader_flush(u);
    while (rc == RC_OK && !(view.found && view.start >= end)) {
        uint64_t wait_ms = 0;
        struct why local = {0};
        uploader_set_epoch(u, atomic_load(&loops->epoch));
        rc = uploader_step(u, clock_ms(clock_real()), &wait_ms, &local);
        bool passes = rc == RC_OK || rc == RC_BUSY || rc == RC_LIMIT || rc == RC_STALE;
        if (!passes || !loop_settle(&loop, rc, &local)) /* the rest is the caller's: this generation may be removed */
            *why = local;
        else
            rc = is_over(until) ? RC_STOP : RC_OK;
        uploader_look(u, &view);
        if (wait_ms && !(view.found && view.start >= end)) loops_sleep(loops, STEP_WAIT_MS);
    }
    uploader_free(u);
    loop_done(&loop);
    loops_done(&own);
    return rc;
}

static RC finish_generation(struct runtime *r, uint64_t generation, const struct run_settings *settings,
                            const struct run_until *until, struct why *why) {
    struct broker broker;
    enum rc removed = tombstone_check(r->store, r->queue, generation, RC_ABSENT, why);
    if (removed != RC_OK) return removed == RC_ABSENT ? RC_OK : removed;
    enum rc rc = runtime_open_queue(r, generation, &broker, why);
    if (rc == RC_ABSENT) return RC_OK;
    if (rc != RC_OK) return rc;
    struct runtime old = *r;
    old.ledger.at.generation = generation;
    uint32_t partitions = 0;
    rc = broker_partitions(broker, BROKER_BLOCKS, &partitions, why);
    for (uint32_t p = 0; p < partitions && rc == RC_OK; p++) {
        uint64_t start = 0, end = 0;
        rc = broker_bounds(broker, p, &start, &end, why);
        if (rc != RC_OK || start == end) continue;
        LOG_DEBUG("finishing an earlier generation", F_U64("generation", generation), F_U64("partition", p),
                  F_U64("messages", end - start));
        struct uploader_settings uploader = settings->uploader;
        uploader.partition = p;
        rc = finish_partition(&old, broker, uploader, end, until, why);
    }
    broker_free(broker);
    bool gone = rc != RC_OK && tombstone_check(r->store, r->queue, generation, RC_ABSENT, NULL) == RC_ABSENT;
    return gone ? RC_OK : rc; /* it was removed meanwhile */
}

RC run_finish_generations(struct runtime *r, const struct run_settings *settings, const struct run_until *until,
                          struct why *why) {
    for (uint64_t g = 1; g < r->config->generation; g++) TRY(finish_generation(r, g, settings, until, why));
    return RC_OK;
}
