/* SPDX-License-Identifier: Apache-2.0 */
/* made: random values of everything that proto encodes, valid and the same for the same seed; comparisons of them that
 * fail the running test; and hostile changes of encoded bytes. */
#ifndef SLUICE_TEST_MADE_H
#define SLUICE_TEST_MADE_H

#include "arena.h"
#include "block.h"
#include "footer.h"
#include "identity.h"
#include "job.h"
#include "manifest.h"
#include "receipt.h"
#include "rng.h"
#include "seal.h"

struct made {
    struct rng rng;
    struct arena arena;
};

struct made made_from_seed(uint64_t seed);
void made_done(struct made *made);

/* Of any size: as many small as large ones. */
uint64_t made_number(struct made *made);
struct id made_id(struct made *made);
struct str made_text(struct made *made, size_t from, size_t to);
struct attempt made_attempt(struct made *made);
struct facts made_facts(struct made *made);
struct counts made_counts(struct made *made);
struct settings made_settings(struct made *made);
struct block_header made_header(struct made *made);
struct block_trailer made_trailer(struct made *made);
struct job made_job(struct made *made);
struct seal made_seal(struct made *made);
struct footer made_footer(struct made *made);
struct manifest made_manifest(struct made *made);
struct receipt made_receipt(struct made *made);

void same_str(struct str a, struct str b);
void same_id(struct id a, struct id b);
void same_attempt(const struct attempt *a, const struct attempt *b);
void same_facts(const struct facts *a, const struct facts *b);
void same_counts(const struct counts *a, const struct counts *b);
void same_settings(const struct settings *a, const struct settings *b);
void same_trailer(const struct block_trailer *a, const struct block_trailer *b);

/* Fails unless `bytes` are those of `hex` (blanks in it do not count); prints them then. */
void same_hex(struct str bytes, const char *hex);

/* Fails unless the text is `should`; prints it then. */
void same_text(struct buf *text, const char *should);

/* Decodes a changed message: RC_BAD, or RC_OK and then `out` holds it encoded again. */
typedef enum rc (*made_decode)(struct str bytes, struct buf *out);
/* Every prefix of `good` and every change of one byte in it. Each must be refused with RC_BAD, or be a message: then
 * encoding it again gives the very bytes when `exact`. */
void hostile(struct str good, made_decode decode, bool exact);

#endif
