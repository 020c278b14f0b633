/* SPDX-License-Identifier: Apache-2.0 */
/* lost: the winners that the ledger still waits for messages of, and which of these messages were seen somewhere. What
 * was not seen when everything was looked through is lost.
 *
 * Memory: about 400 bytes an attempt and 56 a block, of winners that are not wholly durable: as much as an uploader's
 * index of the backlog. Threads: one at a time. Fails: what the ledger fails with; RC_BROKEN for a message that is
 * there twice, or that no winner can have. */
#ifndef SLUICE_LOST_H
#define SLUICE_LOST_H

#include "arena.h"
#include "block.h"
#include "ledger.h"
#include "seal.h"

struct lost_block {
    bool there;
    bool described; /* what follows is known */
    bool rejects;
    uint64_t output_hash, records, raw_bytes, raw_checksum;
};

struct lost_attempt {
    struct ledger_won won;
    struct attempt attempt; /* as survivors have it; where there are none the epoch is 0 */
    struct facts facts;     /* of a survivor, else the ledger's */
    bool survivors;
    const uint64_t *ends;
    size_t ends_len;
    struct lost_block *blocks; /* won.messages - 1 */
    bool trailer;              /* is there */
    uint32_t seen;             /* messages that are there */
    struct lost_attempt *next_same;
};

enum { LOST_TABLE = 4096 };

struct lost {
    struct arena arena;
    struct lost_attempt **attempts; /* by file, stripe, from */
    size_t len, room;
    struct lost_attempt *table[LOST_TABLE];
    uint64_t durable; /* messages that the ledger was told durable, of all these attempts */
};

void lost_done(struct lost *lost);
/* Everybody whom the ledger waits for. */
RC lost_ask(struct lost *lost, struct ledger ledger, struct why *why);
/* NULL: the ledger does not wait for it. */
struct lost_attempt *lost_find(const struct lost *lost, struct id attempt);
/* A message that is there, in the log. *out: the flag that was set, or NULL where nobody waits for it. */
RC lost_see_message(struct lost *lost, const struct block_message *message, bool **out, struct why *why);
/* A block or trailer that a seal keeps. *out_new: it is of an attempt that the ledger waits for. */
RC lost_see_sealed(struct lost *lost, const struct seal *seal, size_t block, bool *out_new, struct why *why);
RC lost_see_trailer(struct lost *lost, const struct block_trailer *trailer, bool *out_new, struct why *why);
/* Takes a flag back. */
void lost_unsee(struct lost *lost, bool *flag);
/* How many of its messages were not seen. */
uint32_t lost_missing(const struct lost_attempt *attempt);

#endif
