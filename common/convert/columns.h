/* SPDX-License-Identifier: Apache-2.0 */
/* columns: what converters of flat lines share: named columns with types, one value each a line, written as one JSON
 * object in the order of the columns.
 *
 * Names are made unique, so that no value is lost to a reader of JSON: an empty one is column_<number, from 1>, a
 * second `a` is a_2. A value that is not there (.at NULL) is left out. The time is the column of the settings' time
 * field, or the one that the converter names itself.
 *
 * Memory: the names, and a value a column. Threads: one at a time. Limits: COLUMNS_MAX. */
#ifndef SLUICE_COLUMNS_H
#define SLUICE_COLUMNS_H

#include "arena.h"
#include "converter_impl.h"
#include "route.h"

enum { COLUMNS_MAX = 4096 };

struct column {
    struct str name;
    struct str key; /* "name": in memory that scan_copy() can read */
    enum value_type type;
};

struct columns {
    struct arena arena;
    struct column *at;
    size_t count;
    size_t keys_bytes;                   /* with commas */
    struct str *values;                  /* of the line; the caller sets all of them */
    size_t wanted[PARTITION_FIELDS_MAX]; /* SIZE_MAX: there is no such column */
    size_t time;                         /* SIZE_MAX: none */
};

/* `names`: count <= COLUMNS_MAX of them, UTF-8. */
void columns_init(struct columns *columns, const struct converter *c, const struct str *names, size_t count);
void columns_done(struct columns *columns);
/* Memory for the record of a line of so many bytes. */
size_t columns_bytes(const struct columns *columns, size_t line_bytes);
/* The record at `to`, its time and the partition's fields; or a reject: `type`, `time`. `plain`: no value needs
 * escaping. */
void columns_write(struct converter *c, struct columns *columns, bool plain, char *to, struct converted *out);
/* What the settings say of this field. */
enum value_type columns_type(const struct converter *c, struct str name);
/* The record's time out of `text` in `format`. */
void columns_time(const struct converter *c, const struct time_parse *format, struct str text, struct converted *out);
/* Gives `name`, or name_2, name_3, …: what is not in `seen` yet, and puts it there. */
struct str columns_unique(struct arena *arena, struct route *seen, struct str name);

#endif
