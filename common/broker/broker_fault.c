/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_fault.h"

#include "alloc.h"
#include "own.h"

struct broker_fault {
    struct broker inner;
    struct broker_fault_plan plan;
    uint64_t calls, effects, life; /* life: crashes so far; a handle of an earlier life is a dead process' */
    bool struck, crashed;
    broker_fault_decide decide;
    void *context;
    enum rc decided; /* what it told */
};

struct fault_producer {
    struct broker_fault *fault;
    struct broker_producer inner;
    uint64_t life;
};

struct fault_consumer {
    struct broker_fault *fault;
    struct broker_consumer inner;
    uint64_t life;
};

struct fault_share {
    struct broker_fault *fault;
    struct broker_share inner;
    uint32_t partitions;
    uint64_t life;
};

enum verdict { GO, FAIL, GO_AND_LOSE };

/* The armed fault, if this is its call. */
static enum broker_fault_kind by_plan(struct broker_fault *fault, bool effect) {
    const struct broker_fault_plan *plan = &fault->plan;
    fault->decided = plan->rc;
    if (fault->struck || plan->kind == BROKER_FAULT_NONE || (plan->effects_only && !effect)) return BROKER_FAULT_NONE;
    if ((plan->effects_only ? fault->effects : fault->calls) != plan->at) return BROKER_FAULT_NONE;
    return plan->kind;
}

static enum verdict fault_judge(struct broker_fault *fault, enum broker_fault_call call) {
    if (fault->crashed) return FAIL;
    bool effect = call < BROKER_FAULT_READ;
    fault->calls++;
    if (effect) fault->effects++;
    enum rc told = RC_BUSY;
    enum broker_fault_kind kind = fault->decide ? fault->decide(fault->context, call, &told) : by_plan(fault, effect);
    if (fault->decide) fault->decided = told;
    if (kind == BROKER_FAULT_NONE) return GO;
    fault->struck = true;
    fault->crashed = kind == BROKER_FAULT_CRASH_BEFORE || kind == BROKER_FAULT_CRASH_AFTER;
    return kind == BROKER_FAULT_AFTER || kind == BROKER_FAULT_CRASH_AFTER ? GO_AND_LOSE : FAIL;
}

static enum rc fault_answer(const struct broker_fault *fault, struct why *why) {
    if (fault->crashed) return why_set(why, RC_STOP, "broker: the process has crashed (injected)");
    return why_set(why, fault->decided, "broker: injected failure %s", rc_name(fault->decided));
}

/* For calls without outputs: judges, performs `call` if it may, and leaves the function with the answer. */
#define FAULT(fault_pointer, which, call)                                                                              \
    do {                                                                                                               \
        struct broker_fault *fault_ = (fault_pointer);                                                                 \
        enum verdict verdict_ = fault_judge(fault_, (which));                                                          \
        if (verdict_ == FAIL) return fault_answer(fault_, why);                                                        \
        enum rc rc_ = (call);                                                                                          \
        return verdict_ == GO ? rc_ : fault_answer(fault_, why);                                                       \
    } while (0)

/* ---- producer ---- */

static enum rc producer_append(void *self, enum broker_topic topic, uint32_t partition, struct str head,
                               struct str body, uint64_t cookie, struct why *why) {
    struct fault_producer *producer = self;
    if (producer->life != producer->fault->life) return why_set(why, RC_STOP, "broker: producer of a crashed process");
    FAULT(producer->fault, BROKER_FAULT_APPEND,
          broker_append(producer->inner, topic, partition, head, body, cookie, why));
}

static enum rc producer_poll(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
                             struct why *why) {
    struct fault_producer *producer = self;
    if (producer->life != producer->fault->life) return why_set(why, RC_STOP, "broker: producer of a crashed process");
    size_t n = 0;
    AUTO(own_free) struct broker_ack *acks = alloc_zero(max, sizeof *acks);
    enum verdict verdict = fault_judge(producer->fault, BROKER_FAULT_POLL);
    if (verdict == FAIL) return fault_answer(producer->fault, why);
    enum rc rc = broker_poll(producer->inner, wait_ms, acks, max, &n, why);
    if (verdict == GO_AND_LOSE) return fault_answer(producer->fault, why);
    if (rc != RC_OK) return rc;
    if (n > 0) memcpy(out, acks, n * sizeof *acks);
    *out_n = n;
    return RC_OK;
}

static void producer_free(void *self) {
    struct fault_producer *producer = self;
    broker_producer_free(producer->inner);
    free(producer);
}

static const struct broker_producer_ops PRODUCER_OPS = {producer_append, producer_poll, producer_free};

