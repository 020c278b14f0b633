/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper: one thread in every process of a fleet that uploads. It brings a ledger that restarted, failed over or
 * was emptied to agree with the seals; until that is done everybody's calls answer STALE, and they wait. */
#include "run_inner.h"

#include "clock.h"
#include "log.h"
#include "snapshot.h"

enum {
    LOOK_EVERY_MS = 500,
    /* Somebody else's recovery is left alone for so long without an end: it reads seals and the log, which may take its
     * time, and to begin again would only make it begin again. */
    TAKE_OVER_MS = 60 * 1000,
    TAKE_OVERS_DOUBLED = 6, /* each that is seen doubles the patience, so often: a long one gets through at last */
    BEGIN_JITTER_MS = 1500, /* several that notice at the same time should not all begin */
};

struct keeper {
    struct run *run;
    struct rng rng;
    uint64_t target, since_ms; /* the recovery that is under way, as first seen */
    unsigned takeovers;        /* since the ledger was open last */
    uint64_t saved_ms;         /* when a snapshot was written last, or we began */
    bool checked;              /* at this start, a ledger that says that all is well was compared with the seals */
};

/* The queue has the last word on how many partitions there are. */
static struct recovery_settings recovery_settings_of(const struct run *r) {
    struct recovery_settings settings = runtime_recovery_settings(r->runtime, &r->settings.uploader.output);
    settings.partitions = (uint32_t)r->partitions;
    return settings;
}

static RC recover(struct keeper *k, struct why *why) {
    struct run *r = k->run;
    struct runtime *runtime = r->runtime;
    TRY(runtime_check_newest(runtime, why));
    struct recovery_ports ports = runtime_recovery_ports(runtime);
    struct recovery_settings settings = recovery_settings_of(r);
    uint64_t epoch = 0;
    LOG_WARN("the ledger was set back, restarted or emptied; recovering it");
    TRY(recovery_run(&ports, &settings, &k->rng, &epoch, why));
    atomic_store(&r->loops.epoch, epoch);
    LOG_INFO("the ledger is recovered", F_U64("epoch", epoch));
    return RC_OK;
}

/* Does the ledger, which says that it needs nothing, agree with the seals? */
static RC check_once(struct keeper *k, struct why *why) {
    struct run *r = k->run;
    struct ledger ledger = r->runtime->ledger;
    ledger.at.epoch = atomic_load(&r->loops.epoch);
    struct recovery_ports ports = runtime_recovery_ports(r->runtime);
    ports.ledger = ledger;
    struct recovery_settings settings = recovery_settings_of(r);
    struct why found = {0};
    bool needed = false;
    TRY(recovery_check(&ports, &settings, &needed, &found, why));
    k->checked = true;
    if (!needed) return RC_OK;
    LOG_WARN("the ledger is behind the output", F_STR("found", str_of(found.text)));
    return recover(k, why);
}

/* A snapshot of the ledger every now and then, by whoever uploads partition 0; two of them harm nobody. It is for a
 * later recovery, so what goes wrong with it is told and stops nothing. */
static void save(struct keeper *k) {
    struct run *r = k->run;
    struct ledger ledger = r->runtime->ledger;
    struct snapshot_settings settings = {.queue = r->runtime->queue, .partitions = (uint32_t)r->partitions};
    struct why why = {0};
    uint64_t now_ms = clock_ms(clock_real()), files = 0;
    if (!k->saved_ms) k->saved_ms = now_ms;
    if (now_ms - k->saved_ms < r->config->ledger.snapshot_ms || !atomic_load(&r->uploads[0].owned)) return;
    k->saved_ms = now_ms;
    ledger.at.epoch = atomic_load(&r->loops.epoch);
    enum rc rc = snapshot_write(r->runtime->store, ledger, &settings, &k->rng, &files, &why);
    if (rc == RC_ABSENT) /* records that are kept once: recovery reads the seals */
        LOG_DEBUG("no snapshot of the ledger", F_STR("error", str_of(why.text)));
    else if (rc != RC_OK)
        LOG_WARN("no snapshot of the ledger", F_RC(rc), F_STR("error", str_of(why.text)));
    else if (files)
        LOG_INFO("a snapshot of the ledger is in the output", F_U64("files", files));
}

/* Redis was emptied under us: the ledger is made again, shut, and the recovery that it asks for follows. */
static RC remake(struct keeper *k, struct ledger_identity *out, struct why *why) {
    bool made = false;
    TRY(runtime_remake_ledger(k->run->runtime, &made, why));
    return ledger_identity(k->run->runtime->ledger, out, why);
}

static RC keeper_turn(struct keeper *k, struct why *why) {
    struct run *r = k->run;
    uint64_t known = atomic_load(&r->loops.epoch); /* before the ledger is asked: it only rises */
    struct ledger_identity who;
    enum rc rc = ledger_identity(r->runtime->ledger, &who, why);
    if (rc == RC_ABSENT) rc = remake(k, &who, why);
    if (rc != RC_OK) return rc;
    if (!who.recovering && who.epoch >= known) {
        k->target = 0;
        k->since_ms = 0;
        k->takeovers = 0;
        atomic_store(&r->loops.epoch, who.epoch); /* uploaders without a call to make hear of it, too */
        if (!k->checked) return check_once(k, why);
        save(k);
        return RC_OK;
    }
    /* A lower epoch: a server that was failed over from is back, and knows nothing of what was decided since. */
    if (!who.recovering) return recover(k, why);
    uint64_t now_ms = clock_ms(clock_real());
    if (!k->since_ms || who.target != k->target) {
        if (k->target && k->takeovers < TAKE_OVERS_DOUBLED) k->takeovers++;
        k->target = who.target;
        k->since_ms = now_ms + rng_below(&k->rng, BEGIN_JITTER_MS);
    }
    uint64_t patience_ms = who.target ? (uint64_t)TAKE_OVER_MS << k->takeovers : 0;
    return now_ms >= k->since_ms + patience_ms ? recover(k, why) : RC_OK;
}

void *run_keeper_main(void *context) {
    struct run_thread *t = context;
    struct keeper k = {.run = t->run, .rng = rng_from_kernel()};
    struct loop loop;
    loop_init(&loop, &t->run->loops, "keeper");
    while (!loops_stopping(&t->run->loops)) {
        struct why why = {0};
        enum rc rc = keeper_turn(&k, &why);
        if (rc == RC_ABSENT) rc = RC_BUSY; /* emptied once more meanwhile: it goes on when it is there */
        if (!loop_settle(&loop, rc, &why)) break;
        if (rc == RC_OK) loops_sleep(&t->run->loops, LOOK_EVERY_MS);
    }
    return NULL;
}
