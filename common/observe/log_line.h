/* SPDX-License-Identifier: Apache-2.0 */
/* log_line: how an event becomes one line of logfmt or JSON. Inside of log; see log.h for the rules on hostile bytes
 * and on what is cut. Memory: the line itself. Threads: pure. Fails: never. */
#ifndef SLUICE_LOG_LINE_H
#define SLUICE_LOG_LINE_H

#include "log.h"

struct log_line {
    char at[LOG_LINE_MAX];
    size_t len;
    bool cut;
    enum log_format format;
};

/* What stands in front of the fields. */
struct log_head {
    uint64_t wall_ms;
    enum log_level level;
    const char *message;
    uint32_t suppressed; /* told when it is not 0 */
};

/* Makes the whole line, newline included, whatever the fields hold. `fields` end with LOG_KIND_END. */
void log_line_make(struct log_line *line, enum log_format format, const struct log_head *head,
                   const struct log_field *fields);
static inline struct str log_line_str(const struct log_line *line) { return (struct str){line->at, line->len}; }

#endif
