/* SPDX-License-Identifier: Apache-2.0 */
/* redriven: which rejects are none any more: ranges of objects of rejects that were converted again, by the attempts
 * that manifests list (services/redrive/DESIGN.md). A range is a tombstone for the lines that start in it.
 *
 * Memory: 56 bytes a range and each object's key once. Threads: one at a time. Fails: with what the store fails with.
 */
#ifndef SLUICE_REDRIVEN_H
#define SLUICE_REDRIVEN_H

#include "manifest.h"
#include "report.h"

struct redriven_range {
    struct str key;    /* of the object */
    uint64_t from, to; /* of its raw bytes */
    uint64_t lines;    /* that start in it */
};

struct redriven {
    struct redriven_range *at; /* by key, then by place */
    size_t len, room;
    struct arena keys;
};

/* For who goes through manifests by itself: each of them, and then redriven_sort(). */
void redriven_add(struct redriven *redriven, const struct manifest *manifest);
void redriven_sort(struct redriven *redriven);
RC redriven_read(const struct report *report, struct redriven *out, struct why *why);
void redriven_done(struct redriven *redriven);
/* The ranges [*out_from, *out_to) are the object's. */
void redriven_of(const struct redriven *redriven, struct str key, size_t *out_from, size_t *out_to);
/* Was the line at this offset of the object converted again? */
bool redriven_has(const struct redriven *redriven, struct str key, uint64_t offset);

#endif
