/* SPDX-License-Identifier: Apache-2.0 */
/* janitor: finds, and removes when told to, what nobody will ever use: objects of ours that no manifest lists and none
 * can list any more, in every generation (DESIGN.md, "Orphans", says which those are and why), pages of snapshots
 * that were cut off, and uploads of ours that were begun long ago and never finished.
 *
 * Memory: listed.h, remover.h. Threads: one at a time. Fails: with what the store and `found` fail with; RC_BROKEN for
 * a manifest that is not readable: then nothing of its generation and of higher ones is removed. */
#ifndef SLUICE_JANITOR_H
#define SLUICE_JANITOR_H

#include "remover.h"
#include "upkeep.h"

enum janitor_kind {
    JANITOR_UNLISTED, /* no manifest lists it */
    JANITOR_REMOVED,  /* its generation was removed */
    JANITOR_UPLOAD,   /* an upload that was never finished */
    JANITOR_CUT_OFF,  /* a page of a ledger's snapshot that nobody finished */
};

struct janitor_found {
    struct str key; /* "" for an upload whose key the store does not know */
    uint64_t bytes; /* of an upload 0: nobody tells */
    enum janitor_kind kind;
};

struct janitor_ask {
    bool yes;         /* else nothing is changed */
    int64_t now_ns;   /* since the Unix epoch */
    int64_t older_ns; /* an upload that was begun so long before now is nobody's */
    struct remover_many many;
    enum rc (*found)(void *context, const struct janitor_found *found); /* NULL: not told */
    void *context;
};

struct janitor_result {
    struct upkeep_tally orphans;     /* that were removed, or would be */
    struct upkeep_tally in_progress; /* not listed yet; left alone */
    struct upkeep_tally foreign;     /* of other queues; left alone */
    struct upkeep_tally unknown;     /* whose names are none of ours; left alone */
    struct upkeep_uploads uploads;   /* .old were removed, or would be */
};

RC janitor_run(const struct upkeep *upkeep, const struct janitor_ask *ask, struct janitor_result *out, struct why *why);

#endif
