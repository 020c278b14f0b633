/* SPDX-License-Identifier: Apache-2.0 */
#include "broker.h"

#include "must.h"

enum rc broker_partitions(struct broker broker, enum broker_topic topic, uint32_t *out, struct why *why) {
    return broker.ops->partitions(broker.self, topic, out, why);
}

enum rc broker_producer_new(struct broker broker, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    return broker.ops->producer(broker.self, queue_bytes, out, why);
}

enum rc broker_append(struct broker_producer producer, enum broker_topic topic, uint32_t partition, struct str head,
                      struct str body, uint64_t cookie, struct why *why) {
    return producer.ops->append(producer.self, topic, partition, head, body, cookie, why);
}

enum rc broker_poll(struct broker_producer producer, uint64_t wait_ms, struct broker_ack *out, size_t max,
                    size_t *out_n, struct why *why) {
    MUST(max > 0);
    return producer.ops->poll(producer.self, wait_ms, out, max, out_n, why);
}

void broker_producer_free(struct broker_producer producer) {
    if (producer.ops) producer.ops->free(producer.self);
}

enum rc broker_consumer_new(struct broker broker, struct str group, struct broker_consumer *out, struct why *why) {
    return broker.ops->consumer(broker.self, group, out, why);
}

enum rc broker_next(struct broker_consumer consumer, uint64_t wait_ms, struct buf *out_bytes,
                    struct broker_message *out, struct why *why) {
    buf_reset(out_bytes);
    return consumer.ops->next(consumer.self, wait_ms, out_bytes, out, why);
}

enum rc broker_commit(struct broker_consumer consumer, struct why *why) {
    return consumer.ops->commit(consumer.self, why);
}

void broker_consumer_free(struct broker_consumer consumer) {
    if (consumer.ops) consumer.ops->free(consumer.self);
}

enum rc broker_share_new(struct broker broker, struct str group, struct broker_share *out, struct why *why) {
    return broker.ops->share(broker.self, group, out, why);
}

enum rc broker_share_poll(struct broker_share share, uint64_t wait_ms, bool *owned, struct why *why) {
    return share.ops->poll(share.self, wait_ms, owned, why);
}

enum rc broker_share_committed(struct broker_share share, uint32_t partition, uint64_t *out_offset, struct why *why) {
    return share.ops->committed(share.self, partition, out_offset, why);
}

enum rc broker_share_commit(struct broker_share share, uint32_t partition, uint64_t offset, struct why *why) {
    return share.ops->commit(share.self, partition, offset, why);
}

void broker_share_free(struct broker_share share) {
    if (share.ops) share.ops->free(share.self);
}

enum rc broker_bounds(struct broker broker, uint32_t partition, uint64_t *out_start, uint64_t *out_end,
                      struct why *why) {
    return broker.ops->bounds(broker.self, partition, out_start, out_end, why);
}

enum rc broker_read(struct broker broker, uint32_t partition, uint64_t offset, struct buf *out_bytes,
                    struct broker_message *out, struct why *why) {
    buf_reset(out_bytes);
    return broker.ops->read(broker.self, partition, offset, out_bytes, out, why);
}

enum rc broker_read_head(struct broker broker, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                         uint64_t *out_len, struct why *why) {
    buf_reset(out_bytes);
    return broker.ops->read_head(broker.self, partition, offset, max, out_bytes, out_len, why);
}

enum rc broker_trim(struct broker broker, uint32_t partition, uint64_t before, struct why *why) {
    return broker.ops->trim(broker.self, partition, before, why);
}

enum rc broker_skip_to(struct broker broker, uint32_t partition, uint64_t offset, struct why *why) {
    return broker.ops->skip_to(broker.self, partition, offset, why);
}

enum rc broker_backlog_bytes(struct broker broker, uint64_t *out, struct why *why) {
    return broker.ops->backlog_bytes(broker.self, out, why);
}

enum rc broker_wait(struct broker broker, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why) {
    return broker.ops->wait(broker.self, partition, offset, wait_ms, why);
}

void broker_stop(struct broker broker) { broker.ops->stop(broker.self); }

void broker_free(struct broker broker) {
    if (broker.ops) broker.ops->free(broker.self);
}
