/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_inner.h"

#include "committer.h"
#include "must.h"
#include "num.h"
#include "source_memory.h"
#include "store_memory.h"

#include <inttypes.h>

static const char *const SERVICE[SIM_SERVICES] = {"emitter", "worker", "uploader"};

/* ---- what becomes of a call ---- */

/* The one call that a fail-the-kth loop asks for. */
static enum sim_fate strike(struct sim_process *p, bool effect) {
    struct sim *sim = p->sim;
    const struct sim_options *o = &sim->options;
    if (o->strike == SIM_STRIKE_NONE || p->service != o->strike_service || !sim->wild) return SIM_PASS;
    bool behind = o->strike == SIM_STRIKE_AFTER || o->strike == SIM_STRIKE_CRASH_AFTER;
    if (behind && !effect) return SIM_PASS;
    if (++sim->strike_calls != o->strike_at) return SIM_PASS;
    sim->result->struck = true;
    sim_tell(sim, "%s %u: strike", SERVICE[p->service], p->number);
    if (o->strike == SIM_STRIKE_BEFORE) return SIM_FAIL;
    if (o->strike == SIM_STRIKE_AFTER) return SIM_LOSE;
    p->crashed = true;
    return o->strike == SIM_STRIKE_CRASH ? SIM_DIE : SIM_DIE_BEHIND;
}

enum sim_fate sim_fate_of(struct sim_process *p, bool effect) {
    struct sim *sim = p->sim;
    if (p->crashed) return SIM_DIE;
    if (sim->wild && sim_chance(&p->rng, sim->knobs.preempt)) sim_preempt(p);
    enum sim_fate struck = strike(p, effect);
    if (struck != SIM_PASS) return struck;
    if (!sim->wild) return SIM_PASS;
    if (p->calls_left && !--p->calls_left) {
        p->crashed = true;
        bool behind = effect && sim_chance(&p->rng, 500);
        sim_tell(sim, "%s %u: dies%s", SERVICE[p->service], p->number, behind ? " behind an effect" : "");
        return behind ? SIM_DIE_BEHIND : SIM_DIE;
    }
    if (sim_chance(&p->rng, sim->knobs.fail)) return SIM_FAIL;
    if (effect && sim_chance(&p->rng, sim->knobs.lose)) return SIM_LOSE;
    return SIM_PASS;
}

static enum broker_fault_kind broker_fate(void *context, enum broker_fault_call call, enum rc *out_rc) {
    struct sim_process *p = context;
    bool queues = call == BROKER_FAULT_APPEND || call == BROKER_FAULT_POLL;
    switch (sim_fate_of(p, call < BROKER_FAULT_READ)) {
    case SIM_PASS: return BROKER_FAULT_NONE;
    case SIM_FAIL: *out_rc = queues && sim_chance(&p->rng, 300) ? RC_BROKEN : RC_BUSY; return BROKER_FAULT_BEFORE;
    case SIM_LOSE: *out_rc = queues ? RC_BROKEN : RC_BUSY; return BROKER_FAULT_AFTER;
    case SIM_DIE: return BROKER_FAULT_CRASH_BEFORE;
    default: return BROKER_FAULT_CRASH_AFTER;
    }
}

static enum ledger_fault_kind ledger_fate(void *context, enum rc *out_rc) {
    static const enum ledger_fault_kind kinds[] = {LEDGER_FAULT_NONE, LEDGER_FAULT_BEFORE, LEDGER_FAULT_AFTER,
                                                   LEDGER_FAULT_CRASH, LEDGER_FAULT_CRASH_AFTER};
    *out_rc = RC_BUSY;
    return kinds[sim_fate_of(context, true)];
}

static enum store_verdict store_fate(void *context, enum store_call call, struct str key) {
    static const enum store_verdict verdicts[] = {STORE_PASS, STORE_FAIL, STORE_LOSE, STORE_CRASH, STORE_CRASH_BEHIND};
    (void)key;
    return verdicts[sim_fate_of(context, call < STORE_READ)];
}

static enum source_verdict source_fate(void *context, enum source_call call) {
    static const enum source_verdict verdicts[] = {SOURCE_PASS, SOURCE_FAIL, SOURCE_LOSE, SOURCE_CRASH,
                                                   SOURCE_CRASH_BEHIND};
    struct sim_process *p = context;
    struct sim *sim = p->sim;
    if (sim->wild && sim->knobs.change && sim_chance(&p->rng, 4)) { /* while somebody reads */
        sim_files_change(&sim->files);
        sim_tell(sim, "files, between two reads: %s", sim->files.told);
    }
    return verdicts[sim_fate_of(p, call == SOURCE_REMOVE || call == SOURCE_MOVE)];
}

/* ---- life ---- */

