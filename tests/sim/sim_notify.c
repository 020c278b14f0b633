/* SPDX-License-Identifier: Apache-2.0 */
/* sim_notify: somebody who wants to hear of every receipt, and at times does not listen. */
#include "alloc.h"
#include "hash_stream.h"
#include "identity.h"
#include "must.h"
#include "names.h"
#include "own.h"
#include "sim_inner.h"

static uint64_t hash_of(struct str name) { return hash_bytes(name); }

static bool has_heard(const struct sim *sim, struct str name) {
    for (size_t i = 0; i < sim->heard_len; i++)
        if (sim->heard[i] == hash_of(name)) return true;
    return false;
}

static void hear(struct sim *sim, struct str name) {
    if (has_heard(sim, name)) return;
    alloc_grow(&sim->heard, &sim->heard_room, sim->heard_len + 1, sizeof *sim->heard);
    sim->heard[sim->heard_len++] = hash_of(name);
}

static enum rc send(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why) {
    struct sim_process *p = self;
    enum sim_fate fate = sim_fate_of(p, true);
    size_t heard = fate == SIM_PASS ? n : fate == SIM_FAIL || fate == SIM_DIE ? 0 : (size_t)rng_below(&p->rng, n + 1);
    for (size_t i = 0; i < heard; i++) hear(p->sim, items[i].name);
    if (fate == SIM_DIE || fate == SIM_DIE_BEHIND) return RC_STOP;
    *out_sent = fate == SIM_PASS ? n : (size_t)rng_below(&p->rng, heard + 1);
    return fate == SIM_PASS ? RC_OK : why_set(why, RC_BUSY, "nobody listens");
}

static void nothing(void *self) { (void)self; }

struct notify sim_notify(struct sim_process *p) {
    static const struct notify_ops ops = {send, nothing};
    return (struct notify){&ops, p};
}

void sim_notify_check(struct sim *sim, uint64_t generation, struct id file, uint64_t end) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    MUST(name_receipt(generation, file, end, &key) == RC_OK);
    if (!has_heard(sim, buf_str(&key)))
        (void)sim_fail(sim, "the ledger knows of the receipt %s, and nobody was told", buf_text(&key));
}
