/* SPDX-License-Identifier: Apache-2.0 */
/* spool_bed: a log of one partition without threads, for tests that look at its files: nothing is acknowledged before
 * spool_log_commit. Message i of a log is always the same text. */
#ifndef SLUICE_SPOOL_BED_H
#define SLUICE_SPOOL_BED_H

#include "spool_log.h"
#include "spool_sys.h"

struct spool_bed {
    char *path; /* of the log's folder */
    struct spool_log_options options;
    struct broker_local_opening opening;
    struct why why;
};

void spool_bed_init(struct spool_bed *bed);
void spool_bed_done(struct spool_bed *bed);
RC spool_bed_open(struct spool_bed *bed, struct spool_log **out);
/* The text of message i: 0 to 60 bytes. */
struct str spool_bed_text(uint64_t i, char out[64]);
RC spool_bed_append(struct spool_bed *bed, struct spool_log *log, uint64_t i);
/* Reads message i: RC_OK only when it is the text of `text`. Anything but that text, given out as whole, ends the test.
 */
RC spool_bed_read(struct spool_bed *bed, struct spool_log *log, uint64_t i, uint64_t text);
/* Makes a log with `count` messages, all acknowledged, closes it. */
void spool_bed_fill(struct spool_bed *bed, uint64_t count);

/* Files of the log's folder; names as in SPOOL.md. */
char *spool_bed_load(const struct spool_bed *bed, const char *name, size_t *out_len);
void spool_bed_save(const struct spool_bed *bed, const char *name, const char *bytes, size_t len);
bool spool_bed_has(const struct spool_bed *bed, const char *name);
void spool_bed_remove(const struct spool_bed *bed, const char *name);
/* Sets what the log says was acknowledged. */
void spool_bed_mark(const struct spool_bed *bed, uint64_t end);
/* Removes all files. */
void spool_bed_clear(const struct spool_bed *bed);

#endif
