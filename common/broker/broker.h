/* SPDX-License-Identifier: Apache-2.0 */
/* broker: carries messages in partitions that keep their order. Three topics: jobs, consumed by a group; the blocks of
 * one generation, an append-only log per partition that is read by offset; and events, which we only append to, for
 * others to read (the broker of one machine has none).
 *
 * A topic "blocks" is one per generation, so that offsets, chains of seals and trimming of two generations never meet.
 * An append is worth something only once it is acknowledged: then it is durable, at the offset told. Appends of one
 * producer to one partition keep their order. A producer that failed (RC_BROKEN from poll or append) must be made anew;
 * what it had not got acknowledged may or may not be in the log. Offsets are dense from 0, but for what skip_to leaves
 * out, and are never used twice.
 *
 * A job is level-triggered, so the jobs topic may lose or double one: twice, late or never is harmless, for the emitter
 * says again whatever stays behind.
 *
 * Threads: the broker handle by any; a producer, consumer or share by one thread at a time. All of these are freed
 * before the broker. Memory: a producer holds at most `queue_bytes` of unacknowledged messages (append answers
 * RC_BUSY beyond), a read at most what it is asked for.
 * Fails: RC_BUSY (a queue is full), RC_LIMIT (message too large; disk full), RC_BROKEN (damaged log; nothing was
 * overwritten), RC_ABSENT (below the start or at the end of a log), RC_STOP, RC_BAD (no such partition). */
#ifndef SLUICE_BROKER_H
#define SLUICE_BROKER_H

#include "buf.h"
#include "rc.h"
#include "str.h"

#include <stdint.h>

enum broker_topic { BROKER_JOBS, BROKER_BLOCKS, BROKER_EVENTS };

struct broker_ack {
    uint64_t cookie; /* as given to append */
    uint32_t partition;
    uint64_t offset;
    enum broker_topic topic;
};

/* A message that was read; `bytes` borrows from the caller's buf. */
struct broker_message {
    uint64_t offset;
    uint32_t partition;
    struct str bytes;
};

struct broker_producer_ops {
    enum rc (*append)(void *self, enum broker_topic topic, uint32_t partition, struct str head, struct str body,
                      uint64_t cookie, struct why *why);
    enum rc (*poll)(void *self, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n, struct why *why);
    void (*free)(void *self);
};
struct broker_producer {
    const struct broker_producer_ops *ops;
    void *self;
};

struct broker_consumer_ops {
    enum rc (*next)(void *self, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out, struct why *why);
    enum rc (*commit)(void *self, struct why *why);
    void (*free)(void *self);
};
struct broker_consumer {
    const struct broker_consumer_ops *ops;
    void *self;
};

struct broker_share_ops {
    enum rc (*poll)(void *self, uint64_t wait_ms, bool *out_owned, struct why *why);
    enum rc (*committed)(void *self, uint32_t partition, uint64_t *out_offset, struct why *why);
    enum rc (*commit)(void *self, uint32_t partition, uint64_t offset, struct why *why);
    void (*free)(void *self);
};
struct broker_share {
    const struct broker_share_ops *ops;
    void *self;
};

struct broker_ops {
    enum rc (*partitions)(void *self, enum broker_topic topic, uint32_t *out, struct why *why);
    enum rc (*producer)(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why);
    enum rc (*consumer)(void *self, struct str group, struct broker_consumer *out, struct why *why);
    enum rc (*share)(void *self, struct str group, struct broker_share *out, struct why *why);
    enum rc (*bounds)(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why);
    enum rc (*read)(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes, struct broker_message *out,
                    struct why *why);
    enum rc (*read_head)(void *self, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                         uint64_t *out_len, struct why *why);
    enum rc (*trim)(void *self, uint32_t partition, uint64_t before, struct why *why);
    enum rc (*skip_to)(void *self, uint32_t partition, uint64_t offset, struct why *why);
    enum rc (*backlog_bytes)(void *self, uint64_t *out, struct why *why);
    enum rc (*wait)(void *self, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why);
    void (*stop)(void *self);
    void (*free)(void *self);
};
struct broker {
    const struct broker_ops *ops;
    void *self;
};

/* How many partitions a topic has; at least 1, the same for the life of the handle. RC_BAD: there are no events. */
RC broker_partitions(struct broker broker, enum broker_topic topic, uint32_t *out, struct why *why);

/* ---- producing, any topic ---- */
RC broker_producer_new(struct broker broker, size_t queue_bytes, struct broker_producer *out, struct why *why);
/* Queues head and body as one message (copied or written before it returns). For BROKER_JOBS and BROKER_EVENTS
 * `partition` is taken modulo their number; for BROKER_BLOCKS one that is not there is RC_BAD, as are events where
 * there are none. RC_BUSY: not queued; poll first. A message counts against queue_bytes with its length and 64 bytes
 * more until poll has handed out its acknowledgement; one alone is always taken. For jobs also: the topic is full, try
 * later. RC_LIMIT: not queued; too large, or the disk is full, and then the same producer can append again later. */
