/* SPDX-License-Identifier: Apache-2.0 */
#include "notify_topic.h"

#include "alloc.h"
#include "clock.h"
#include "num.h"

#include <stdlib.h>

enum { ACKS = 64, ACKS_EVERY = 16, POLL_MS = 200 };

struct topic {
    struct broker broker;
    struct broker_producer producer;
};

/* What it had not got acknowledged is told again with a new one. */
static void drop_producer(struct topic *t) {
    if (t->producer.ops) broker_producer_free(t->producer);
    t->producer = (struct broker_producer){0};
}

/* Takes what is acknowledged; the cookie is the item's number. Items of one topic may go to several partitions, so they
 * come back in any order. */
static RC take_acks(struct topic *t, uint64_t wait_ms, bool *told, size_t *acked, struct why *why) {
    struct broker_ack acks[ACKS];
    size_t n = 0;
    TRY(broker_poll(t->producer, wait_ms, acks, ACKS, &n, why));
    for (size_t i = 0; i < n; i++) told[acks[i].cookie] = true;
    *acked += n;
    return RC_OK;
}

static RC send_all(struct topic *t, const struct notify_item *items, size_t n, bool *told, struct why *why) {
    struct clock clock = clock_real();
    uint64_t until_ms = clock_ms(clock) + NOTIFY_TOPIC_WAIT_MS;
    size_t appended = 0, acked = 0;
    while (acked < n) {
        enum rc rc = appended < n ? broker_append(t->producer, BROKER_EVENTS, (uint32_t)appended, (struct str){0},
                                                  items[appended].body, appended, why)
                                  : RC_BUSY;
        if (rc == RC_OK) { /* what is acknowledged is taken at once: a producer that fails later has told this much */
            if (++appended % ACKS_EVERY == 0) TRY(take_acks(t, 0, told, &acked, why));
            continue;
        }
        if (rc != RC_BUSY) return rc;
        uint64_t now_ms = clock_ms(clock);
        if (now_ms >= until_ms) return why_set(why, RC_BUSY, "the topic of events did not acknowledge in time");
        TRY(take_acks(t, MIN((uint64_t)POLL_MS, until_ms - now_ms), told, &acked, why));
    }
    return RC_OK;
}

static enum rc topic_send(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why) {
    struct topic *t = self;
    if (!t->producer.ops) TRY(broker_producer_new(t->broker, NOTIFY_TOPIC_BYTES, &t->producer, why));
    bool *told = alloc_zero(n, sizeof *told);
    enum rc rc = send_all(t, items, n, told, why);
    *out_sent = 0;
    while (*out_sent < n && told[*out_sent]) (*out_sent)++;
    free(told);
    if (rc != RC_OK) drop_producer(t);
    return rc == RC_OK ? RC_OK : why_wrap(why, rc, "events");
}

static void topic_free(void *self) {
    struct topic *t = self;
    drop_producer(t);
    free(t);
}

struct notify notify_topic_new(struct broker broker) {
    static const struct notify_ops ops = {topic_send, topic_free};
    struct topic *t = ALLOC(struct topic);
    t->broker = broker;
    return (struct notify){&ops, t};
}
