/* SPDX-License-Identifier: Apache-2.0 */
/* report: what a pipeline has done, read from its store and its ledger for people: status, audit, rejects, cat.
 *
 * Nothing here writes, and all of it works beside a running pipeline: what is read is a moment that is a little
 * uneven, and every check is made so that it holds for such a moment too (DESIGN.md says how). Objects are found by
 * manifests, never by listing.
 *
 * Threads: one at a time. Memory: said at each part. Fails: with what the ports fail with. */
#ifndef SLUICE_REPORT_H
#define SLUICE_REPORT_H

#include "id.h"
#include "ledger.h"
#include "store.h"

/* Where to look. The ports are borrowed. A pipeline that never ran has neither: .ops may be NULL, and then there is
 * nothing to report. */
struct report {
    struct store store;
    struct ledger ledger; /* at.generation is the same generation */
    struct id queue;
    uint64_t generation;
};

/* One file as the ledger lists it; RC_ABSENT. The texts are in `arena`. */
RC report_file(const struct report *report, struct id file, struct arena *arena, struct ledger_listing *out,
               struct why *why);
/* The id below `id`, which is not none: the ledger's listing behind it begins with `id`. */
struct id report_id_before(struct id id);
/* "/var/log/a b" of "file:///var/log/a%20b", as a person knows it; other uris stay. Appends. */
void report_path(struct str uri, struct buf *out);
/* Does what a person typed name the file: its uri, its path, or the end of its path from a '/' on? */
bool report_names(struct str asked, struct str uri);
/* Appends `text` for a terminal or a log: control characters and what is not UTF-8 as \xNN, cut behind `max` bytes with
 * "..." (0: never). */
void report_show(struct str text, size_t max, struct buf *out);

#endif
