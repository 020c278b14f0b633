/* SPDX-License-Identifier: Apache-2.0 */
/* sim_rollback: the ledger is set back to an earlier state, emptied, or restarts with all that it had; then it is shut,
 * as a Redis of another life is, until somebody recovered it. Recoverers die, meet a rival in the middle, and the other
 * processes go on meanwhile, whose calls answer RC_STALE. */
#include "sim_inner.h"

#include "ledger_sqlite.h"
#include "must.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "recovery.h"
#include "snapshot.h"
#include "store_memory.h"

#include <stdlib.h>

enum { TRIES_MAX = 8 };

static void save(struct sim *sim) {
    free(sim->saved);
    sim->saved = NULL;
    MUST(ledger_sqlite_save(sim->ledger, &sim->saved, &sim->saved_len, NULL) == RC_OK);
    sim_tell(sim, "the ledger's state is kept");
}

void sim_rollback_init(struct sim *sim) {
    MUST(ledger_sqlite_save(sim->ledger, &sim->empty, &sim->empty_len, NULL) == RC_OK);
}

/* ---- one recoverer ---- */

struct recoverer {
    struct sim *sim;
    uint64_t calls, dies_at, rival_at; /* 0: never */
    bool others;                       /* the others go on between its calls */
};

static enum rc recover(struct sim *sim, struct recoverer *r, struct why *why);

static enum ledger_fault_kind fate_of(void *context, enum rc *out_rc) {
    struct recoverer *r = context;
    struct sim *sim = r->sim;
    (void)out_rc;
    r->calls++;
    if (r->others && sim_chance(&sim->rng, 200)) sim_others(sim, 1 + rng_below(&sim->rng, 40));
    if (r->calls == r->rival_at) {
        struct recoverer rival = {.sim = sim, .others = r->others};
        struct why why = {0};
        sim_tell(sim, "a second recoverer begins");
        (void)recover(sim, &rival, &why);
    }
    if (r->calls != r->dies_at) return LEDGER_FAULT_NONE;
    return sim_chance(&sim->rng, 500) ? LEDGER_FAULT_CRASH : LEDGER_FAULT_CRASH_AFTER;
}

/* ---- what is wrong on purpose ---- */

static struct store_ops mutant_store;
static struct broker_ops mutant_broker;
static struct ledger_ops mutant_ledger;
static struct sim *mutant_sim;

static enum rc no_barrier(void *self, struct str key, struct str bytes, struct why *why) {
    (void)self, (void)key, (void)bytes, (void)why;
    return RC_OK;
}

static enum rc nothing_unsealed(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes,
                                struct broker_message *out, struct why *why) {
    (void)self, (void)partition, (void)offset, (void)out_bytes, (void)out;
    return why_set(why, RC_ABSENT, "not looked at");
}

/* It says that it knows what it knew before it was emptied. */
static enum rc as_if_known(void *self, struct id token, uint64_t generation, uint32_t partition, uint64_t *out_index,
                           struct why *why) {
    uint64_t index = 0;
    enum rc rc = mutant_sim->ledger.ops->recover_next(self, token, generation, partition, &index, why);
    if (rc == RC_OK) *out_index = index ? index : mutant_sim->nexts[partition];
    return rc;
}

static enum rc without_claims(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                              struct why *why) {
    enum rc rc = RC_OK;
    for (size_t i = 0; i < n && rc == RC_OK; i++) {
        struct ledger_winner one = winners[i];
        one.claims = STR("");
        rc = mutant_sim->ledger.ops->recover_winners(self, token, &one, 1, why);
    }
    return rc;
}

