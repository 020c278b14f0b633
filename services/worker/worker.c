/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "alloc.h"
#include "committer.h"
#include "own.h"

#include <pthread.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct taken {
    struct worker_key key;
    UT_hash_handle hh;
};

struct worker {
    struct worker_settings settings;
    struct worker_ports ports;
    _Atomic uint64_t epoch;
    struct committer *committer;
    uint32_t partitions;
    pthread_mutex_t lock; /* of taken */
    struct taken *taken;
    _Atomic uint64_t acknowledged[WORKER_PARTITIONS_MAX];
};

RC worker_new(const struct worker_settings *settings, const struct worker_ports *ports, struct worker **out,
              struct why *why) {
    uint32_t partitions = 0;
    TRY(broker_partitions(ports->broker, BROKER_BLOCKS, &partitions, why));
    if (partitions > WORKER_PARTITIONS_MAX)
        return why_set(why, RC_DENIED, "%u partitions of blocks are over %d", partitions, WORKER_PARTITIONS_MAX);
    struct worker *w = ALLOC(struct worker);
    w->settings = *settings;
    if (!w->settings.slice_bytes_min) w->settings.slice_bytes_min = WORKER_SLICE_MIN;
    w->ports = *ports;
    atomic_init(&w->epoch, ports->ledger.at.epoch);
    w->partitions = partitions;
    (void)pthread_mutex_init(&w->lock, NULL);
    w->committer = committer_new(w);
    *out = w;
    return RC_OK;
}

void worker_group(uint64_t generation, char out[WORKER_GROUP_MAX]) {
    (void)snprintf(out, WORKER_GROUP_MAX, "workers.g%" PRIu64, generation);
}

void worker_free(struct worker *w) {
    if (!w) return;
    committer_free(w->committer);
    struct taken *t = NULL, *next = NULL;
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): clang does not see that the table goes with its last element */
    HASH_ITER(hh, w->taken, t, next) {
        HASH_DEL(w->taken, t);
        free(t);
    }
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

void worker_set_epoch(struct worker *w, uint64_t epoch) { atomic_store(&w->epoch, epoch); }

const struct worker_settings *worker_settings(const struct worker *w) { return &w->settings; }
const struct worker_ports *worker_ports(const struct worker *w) { return &w->ports; }
struct committer *worker_committer(struct worker *w) {
    return w->committer;
}
uint32_t worker_partitions(const struct worker *w) { return w->partitions; }

struct ledger worker_ledger(const struct worker *w) {
    struct ledger ledger = w->ports.ledger;
    ledger.at.epoch = atomic_load(&w->epoch);
    return ledger;
}

bool worker_take(struct worker *w, struct worker_key key) {
    LOCKED(&w->lock);
    struct taken *t = NULL;
    HASH_FIND(hh, w->taken, &key, sizeof key, t);
    if (t) return false;
    t = ALLOC(struct taken);
    t->key = key;
    HASH_ADD(hh, w->taken, key, sizeof t->key, t);
    return true;
}

void worker_give_back(struct worker *w, struct worker_key key) {
    LOCKED(&w->lock);
    struct taken *t = NULL;
    HASH_FIND(hh, w->taken, &key, sizeof key, t);
    if (!t) return;
    HASH_DEL(w->taken, t);
    free(t);
}

void worker_acknowledge(struct worker *w, uint32_t partition, uint64_t offset) {
    _Atomic uint64_t *end = &w->acknowledged[partition];
    uint64_t seen = atomic_load(end);
    while (seen < offset + 1 && !atomic_compare_exchange_weak(end, &seen, offset + 1)) {
    }
}

size_t worker_acknowledged(const struct worker *w, struct ledger_acknowledged out[WORKER_PARTITIONS_MAX]) {
    size_t n = 0;
    for (uint32_t p = 0; p < w->partitions; p++) {
        uint64_t end = atomic_load(&w->acknowledged[p]);
        if (end) out[n++] = (struct ledger_acknowledged){p, end};
    }
    return n;
}