struct sim_process *sim_process_add(struct sim *sim, enum sim_service service, uint32_t partition,
                                    uint64_t generation) {
    MUST(sim->processes_len < SIM_PROCESSES);
    struct sim_process *p = &sim->processes[sim->processes_len];
    *p = (struct sim_process){.sim = sim,
                              .service = service,
                              .number = (uint32_t)sim->processes_len,
                              .partition = partition,
                              .generation = generation};
    sim->processes_len++;
    return p;
}

static void open_ports(struct sim_process *p) {
    struct sim *sim = p->sim;
    struct broker broker = sim_watch_broker(broker_memory_port(sim->brokers[p->generation - 1]));
    p->broker = broker_fault_new(broker);
    broker_fault_by(p->broker, broker_fate, p);
    struct ledger ledger = sim_watch_ledger(sim->ledger);
    struct ledger_identity who;
    MUST(ledger_identity(ledger, &who, NULL) == RC_OK);
    ledger.at = (struct ledger_at){who.epoch, p->generation};
    p->ledger = ledger_fault_new(ledger, &p->ledger_fault);
    ledger_fault_by(p->ledger_fault, ledger_fate, p);
    p->store_control = (struct store_fault){.decide = store_fate, .context = p};
    p->store = store_fault_new(sim_watch_store(store_memory_again(sim->store)), &p->store_control);
    p->source_control = (struct source_fault){.decide = source_fate, .context = p};
    bool shared = sim->knobs.one_machine;
    struct source source = shared ? sim->source : source_memory_again(sim->source);
    p->source = source_fault_new(sim_source(sim, source, shared), &p->source_control);
}

/* Ids come out of it: never the same twice, unless that is the mutation. */
static struct rng id_rng(struct sim_process *p) {
    if (p->sim->options.mutation == SIM_IDS_REUSED) return rng_from_seed(p->number);
    return rng_from_seed(rng_next(&p->sim->rng));
}

static enum rc start_emitter(struct sim_process *p, struct why *why) {
    struct emitter_ports ports = {broker_fault_port(p->broker), p->ledger, p->source, p->store, sim_notify(p), {0}};
    return emitter_new(&p->sim->emitter, &ports, id_rng(p), &p->emitter, why);
}

static enum rc start_worker(struct sim_process *p, struct why *why) {
    struct worker_ports ports = {broker_fault_port(p->broker), p->ledger, p->source};
    TRY(worker_new(&p->sim->worker, &ports, &p->worker, why));
    size_t lanes = 1 + (size_t)rng_below(&p->rng, SIM_LANES - 1);
    p->lanes_len = 0;
    while (p->lanes_len < lanes) {
        TRY(lane_new(p->worker, id_rng(p), &p->lanes[p->lanes_len], why));
        p->lanes_len++;
    }
    return RC_OK;
}

static enum rc start_uploader(struct sim_process *p) {
    struct uploader_ports ports = {broker_fault_port(p->broker), p->ledger, p->store};
    struct uploader_settings settings = p->sim->uploader;
    settings.partition = p->partition;
    if (sim_chance(&p->rng, 500)) settings.output = sim_draw_output(p->sim);
    settings.check = sim_chance(&p->rng, 300); /* the group's offset was set back */
    settings.check_from = rng_below(&p->rng, 40);
    if (sim_chance(&p->rng, 200)) settings.keep_ms = rng_below(&p->rng, 20000);
    p->uploader = uploader_new(&settings, &ports);
    return RC_OK;
}

void sim_process_start(struct sim_process *p) {
    struct sim *sim = p->sim;
    struct why why = {0};
    MUST(!p->alive);
    p->rng = rng_from_seed(rng_next(&sim->rng));
    p->life++;
    p->crashed = false;
    p->calm = !sim->wild;
    p->calls_left = 0;
    if (sim->wild && sim_chance(&p->rng, sim->knobs.crash))
        p->calls_left = 1 + rng_below(&p->rng, sim_chance(&p->rng, 500) ? 60 : 800);
    open_ports(p);
    p->alive = true;
    p->due_ms = sim->now_ms;
    p->busy = true;
    enum rc rc = p->service == SIM_EMITTER  ? start_emitter(p, &why)
                 : p->service == SIM_WORKER ? start_worker(p, &why)
                                            : start_uploader(p);
    p->busy = false;
    if (rc != RC_OK) sim_process_end(p);
}

void sim_process_end(struct sim_process *p) {
    if (!p->alive) return;
    p->crashed = true; /* nothing gets through any more */
    emitter_free(p->emitter);
    for (size_t i = 0; i < p->lanes_len; i++) lane_free(p->lanes[i]);
    worker_free(p->worker);
    uploader_free(p->uploader);
    p->emitter = NULL;
    p->worker = NULL;
    p->uploader = NULL;
    p->lanes_len = 0;
    broker_fault_free(p->broker);
    ledger_free(p->ledger);
    store_free(p->store);
    source_free(p->source);
    p->alive = false;
    p->due_ms = p->sim->now_ms + rng_below(&p->sim->rng, 3000);
    p->paused_until_ms = 0;
    p->sim->result->crashes++;
}

