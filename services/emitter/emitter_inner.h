/* SPDX-License-Identifier: Apache-2.0 */
/* emitter_inner: the state that the files of this folder share. Not for others. */
#ifndef SLUICE_EMITTER_INNER_H
#define SLUICE_EMITTER_INNER_H

#include "backoff.h"
#include "catalog.h"
#include "emitter.h"
#include "turns.h"

/* A file some of whose stripes are in the window. */
struct emitter_active {
    uint32_t place;
    struct id id;
    uint64_t ready;
    bool closed;
    bool set_aside;
    bool open_tail;                 /* what is left is a line without its end */
    bool retired;                   /* finished or forgotten; the slot goes when no stripe refers to it */
    uint32_t publish_next, stripes; /* next to publish; how many there are up to `ready` */
    uint32_t under_way;
    uint32_t stuck; /* of those under way: see publish.c */
    /* The first stripe that was done with because only a line without its end was left of it, and the `ready` of then:
     * to be published again when the file grows. UINT32_MAX: none. */
    uint32_t open_from;
    uint64_t open_ready;
};

/* A stripe that was published and is not known to be finished. */
struct emitter_stripe {
    uint32_t active;
    uint32_t stripe;
    uint64_t at; /* checkpoint at the last look */
    uint64_t again_ms, wait_ms;
    bool stuck; /* does not count in the window: see publish.c */
};

struct emitter {
    struct emitter_settings settings;
    struct emitter_ports ports;
    struct broker_producer producer;
    bool producer_broken;
    struct rng rng;
    struct catalog catalog;
    uint32_t scan;
    bool receipts_unsure; /* some entry has .receipt_put */
    bool scanned, woken, rescan_again, closing;
    bool unlisted; /* a source could not be listed by the last scan */
    bool rest;     /* the step before was a scan: the next one is due rescan_ms behind its end, however long it took */
    size_t close_at; /* how far the pass over the catalog came that closes what is idle */
    uint64_t next_scan_ms, next_poll_ms, next_receipts_ms, now_ms;
    uint32_t *todo; /* places to identify */
    size_t todo_len, todo_room;
    uint32_t *later; /* those of them that nobody can tell the end of yet, until .later_ms */
    size_t later_len, later_room;
    uint64_t later_ms;
    struct turns turns; /* files that wait for room in the window, and whose turn it is */
    size_t active_at;   /* whose turn it is of those under way */
    struct emitter_active *actives;
    size_t actives_len, actives_room;
    size_t actives_free; /* where the search for a free slot begins */
    struct emitter_stripe *stripes;
    size_t stripes_len, stripes_room, stripes_polled, stuck;
    size_t held;
    bool adopted; /* some entry has .adopted */
    uint64_t lost_bytes, cookie;
    struct arena arena;              /* for one step */
    struct buf message;              /* one job */
    struct emitter_batches *batches; /* receipts.c: manifests that were read lately */
    struct backoff notify_backoff;   /* receipts.c */
    uint64_t notify_again_ms;        /* no receipts before: whoever is to hear of them does not listen */
    size_t others_at;                /* receipts_elsewhere.c: how far it came in the catalog */
    uint64_t next_others_ms;
    int64_t wall_ns;
    struct emitter_view counted; /* sums over the catalog, as of the last look */
    bool changed;                /* they may not hold any more */
};

/* identify.c: takes up to EMITTER_BATCH of todo. */
RC emitter_identify(struct emitter *emitter, struct why *why);
/* closing.c */
RC emitter_close_idle(struct emitter *emitter, struct why *why);
/* publish.c */
void emitter_want(struct emitter *emitter, struct catalog_entry *entry); /* it has something to convert: queue it */
bool emitter_window_is_full(const struct emitter *emitter);
/* Are there stripes of it to be said now? */
static inline bool emitter_has_more(const struct emitter_active *a) {
    return !a->retired && a->publish_next < a->stripes && a->under_way < EMITTER_STRIPES_PER_FILE;
}
RC emitter_publish(struct emitter *emitter, struct why *why); /* fills the window */
RC emitter_poll(struct emitter *emitter, struct why *why);    /* looks at checkpoints */
void emitter_forget_active(struct emitter *emitter, struct catalog_entry *entry);
/* receipts.c; *out_n is how many were written */
RC emitter_receipts(struct emitter *emitter, size_t *out_n, struct why *why);
void emitter_receipted(struct emitter *emitter, struct catalog_entry *entry);
/* receipts_elsewhere.c: receipts of our files that another emitter wrote */
RC emitter_receipts_elsewhere(struct emitter *emitter, struct why *why);
/* Only for what ended by rotation or --once, and only while it is what it was; once for each receipt. */
void emitter_after_durable(struct emitter *emitter, struct catalog_entry *entry);
void emitter_batches_free(struct emitter_batches *batches);
/* emitter.c */
void emitter_todo(struct emitter *emitter, struct catalog_entry *entry);
/* The same, in a moment; it is CATALOG_NEW. */
void emitter_later(struct emitter *emitter, struct catalog_entry *entry);
const struct emitter_source *emitter_source_of(const struct emitter *emitter, const struct catalog_entry *entry);
/* Keeps the file open while it is not finished, so that deleting it does not lose what is unread. */
void emitter_hold(struct emitter *emitter, struct catalog_entry *entry);
void emitter_release(struct emitter *emitter, struct catalog_entry *entry);
/* The file's URI, good for this step. */
struct str emitter_uri(struct emitter *emitter, const struct catalog_entry *entry);
/* Opens by the held handle's incarnation or by name. */
RC emitter_open(struct emitter *emitter, const struct catalog_entry *entry, struct source_file **out, struct why *why);

#endif
