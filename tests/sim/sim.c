/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_inner.h"

#include "log.h"
#include "must.h"
#include "num.h"
#include "source_memory.h"
#include "store_memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALM_STEPS_MAX = 400000,
    CALM_MS_MAX = 6 * 3600 * 1000, /* a void doubles its wait up to a thousandfold */
    LOOK_EVERY = 64                /* steps between two looks whether all is done */
};

static const char *const CLASSES[SIM_CLASSES] = {"calm",       "faults",   "crashes", "files", "zombies",
                                                 "generation", "rollback", "once",    "tail",  "all"};
static const char *const MUTATIONS[SIM_MUTATIONS] = {
    "sound",           "undecided-wins", "put-overwrites",   "wrong-index", "ids-reused",       "blocks-dropped",
    "no-predecessor",  "void-forgotten", "trim-all",         "no-barrier",  "nothing-unsealed", "own-forgotten",
    "older-forgotten", "counters-late",  "claims-unchecked", "claims-lost", "end-invented",     "end-forgotten",
    "ends-unseen"};

const char *sim_class_name(enum sim_class class) { return CLASSES[class]; }

enum sim_class sim_class_parse(const char *name) {
    size_t i = 0;
    while (i < SIM_CLASSES && strcmp(CLASSES[i], name) != 0) i++;
    return (enum sim_class)i;
}

const char *sim_mutation_name(enum sim_mutation mutation) { return MUTATIONS[mutation]; }

enum sim_mutation sim_mutation_parse(const char *name) {
    size_t i = 0;
    while (i < SIM_MUTATIONS && strcmp(MUTATIONS[i], name) != 0) i++;
    return (enum sim_mutation)i;
}

bool sim_chance(struct rng *rng, uint32_t thousandths) { return thousandths && rng_below(rng, 1000) < thousandths; }

bool sim_fail(struct sim *sim, const char *format, ...) {
    if (sim->failed) return false;
    va_list args;
    sim->failed = true;
    va_start(args, format);
    (void)vsnprintf(sim->result->text, sizeof sim->result->text, format, args);
    va_end(args);
    sim_tell(sim, "FAILED: %s", sim->result->text);
    return false;
}

void sim_tell(const struct sim *sim, const char *format, ...) {
    if (!sim->options.verbose) return;
    va_list args;
    (void)printf("%6" PRIu64 " %9" PRIu64 " ", sim->steps, sim->now_ms);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)putchar('\n');
}

/* ---- what happens in the world ---- */

static void generation_add(struct sim *sim) {
    struct broker_memory_options options = {
        .job_partitions = 2,
        .block_partitions = sim->partitions,
        .seed = rng_next(&sim->rng),
        .knobs = {sim->knobs.job_lost, sim->knobs.job_repeated, sim->knobs.producer_fails}};
    uint64_t generation = sim->generations;
    sim->brokers[generation - 1] = broker_memory_new(&options);
    size_t emitters = 1 + (size_t)rng_below(&sim->rng, 2), workers = 1 + (size_t)rng_below(&sim->rng, 2);
    if (sim->knobs.once) emitters = 1; /* it is done when it has written every receipt: there is one on a machine */
    for (size_t i = 0; i < emitters; i++) (void)sim_process_add(sim, SIM_EMITTER, 0, generation);
    for (size_t i = 0; i < workers; i++) (void)sim_process_add(sim, SIM_WORKER, 0, generation);
    for (uint32_t p = 0; p < sim->partitions; p++)
        for (size_t i = 0; i < (sim->knobs.many_uploaders ? 2 : 1); i++)
            (void)sim_process_add(sim, SIM_UPLOADER, p, generation);
}

static void raise_generation(struct sim *sim) {
    if (!sim->knobs.generation || sim->generations == SIM_GENERATIONS) return;
    if (rng_below(&sim->rng, sim->knobs.wild_steps) >= 4) return;
    sim->generations++;
    generation_add(sim);
    sim_tell(sim, "generation %u begins", sim->generations);
}

static void reboot(struct sim *sim) {
    sim_tell(sim, "everything dies");
    for (size_t i = 0; i < sim->processes_len; i++) sim_process_end(&sim->processes[i]);
    sim_files_reuse_inode(&sim->files);
    sim_tell(sim, "files: %s", sim->files.told);
}

static void happen(struct sim *sim) {
    struct sim_knobs *k = &sim->knobs;
    if (sim_chance(&sim->rng, k->change)) {
        sim_files_change(&sim->files);
        sim_tell(sim, "files: %s", sim->files.told);
    }
    if (sim_chance(&sim->rng, k->jump)) {
        sim->now_ms += rng_below(&sim->rng, 30000);
        sim_tell(sim, "time jumps");
    }
    if (sim_chance(&sim->rng, k->pause)) {
        struct sim_process *p = &sim->processes[rng_below(&sim->rng, sim->processes_len)];
        p->paused_until_ms = sim->now_ms + rng_below(&sim->rng, 4 * sim->uploader.void_after_ms);
        sim_tell(sim, "process %u sleeps", p->number);
    }
    if (sim_chance(&sim->rng, k->reboot)) reboot(sim);
    if (sim_chance(&sim->rng, 2)) {
        sim_tell(sim, "the jobs topic is made anew");
        broker_memory_lose_jobs(sim->brokers[0]);
    }
    if (sim_chance(&sim->rng, k->rollback)) sim_rollback(sim);
    if (sim_chance(&sim->rng, k->tail)) sim_lose_messages(sim);
    raise_generation(sim);
}

