/* SPDX-License-Identifier: Apache-2.0 */
/* converter: what a line of input becomes. One file a kind of input, behind one small table:
 *
 *   ndjson    One JSON object a line (json.h), which is the record byte for byte: white space at its ends stays, a BOM
 *             at the start of the file does not.
 *   combined  Apache's and nginx's combined and common access-log lines, to a JSON object with these keys in this
 * order: remote, ident, user (strings; null for '-'); time (RFC 3339, with the offset of the log); method, path,
 *             protocol, or request alone (string) when the request line does not split; status (integer); bytes
 *             (integer, null for '-'); referer, agent (combined only; null for '-'). The escapes \" \\ \n \t \r \b \f
 * \v and \xHH in quoted fields are decoded when that gives UTF-8, else the field stays as it is written. A line with
 * bytes that are not UTF-8 is a reject. More fields behind the agent are a reject (`format`). With time_optional a time
 * that does not parse gives "time":null,"time_raw":"…".
 *   raw       The line as it is, whatever its bytes.
 *   csv, tsv  A row of RFC 4180 to an object of its columns (table.h); the separator is one byte.
 *   delimited The same between separators of any length, without quotes.
 *
 *   logfmt    key=value pairs (logfmt.c).
 *   regex     The named groups of a pattern (regex.h).
 *   lua       What a user's function makes of it (script.h): several records, or none.
 *   syslog    RFC 5424 and RFC 3164 (syslog.c).
 *   telemetry Mozilla's framed records to compact ones (telemetry.c): lines that end in no LF.
 *   cri       Logs of containers (cri.c); namespace, pod and container come from the path (cri_path.h). Parts of a line
 * are joined (segments.h, slice_record.c).
 *
 * Values are strings, or what `types` says (value.h). A line of these kinds that is not UTF-8 is a reject.
 *
 * A line is without its LF and without the CR of a CRLF. Blank lines (nothing but spaces, tabs and CRs) are counted and
 * make no record. Where there is a time, it is also the record's for partitioning; a record without a usable time is a
 * reject (`time`) unless time_optional.
 *
 * Memory: a converter has one JSON parser (json.h), and some a record. Threads: one at a time.
 * Limits: records over record_bytes_max are rejects. Fails: converter_new() with RC_BAD for a bad template or field. */
#ifndef SLUICE_CONVERTER_H
#define SLUICE_CONVERTER_H

#include "decimal.h"
#include "id.h"
#include "partition.h"
#include "segments.h"
#include "str.h"
#include "time_parse.h"
#include "value.h"

#include <stdint.h>

enum converter_kind {
    CONVERTER_NDJSON,
    CONVERTER_COMBINED,
    CONVERTER_RAW,
    CONVERTER_CSV,
    CONVERTER_TSV,
    CONVERTER_DELIMITED,
    CONVERTER_LOGFMT,
    CONVERTER_REGEX,
    CONVERTER_SYSLOG,
    CONVERTER_CRI,
    CONVERTER_LUA,
    CONVERTER_TELEMETRY,
    CONVERTER_KINDS
};

enum { CONVERTER_HEAD_MAX = 256 * 1024 }; /* of a file's first line, where one is needed */
enum { AGGREGATE_FIELDS_MAX = 8, AGGREGATE_GROUP_MAX = 4096 };
#define AGGREGATE_COUNT "count"

