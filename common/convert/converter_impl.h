/* SPDX-License-Identifier: Apache-2.0 */
/* converter_impl: what converter.c and the files of the single converters share. A new kind of input is a file with a
 * `const struct converter_ops`, a row in converter.c's table and a value of enum converter_kind. */
#ifndef SLUICE_CONVERTER_IMPL_H
#define SLUICE_CONVERTER_IMPL_H

#include "converter.h"

struct converter_ops {
    const char *name;
    /* Makes ->self. */
    RC (*open)(struct converter *converter, const struct converter_settings *settings, struct why *why);
    void (*close)(struct converter *converter);
    bool (*gives)(const struct converter *converter, size_t field); /* NULL: every field can be there */
    size_t (*scratch_bytes)(size_t line_bytes);
    void (*batch)(struct converter *converter, struct str lines); /* NULL: of no interest */
    /* `line` is not blank and without a BOM (unless keep_bom). Sets what differs from a zeroed RECORD. */
    void (*line)(struct converter *converter, struct str line, char *scratch, struct converted *out);
    bool keep_bom;
};

struct converter {
    const struct converter_ops *ops;
    void *self; /* the single converter's own */
    struct partition *partition;
    struct str source;
    bool time_optional;
    size_t line_bytes_max, record_bytes_max;
    struct str fields[PARTITION_FIELDS_MAX]; /* of the last record, for converted.values */
};

extern const struct converter_ops ndjson_ops, combined_ops, raw_ops;

static inline void converter_reject(struct converted *out, enum converter_reason reason) {
    out->verdict = CONVERTER_REJECT;
    out->reason = reason;
}

#endif
