/* SPDX-License-Identifier: Apache-2.0 */
/* lines: where lines end, at the speed of the vector unit. Threads: pure. */
#ifndef SLUICE_LINES_H
#define SLUICE_LINES_H

#include "str.h"

#include <stdint.h>

/* Writes the offsets of the first `room` LFs in `bytes` (below 4 GiB); gives their number. Fewer than `room` means that
 * there are no more. */
size_t lines_index(struct str bytes, uint32_t *out_ends, size_t room);
/* The offset behind the last LF; 0 when there is none. */
size_t lines_whole(struct str bytes);
/* A line without its LF or CRLF, where it has one. */
static inline struct str lines_text(struct str line) {
    if (str_ends(line, STR("\n"))) line.len -= str_ends(line, STR("\r\n")) ? 2 : 1;
    return line;
}
/* Nothing but spaces, tabs and CRs. */
bool lines_blank(struct str line);

#endif
