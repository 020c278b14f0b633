/* SPDX-License-Identifier: Apache-2.0 */
/* sim_lines: what a file's content is in lines, said as simply as possible and without any code of the product: the
 * reference that the pipeline is compared with. Threads: pure. */
#ifndef SLUICE_SIM_LINES_H
#define SLUICE_SIM_LINES_H

#include "str.h"

enum sim_line_kind { SIM_LINE_BLANK, SIM_LINE_RECORD, SIM_LINE_REJECT };

struct sim_line {
    uint64_t offset, end; /* [offset, end) with LF or CRLF */
    struct str text;
    enum sim_line_kind kind;
};

/* A line starts at 0, behind each LF, and at each of `ends`; it ends where the next one starts. False: no line starts
 * at or behind *at and before content.len; else *out is the first one, and *at where it ends. */
bool sim_line_next(struct str content, const uint64_t *ends, size_t ends_len, uint64_t *at, struct sim_line *out);
/* What comes of it. `timed`: an object needs a time, which is the number "n". */
enum sim_line_kind sim_line_kind(struct str text, bool ndjson, bool timed, size_t line_bytes_max);

#endif