static void mutate(struct sim *sim, struct recovery_ports *ports, struct ledger *ledger) {
    mutant_sim = sim;
    if (sim->options.mutation == SIM_NO_BARRIER) {
        mutant_store = *ports->store.ops;
        mutant_store.put_absent = no_barrier;
        ports->store.ops = &mutant_store;
    }
    if (sim->options.mutation == SIM_NOTHING_UNSEALED) {
        mutant_broker = *ports->broker.ops;
        mutant_broker.read = nothing_unsealed;
        ports->broker.ops = &mutant_broker;
    }
    if (sim->options.mutation == SIM_OWN_FORGOTTEN) {
        mutant_ledger = *ledger->ops;
        mutant_ledger.recover_next = as_if_known;
        ledger->ops = &mutant_ledger;
    }
    if (sim->options.mutation == SIM_CLAIMS_LOST) {
        mutant_ledger = *ledger->ops;
        mutant_ledger.recover_winners = without_claims;
        ledger->ops = &mutant_ledger;
    }
}

static enum rc open_older(void *self, uint64_t generation, struct broker *out, struct why *why) {
    struct sim *sim = self;
    if (sim->options.mutation == SIM_OLDER_FORGOTTEN) return why_set(why, RC_ABSENT, "not looked at");
    *out = broker_memory_port(sim->brokers[generation - 1]);
    return RC_OK;
}

static enum rc recover(struct sim *sim, struct recoverer *r, struct why *why) {
    struct ledger_identity who;
    struct ledger_fault *fault = NULL;
    struct store_fault control = {0};
    struct rng rng = rng_from_seed(rng_next(&sim->rng));
    uint64_t epoch = 0;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    struct ledger ledger = sim_watch_ledger(sim->ledger);
    ledger.at = (struct ledger_at){who.epoch, sim->generations};
    struct recovery_ports ports = {.broker = broker_memory_port(sim->brokers[sim->generations - 1]),
                                   .older = {open_older, sim},
                                   .store = store_fault_new(sim_watch_store(store_memory_again(sim->store)), &control)};
    struct store inner = ports.store;
    mutate(sim, &ports, &ledger);
    ports.ledger = ledger_fault_new(ledger, &fault);
    struct recovery_settings settings = {.queue = sim->queue,
                                         .partitions = sim->partitions,
                                         .output = sim_draw_output(sim),
                                         .full = sim_chance(&sim->rng, 200)};
    if (sim->options.mutation) settings.full = false;
    if (r->dies_at && sim_chance(&sim->rng, 500)) control.crash_at = 1 + rng_below(&sim->rng, sim->partitions + 1);
    ledger_fault_by(fault, fate_of, r);
    enum rc rc = recovery_run(&ports, &settings, &rng, &epoch, why);
    ledger_free(ports.ledger);
    store_free(inner);
    sim_tell(sim, "recovery: %s, epoch %d %s", rc_name(rc), (int)epoch, rc == RC_OK ? "" : why->text);
    return rc;
}

/* ---- what happens to the ledger ---- */

/* As the gate of a Redis of another life: everybody is STALE until a recovery. Nobody goes on with this token. */
static void shut(struct sim *sim) {
    struct ledger_identity who;
    struct rng rng = rng_from_seed(rng_next(&sim->rng));
    uint64_t target = 0;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    MUST(ledger_recover_begin(sim->ledger, (struct ledger_epochs){who.epoch, 0, 0}, id_make(&rng), &target, NULL) ==
         RC_OK);
}

static void note_nexts(struct sim *sim) {
    struct ledger_identity who;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    struct ledger ledger = sim->ledger;
    ledger.at = (struct ledger_at){who.epoch, 1};
    for (uint32_t k = 0; k < sim->partitions; k++) MUST(ledger_durable_next(ledger, k, &sim->nexts[k], NULL) == RC_OK);
}

static void load(struct sim *sim, const char *told, const void *bytes, size_t len) {
    sim_tell(sim, "the ledger %s", told);
    MUST(ledger_sqlite_load(sim->ledger, bytes, len, NULL) == RC_OK);
    sim_watch_rolled_back(&sim->watch);
    sim->result->rollbacks++;
}

static bool is_shut(struct sim *sim) {
    struct ledger_identity who;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    return who.recovering;
}

