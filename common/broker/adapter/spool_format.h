/* SPDX-License-Identifier: Apache-2.0 */
/* spool_format: the bytes of the spool's files, to and from structs; SPOOL.md is the specification. The only file that
 * sees xxHash. Threads: pure. Fails: decoding answers false for anything that is not exactly such bytes. */
#ifndef SLUICE_SPOOL_FORMAT_H
#define SLUICE_SPOOL_FORMAT_H

#include "id.h"
#include "str.h"

enum {
    SPOOL_VERSION = 1,
    SPOOL_SEGMENT_BYTES = 80, /* header of a segment */
    SPOOL_RECORD_BYTES = 40,  /* header of a record */
    SPOOL_MARK_BYTES = 24,    /* the file `acknowledged` */
    SPOOL_NAME_MAX = 40
};

#define SPOOL_NO_SEGMENT UINT64_MAX

/* The header of a segment file. */
struct spool_segment_header {
    uint32_t partition;
    struct id queue;
    uint64_t generation;
    uint64_t base;      /* offset of the first record */
    uint64_t prev_base; /* of the segment before; SPOOL_NO_SEGMENT in a log's first */
    uint64_t prev_end;  /* the log's end when this one was made; below `base` after a skip */
    uint64_t salt;      /* random: seeds the records' header checksums, so that no message can hold a valid record */
};

void spool_format_segment(const struct spool_segment_header *header, uint8_t out[SPOOL_SEGMENT_BYTES]);
enum spool_header_state { SPOOL_HEADER_GOOD, SPOOL_HEADER_BAD, SPOOL_HEADER_NEWER };
enum spool_header_state spool_parse_segment(const uint8_t bytes[SPOOL_SEGMENT_BYTES], struct spool_segment_header *out);

/* The header of a record; the message follows it at once, the next record follows the message at once. */
struct spool_record {
    uint32_t len; /* of the message */
    uint64_t offset;
    uint64_t acknowledged; /* the log's acknowledged end when this was written */
    uint64_t sum;          /* of the message */
};

void spool_format_record(const struct spool_record *record, uint64_t salt, uint8_t out[SPOOL_RECORD_BYTES]);
bool spool_parse_record(const uint8_t bytes[SPOOL_RECORD_BYTES], uint64_t salt, struct spool_record *out);
/* The first place in `bytes` where a record may begin; bytes.len when there is none. A beginning of one at the very end
 * counts. */
size_t spool_find_record(struct str bytes);

/* The file `acknowledged`. */
void spool_format_mark(uint64_t end, uint8_t out[SPOOL_MARK_BYTES]);
bool spool_parse_mark(const uint8_t bytes[SPOOL_MARK_BYTES], uint64_t *out_end);

/* The base as 20 digits. */
void spool_format_name(uint64_t base, char out[SPOOL_NAME_MAX]);
/* Exactly 20 digits, in range. */
bool spool_parse_name(const char *name, uint64_t *out_base);

/* XXH3-64 of head and body as if they were one. */
uint64_t spool_sum(struct str head, struct str body);
/* The same piece by piece. */
struct spool_summer;
struct spool_summer *spool_summer_new(void);
void spool_summer_begin(struct spool_summer *summer);
void spool_summer_add(struct spool_summer *summer, struct str bytes);
uint64_t spool_summer_end(const struct spool_summer *summer);
void spool_summer_free(struct spool_summer **summer);

#endif
