/* SPDX-License-Identifier: Apache-2.0 */
/* wire_parts: the messages that stand in others: attempt, facts, counts, settings. to_* borrow texts from the unpacked
 * message; check_* say whether a value may be written, and are used both ways, so that what is encoded decodes.
 * Threads: pure. Fails: RC_BAD. */
#ifndef SLUICE_WIRE_PARTS_H
#define SLUICE_WIRE_PARTS_H

#include "attempt.h"
#include "block.pb-c.h"
#include "counts.h"
#include "seal.h"

enum {
    SOURCE_BYTES_MAX = 255,
    URI_BYTES_MAX = 3 * 4096 + 8, /* "file://" and a path of PATH_MAX, percent-encoded */
    OUTPUT_BYTES_MAX = 1024,      /* a key has no more */
    FORMAT_BYTES_MAX = 32,
    ENCODER_BYTES_MAX = 255,
};

RC check_attempt(const struct attempt *attempt, struct why *why);
RC check_facts(const struct facts *facts, struct why *why);
RC check_counts(const struct counts *counts, struct why *why);
RC check_trailer(const struct block_trailer *trailer, struct why *why);
RC check_settings(const struct settings *settings, struct why *why);
/* has_time and its bounds, of a block or a frame */
RC check_time(bool has_time, int64_t min_ns, int64_t max_ns, struct why *why);
/* "outputs" of rejects are never empty. */
RC check_output(struct str output, bool rejects, struct why *why);

Sluice__Attempt wire_from_attempt(const struct attempt *attempt);
Sluice__Facts wire_from_facts(const struct facts *facts);
Sluice__Counts wire_from_counts(const struct counts *counts);
Sluice__Settings wire_from_settings(const struct settings *settings);
/* The parts are the caller's and must live as long. */
Sluice__Trailer wire_from_trailer(const struct block_trailer *trailer, Sluice__Attempt *attempt, Sluice__Facts *facts,
                                  Sluice__Counts *counts);

/* NULL is a missing message: RC_BAD. What comes out is checked. */
RC wire_to_attempt(const Sluice__Attempt *from, struct attempt *out, struct why *why);
RC wire_to_facts(const Sluice__Facts *from, struct facts *out, struct why *why);
RC wire_to_counts(const Sluice__Counts *from, struct counts *out, struct why *why);
RC wire_to_settings(const Sluice__Settings *from, struct settings *out, struct why *why);
RC wire_to_trailer(const Sluice__Trailer *from, struct block_trailer *out, struct why *why);

#endif
