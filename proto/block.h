/* SPDX-License-Identifier: Apache-2.0 */
/* block: the messages of the blocks topic: records of one attempt for one output, and the trailer that ends an attempt.
 *
 * On the wire: u32 little-endian length of the head, the head (protobuf BlockMessage, proto/block.proto), the payload.
 * Decoded strings borrow from the message. Threads: pure. Fails: RC_BAD for anything that is not exactly such a
 * message; the payload's checksum is checked by block_check(), not by decoding. */
#ifndef SLUICE_BLOCK_H
#define SLUICE_BLOCK_H

#include "attempt.h"
#include "buf.h"
#include "claim.h"
#include "counts.h"

enum block_codec { BLOCK_STORED, BLOCK_ZSTD, BLOCK_GZIP };

enum {
    BLOCK_VERSION = 1,
    BLOCK_HEAD_MAX = 64 * 1024 + CLAIMS_MAX * CLAIM_BYTES, /* a path of PATH_MAX percent-encoded is 12 KiB of it */
    BLOCK_MESSAGE_MAX = 4 * 1024 * 1024 + 64 * 1024        /* claims are in trailers, which have no payload */
};

struct block_header {
    struct attempt attempt;
    struct facts facts;
    uint32_t index;
    struct str output; /* partition path; for rejects "source=<name>" */
    bool rejects;
    enum block_codec codec;
    uint64_t raw_bytes;
    uint64_t expected_bytes; /* compressed size; for BLOCK_STORED the size to expect */
    uint64_t records;
    bool has_time;
    int64_t time_min_ns, time_max_ns;
    uint64_t checksum;     /* XXH3-64 of the payload */
    uint64_t raw_checksum; /* XXH3-64 of the raw bytes: goes to the footer where the payload passes as it is */
};

struct block_trailer {
    struct attempt attempt;
    struct facts facts;
    struct counts counts;
    uint32_t blocks;
    uint64_t digest; /* XXH3-64 over the blocks' checksums (8 bytes little-endian each) in order of index */
    uint64_t tail_hash;
    bool closed;        /* `to` is a closed end of the file: a line start whatever lies before it */
    uint64_t first_end; /* the closed end that the first line starts at, where no attempt ends before it; of a range
                         * without lines: the one that cuts a line, so that no record begins in the range; 0: none */
    struct str claims;  /* claim.h */
};

enum block_kind { BLOCK_RECORDS, BLOCK_TRAILER };

struct block_message {
    enum block_kind kind;
    struct block_header header;   /* BLOCK_RECORDS */
    struct block_trailer trailer; /* BLOCK_TRAILER */
    struct str payload;           /* BLOCK_RECORDS */
};

/* Appends the head (length and protobuf) to `out`; the payload goes behind it as it is. */
RC block_encode_header(const struct block_header *header, struct buf *out);
RC block_encode_trailer(const struct block_trailer *trailer, struct buf *out);
RC block_decode(struct str message, struct block_message *out, struct why *why);
/* How many bytes at the start of a message are its length and head: what block_decode() needs at least, if the payload
 * is not looked at. 0 when there are not even 4 bytes. */
static inline size_t block_head_bytes(struct str message) {
    if (message.len < 4) return 0;
    const unsigned char *p = (const unsigned char *)message.at;
    return 4 + ((size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24);
}
/* RC_BROKEN when the payload is not what the header says (size of a stored one, checksum). */
RC block_check(const struct block_message *message, struct why *why);
/* The attempt of either kind. */
const struct attempt *block_attempt(const struct block_message *message);

#endif
