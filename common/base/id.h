/* SPDX-License-Identifier: Apache-2.0 */
/* id: 128 random bits that name a file, an attempt, a ledger or a queue, never used twice. All zero bits mean "none".
 * As text 32 lower-case hexadecimal digits. Threads: pure. */
#ifndef SLUICE_ID_H
#define SLUICE_ID_H

#include "rc.h"
#include "rng.h"

#include <stddef.h>
#include <stdint.h>

enum { ID_BYTES = 16, ID_TEXT = 33 };

struct id {
    uint8_t bytes[ID_BYTES];
};

/* A fresh id out of `rng`; never the zero id. */
struct id id_make(struct rng *rng);
bool id_equal(struct id a, struct id b);
bool id_is_none(struct id id);
/* Order for sorting: <0, 0, >0 as memcmp. */
int id_compare(struct id a, struct id b);
/* Writes 32 digits and a NUL; gives `out` back. */
char *id_format(struct id id, char out[ID_TEXT]);
/* Exactly 32 hexadecimal digits, else RC_BAD. */
RC id_parse(const char *text, size_t len, struct id *out);
/* From exactly ID_BYTES raw bytes (protobuf `bytes`), else RC_BAD. */
RC id_from_bytes(const void *bytes, size_t len, struct id *out);

#endif
