/* SPDX-License-Identifier: Apache-2.0 */
/* sim_loss: the queue loses what was acknowledged: the end of a partition's log, or its start. Then somebody repairs,
 * dies in the middle, and repairs again. */
#include "sim_inner.h"

#include "must.h"
#include "num.h"
#include "recovery.h"
#include "repair.h"
#include "store_memory.h"

enum { DEATHS_MAX = 3 };

static void tell(void *context, const char *words) { sim_tell(context, "repair: %s", words); }

struct repairer {
    uint64_t calls, dies_at; /* 0: never */
};

static enum ledger_fault_kind fate_of(void *context, enum rc *out_rc) {
    struct repairer *r = context;
    (void)out_rc;
    return ++r->calls == r->dies_at ? LEDGER_FAULT_CRASH_AFTER : LEDGER_FAULT_NONE;
}

static enum rc repair(struct sim *sim, struct repairer *r, bool dies_in_store, struct why *why) {
    struct ledger_identity who;
    struct ledger_fault *fault = NULL;
    struct store_fault control = {0};
    struct rng rng = rng_from_seed(rng_next(&sim->rng));
    MUST(ledger_identity(sim->ledger, &who, NULL) == RC_OK);
    struct ledger ledger = sim_watch_ledger(sim->ledger);
    ledger.at = (struct ledger_at){who.epoch, 1};
    struct repair_ports ports = {.broker = broker_memory_port(sim->brokers[0]),
                                 .ledger = ledger_fault_new(ledger, &fault),
                                 .store = store_fault_new(sim_watch_store(store_memory_again(sim->store)), &control),
                                 .source = sim->source};
    struct repair_settings settings = {
        .recovery = {.queue = sim->queue, .partitions = sim->partitions, .output = sim_draw_output(sim)},
        .worker = &sim->worker,
        .tell = tell,
        .context = sim};
    struct source_pattern patterns[SIM_SOURCES];
    for (size_t i = 0; i < SIM_SOURCES; i++) patterns[i] = sim->emitter_sources[i].pattern;
    settings.patterns = patterns;
    settings.patterns_len = SIM_SOURCES;
    if (dies_in_store) control.crash_at = 1 + rng_below(&sim->rng, 2 * (uint64_t)sim->partitions);
    ledger_fault_by(fault, fate_of, r);
    struct repair_result result = {0};
    broker_memory_set_knobs(sim->brokers[0], (struct broker_memory_knobs){0});
    broker_memory_settle_in_poll(sim->brokers[0], true);
    enum rc rc = repair_run(&ports, &settings, &rng, &result, why);
    broker_memory_settle_in_poll(sim->brokers[0], false);
    broker_memory_settle(sim->brokers[0]);
    ledger_free(ports.ledger);
    store_free(ports.store);
    sim_tell(sim, "repair: %s %s; %d attempts, %d messages, %d seals", rc_name(rc), rc == RC_OK ? "" : why->text,
             (int)result.attempts, (int)result.messages, (int)result.seals);
    sim->result->repaired += result.messages;
    return rc;
}

static bool lose(struct sim *sim) {
    uint32_t partition = (uint32_t)rng_below(&sim->rng, sim->partitions);
    uint64_t start = 0, end = 0, count = 1 + rng_below(&sim->rng, sim_chance(&sim->rng, 300) ? 40 : 4);
    struct broker broker = broker_memory_port(sim->brokers[0]);
    MUST(broker_bounds(broker, partition, &start, &end, NULL) == RC_OK);
    count = MIN(count, end - start);
    if (!count) return false;
    bool head = sim_chance(&sim->rng, 400);
    if (head)
        MUST(broker_trim(broker, partition, start + count, NULL) == RC_OK);
    else
        broker_memory_lose_tail(sim->brokers[0], partition, count);
    sim_tell(sim, "partition %u of [%d, %d) loses %d messages of its %s", partition, (int)start, (int)end, (int)count,
             head ? "start" : "end");
    return true;
}

void sim_lose_messages(struct sim *sim) {
    struct why why = {0};
    for (size_t i = 0; i < sim->processes_len; i++) sim_process_end(&sim->processes[i]);
    broker_memory_settle(sim->brokers[0]); /* nothing of dead producers comes later */
    if (!lose(sim)) return;
    if (sim_chance(&sim->rng, 200)) (void)lose(sim);
    struct broker_memory_knobs knobs = {sim->knobs.job_lost, sim->knobs.job_repeated, sim->knobs.producer_fails};
    for (uint64_t deaths = rng_below(&sim->rng, DEATHS_MAX + 1); deaths > 0; deaths--) {
        bool in_store = sim_chance(&sim->rng, 500);
        struct repairer dying = {.dies_at = in_store ? 0 : 1 + rng_below(&sim->rng, 40)};
        (void)repair(sim, &dying, in_store, &why);
    }
    struct repairer whole = {0};
    enum rc rc = repair(sim, &whole, false, &why);
    broker_memory_set_knobs(sim->brokers[0], knobs);
    if (rc != RC_OK) (void)sim_fail(sim, "after a loss: %s: %s", rc_name(rc), why.text);
}
