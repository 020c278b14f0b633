/* SPDX-License-Identifier: Apache-2.0 */
/* worker: what the lanes of one process share. DESIGN.md beside this file has the invariants.
 *
 * Threads: made and freed by one; each lane and the committer by one thread of their own. */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include "broker.h"
#include "converter.h"
#include "frame.h"
#include "ledger.h"
#include "source.h"

#include <stdatomic.h>

struct worker_source {
    struct str name;
    struct source view; /* opens its files; of the same adapter as the port. Without ops: the port itself does */
    struct converter_settings converter;
    uint64_t max_line_bytes;
    uint32_t metric_label; /* of the label "source" */
};

struct worker_settings {
    const struct worker_source *sources;
    size_t sources_len;
    enum frame_format format;
    int level;
    uint64_t block_bytes;
    uint64_t object_bytes;                         /* blocks are small beside it; 0: as large as they like */
    uint64_t lane_bytes;                           /* of one lane: its window and what is not acknowledged */
    uint64_t slice_bytes_min;                      /* 0: WORKER_SLICE_MIN; smaller for tests */
    uint64_t piece_bytes;                          /* of a window, read at a time; 0: LANE_PIECE; smaller for tests */
    uint64_t block_small_bytes, block_large_bytes; /* 0: those of blocks.h; smaller for tests */
    uint32_t jobs_attempts_max;
    uint64_t backlog_bytes_max; /* no new slice while the log holds more */
};

enum {
    WORKER_SLICE_MIN = 4 * 1024 * 1024,  /* two blocks of the default size */
    WORKER_SLICE_MAX = 32 * 1024 * 1024, /* times the lanes: most of the memory of the process */
    WORKER_FLIGHTS_MAX = 1024,           /* attempts of one lane that are published and not decided */
    WORKER_PARTITIONS_MAX = 256
};

struct worker_ports {
    struct broker broker;
    struct ledger ledger;
    struct source source;
};

struct worker;
struct committer;

RC worker_new(const struct worker_settings *settings, const struct worker_ports *ports, struct worker **out,
              struct why *why);
void worker_free(struct worker *worker);
void worker_set_epoch(struct worker *worker, uint64_t epoch);

/* The group of the consumers of jobs. One a generation: a job says nothing of generations, and a worker of another one,
 * which has nothing to do for it, would take it away. */
enum { WORKER_GROUP_MAX = 40 };
void worker_group(uint64_t generation, char out[WORKER_GROUP_MAX]);

/* ---- for the files of this folder ---- */

struct worker_key {
    struct id file;
    uint64_t stripe;
};

const struct worker_settings *worker_settings(const struct worker *worker);
const struct worker_ports *worker_ports(const struct worker *worker);
/* The ledger at the present epoch. */
struct ledger worker_ledger(const struct worker *worker);
struct committer *worker_committer(struct worker *worker);
uint32_t worker_partitions(const struct worker *worker);
/* False when another lane has this stripe in work: one of the two would lose. */
bool worker_take(struct worker *worker, struct worker_key key);
void worker_give_back(struct worker *worker, struct worker_key key);
/* The acknowledged ends of the partitions, for the ledger: raised by lanes, read by the committer. */
void worker_acknowledge(struct worker *worker, uint32_t partition, uint64_t offset);
size_t worker_acknowledged(const struct worker *worker, struct ledger_acknowledged out[WORKER_PARTITIONS_MAX]);

#endif
