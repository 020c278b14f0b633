/* SPDX-License-Identifier: Apache-2.0 */
/* table: what csv, tsv and delimited share: rows of columns whose names are in the file's first line or in the
 * configuration. They differ in how a row is split.
 *
 * A lane that works in the middle of a file gives the first line by converter_head(). The columns of a file are those
 * of its first line, whatever other files have; a line that could not be a header makes every line of its file a reject
 * (`header`). A row with another number of fields than the header is a reject (`fields`).
 *
 * Memory: the header, its columns, a field a column. Threads: one at a time. */
#ifndef SLUICE_TABLE_H
#define SLUICE_TABLE_H

#include "buf.h"
#include "columns.h"

struct table_row {
    struct str *fields;
    size_t room;
    char *decoded;      /* as many bytes as the line has, and SCAN_STEP more, for fields that are not as they stand */
    bool plain;         /* out: no field needs escaping */
    const char *detail; /* out: what is wrong */
};

struct table {
    struct converter_table settings; /* texts are copies */
    struct columns columns;
    bool has_columns;
    struct buf head; /* the first line of the file */
    const char *head_problem;
    /* Fills row->fields: gives their number, room + 1 when there are more, 0 and row->detail for what is no row. */
    size_t (*split)(const struct table *table, struct str line, struct table_row *row);
};

void table_open(struct converter *c, const struct converter_settings *settings,
                size_t (*split)(const struct table *, struct str, struct table_row *));

/* For struct converter_ops. */
void table_close(struct converter *c);
bool table_gives(const struct converter *c, size_t field);
size_t table_scratch_bytes(const struct converter *c, size_t line_bytes);
bool table_needs_head(const struct converter *c);
void table_head(struct converter *c, struct str line, bool whole);
void table_line(struct converter *c, struct str line, char *scratch, struct converted *out);

#endif