RC broker_append(struct broker_producer producer, enum broker_topic topic, uint32_t partition, struct str head,
                 struct str body, uint64_t cookie, struct why *why);
/* Up to `max` (> 0) acknowledgements, oldest first a partition, waiting up to `wait_ms` for the first. Zero of them is
 * RC_OK; at once when nothing is unacknowledged. RC_BROKEN only when all that were acknowledged have been handed out;
 * RC_DENIED likewise, when the producer failed for a reason that a new one would meet again. */
RC broker_poll(struct broker_producer producer, uint64_t wait_ms, struct broker_ack *out, size_t max, size_t *out_n,
               struct why *why);
/* Does not wait: what is unacknowledged may or may not be in the log. */
void broker_producer_free(struct broker_producer producer);

/* ---- jobs: a group of consumers, each message to one of them ---- */
RC broker_consumer_new(struct broker broker, struct str group, struct broker_consumer *out, struct why *why);
/* RC_ABSENT: nothing came within wait_ms. RC_STOP: after broker_stop. The bytes are in out_bytes, which the call
 * empties first. RC_LIMIT when the message is over its cap (the message is then lost, which a job may be). */
RC broker_next(struct broker_consumer consumer, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
               struct why *why);
/* All messages that next has given are done with (for lag and a restart's start only; never for correctness). */
RC broker_commit(struct broker_consumer consumer, struct why *why);
void broker_consumer_free(struct broker_consumer consumer);

/* ---- which partitions of blocks to look after ---- */
/* Members of a group divide the partitions of blocks among them, and a share is what is ours of it now. It is a hint
 * that keeps two uploaders from doing the same work; that both may do it for a while is harmless. A broker that nobody
 * else uses gives all of them. */
RC broker_share_new(struct broker broker, struct str group, struct broker_share *out, struct why *why);
/* Waits up to wait_ms for a change, and tells which are ours: owned[partitions of blocks], each written. To be called
 * every few seconds, or the group takes us for dead. RC_STOP after broker_stop. RC_BUSY: as it was (owned is not
 * written), the broker is not reachable. */
RC broker_share_poll(struct broker_share share, uint64_t wait_ms, bool *owned, struct why *why);
/* What the group last committed for a partition, ours or not. It is for people who look at lag, or who set it back to
 * have a log read again; it never says that anything before it is done. RC_ABSENT: nothing. */
RC broker_share_committed(struct broker_share share, uint32_t partition, uint64_t *out_offset, struct why *why);
/* Tells how far we are; may get lost. RC_BAD: no such partition. */
RC broker_share_commit(struct broker_share share, uint32_t partition, uint64_t offset, struct why *why);
/* Leaves the group, so that the others take over at once. */
void broker_share_free(struct broker_share share);

/* ---- the log of blocks ---- */
/* [start, end): what can be read; only acknowledged messages are below `end`. An acknowledged end never falls; the
 * start rises with trim, and after a restart may be lower than it was. */
RC broker_bounds(struct broker broker, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why);
/* One whole message, checked, in out_bytes, which the call empties first; RC_ABSENT at or behind the end, below the
 * start, and for an offset that skip_to left out (go on with the next). RC_LIMIT when it is over out_bytes' cap. */
RC broker_read(struct broker broker, uint32_t partition, uint64_t offset, struct buf *out_bytes,
               struct broker_message *out, struct why *why);
/* The first up to `max` bytes of a message and its whole length, for an index without the payloads (not checked).
 * Otherwise as broker_read. */
RC broker_read_head(struct broker broker, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                    uint64_t *out_len, struct why *why);
/* Messages before `before` are needed no more: they are below the start from now on (at most up to the end), their
 * space is freed now or later; idempotent, and a lower `before` does nothing. */
RC broker_trim(struct broker broker, uint32_t partition, uint64_t before, struct why *why);
/* Recovery only, while nobody appends: the next append gets `offset`, which then is the end; what lies between never
 * was. RC_BAD when it is below the offset that the next append would get. */
RC broker_skip_to(struct broker broker, uint32_t partition, uint64_t offset, struct why *why);
/* Bytes of blocks that are kept in all partitions and not trimmed: the backlog that workers pause at. What is stored
 * around a message counts, so it is a little more than the messages' lengths. Cheap: no I/O. */
RC broker_backlog_bytes(struct broker broker, uint64_t *out, struct why *why);
/* Waits up to wait_ms until the partition's end is above `offset`; RC_ABSENT if it is not, RC_STOP after broker_stop,
 * RC_BROKEN when it never will be. */
RC broker_wait(struct broker broker, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why);
/* From now on broker_next, broker_share_poll and broker_wait answer RC_STOP, also those that are waiting now. All else
 * goes on, so that a service can finish what it has begun. Any thread, any number of times. */
void broker_stop(struct broker broker);
void broker_free(struct broker broker);

#endif
