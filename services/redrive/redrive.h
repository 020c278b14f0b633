/* SPDX-License-Identifier: Apache-2.0 */
/* redrive: which objects of rejects hold lines that can be converted now, as names of files (reject_uri.h) for an
 * emitter. DESIGN.md has the argument.
 *
 * Each live reject that is asked for is tried as a lane would; an object with at least one that converts is named. So
 * what is found a second time without anything mended is nothing.
 *
 * Memory: as rejects.h, a slice, and the names. Threads: one at a time. Fails: with what the ports fail with; RC_BAD
 * for a converter that cannot be made. */
#ifndef SLUICE_REDRIVE_H
#define SLUICE_REDRIVE_H

#include "converter.h"
#include "report.h"

struct redrive_ask {
    struct str source, reason, file;             /* "": any; as rejects_ask */
    const struct converter_settings *converters; /* of all sources, by their names */
    size_t converters_len;
};

struct redrive_names {
    struct str *at;
    size_t len, room;
};

struct redrive {
    struct redrive_names *names; /* one a converter */
    size_t names_len;
    struct arena texts;
    uint64_t objects, lines; /* named; that convert now in the first such line's object or were looked at */
};

RC redrive_find(const struct report *report, const struct redrive_ask *ask, struct redrive *out, struct why *why);
void redrive_done(struct redrive *redrive);

#endif
