/* SPDX-License-Identifier: Apache-2.0 */
/* manifest: the objects of one sealed batch; put last and only if absent, also where it lists nothing. Readers go by
 * manifests. JSON on the wire, one object; unknown keys are ignored, so that fields can be added. Decoded data lives in
 * the arena. Threads: pure (one json parser a call). Fails: RC_BAD with the place. */
#ifndef SLUICE_MANIFEST_H
#define SLUICE_MANIFEST_H

#include "seal.h"

enum { MANIFEST_VERSION = 1, MANIFEST_BYTES_MAX = 256 * 1024 * 1024 };

/* What one object holds of one stripe range: the provenance that audit checks for gaps and overlaps. */
struct manifest_part {
    struct id file;
    uint64_t stripe, from, to;
    struct id attempt;
    uint64_t blocks, records, raw_bytes;
};

struct manifest_object {
    struct str key;    /* below the output's prefix */
    struct str output; /* partition path */
    bool rejects;
    uint64_t bytes, raw_bytes, records, blocks;
    bool has_time;
    int64_t time_min_ns, time_max_ns;
    uint64_t checksum; /* XXH3-64 of the whole object */
    struct manifest_part *parts;
    size_t parts_len;
    struct str footer_base64; /* the footer, for formats that have none inside; else empty */
};

/* An attempt that won with its trailer in this batch: how many lines came to what. */
struct manifest_attempt {
    struct attempt attempt;
    struct counts counts;
    uint32_t blocks; /* in all its batches together */
    struct str source, uri;
};

struct manifest {
    struct id queue;
    uint64_t generation;
    uint32_t partition;
    uint64_t index;
    uint64_t start, end, epoch;
    struct settings settings;
    struct manifest_object *objects;
    size_t objects_len;
    struct manifest_attempt *attempts;
    size_t attempts_len;
    /* How many blocks the seal lists that a repair gave up, because the queue lost them: then there are no objects, and
     * later batches hold these blocks as they were made again. */
    uint64_t given_up;
};

RC manifest_encode(const struct manifest *manifest, struct buf *out);
RC manifest_decode(struct str bytes, struct arena *arena, struct manifest *out, struct why *why);
/* The footer's bytes of an object that has it in the manifest: RC_ABSENT when it has none there, RC_BAD when the text
 * is no base64 (RFC 4648 with padding). */
RC manifest_footer(const struct manifest_object *object, struct arena *arena, struct str *out);

#endif
