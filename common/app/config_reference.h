/* SPDX-License-Identifier: Apache-2.0 */
/* config_reference: the reference of all keys as Markdown (docs/CONFIG.md), out of the table. Threads: pure.
 * Fails: see buf_rc(). */
#ifndef SLUICE_CONFIG_REFERENCE_H
#define SLUICE_CONFIG_REFERENCE_H

#include "buf.h"

/* About 10 KiB, ends in a newline. */
void config_reference_markdown(struct buf *out);

#endif