/* Why a line is a reject. The words are a stable part of the output; see converter_reason_name(). */
enum converter_reason {
    REASON_NONE,
    REASON_JSON,       /* `json`           not one JSON text */
    REASON_NOT_OBJECT, /* `not an object`  JSON, but a scalar or an array */
    REASON_UTF8,       /* `utf8`           not UTF-8, where the converter needs it */
    REASON_DEPTH,      /* `depth`          nested deeper than JSON_DEPTH_DEFAULT */
    REASON_NUMBER,     /* `number`         a malformed number (1., 01, +1). Of any size is fine */
    REASON_TIME,       /* `time`           the time is missing or does not parse */
    REASON_TOO_LONG,   /* `too long`       over max_line_bytes, or its record over record_bytes_max */
    REASON_FORMAT,     /* `format`         not a line of this kind */
    REASON_FIELDS,     /* `fields`         another number of fields than the header has, or too many */
    REASON_HEADER,     /* `header`         the file's first line is no header */
    REASON_NO_MATCH,   /* `no match`       the pattern does not match (regex) */
    REASON_LIMIT,      /* `limit`          too much work or memory for one line (regex, lua) */
    REASON_SCRIPT,     /* `script`         the script failed, or says so (lua); the detail has its words */
    REASON_TYPE,       /* `type`           a value is not of its type; the detail names the field */
    REASON_DAMAGED,    /* `damaged`        the file is damaged or cut off here; what is left of its last line */
    REASON_FRAME,      /* `frame`          bytes that are no record (telemetry) */
    REASON_INFLATE,    /* `inflate`        the payload is no whole gzip (telemetry) */
    REASON_PING,       /* `ping`           against the format's rules; the detail says which (telemetry) */
    REASON_DEFINITION, /* `definition`     there are no definitions of the ping's revision (telemetry) */
    REASON_COUNT
};

enum converter_verdict {
    CONVERTER_RECORD,
    CONVERTER_REJECT,
    CONVERTER_BLANK,
    CONVERTER_FILTERED /* by a condition or a script */
};

enum table_header {
    TABLE_HEADER_FIRST,    /* the file's first line has the names */
    TABLE_HEADER_REPEATED, /* and every line that is equal to it makes no record: files that were put together */
    TABLE_HEADER_NONE,     /* .columns has them */
};

struct converter_table {
    enum table_header header;
    const struct str *columns;
    size_t columns_len;
    struct str separator;
    bool quoted_newlines; /* csv, tsv: a field in quotes may hold LFs; see converter_record_end() */
};

/* The grid of a file that cannot be cut: one stripe, whatever its size. Its end fits int64. */
#define CONVERTER_ONE_STRIPE ((uint64_t)1 << 62)

struct converter_script {
    struct str text;  /* of the file */
    const char *name; /* what errors begin with */
    uint64_t instructions_max;
    size_t bytes_max;
};

/* telemetry. Texts must live as long as the converter. */
struct converter_telemetry {
    const char *definitions; /* the folder (telemetry_folder.h) */
    struct str schema;       /* the text of the file; "": none */
    bool framing_v2;
    bool v2log; /* records are `<uuid> TAB <json>`, and not JSON */
    size_t inflated_max;
};

/* See once.h. The list must live as long as the converter. */
struct converter_once {
    const struct str *key; /* fields; none: every record is kept */
    size_t key_len;
    struct str when; /* "": all */
    int64_t window_ns;
};

/* See aggregate.h. The lists must live as long as the converter. */
struct converter_aggregate {
    const struct str *group_by, *sum; /* fields; none: records are written each */
    size_t group_by_len, sum_len;
};

/* See shape.h. The lists must live as long as the converter. */
struct converter_shape {
    struct str where; /* "": all */
    const struct str *keep, *drop;
    size_t keep_len, drop_len;
    const struct str_pair *rename, *add;
    size_t rename_len, add_len;
    struct converter_once once;
};

struct converter_settings {
    enum converter_kind kind;
    struct str source;    /* its name */
    struct str partition; /* the template */
    bool time_given;      /* there is a time, at time_field. combined, syslog and cri have their own, raw never */
    bool time_optional;   /* on_error: partition */
    bool utf8_only;       /* a line that is not UTF-8 is a reject, raw ones too */
    struct str time_field;
    struct time_parse time_format;
    size_t line_bytes_max;        /* longer lines are rejects, without their end; 0: 1 MiB */
    size_t record_bytes_max;      /* 0: 4 MiB */
    const struct str_pair *types; /* field, or "*" for all others, to the name of its type (value.h) */
    size_t types_len;
    struct converter_table table;   /* csv, tsv, delimited */
    struct str pattern;             /* regex */
    struct converter_script script; /* lua */
    struct converter_telemetry telemetry;
    struct converter_shape shape;
    struct converter_aggregate aggregate;
    struct segments_settings record;    /* .line_bytes_max is not used; cri: .kind and .start neither */
    uint32_t syslog_year, syslog_month; /* syslog: when the twelve months of times without a year begin; 0: not known */
};

