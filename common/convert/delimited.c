/* SPDX-License-Identifier: Apache-2.0 */
/* delimited: fields between separators of one or more bytes. No quotes, no escapes: every byte is data. */
#include "scan.h"
#include "table.h"

static size_t delimited_split(const struct table *table, struct str line, struct table_row *row) {
    struct str separator = table->settings.separator;
    const char *at = line.at, *end = line.at + line.len;
    row->plain = scan_special(line.at, line.len) == line.len;
    for (size_t n = 0; n < row->room;) {
        const char *hit = at < end ? memmem(at, (size_t)(end - at), separator.at, separator.len) : NULL;
        row->fields[n++] = (struct str){at, (size_t)((hit ? hit : end) - at)};
        if (!hit) return n;
        at = hit + separator.len;
    }
    return row->room + 1;
}

static RC delimited_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)why;
    table_open(c, settings, delimited_split);
    return RC_OK;
}

const struct converter_ops delimited_ops = {.name = "delimited",
                                            .open = delimited_open,
                                            .close = table_close,
                                            .gives = table_gives,
                                            .scratch_bytes = table_scratch_bytes,
                                            .needs_head = table_needs_head,
                                            .head = table_head,
                                            .line = table_line,
                                            .blank_is_empty = true};
