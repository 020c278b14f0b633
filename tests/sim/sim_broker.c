/* SPDX-License-Identifier: Apache-2.0 */
/* sim_broker: the part of sim_watch.h that stands in front of the broker: the log is never trimmed behind the first
 * seal without a manifest; and the mutations that lose blocks. */
#include "alloc.h"
#include "job.h"
#include "must.h"
#include "num.h"
#include "sim_inner.h"

#include <inttypes.h>
#include <stdlib.h>

/* One simulation runs at a time; see sim_watch.c. */
static struct sim_watch *watch;

void sim_broker_init(struct sim_watch *here) { watch = here; }

static bool mutated(enum sim_mutation mutation) { return watch->sim->options.mutation == mutation; }

static uint64_t generation_of(const void *self) {
    for (uint64_t g = 0; g < SIM_GENERATIONS; g++)
        if (watch->sim->brokers[g] && broker_memory_port(watch->sim->brokers[g]).self == self) return g + 1;
    MUST_NOT_REACH();
}

static enum rc watched_trim(void *self, uint32_t partition, uint64_t before, struct why *why) {
    const struct sim_chain *chain = &watch->chains[generation_of(self)][partition];
    if (before > chain->end)
        (void)sim_fail(watch->sim,
                       "partition %u is trimmed to %" PRIu64 ", and manifested is only what is before %" PRIu64,
                       partition, before, chain->end);
    sim_tell(watch->sim, "  trim partition %u to %" PRIu64, partition, before);
    return watch->broker->trim(self, partition, mutated(SIM_TRIM_ALL) ? UINT64_MAX : before, why);
}

/* A producer that is told acknowledgements also while its owner waits for them; as a mutation it acknowledges some
 * blocks and forgets them. */
struct forgetful {
    struct broker_producer inner;
    struct broker_memory *memory;
    struct broker_ack acks[64];
    size_t len;
};

static enum rc forgetful_append(void *self, enum broker_topic topic, uint32_t partition, struct str head,
                                struct str body, uint64_t cookie, struct why *why) {
    struct forgetful *f = self;
    struct job job;
    char id[ID_TEXT];
    if (topic == BROKER_JOBS && watch->sim->options.verbose && job_decode(head, &job, NULL) == RC_OK)
        sim_tell(watch->sim, "  job %s stripe %" PRIu64 " ready to %" PRIu64 "%s", id_format(job.file, id), job.stripe,
                 job.ready, job.closed ? ", closed" : "");
    if (mutated(SIM_BLOCKS_DROPPED) && topic == BROKER_BLOCKS && body.len && f->len < COUNT_OF(f->acks) &&
        sim_chance(&watch->sim->rng, 30)) {
        f->acks[f->len++] = (struct broker_ack){cookie, partition, 0, topic};
        watch->dropped++;
        return RC_OK;
    }
    return broker_append(f->inner, topic, partition, head, body, cookie, why);
}

static enum rc forgetful_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                              struct why *why) {
    struct forgetful *f = self;
    for (uint64_t n = wait_ms ? rng_below(&watch->sim->rng, 4) : 0; n > 0; n--) (void)broker_memory_step(f->memory);
    if (!f->len) return broker_poll(f->inner, wait_ms, out, max, out_n, why);
    out[0] = f->acks[--f->len];
    *out_n = 1;
    return RC_OK;
}

static void forgetful_free(void *self) {
    struct forgetful *f = self;
    broker_producer_free(f->inner);
    free(f);
}

static enum rc watched_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    static const struct broker_producer_ops ops = {forgetful_append, forgetful_poll, forgetful_free};
    enum rc rc = watch->broker->producer(self, queue_bytes, out, why);
    if (rc != RC_OK) return rc;
    struct forgetful *f = ALLOC(struct forgetful);
    f->inner = *out;
    f->memory = watch->sim->brokers[generation_of(self) - 1];
    *out = (struct broker_producer){&ops, f};
    return RC_OK;
}

struct broker sim_watch_broker(struct broker broker) {
    watch->broker = broker.ops;
    watch->broker_ops = *broker.ops;
    watch->broker_ops.trim = watched_trim;
    watch->broker_ops.producer = watched_producer;
    return (struct broker){&watch->broker_ops, broker.self};
}
