/* SPDX-License-Identifier: Apache-2.0 */
/* packed: compresses texts in memory, for tests. */
#ifndef SLUICE_PACKED_H
#define SLUICE_PACKED_H

#include "buf.h"
#include "decode_kind.h"

/* Adds a member that holds the text, by the library's own compressor. */
void packed_add(enum decode_kind kind, struct str text, struct buf *out);

#endif
