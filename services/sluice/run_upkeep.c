/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, every hour, what `sluice janitor` would find, for whoever watches the metrics. Only one process of a fleet
 * needs to: the one that has the first queue partition at the moment. A count that fails is told and tried again at its
 * next time; nobody's work waits for it. */
#include "run_inner.h"

#include "clock.h"
#include "log.h"
#include "upkeep.h"

enum {
    FIRST_MS = 60 * 1000, /* what is in progress at the start settles first */
    EVERY_MS = 3600 * 1000,
    LOOK_MS = 1000
};
#define OLD_NS (86400ll * 1000000000) /* an upload that was begun a day ago is nobody's */

static void count_once(struct run *r, struct upkeep_memory *memory) {
    struct upkeep upkeep = {r->runtime->store, r->runtime->ledger, r->runtime->queue, r->config->generation};
    upkeep.ledger.at.epoch = atomic_load(&r->loops.epoch);
    struct upkeep_counts counts;
    struct why why = {0};
    enum rc rc = upkeep_count(&upkeep, memory, clock_wall_ns(clock_real()) - OLD_NS, &counts, &why);
    if (rc != RC_OK) {
        LOG_WARN("what nobody will use could not be counted", F_STR("error", str_of(why.text)));
        return;
    }
    if (counts.orphans.count || counts.uploads.old)
        LOG_INFO("there is something that nobody will use; see `sluice janitor`",
                 F_U64("objects", counts.orphans.count), F_U64("bytes", counts.orphans.bytes),
                 F_U64("uploads", counts.uploads.old));
}

void *run_upkeep_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    struct upkeep_memory *memory = upkeep_memory_new();
    uint64_t due_ms = clock_ms(clock_real()) + FIRST_MS;
    while (!loops_stopping(&r->loops)) {
        loops_sleep(&r->loops, LOOK_MS);
        uint64_t now_ms = clock_ms(clock_real());
        if (loops_stopping(&r->loops) || now_ms < due_ms || !atomic_load(&r->uploads[0].owned)) continue;
        count_once(r, memory);
        due_ms = now_ms + EVERY_MS;
    }
    upkeep_memory_free(memory);
    return NULL;
}
