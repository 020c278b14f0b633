/* SPDX-License-Identifier: Apache-2.0 */
/* cat: the records of a generation, of one partition, of a span of time.
 *
 * Objects are chosen by manifests (partition path, time range), frames by the object's footer, records by asking for
 * the time of each. Where nothing is asked of the time, frames are passed on whole. The order is that of the manifests.
 *
 * Memory: one manifest decoded, one footer, one frame (stored.h). Threads: one at a time. Fails: with
 * what the ports or the writer fail with; RC_BROKEN for objects that are not what the manifest says. */
#ifndef SLUICE_CAT_H
#define SLUICE_CAT_H

#include "report.h"

/* A component `key=value` that the partition path must have; the value is compared decoded (%2F is '/'). */
struct cat_where {
    struct str key, value;
};

struct cat_ask {
    struct str partition; /* whole components at the start of the path; "": all */
    const struct cat_where *where;
    size_t where_len;
    bool has_from, has_to;
    int64_t from_ns, to_ns; /* [from, to) */
    /* The time of a record of `source` ("" where the ledger does not know the file): RC_OK, or RC_BAD when it has none,
     * and then it is in no span of time. Needed when a span is asked for. */
    enum rc (*time)(void *context, struct str source, struct str record, int64_t *out_ns);
    /* Whole records, each with its newline. RC_STOP: the reader has had enough. */
    enum rc (*write)(void *context, struct str records, struct why *why);
    void *context;
};

struct cat_result {
    uint64_t objects, frames, records, bytes; /* that were written (objects, frames: read) */
    uint64_t objects_skipped, frames_skipped;
};

RC cat_records(const struct report *report, const struct cat_ask *ask, struct cat_result *out, struct why *why);
/* Does the partition path fit? For tests and messages. */
bool cat_fits(const struct cat_ask *ask, struct str output);

#endif