static enum rc fault_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    struct broker_fault *fault = self;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    struct broker_producer inner;
    TRY(broker_producer_new(fault->inner, queue_bytes, &inner, why));
    if (verdict == GO_AND_LOSE) {
        broker_producer_free(inner);
        return fault_answer(fault, why);
    }
    struct fault_producer *producer = ALLOC(struct fault_producer);
    *producer = (struct fault_producer){fault, inner, fault->life};
    *out = (struct broker_producer){&PRODUCER_OPS, producer};
    return RC_OK;
}

/* ---- consumer ---- */

static enum rc consumer_next(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                             struct why *why) {
    struct fault_consumer *consumer = self;
    if (consumer->life != consumer->fault->life) return why_set(why, RC_STOP, "broker: consumer of a crashed process");
    struct broker_message message;
    enum verdict verdict = fault_judge(consumer->fault, BROKER_FAULT_NEXT);
    if (verdict == FAIL) return fault_answer(consumer->fault, why);
    enum rc rc = broker_next(consumer->inner, wait_ms, out_bytes, &message, why);
    if (verdict == GO_AND_LOSE) return fault_answer(consumer->fault, why);
    if (rc == RC_OK) *out = message;
    return rc;
}

static enum rc consumer_commit(void *self, struct why *why) {
    struct fault_consumer *consumer = self;
    if (consumer->life != consumer->fault->life) return why_set(why, RC_STOP, "broker: consumer of a crashed process");
    FAULT(consumer->fault, BROKER_FAULT_COMMIT, broker_commit(consumer->inner, why));
}

static void consumer_free(void *self) {
    struct fault_consumer *consumer = self;
    broker_consumer_free(consumer->inner);
    free(consumer);
}

static const struct broker_consumer_ops CONSUMER_OPS = {consumer_next, consumer_commit, consumer_free};

static enum rc fault_consumer(void *self, struct str group, struct broker_consumer *out, struct why *why) {
    struct broker_fault *fault = self;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    struct broker_consumer inner;
    TRY(broker_consumer_new(fault->inner, group, &inner, why));
    if (verdict == GO_AND_LOSE) {
        broker_consumer_free(inner);
        return fault_answer(fault, why);
    }
    struct fault_consumer *consumer = ALLOC(struct fault_consumer);
    *consumer = (struct fault_consumer){fault, inner, fault->life};
    *out = (struct broker_consumer){&CONSUMER_OPS, consumer};
    return RC_OK;
}

/* ---- share ---- */

