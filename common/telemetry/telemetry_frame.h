/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_frame: the framed records of Mozilla's telemetry server, little endian:
 *
 *   v1   1E | u16 path bytes | u32 data bytes | u64 ms since 1970 | path | data
 *   v2   1E | u8 address bytes | u16 | u32 | u64 | address | path | data
 *
 * A file is cut into stretches: a record, or a run of bytes that are none. A 1E whose lengths are over the limits is no
 * header, and the search goes on behind it; a header within the limits takes the bytes that it declares, whatever they
 * are. What declares more bytes than there will ever be (the file is closed) is no header either.
 *
 * Where a stretch ends depends on the bytes from its start to the end of what is looked at, and on nothing before: so a
 * range that was cut once is cut alike by whoever takes it again, as a closed one.
 *
 * Memory: the caller's. Threads: pure. Limits: TELEMETRY_STRETCH_MAX bytes a stretch. */
#ifndef SLUICE_TELEMETRY_FRAME_H
#define SLUICE_TELEMETRY_FRAME_H

#include "str.h"

#include <stdint.h>

enum telemetry_framing { TELEMETRY_V1, TELEMETRY_V2 };

enum {
    TELEMETRY_PATH_MAX = 10 * 1024,
    TELEMETRY_DATA_MAX = 200 * 1024, /* as it was sent, compressed or not */
    TELEMETRY_HEADER_MAX = 16,
    TELEMETRY_STRETCH_MAX = TELEMETRY_HEADER_MAX + 255 + TELEMETRY_PATH_MAX + TELEMETRY_DATA_MAX,
};

struct telemetry_frame {
    uint64_t ms;
    struct str path, data; /* in the stretch */
};

/* Of bytes that begin where a stretch does: its length; 0: that is not known yet. `closed`: nothing comes behind them;
 * then it is not 0, unless there are no bytes. */
size_t telemetry_frame_end(enum telemetry_framing framing, struct str bytes, bool closed);
/* Of a whole stretch: RC_BAD: no record, and *out_why says why not. */
RC telemetry_frame_read(enum telemetry_framing framing, struct str stretch, struct telemetry_frame *out,
                        const char **out_why);

#endif
