/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_inflate: a payload that was sent as gzip: one member or several, zeros behind them. Memory: zlib's 40 KiB,
 * and what comes out, at most the buf's cap. Threads: one at a time. Fails: RC_BAD for what is no gzip, is cut off or
 * has a wrong checksum; RC_LIMIT for more bytes than the buf may hold. */
#ifndef SLUICE_TELEMETRY_INFLATE_H
#define SLUICE_TELEMETRY_INFLATE_H

#include "buf.h"

struct telemetry_inflate;

bool telemetry_inflate_wanted(struct str data);
struct telemetry_inflate *telemetry_inflate_new(void);
void telemetry_inflate_free(struct telemetry_inflate *inflate);
/* `out` is emptied first. */
RC telemetry_inflate(struct telemetry_inflate *inflate, struct str data, struct buf *out);

#endif
