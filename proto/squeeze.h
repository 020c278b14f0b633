/* SPDX-License-Identifier: Apache-2.0 */
/* squeeze: a document of ours in one zstd frame with content size and checksum, and back. Threads: pure. Fails: RC_BAD
 * for what is not exactly one such frame, or holds more than it may; RC_LIMIT over the cap of a buf. */
#ifndef SLUICE_SQUEEZE_H
#define SLUICE_SQUEEZE_H

#include "buf.h"

RC squeeze(struct str bytes, struct buf *out);
RC unsqueeze(struct str frame, size_t bytes_max, struct buf *out, struct why *why);

#endif
