/* SPDX-License-Identifier: Apache-2.0 */
/* partition: from a template in the configuration and a record's time and fields to the path of its output.
 *
 *   dt={time:%Y-%m-%d}/status={status}     ->   dt=2026-11-21/status=200
 *
 * The template is components separated by '/', each made of literals and placeholders:
 *   {time:PATTERN}    the record's time in UTC (time_format.h says which conversions)
 *   {field}           a top-level field; {user.country} a nested one; {/a~1b/0} a JSON Pointer
 *   {source}          the name of the source. A field of the name "source" or "time" is {/source}, {/time}
 * Literals are of [A-Za-z0-9_.-] and '='. No component is empty, "." or "..", none begins with a literal '_' or '.'
 * (readers hide such folders, and '_' is sluice's own). "" is a template too: one output, path "".
 *
 * Values come from data, so they are hostile. What of them gets into a path:
 *   - bytes but [A-Za-z0-9_.-] are percent-encoded (%2F), of any string, UTF-8 or not;
 *   - "." and ".." become %2E and %2E%2E; a first '_' or '.' of a component is encoded too;
 *   - missing, null, empty, an object or an array: __HIVE_DEFAULT_PARTITION__, and so is a missing time;
 *   - numbers and booleans are their JSON text;
 *   - a component over PARTITION_COMPONENT_MAX bytes is cut (never inside a %XX) and ends in '-' and the 16 hexadecimal
 *     digits of the XXH3-64 of the whole component. When the path is over PARTITION_PATH_MAX the same is done to every
 *     component that is longer than an equal share. So the path is bounded and always the same for the same values.
 *
 * Memory: the compiled template, about 8 KiB. Threads: read-only once compiled, share it. Limits: below. Fails: only
 * when compiled: RC_BAD. */
#ifndef SLUICE_PARTITION_H
#define SLUICE_PARTITION_H

#include "json.h"
#include "str.h"

#include <stdint.h>

enum {
    PARTITION_COMPONENT_MAX = 255, /* the longest name in Linux's file systems */
    /* S3 allows keys of 1,024 bytes: the rest is for the prefix, the generation and the object's own name. */
    PARTITION_PATH_MAX = 768,
    PARTITION_COMPONENTS_MAX = 8,
    PARTITION_LITERAL_MAX = 64, /* literal bytes in one component: they always survive the cutting */
    PARTITION_FIELDS_MAX = 16,
    PARTITION_TEMPLATE_MAX = 1024,
};

#define PARTITION_DEFAULT "__HIVE_DEFAULT_PARTITION__"
#define PARTITION_OVERFLOW "__OVERFLOW__"

struct partition;

/* What one record gives. */
struct partition_values {
    bool has_time;
    int64_t time_ns;
    /* partition_field_count() texts; .at == NULL (or .len == 0) is a missing one. */
    const struct str *fields;
};

/* RC_BAD with words that name the position (from 1) in the template and what is allowed. `source` is the value of
 * {source}. */
RC partition_new(struct str template, struct str source, struct partition **out, struct why *why);
void partition_free(struct partition *partition);
static inline void partition_done(struct partition **partition) { partition_free(*partition); }

/* The fields that records must give, in the order of struct partition_values. Equal fields are one. */
size_t partition_field_count(const struct partition *partition);
const struct json_path *partition_fields(const struct partition *partition);
/* As written in the template: "user.country". */
struct str partition_field_name(const struct partition *partition, size_t field);
bool partition_uses_time(const struct partition *partition);

/* Two times of one bucket give the same path; 0 for all when the template has no time. */
int64_t partition_bucket(const struct partition *partition, int64_t time_ns);

/* Writes the path and a NUL; gives its length. */
size_t partition_path(const struct partition *partition, const struct partition_values *values,
                      char out[PARTITION_PATH_MAX + 1]);
/* The path with __OVERFLOW__ in the place of every time and field, for what exceeds the number of outputs of a slice.
 */
size_t partition_overflow_path(const struct partition *partition, char out[PARTITION_PATH_MAX + 1]);
/* The same encoding for one value alone, such as the name of a source in `_rejects/…/source=NAME`. */
size_t partition_encode(struct str value, char out[PARTITION_COMPONENT_MAX + 1]);

#endif