/* ---- steps ---- */

static uint64_t due_of(const struct sim_process *p) {
    return p->busy ? UINT64_MAX : MAX(p->due_ms, p->paused_until_ms);
}

static uint64_t next_due(const struct sim *sim) {
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < sim->processes_len; i++) next = MIN(next, due_of(&sim->processes[i]));
    return next;
}

static bool deliver(struct sim *sim) {
    bool any = false;
    for (uint32_t g = 0; g < sim->generations; g++) any = broker_memory_step(sim->brokers[g]) || any;
    return any;
}

static void step(struct sim *sim) {
    sim->steps++;
    sim->now_ms += rng_below(&sim->rng, 8);
    source_memory_set_time(sim->source, (int64_t)sim->now_ms * 1000000 + (int64_t)sim->steps * 1000);
    if (sim_chance(&sim->rng, 300) && deliver(sim)) return;
    struct sim_process *p = &sim->processes[rng_below(&sim->rng, sim->processes_len)];
    for (size_t i = 0; i < sim->processes_len && due_of(p) > sim->now_ms; i++)
        p = &sim->processes[(p->number + 1) % sim->processes_len];
    if (due_of(p) > sim->now_ms) {
        uint64_t next = next_due(sim);
        if (!deliver(sim) && next != UINT64_MAX) sim->now_ms = MAX(sim->now_ms, next);
        return;
    }
    if (p->alive)
        sim_process_step(p);
    else
        sim_process_start(p);
}

void sim_preempt(struct sim_process *p) {
    struct sim *sim = p->sim;
    if (sim->depth >= 2 || sim->failed || sim->steps > 2 * (uint64_t)sim->knobs.wild_steps) return;
    uint64_t steps = 1 + rng_below(&sim->rng, sim_chance(&sim->rng, 200) ? 200 : 20);
    sim_tell(sim, "process %u waits for %" PRIu64 " steps of the others", p->number, steps);
    sim->depth++;
    for (; steps > 0 && !sim->failed; steps--) {
        if (sim_chance(&sim->rng, sim->knobs.change)) {
            sim_files_change(&sim->files);
            sim_tell(sim, "files: %s", sim->files.told);
        }
        step(sim);
    }
    sim->depth--;
    sim_tell(sim, "process %u goes on", p->number);
}

void sim_others(struct sim *sim, uint64_t steps) {
    if (sim->depth >= 2 || sim->steps > 2 * (uint64_t)sim->knobs.wild_steps) return;
    sim->depth++;
    for (; steps > 0 && !sim->failed; steps--) step(sim);
    sim->depth--;
}

static void run_wild(struct sim *sim) {
    sim->wild = true;
    for (uint32_t i = 0; i < sim->knobs.wild_steps && !sim->failed; i++) {
        happen(sim);
        step(sim);
    }
}

static void run_calm(struct sim *sim) {
    sim->wild = false;
    for (size_t i = 0; i < sim->processes_len; i++) sim->processes[i].paused_until_ms = 0;
    for (uint32_t g = 0; g < sim->generations; g++)
        broker_memory_set_knobs(sim->brokers[g], (struct broker_memory_knobs){0});
    sim_tell(sim, "calm from here on");
    uint64_t until = sim->now_ms + CALM_MS_MAX;
    for (size_t i = 0; i < CALM_STEPS_MAX && sim->now_ms < until && !sim->failed; i++) {
        step(sim);
        bool looked = sim->knobs.once ? sim->calm_runs > 0 : i % LOOK_EVERY == 0;
        if (looked && sim_is_done(sim, NULL)) return;
    }
    struct why why = {0};
    for (size_t i = 0; i < sim->processes_len; i++) sim_process_show(&sim->processes[i]);
    if (!sim->failed && !sim_is_done(sim, &why)) (void)sim_fail(sim, "it does not come to an end: %s", why.text);
}

static void finish(struct sim *sim) {
    for (size_t i = 0; i < sim->processes_len; i++) sim_process_end(&sim->processes[i]);
    for (uint32_t g = 0; g < sim->generations; g++) broker_memory_free(sim->brokers[g]);
    sim_files_done(&sim->files);
    free(sim->taken);
    ledger_free(sim->ledger);
    store_free(sim->store);
    source_free(sim->source);
    sim_watch_done(&sim->watch);
    free(sim->saved);
    free(sim->empty);
    free(sim->heard);
}

static void swallow(void *self, struct str line) {
    const struct sim *sim = self;
    if (sim->options.verbose) (void)printf("                 %.*s", STR_ARG(line));
}

void sim_run(const struct sim_options *options, struct sim_result *out) {
    static struct sim sim; /* large */
    sim = (struct sim){.options = *options, .result = out};
    *out = (struct sim_result){0};
    log_set_writer(swallow, &sim);
    log_set_level(options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
    sim_setup(&sim);
    sim_rollback_init(&sim);
    generation_add(&sim);
    run_wild(&sim);
    if (!sim.failed) run_calm(&sim);
    if (!sim.failed) sim_check(&sim);
    out->ok = !sim.failed;
    out->steps = sim.steps;
    out->lines = sim.files.lines;
    out->files = sim.files.contents_len;
    finish(&sim);
    log_set_writer(NULL, NULL);
}
