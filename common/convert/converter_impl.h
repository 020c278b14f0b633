/* SPDX-License-Identifier: Apache-2.0 */
/* converter_impl: what converter.c and the files of the single converters share. A new kind of input is a file with a
 * `const struct converter_ops`, a row in converter.c's table and a value of enum converter_kind. */
#ifndef SLUICE_CONVERTER_IMPL_H
#define SLUICE_CONVERTER_IMPL_H

#include "buf.h"
#include "converter.h"

struct converter_ops {
    const char *name;
    /* Makes ->self. */
    RC (*open)(struct converter *converter, const struct converter_settings *settings, struct why *why);
    void (*close)(struct converter *converter);
    bool (*gives)(const struct converter *converter, size_t field); /* NULL: every field can be there */
    size_t (*scratch_bytes)(const struct converter *converter, size_t line_bytes);
    bool (*needs_head)(const struct converter *converter);     /* NULL: no */
    void (*file)(struct converter *converter, struct str uri); /* NULL: of no interest */
    void (*head)(struct converter *converter, struct str line, bool whole);
    void (*batch)(struct converter *converter, struct str lines); /* NULL: of no interest */
    /* `line` is not blank and without a BOM (unless keep_bom). Sets what differs from a zeroed RECORD. */
    void (*line)(struct converter *converter, struct str line, char *scratch, struct converted *out);
    /* NULL: a line is one record. Else ->line() says CONVERTER_RECORD without a record, and these give them: from the
     * first after rewind(); false: there are no more. */
    bool (*next)(struct converter *converter, struct converted *out);
    void (*rewind)(struct converter *converter);
    /* NULL: a record is a line. Else the end of the row at the start, with its LF; 0: not in `bytes`. */
    size_t (*row_end)(const struct converter *converter, struct str bytes);
    /* Not NULL: lines of this kind do not end in a LF: the end of the one at the start; 0: not known yet. */
    size_t (*stretch_end)(const struct converter *converter, struct str bytes, bool closed);
    /* NULL: the partition's template is the settings'. */
    RC (*template)(const struct converter_settings *settings, struct buf *out, struct why *why);
    bool keep_bom;
    bool joins;                 /* lines of it are parts that segments.h has rules for */
    bool takes_lines;           /* a record of it can be several lines */
    bool own_time, has_no_time; /* the time is not the settings' */
    bool has_no_fields;
    bool blank_is_empty; /* a line of spaces is none that is blank */
};

struct converter {
    const struct converter_ops *ops;
    enum converter_kind kind;
    void *self; /* the single converter's own */
    struct partition *partition;
    struct shape *shape;         /* NULL: records stay as they are */
    struct aggregate *aggregate; /* NULL: records are written each */
    struct segments *segments;   /* NULL: a record is a line */
    struct str source;
    bool time_given, time_optional, utf8_only;
    struct json_path time_field;   /* where time_given, and for who asks */
    struct time_parse time_format; /* of time_field */
    const struct str_pair *types;  /* the settings', which outlive us */
    size_t types_len;
    bool spans_lines; /* row_end counts */
    bool waits;       /* see converter_waits() */
    struct why wants;
    bool at_file_start; /* of the line that is converted now */
    size_t line_bytes_max, record_bytes_max;
    struct str fields[PARTITION_FIELDS_MAX]; /* of the last record, for converted.values */
};

extern const struct converter_ops ndjson_ops, combined_ops, raw_ops, csv_ops, tsv_ops, delimited_ops, logfmt_ops,
    regex_ops, syslog_ops, cri_ops, lua_ops, telemetry_ops;

/* The line cannot be converted now. */
static inline void converter_wait(struct converter *converter, const char *words) {
    converter->waits = true;
    (void)why_set(&converter->wants, RC_BUSY, "%s", words);
}

static inline void converter_reject(struct converted *out, enum converter_reason reason) {
    out->verdict = CONVERTER_REJECT;
    out->reason = reason;
}

#endif
