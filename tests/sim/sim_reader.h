/* SPDX-License-Identifier: Apache-2.0 */
/* sim_reader: what is in the store, read by somebody who knows only manifests and the formats: manifests to objects,
 * objects to frames (by the libraries themselves), frames to records, each with the attempt that its manifest names.
 * Memory: all records, in the arena. Threads: one. Fails: RC_BROKEN with what does not fit together. */
#ifndef SLUICE_SIM_READER_H
#define SLUICE_SIM_READER_H

#include "arena.h"
#include "manifest.h"
#include "store.h"

struct sim_record {
    struct id attempt;
    bool reject;
    struct str bytes;  /* without its LF */
    struct str output; /* partition path */
    struct str key;    /* of the object */
};

struct sim_won {
    struct manifest_attempt trailer;
    struct str claims; /* of the trailer in the seal, and: */
    bool closed;
    uint64_t first_end;
    struct sim_record *records; /* of this attempt, in no order */
    size_t records_len;
};

struct sim_read {
    struct arena arena;
    struct sim_won *won; /* ascending by file, stripe, from */
    size_t won_len, won_room;
    struct sim_record *records;
    size_t records_len, records_room;
};

RC sim_read_all(struct sim_read *read, struct store store, struct id queue, uint64_t generation, struct why *why);
void sim_read_done(struct sim_read *read);

#endif
