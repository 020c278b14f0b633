/* SPDX-License-Identifier: Apache-2.0 */
/* config_table: every key of the configuration file, once: the reader, the reference, the schema and the suggestions
 * walk it. Inside common/app only. Threads: constant data. */
#ifndef SLUICE_CONFIG_TABLE_H
#define SLUICE_CONFIG_TABLE_H

#include "config.h"

enum config_kind {
    CONFIG_MAP,      /* keys under it are rows whose path starts with its own and '.' */
    CONFIG_LIST,     /* of maps; the path of their keys starts with its own and "[]." */
    CONFIG_STRS,     /* list of texts: struct config_strs, low to high of them */
    CONFIG_PAIRS,    /* map of any keys to texts: struct config_pairs, low to high of them */
    CONFIG_TEXT,     /* struct str */
    CONFIG_ENUM,     /* one of .names: an enum, numbered as the names */
    CONFIG_BOOL,     /* bool */
    CONFIG_COUNT,    /* uint64_t */
    CONFIG_BYTES,    /* uint64_t */
    CONFIG_DURATION, /* uint64_t, milliseconds */
};

struct config_row {
    const char *path;
    enum config_kind kind;
    bool required;                 /* in the map it belongs to, when that is there */
    bool secret;                   /* its value stands in no message */
    size_t offset;                 /* in struct config; behind "sources[]" in struct config_source */
    const char *fallback;          /* the default as one would write it; NULL: zero, or it is required */
    uint64_t low, high;            /* bounds of numbers and of the length of lists */
    const char *const *names;      /* of an enum, and of the values of pairs (NULL: any text) */
    bool (*fits)(struct str text); /* of a text; what it wants is said in .allowed and .pattern */
    const char *allowed, *pattern; /* in words, and as a regular expression of the schema */
    const char *about;
};

extern const struct config_row config_table[];
extern const size_t config_table_count;

/* The last part of the path: "field" of "sources[].time.field". */
const char *config_table_name(const struct config_row *row);
/* Is the row a key of the map at `path` ("" is the file itself)? */
bool config_table_is_in(const struct config_row *row, const char *path);

#endif