/* ---- one step ---- */

static enum rc step_worker(struct sim_process *p, struct why *why) {
    size_t pick = (size_t)rng_below(&p->rng, p->lanes_len + 1);
    if (pick == p->lanes_len) {
        enum rc rc = committer_step(worker_committer(p->worker), why);
        return rc == RC_ABSENT ? RC_OK : rc;
    }
    bool idle = false;
    enum rc rc = lane_step(p->lanes[pick], 0, &idle, why);
    if (rc == RC_OK && idle) p->due_ms = p->sim->now_ms + rng_below(&p->rng, 100);
    return rc;
}

static enum rc step_one(struct sim_process *p, struct why *why) {
    struct sim *sim = p->sim;
    uint64_t wait_ms = 0;
    enum rc rc = RC_OK;
    switch (p->service) {
    case SIM_EMITTER: rc = emitter_step(p->emitter, sim->now_ms, (int64_t)sim->now_ms * 1000000, &wait_ms, why); break;
    case SIM_UPLOADER: rc = uploader_step(p->uploader, sim->now_ms, &wait_ms, why); break;
    default: return step_worker(p, why);
    }
    p->due_ms = sim->now_ms + wait_ms;
    return rc;
}

/* Another epoch: as the loops do. */
static void learn_epoch(struct sim_process *p) {
    struct ledger_identity who;
    MUST(ledger_identity(p->sim->ledger, &who, NULL) == RC_OK);
    if (p->emitter) emitter_set_epoch(p->emitter, who.epoch);
    if (p->worker) worker_set_epoch(p->worker, who.epoch);
    if (p->uploader) uploader_set_epoch(p->uploader, who.epoch);
}

/* A run --once ends when all is done; the next one comes later. */
static void end_once(struct sim_process *p) {
    struct emitter_view view;
    emitter_look(p->emitter, &view);
    if (!view.done) return;
    sim_tell(p->sim, "emitter %u: done", p->number);
    if (p->calm) p->sim->calm_runs++;
    sim_process_end(p);
}

void sim_process_step(struct sim_process *p) {
    struct sim *sim = p->sim;
    struct why why = {0};
    const struct sim_process *outer = sim->running;
    p->busy = true;
    sim->running = p;
    enum rc rc = step_one(p, &why);
    sim->running = outer;
    p->busy = false;
    if (rc != RC_OK)
        sim_tell(sim, "%s %u: %s %s", SERVICE[p->service], p->number, rc_name(rc), p->crashed ? "" : why.text);
    if (p->crashed) {
        sim_process_end(p);
        return;
    }
    if (rc == RC_OK && sim->emitter.once && p->emitter) end_once(p);
    if (rc == RC_OK) return;
    if (rc == RC_STALE) learn_epoch(p);
    p->due_ms = sim->now_ms + rng_below(&p->rng, 200);
    if (rc != RC_BUSY && rc != RC_LIMIT && rc != RC_STALE)
        (void)sim_fail(sim, "%s %u ended with %s: %s", SERVICE[p->service], p->number, rc_name(rc), why.text);
}

void sim_process_show(const struct sim_process *p) {
    struct uploader_view u;
    struct lane_view l;
    uint64_t bytes = 0;
    if (p->worker &&
        broker_backlog_bytes(broker_memory_port(p->sim->brokers[p->generation - 1]), &bytes, NULL) == RC_OK)
        sim_tell(p->sim, "worker %u of generation %" PRIu64 ": backlog %" PRIu64 " of %" PRIu64, p->number,
                 p->generation, bytes, p->sim->worker.backlog_bytes_max);
    for (size_t i = 0; i < p->lanes_len; i++) {
        lane_look(p->lanes[i], &l);
        sim_tell(p->sim, "  lane %zu: %" PRIu64 " attempts under way%s", i, l.flights, l.working ? ", working" : "");
    }
    struct emitter_view e;
    if (p->emitter) {
        emitter_look(p->emitter, &e);
        sim_tell(p->sim,
                 "emitter %u: %" PRIu64 " files, %" PRIu64 " open, %" PRIu64 " receipted, %" PRIu64
                 " stripes under way, %s%s",
                 p->number, e.files, e.open, e.receipted, e.outstanding, e.scanned ? "scanned" : "",
                 e.converted ? ", converted" : "");
    }
    if (!p->uploader) return;
    uploader_look(p->uploader, &u);
    sim_tell(p->sim,
             "uploader %u of partition %u: seal %" PRIu64 " from %" PRIu64 ", at %" PRIu64 " of %" PRIu64
             ", objects %" PRIu64 " of %" PRIu64,
             p->number, p->partition, u.next_seal, u.start, u.position, u.end, u.objects, u.objects_planned);
}