static void recover_all(struct sim *sim, bool fleet) {
    struct why why = {0};
    for (uint64_t tries = rng_below(&sim->rng, 3); tries > 0 && is_shut(sim); tries--) {
        struct recoverer r = {.sim = sim, .others = fleet, .dies_at = 1 + rng_below(&sim->rng, 16)};
        (void)recover(sim, &r, &why);
    }
    for (int tries = 0; tries < TRIES_MAX && is_shut(sim) && !sim->failed; tries++) {
        struct recoverer r = {.sim = sim, .others = fleet};
        if (tries == 0 && fleet && sim_chance(&sim->rng, 500)) r.rival_at = 1 + rng_below(&sim->rng, 16);
        enum rc rc = recover(sim, &r, &why);
        if (rc != RC_OK && rc != RC_STALE) break;
    }
    if (is_shut(sim)) (void)sim_fail(sim, "nobody could recover the ledger: %s", why.text);
}

static void set_back(struct sim *sim) {
    bool fleet = sim_chance(&sim->rng, 500); /* else as on one machine: all end first */
    if (!fleet)
        for (size_t i = 0; i < sim->processes_len; i++) sim_process_end(&sim->processes[i]);
    uint64_t what = rng_below(&sim->rng, 10);
    if (sim->options.mutation == SIM_OWN_FORGOTTEN) note_nexts(sim);
    if (what < 3 || sim->options.mutation == SIM_OWN_FORGOTTEN || sim->options.mutation == SIM_COUNTERS_LATE)
        load(sim, "is emptied", sim->empty, sim->empty_len);
    else if (what < 8 && sim->saved)
        load(sim, "is set back", sim->saved, sim->saved_len);
    else
        sim_tell(sim, "the ledger restarts");
    shut(sim);
    recover_all(sim, fleet);
}

/* ---- snapshots ---- */

static struct sim *saving_sim;

/* The index as a writer makes it that asks for the counters last only. */
static enum rc counters_late(void *self, struct str key, struct str bytes, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf late = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_index index;
    if (!str_ends(key, NAME_SNAPSHOT_INDEX)) return saving_sim->store.ops->put_absent(self, key, bytes, why);
    MUST(saved_index_decode(bytes, &arena, &index, NULL) == RC_OK);
    for (size_t i = 0; i < index.counters_len; i++) index.counters[i].next = index.counters[i].until;
    MUST(saved_index_encode(&index, &late) == RC_OK);
    return saving_sim->store.ops->put_absent(self, key, buf_str(&late), why);
}

/* The others go on between any two of its calls; it may die. */
static void save_snapshot(struct sim *sim) {
    static struct store_ops late;
    struct recoverer r = {
        .sim = sim, .others = true, .dies_at = sim_chance(&sim->rng, 200) ? 1 + rng_below(&sim->rng, 30) : 0};
    struct rng rng = rng_from_seed(rng_next(&sim->rng));
    struct ledger_identity who;
    struct ledger_fault *fault = NULL;
    struct why why = {0};
    uint64_t files = 0;
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    struct ledger ledger = sim->ledger;
    ledger.at = (struct ledger_at){who.epoch, sim->generations};
    ledger = ledger_fault_new(ledger, &fault);
    ledger_fault_by(fault, fate_of, &r);
    struct store store = sim->store;
    if (sim->options.mutation == SIM_COUNTERS_LATE) {
        saving_sim = sim;
        late = *store.ops;
        late.put_absent = counters_late;
        store.ops = &late;
    }
    struct snapshot_settings settings = {.queue = sim->queue,
                                         .partitions = sim->partitions,
                                         .page_files = 1 + (size_t)rng_below(&sim->rng, 3),
                                         .page_bytes = 1 + (size_t)rng_below(&sim->rng, 600)};
    enum rc rc = snapshot_write(store, ledger, &settings, &rng, &files, &why);
    ledger_free(ledger);
    sim_tell(sim, "a snapshot of %d files: %s %s", (int)files, rc_name(rc), why.text);
    sim->result->snapshots += rc == RC_OK && files > 0;
}

void sim_rollback(struct sim *sim) {
    if (sim_chance(&sim->rng, 400) || sim->options.mutation == SIM_COUNTERS_LATE) save_snapshot(sim);
    if (!sim->saved || sim_chance(&sim->rng, 500))
        save(sim);
    else
        set_back(sim);
}
