/* SPDX-License-Identifier: Apache-2.0 */
/* sim: the whole pipeline in one thread: real emitters, worker lanes, committers and uploaders on adapters in memory,
 * with a clock that is only a number. All that can go wrong is decided by one 64-bit seed: processes die between any
 * two effects, effects fail or are done and their answer is lost, jobs are lost, repeated and late, processes sleep for
 * long and go on, time jumps, and files are written, rotated, truncated, replaced and deleted meanwhile.
 *
 * A run has a wild part and a calm part. In the calm part faults are off and files stay as they are; it must come to an
 * end where all is durable and every receipt is written. Then a reader that knows only the store compares what is there
 * with what the files held (sim_check.h); cheap invariants are checked at every effect (sim_watch.h).
 *
 * Threads: one run at a time in a process. Memory: some MiB. */
#ifndef SLUICE_SIM_H
#define SLUICE_SIM_H

#include "rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is drawn for a run beyond the seed. */
enum sim_class {
    SIM_CALM,       /* no faults at all: the simulation itself */
    SIM_FAULTS,     /* effects fail, answers are lost, jobs too; nobody dies */
    SIM_CRASHES,    /* processes die, too */
    SIM_FILES,      /* files are truncated, rewritten, deleted and replaced, too */
    SIM_ZOMBIES,    /* processes sleep for longer than void_after, two uploaders a partition, time jumps */
    SIM_GENERATION, /* everything is converted again beside, from some moment on; the ledger may be set back */
    SIM_ROLLBACK,   /* the ledger is set back, emptied or restarted, and recovered */
    SIM_ONCE, /* emitters run --once again and again, deaths and changes of files; inputs are taken when durable */
    SIM_TAIL, /* the log loses acknowledged messages, its last or its first, and is repaired */
    SIM_ALL,  /* anything of the above but rollbacks, --once and lost tails */
    SIM_CLASSES
};

/* Something that is wrong on purpose: the simulation must notice it. */
enum sim_mutation {
    SIM_SOUND,
    SIM_UNDECIDED_WINS,   /* an uploader takes undecided attempts as won */
    SIM_PUT_OVERWRITES,   /* put_absent replaces what is there */
    SIM_WRONG_INDEX,      /* an uploader begins one seal too late where there is one without a manifest */
    SIM_IDS_REUSED,       /* every life of a worker draws the same ids */
    SIM_BLOCKS_DROPPED,   /* some blocks are acknowledged and not in the log */
    SIM_NO_PREDECESSOR,   /* advance does not look at the predecessor */
    SIM_VOID_FORGOTTEN,   /* a void is answered and not stored */
    SIM_TRIM_ALL,         /* the log is trimmed to its end */
    SIM_NO_BARRIER,       /* a recoverer puts no barriers */
    SIM_NOTHING_UNSEALED, /* a recoverer looks for no predecessors and trailers in the log */
    SIM_OWN_FORGOTTEN,    /* a recoverer takes for known what the ledger has forgotten */
    SIM_OLDER_FORGOTTEN,  /* a recoverer does not look into the logs of earlier generations */
    SIM_COUNTERS_LATE,    /* a snapshot says how far chains were told when its pages had been written, not before */
    SIM_CLAIMS_UNCHECKED, /* advance neither looks at claims nor stores them */
    SIM_CLAIMS_LOST,      /* a recoverer gives winners without their claims */
    SIM_CAUGHT,           /* those above are caught within some hundred seeds */
    /* Two that take some thousand seeds (7218 and 8233 of all, 1295 of rollback caught them when they were written);
     * the contract suite of the ledger tests both. */
    /* a file that another one takes the key of is closed at its reach, line start or not */
    SIM_END_INVENTED = SIM_CAUGHT,
    SIM_END_FORGOTTEN, /* recovery gives back no closed end that a first line starts at */
    /* advance does not look at closed ends that the worker did not know: chance has not led there yet, because it takes
     * two emitters that see different sizes within one call; the contract suite of the ledger tests it */
    SIM_ENDS_UNSEEN,
    SIM_MUTATIONS
};

/* For the loops that fail the k-th call of one kind of service. */
enum sim_service { SIM_EMITTER, SIM_WORKER, SIM_UPLOADER, SIM_SERVICES };
enum sim_strike { SIM_STRIKE_NONE, SIM_STRIKE_BEFORE, SIM_STRIKE_AFTER, SIM_STRIKE_CRASH, SIM_STRIKE_CRASH_AFTER };

struct sim_options {
    uint64_t seed;
    enum sim_class class;
    enum sim_mutation mutation;
    bool verbose; /* a line an event on stdout */
    enum sim_service strike_service;
    enum sim_strike strike;
    uint64_t strike_at; /* from 1 */
};

struct sim_result {
    bool ok;
    char text[2048]; /* what is wrong */
    bool struck;     /* the strike happened */
    uint64_t steps, lines, attempts, objects, crashes, voids, receipts, lost_attempts, files, rollbacks, taken,
        snapshots, duplicates;
    uint64_t repaired; /* messages that were made again */
};

void sim_run(const struct sim_options *options, struct sim_result *out);

const char *sim_class_name(enum sim_class class);
/* SIM_CLASSES when there is none of that name. */
enum sim_class sim_class_parse(const char *name);
const char *sim_mutation_name(enum sim_mutation mutation);
enum sim_mutation sim_mutation_parse(const char *name);

#endif
