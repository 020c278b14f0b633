/* SPDX-License-Identifier: Apache-2.0 */
/* sim_rollback: the ledger is set back to an earlier state and recovered; recoverers die too. */
#include "sim_inner.h"

#include "ledger_sqlite.h"
#include "must.h"
#include "recovery.h"
#include "store_memory.h"

#include <stdlib.h>

static void save(struct sim *sim) {
    free(sim->saved);
    sim->saved = NULL;
    MUST(ledger_sqlite_save(sim->ledger, &sim->saved, &sim->saved_len, NULL) == RC_OK);
    sim_tell(sim, "the ledger's state is kept");
}

/* One recoverer; with `faulty` it may die between any two calls. */
static enum rc recover(struct sim *sim, bool faulty, struct why *why) {
    struct ledger_identity who;
    struct ledger_fault *fault = NULL;
    struct store_fault control = {0};
    struct rng rng = rng_from_seed(rng_next(&sim->rng));
    uint64_t epoch = 0;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    struct ledger ledger = sim_watch_ledger(sim->ledger);
    ledger.at = (struct ledger_at){who.epoch, 1};
    struct recovery_ports ports = {broker_memory_port(sim->brokers[0]), ledger_fault_new(ledger, &fault),
                                   store_fault_new(sim_watch_store(store_memory_again(sim->store)), &control)};
    struct recovery_settings settings = {sim->queue, sim->partitions, sim_draw_output(sim)};
    if (faulty && sim_chance(&sim->rng, 500)) control.crash_at = 1 + rng_below(&sim->rng, sim->partitions + 1);
    if (faulty)
        ledger_fault_plan(fault, (struct ledger_fault_plan){sim_chance(&sim->rng, 500) ? LEDGER_FAULT_CRASH
                                                                                       : LEDGER_FAULT_CRASH_AFTER,
                                                            rng_below(&sim->rng, 12), RC_BUSY});
    enum rc rc = recovery_run(&ports, &settings, &rng, &epoch, why);
    ledger_free(ports.ledger);
    store_free(ports.store);
    sim_tell(sim, "recovery: %s, epoch %d %s", rc_name(rc), (int)epoch, rc == RC_OK ? "" : why->text);
    return rc;
}

static void set_back(struct sim *sim) {
    struct why why = {0};
    sim_tell(sim, "the ledger is set back");
    if (sim_chance(&sim->rng, 500)) /* as on one machine; else as in a fleet, where they meet another epoch */
        for (size_t i = 0; i < sim->processes_len; i++) sim_process_end(&sim->processes[i]);
    MUST(ledger_sqlite_load(sim->ledger, sim->saved, sim->saved_len, NULL) == RC_OK);
    sim_watch_rolled_back(&sim->watch);
    sim->result->rollbacks++;
    for (uint64_t tries = rng_below(&sim->rng, 3); tries > 0; tries--)
        if (recover(sim, true, &why) == RC_OK) return;
    enum rc rc = recover(sim, false, &why);
    if (rc != RC_OK) (void)sim_fail(sim, "recovery ended with %s: %s", rc_name(rc), why.text);
}

void sim_rollback(struct sim *sim) {
    if (!sim->saved || sim_chance(&sim->rng, 500))
        save(sim);
    else
        set_back(sim);
}
