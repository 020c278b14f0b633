/* SPDX-License-Identifier: Apache-2.0 */
/* catalog: every file that the emitter has seen, in memory: who it is, how large it was, how far it was published.
 *
 * Found by incarnation (source, inode, birth, volume). Entries have a place that stays for the catalog's life; a place
 * whose file is gone and finished is used again.
 *
 * Memory: an entry and its index are 150 bytes, plus the last part of the name; the folders above are kept once each,
 * so that 200,000 files in a few folders stay under 256 bytes each. Threads:
 * one at a time. Limits: 2^32 - 2 entries, names of 65,535 bytes. */
#ifndef SLUICE_CATALOG_H
#define SLUICE_CATALOG_H

#include "arena.h"
#include "folders.h"
#include "id.h"
#include "source.h"
#include "str.h"

#include <stddef.h>
#include <stdint.h>

enum { CATALOG_NONE = UINT32_MAX };

enum catalog_state {
    CATALOG_NEW,     /* seen, not identified yet, or changed: identify (again) */
    CATALOG_ACTIVE,  /* identified; published as it grows */
    CATALOG_PENDING, /* identified, has lines to convert that wait for a place in the window */
    CATALOG_FREE
};

struct catalog_entry {
    struct id id;
    uint64_t inode, volume;
    int64_t birth_ns, mtime_ns;
    uint64_t size;        /* as last seen; of what is read, see source_end() */
    uint64_t raw_size;    /* as directories tell it */
    uint64_t prefix_hash; /* of the first prefix_len bytes, as the ledger has it */
    uint64_t
        done_size; /* all complete lines before this size are converted; what is behind may be an unfinished line */
    uint64_t closed_end;   /* with .closed */
    uint64_t stripe_bytes; /* the file's grid, as the ledger has it */
    char *name;            /* the last part of the URI, NUL-terminated; see catalog_uri() */
    struct source_file *held;
    uint32_t prefix_len;
    uint32_t next_stripe; /* all below it are finished */
    uint32_t folder;      /* of the catalog's folders: the URI up to and with its last slash */
    uint32_t seen;        /* number of the scan that saw it last */
    uint32_t changed_s;   /* second of the emitter's clock at which it had not changed any more; see .changed */
    uint16_t hidden;      /* of .size, what may still be another text when the file goes on (source_stat.steady) */
    uint16_t source;
    uint8_t state;    /* enum catalog_state */
    bool changed : 1; /* it was seen to change, and changed_s is to be set: by a later step, for a step may take long */
    bool closed : 1;
    bool gone : 1;        /* closed, and nothing will come any more */
    bool close_told : 1;  /* the ledger was told of closed_end by us */
    bool receipted : 1;   /* the receipt for closed_end is in the store */
    bool receipt_put : 1; /* that receipt is, but whether the ledger knows is not known */
    bool moved : 1;       /* no name that matches leads to it any more */
    bool after_done : 1;  /* after_durable was done or given up */
    bool outstanding : 1; /* some of its stripes are in the window */
    bool waiting : 1;     /* in the emitter's list of files that wait for the window */
    bool queued : 1;      /* in the emitter's list of files to identify */
    bool shorter : 1;     /* the last look saw less than was known: the next one decides */
    bool denied : 1;      /* told that it cannot be read */
    bool rotated : 1;     /* it was renamed, or closed for good by --once: after_durable may act */
    bool set_aside : 1;   /* a stripe of it failed too often */
    bool open_tail : 1;   /* its last line had no end when its stripes were finished: nobody has it yet */
    bool ignored : 1;     /* it was too old when it was found, and did not change since */
    bool adopted : 1;     /* the ledger knows it under another key: see adopt.h */
    bool unripe : 1;      /* too little of it is there to tell what it is: looked at with every scan */
    bool lost_told : 1;   /* told that it vanished unread */
    bool fixed : 1;       /* source_stat.fixed */
};

struct catalog {
    struct catalog_entry *entries;
    size_t len, room;
    uint32_t *index; /* open addressing, CATALOG_NONE is empty */
    size_t index_room;
    uint32_t *free_places;
    size_t free_len, free_room;
    size_t live;
    struct folders folders;
};

void catalog_done(struct catalog *catalog);
/* The entry of this incarnation, or NULL. */
struct catalog_entry *catalog_find(struct catalog *catalog, uint16_t source, const struct source_stat *stat);
/* A new entry in state CATALOG_NEW; the name is copied. Pointers to entries are good until the next add. */
struct catalog_entry *catalog_add(struct catalog *catalog, uint16_t source, const struct source_entry *seen);
void catalog_rename(struct catalog *catalog, struct catalog_entry *entry, struct str uri);
/* Its URI, NUL-terminated, in the arena. */
struct str catalog_uri(const struct catalog *catalog, const struct catalog_entry *entry, struct arena *arena);
bool catalog_is_named(const struct catalog *catalog, const struct catalog_entry *entry, struct str uri);
/* Forgets it; the handle, if any, must have been closed. */
void catalog_remove(struct catalog *catalog, struct catalog_entry *entry);
static inline uint32_t catalog_place(const struct catalog *catalog, const struct catalog_entry *entry) {
    return (uint32_t)(entry - catalog->entries);
}
struct source_stat catalog_stat(const struct catalog_entry *entry);

#endif
