/* SPDX-License-Identifier: Apache-2.0 */
/* made: for tests: one slice over one text, and its outputs as texts. */
#ifndef SLUICE_TEST_MADE_H
#define SLUICE_TEST_MADE_H

#include "slice.h"

struct made {
    struct converter *converter;
    struct slice *slice;
    char *bytes; /* the input, padded with what would be noticed */
    const struct slice_result *result;
    size_t taken;
    struct str_pair *types, *rename, *add;
    struct str *keep, *drop;
};

/* Settings that differ little from test to test. */
struct made_settings {
    enum converter_kind kind;
    const char *partition;   /* NULL: "" */
    const char *time_field;  /* NULL: none */
    const char *time_format; /* NULL: rfc3339 */
    bool time_optional;
    size_t record_bytes_max;
    struct slice_limits limits;
    uint64_t offset;
    const char *separator; /* of tables; NULL: "," */
    const char *columns;   /* of tables: "a,b"; NULL: the text's first line has them */
    bool newlines;         /* in quotes */
    bool repeated;         /* and so have later ones */
    const char *uri;       /* NULL: /in.log */
    uint32_t syslog_year, syslog_month;
    const char *script, *where; /* NULL: none */
    const char *keep, *drop;    /* "a,b" */
    const char *rename, *add;   /* "a=b,c=d" */
    const char *pattern;        /* of regex */
    const char *types;          /* "a=integer,*=auto" */
    const char *start;          /* of records of several lines; NULL: none */
    size_t lines_max, bytes_max, line_bytes_max;
};

/* Converts `text` at settings->offset, or fails the test. */
void made_init(struct made *made, const struct made_settings *settings, struct str text);
void made_done(struct made *made);
/* For input in several parts: everything but slice_add(). */
void made_open(struct made *made, const struct made_settings *settings);
void made_add(struct made *made, struct str text, uint64_t offset);
/* The segments of a closed file, by slice_add_segment(). */
void made_segments(struct made *made, struct str text);
/* The output with this path, or NULL. */
const struct slice_output *made_output(const struct made *made, const char *path);
const struct slice_output *made_rejects(const struct made *made);
/* Its bytes with a NUL behind them; free(). "" for NULL. */
char *made_text(const struct slice_output *output);
/* Fails unless the output at `path` has exactly this text. */
void made_expect(const struct made *made, const char *path, const char *expected);
/* How often each verdict came, as "lines/converted/rejects/blank". */
void made_expect_counts(const struct made *made, const char *expected);

#endif
