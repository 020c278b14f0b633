/* SPDX-License-Identifier: Apache-2.0 */
/* store_of_one: an object in memory: made of random records, and read back by ranges, of which any can be made to fail.
 */
#ifndef SLUICE_TEST_STORE_OF_ONE_H
#define SLUICE_TEST_STORE_OF_ONE_H

#include "object.h"

struct made_object {
    struct buf bytes, raw;
    struct buf footer; /* gz: the manifest's */
    struct object_facts facts;
    uint64_t records;
};

/* An object of `frames` frames of about `frame_bytes` raw bytes each. */
void object_make(enum frame_format format, size_t frames, size_t frame_bytes, uint64_t seed, struct made_object *out);
void made_object_done(struct made_object *object);

struct range_reader {
    struct str bytes;
    size_t calls;
    size_t fail_at; /* this call fails with `rc`, from 1; 0: none */
    enum rc rc;     /* RC_OK: it gives a byte too few */
    size_t most;    /* bytes of the largest range */
};
struct object_source range_source(struct range_reader *reader);

#endif
