/* SPDX-License-Identifier: Apache-2.0 */
/* batch: an index of the messages [start, position) of a queue partition: blocks, the attempts they belong to, the
 * outputs they go to, and what the ledger said of each attempt. Pure: it is fed heads and verdicts, and answers what
 * can be sealed.
 *
 * Memory: about 100 bytes a block, 400 an attempt, 150 an output; the caller bounds the number of messages. Threads:
 * one at a time. Fails: RC_BROKEN when two messages contradict each other. */
#ifndef SLUICE_BATCH_H
#define SLUICE_BATCH_H

#include "arena.h"
#include "block.h"
#include "ledger.h"
#include "seal.h"

struct batch_attempt {
    struct attempt attempt;
    struct facts facts;
    enum ledger_decision decision;
    uint64_t first_offset;       /* of its messages in this batch */
    uint64_t undecided_since_ms; /* when it was first asked */
    bool asked;
    bool has_trailer;
    struct block_trailer trailer;
    uint32_t seal_index;             /* its place in the seal, once one was made */
    struct batch_attempt *next_same; /* chain of the hash table */
};

struct batch_output {
    struct str path;
    bool rejects;
    struct batch_output *next_same;
    uint32_t number;
};

struct batch_block {
    uint64_t offset;
    struct batch_attempt *attempt;
    struct batch_output *output; /* NULL: a trailer */
    uint32_t index;              /* block_header.index */
    uint8_t codec;               /* enum block_codec */
    bool has_time;
    uint64_t raw_bytes, expected_bytes, records;
    int64_t time_min_ns, time_max_ns;
};

enum { BATCH_TABLE = 4096 };

struct batch {
    struct arena arena;
    uint64_t start, position;   /* messages read are of [start, position) */
    struct batch_block *blocks; /* trailers too; ascending by offset */
    size_t blocks_len, blocks_room;
    struct batch_attempt **attempts;
    size_t attempts_len, attempts_room;
    struct batch_output **outputs;
    size_t outputs_len, outputs_room;
    struct batch_attempt *attempt_table[BATCH_TABLE];
    struct batch_output *output_table[BATCH_TABLE];
    size_t attempts_decided, blocks_decided; /* all before these are decided: where to look on */
    uint64_t bytes;                          /* expected, of all blocks that are not lost */
    uint64_t claims_bytes;                   /* of all trailers: the seal holds them */
    uint64_t first_ms;                       /* when the first message was added */
};

/* Empty, beginning at `start`. */
void batch_reset(struct batch *batch, uint64_t start);
void batch_done(struct batch *batch);
/* Adds a message; strings are copied. `offset` >= position, which becomes offset + 1. */
RC batch_add(struct batch *batch, uint64_t offset, const struct block_message *message, uint64_t now_ms,
             struct why *why);
/* Up to `max` attempts without a decision, in the order they were read. */
size_t batch_undecided(struct batch *batch, struct batch_attempt **out, size_t max);
void batch_decide(struct batch *batch, struct batch_attempt *attempt, enum ledger_decision decision);
/* E: everything before it is decided. */
uint64_t batch_decided_end(struct batch *batch);
/* The seal of [start, end): won blocks, attempts and trailers; borrows from the batch, arrays in `arena`. The caller
 * fills in queue, generation, partition, index, epoch and settings. */
void batch_seal(struct batch *batch, uint64_t end, struct arena *arena, struct seal *out);
/* Makes the batch that of a seal that is followed: the attempts are decided by it. Messages are then added as usual;
 * batch_obey checks that all its blocks and trailers are there. */
RC batch_obey(struct batch *batch, const struct seal *seal, struct why *why);

#endif