static enum rc share_poll(void *self, uint64_t wait_ms, bool *out_owned, struct why *why) {
    struct fault_share *share = self;
    if (share->life != share->fault->life) return why_set(why, RC_STOP, "broker: share of a crashed process");
    AUTO(own_free) bool *owned = alloc_zero(share->partitions, sizeof *owned);
    enum verdict verdict = fault_judge(share->fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(share->fault, why);
    TRY(broker_share_poll(share->inner, wait_ms, owned, why));
    if (verdict == GO_AND_LOSE) return fault_answer(share->fault, why);
    memcpy(out_owned, owned, share->partitions * sizeof *owned);
    return RC_OK;
}

static enum rc share_committed(void *self, uint32_t partition, uint64_t *out_offset, struct why *why) {
    struct fault_share *share = self;
    if (share->life != share->fault->life) return why_set(why, RC_STOP, "broker: share of a crashed process");
    uint64_t offset = 0;
    enum verdict verdict = fault_judge(share->fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(share->fault, why);
    TRY(broker_share_committed(share->inner, partition, &offset, why));
    if (verdict == GO_AND_LOSE) return fault_answer(share->fault, why);
    *out_offset = offset;
    return RC_OK;
}

static enum rc share_commit(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct fault_share *share = self;
    if (share->life != share->fault->life) return why_set(why, RC_STOP, "broker: share of a crashed process");
    FAULT(share->fault, BROKER_FAULT_COMMIT, broker_share_commit(share->inner, partition, offset, why));
}

static void share_free(void *self) {
    struct fault_share *share = self;
    broker_share_free(share->inner);
    free(share);
}

static const struct broker_share_ops SHARE_OPS = {share_poll, share_committed, share_commit, share_free};

static enum rc fault_share(void *self, struct str group, struct broker_share *out, struct why *why) {
    struct broker_fault *fault = self;
    uint32_t partitions = 0;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    struct broker_share inner;
    TRY(broker_partitions(fault->inner, BROKER_BLOCKS, &partitions, why));
    TRY(broker_share_new(fault->inner, group, &inner, why));
    if (verdict == GO_AND_LOSE) {
        broker_share_free(inner);
        return fault_answer(fault, why);
    }
    struct fault_share *share = ALLOC(struct fault_share);
    *share = (struct fault_share){fault, inner, partitions, fault->life};
    *out = (struct broker_share){&SHARE_OPS, share};
    return RC_OK;
}

/* ---- the rest ---- */

static enum rc fault_partitions(void *self, enum broker_topic topic, uint32_t *out, struct why *why) {
    struct broker_fault *fault = self;
    uint32_t n = 0;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    TRY(broker_partitions(fault->inner, topic, &n, why));
    if (verdict == GO_AND_LOSE) return fault_answer(fault, why);
    *out = n;
    return RC_OK;
}

static enum rc fault_bounds(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    struct broker_fault *fault = self;
    uint64_t start = 0, end = 0;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    TRY(broker_bounds(fault->inner, partition, &start, &end, why));
    if (verdict == GO_AND_LOSE) return fault_answer(fault, why);
    *out_start = start;
    *out_end = end;
    return RC_OK;
}

static enum rc fault_read(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes,
                          struct broker_message *out, struct why *why) {
    struct broker_fault *fault = self;
    struct broker_message message;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    TRY(broker_read(fault->inner, partition, offset, out_bytes, &message, why));
    if (verdict == GO_AND_LOSE) return fault_answer(fault, why);
    *out = message;
    return RC_OK;
}

static enum rc fault_read_head(void *self, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                               uint64_t *out_len, struct why *why) {
    struct broker_fault *fault = self;
    uint64_t len = 0;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    TRY(broker_read_head(fault->inner, partition, offset, max, out_bytes, &len, why));
    if (verdict == GO_AND_LOSE) return fault_answer(fault, why);
    *out_len = len;
    return RC_OK;
}

static enum rc fault_trim(void *self, uint32_t partition, uint64_t before, struct why *why) {
    struct broker_fault *fault = self;
    FAULT(fault, BROKER_FAULT_TRIM, broker_trim(fault->inner, partition, before, why));
}

static enum rc fault_skip_to(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct broker_fault *fault = self;
    FAULT(fault, BROKER_FAULT_SKIP_TO, broker_skip_to(fault->inner, partition, offset, why));
}

static enum rc fault_backlog_bytes(void *self, uint64_t *out, struct why *why) {
    struct broker_fault *fault = self;
    uint64_t bytes = 0;
    enum verdict verdict = fault_judge(fault, BROKER_FAULT_READ);
    if (verdict == FAIL) return fault_answer(fault, why);
    TRY(broker_backlog_bytes(fault->inner, &bytes, why));
    if (verdict == GO_AND_LOSE) return fault_answer(fault, why);
    *out = bytes;
    return RC_OK;
}

static enum rc fault_wait(void *self, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why) {
    struct broker_fault *fault = self;
    FAULT(fault, BROKER_FAULT_READ, broker_wait(fault->inner, partition, offset, wait_ms, why));
}

static void fault_stop(void *self) {
    struct broker_fault *fault = self;
    broker_stop(fault->inner);
}

static void fault_port_free(void *self) { (void)self; }

static const struct broker_ops BROKER_OPS = {.partitions = fault_partitions,
                                             .producer = fault_producer,
                                             .consumer = fault_consumer,
                                             .share = fault_share,
                                             .bounds = fault_bounds,
                                             .read = fault_read,
                                             .read_head = fault_read_head,
                                             .trim = fault_trim,
                                             .skip_to = fault_skip_to,
                                             .backlog_bytes = fault_backlog_bytes,
                                             .wait = fault_wait,
                                             .stop = fault_stop,
                                             .free = fault_port_free};

struct broker_fault *broker_fault_new(struct broker inner) {
    struct broker_fault *fault = ALLOC(struct broker_fault);
    fault->inner = inner;
    return fault;
}

struct broker broker_fault_port(struct broker_fault *fault) {
    return (struct broker){&BROKER_OPS, fault};
}

void broker_fault_arm(struct broker_fault *fault, struct broker_fault_plan plan) {
    if (fault->crashed) fault->life++;
    fault->plan = plan;
    fault->calls = fault->effects = 0;
    fault->struck = fault->crashed = false;
}

void broker_fault_by(struct broker_fault *fault, broker_fault_decide decide, void *context) {
    fault->decide = decide;
    fault->context = context;
}

uint64_t broker_fault_calls(const struct broker_fault *fault) { return fault->calls; }

uint64_t broker_fault_effects(const struct broker_fault *fault) { return fault->effects; }

bool broker_fault_struck(const struct broker_fault *fault) { return fault->struck; }

void broker_fault_free(struct broker_fault *fault) { free(fault); }
