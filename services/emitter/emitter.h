/* SPDX-License-Identifier: Apache-2.0 */
/* emitter: finds files, knows who they are, and says which stripes are ready, until the ledger says that they are
 * converted.
 *
 * The emitter decides nothing about lines. What it publishes is level-triggered: said twice, late or never, a job does
 * no harm, because the checkpoint in the ledger says what is done. So it may be killed at any moment, and any number of
 * emitters may watch the same files. DESIGN.md beside this file has the invariants.
 *
 * One step does at most one kind of effect through its ports, so that a simulation can stop it between any two.
 * Memory: see catalog.h; the window of jobs under way is bounded by settings.window. Threads: one at a time.
 * Fails: a step returns what ended it: RC_BUSY and RC_STALE mean "call again later", RC_DENIED and RC_BROKEN are for
 * people. */
#ifndef SLUICE_EMITTER_H
#define SLUICE_EMITTER_H

#include "broker.h"
#include "ledger.h"
#include "notify.h"
#include "rng.h"
#include "source.h"
#include "store.h"

enum emitter_after { EMITTER_KEEP, EMITTER_DELETE, EMITTER_MOVE, EMITTER_TAG };

struct emitter_source {
    struct str name;
    struct source_pattern pattern;
    struct source view; /* opens its files; of the same adapter as the port. Without ops: the port itself does */
    /* Which of the files whose bytes never change are decoded, as the view does: then their ends have to be looked for.
     */
    enum { EMITTER_NO_TEXTS, EMITTER_NAMED_TEXTS, EMITTER_ALL_TEXTS } fixed_texts;
    uint64_t stripe_bytes;
    uint64_t text_stripe_bytes; /* of files that are decoded, which cannot be read from the middle; 0: stripe_bytes */
    bool spans_lines;          /* a record can be more than one line: what is left of an open file may be half of one */
    uint64_t record_bytes_max; /* where lines go together: how far a record of an open file can go on; else 0 */
    uint32_t weight;           /* of its share where there is more than the window takes; 0: 1 */
    bool oldest_first;         /* files in the order of their times of modification, else as they are found */
    uint64_t close_after_ms;   /* closed when unchanged for so long */
    uint64_t rotated_after_ms; /* the same for a file that was renamed, or that no matching name leads to any more */
    uint64_t ignore_older_ms;  /* left alone until it changes when its last change was longer ago; 0: none */
    enum emitter_after after;
    struct str move_to;
    struct str tag_key, tag_value; /* EMITTER_TAG */
};

struct emitter_settings {
    const struct emitter_source *sources;
    size_t sources_len;
    bool once;             /* close everything at the size that the first scan sees, and be done when all is durable */
    uint64_t rescan_ms;    /* between two scans where no event told of a change */
    uint64_t poll_ms;      /* between two looks at the checkpoints of what is under way */
    uint64_t republish_ms; /* a job without progress is said again after so long, then twice as long, … */
    size_t window;         /* stripes under way at most; 0: EMITTER_WINDOW_DEFAULT */
    bool shared;           /* other emitters may write the receipts of our files */
    size_t held_max;       /* files kept open because they are not finished; 0: EMITTER_HELD_DEFAULT */
};

enum {
    EMITTER_WINDOW_DEFAULT = 4096,
    EMITTER_HELD_DEFAULT = 512,
    EMITTER_STRIPES_PER_FILE = 64, /* of one file in the window at a time: a huge file leaves room for the others */
    /* Files or stripes in one call to the ledger. Ids are random, so each new file touches another page of its index;
     * the larger the batch, the more of them share one page and one write of it. */
    EMITTER_BATCH = 1024
};

/* Where others read what this emitter says jobs of, for workers that cannot get at its files. */
struct emitter_share {
    void *self; /* NULL: they can */
    /* From now on until forget() the file can be read at the URL, however its name changes; again is fine. RC_ABSENT,
     * RC_STALE: it cannot be opened any more. */
    enum rc (*publish)(void *self, struct id file, struct str uri, const struct source_stat *stat, struct buf *out_url);
    void (*forget)(void *self, struct id file);
};

struct emitter_ports {
    struct broker broker;
    struct ledger ledger;
    struct source source;
    struct store store;
    struct notify notify; /* hears of every receipt before the ledger does; without ops: nobody */
    struct emitter_share share;
};

/* What it has to tell at the moment. */
struct emitter_view {
    uint64_t files, open, closed, receipted, set_aside;
    uint64_t bytes, bytes_done; /* known sizes, and how much of it is converted (as far as the emitter looked) */
    uint64_t outstanding;       /* stripes under way */
    bool scanned;               /* the first scan is complete and everything in it identified */
    bool converted;             /* --once: every file is closed and all its stripes are converted */
    bool done;                  /* --once: every receipt is written, or a stripe of the file was set aside */
    uint64_t ignored;           /* files too old to be read, in none of the figures above */
    uint64_t unreadable;        /* files that cannot be opened */
    uint64_t lost_bytes;        /* of files that were truncated or deleted before they were read */
};

struct emitter;

/* Borrows settings' strings and the ports for its life. */
RC emitter_new(const struct emitter_settings *settings, const struct emitter_ports *ports, struct rng rng,
               struct emitter **out, struct why *why);
/* Stops where it is: what was under way is simply not said again. */
void emitter_free(struct emitter *emitter);
/* Does the next thing. *out_wait_ms: how long nothing will be due (0: call again at once). `now_ms` never goes back;
 * `wall_ns` is the time of day, for receipts and for how old a file is. */
RC emitter_step(struct emitter *emitter, uint64_t now_ms, int64_t wall_ns, uint64_t *out_wait_ms, struct why *why);
/* Something under a watched place changed: scan at the next step. */
void emitter_wake(struct emitter *emitter);
/* The ledger is at another epoch now. */
void emitter_set_epoch(struct emitter *emitter, uint64_t epoch);
/* Goes over all files, but only where a step changed something since the last look. */
void emitter_look(struct emitter *emitter, struct emitter_view *out);

#endif