struct converted {
    enum converter_verdict verdict;
    enum converter_reason reason; /* of a reject */
    struct str detail;            /* of a reject: more words, or .len 0 */
    bool in_line;                 /* the record is the line, or its end behind a BOM */
    struct str record;            /* without a newline; in the line, at the scratch, or the converter's own */
    struct partition_values values;
    bool once; /* the record is one that is kept once, by this key */
    struct id once_key;
    struct str group; /* .len: the record is added to the sums of this group, and not written */
    const struct decimal *sums;
    uint64_t dropped; /* telemetry: histograms without a definition */
};

struct converter;

/* Copies what it needs of the settings, but for .types, which must live as long as the converter. */
RC converter_new(const struct converter_settings *settings, struct converter **out, struct why *why);
void converter_free(struct converter *converter);
static inline void converter_done(struct converter **converter) { converter_free(*converter); }

/* False: records of this kind never have the partition's field number `field`, for example {status} of raw lines. That
 * is no error, as one template serves all sources; a check of the configuration can warn. */
bool converter_gives(const struct converter *converter, size_t field);
const struct partition *converter_partition(const struct converter *converter);
enum converter_kind converter_kind_of(const struct converter *converter);
struct str converter_source(const struct converter *converter);
/* "not an object" */
const char *converter_reason_name(enum converter_reason reason);
const char *converter_kind_name(enum converter_kind kind);
/* Bytes of scratch that a line of `line_bytes` needs at most; 0 when its records are always in the line. */
size_t converter_scratch_bytes(const struct converter *converter, size_t line_bytes);

/* Whose lines follow; slice_begin() says it. */
void converter_file(struct converter *converter, struct str uri);
/* True: lines mean nothing without the first line of their file; converter_head() gives it, before the first line of
 * each file and from wherever in the file that is. `line` is without its LF or CRLF; `whole` is false when it is longer
 * than CONVERTER_HEAD_MAX. */
bool converter_needs_head(const struct converter *converter);
void converter_head(struct converter *converter, struct str line, bool whole);
/* True: a record can be more than one line. Where records begin is then known only from the file's first one on, so the
 * file is one stripe, and what is a line elsewhere is a record here: in counts, in rejects and for max_line_bytes. */
bool converter_spans_lines(const struct converter *converter);
/* True: lines do not end in a LF, and where they do is what converter_record_end() says. A range that begins where a
 * line does and ends where one does is cut into the same lines again as a closed one. */
bool converter_framed(enum converter_kind kind);
/* RC_BUSY: since the last call lines were looked at that cannot be converted now, for want of something that is not in
 * them: what was made of them means nothing. */
RC converter_waits(struct converter *converter, struct why *why);
/* Not NULL: lines go together by these rules; the bytes of each segment go to slice_add_segment(). */
struct segments *converter_segments(const struct converter *converter);
/* Of bytes that begin where a record does: its length, with the LF; 0: its end is not in them. `closed`: nothing comes
 * behind them. A row whose quotes stay open for line_bytes_max, or to the end of a closed file, is its first line
 * alone, and the next line begins a record: one stray quote costs one line. */
size_t converter_record_end(const struct converter *converter, struct str bytes, bool closed);
/* How many of the bytes, which begin where a record does, are whole records. */
size_t converter_records(const struct converter *converter, struct str bytes, bool closed);
/* Announces the lines that follow, see json_batch(): whole lines, JSON_PADDING readable bytes behind them. */
void converter_batch(struct converter *converter, struct str lines);
/* One line of the batch, without its LF or CRLF, in order; `at_file_start` when it is the file's first. `scratch` has
 * converter_scratch_bytes(). *out is good until the next call for this converter. */
void converter_line(struct converter *converter, struct str line, bool at_file_start, char *scratch,
                    struct converted *out);
/* After CONVERTER_RECORD: one more record of the same line; false when there is none. */
bool converter_next(struct converter *converter, struct converted *out);

#endif
