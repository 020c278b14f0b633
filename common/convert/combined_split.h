/* SPDX-License-Identifier: Apache-2.0 */
/* combined_split: an access-log line into its fields, decoded. No allocation; fields point into the line, or into
 * `decoded` where they had escapes. Threads: pure. */
#ifndef SLUICE_COMBINED_SPLIT_H
#define SLUICE_COMBINED_SPLIT_H

#include "str.h"

enum combined_field {
    COMBINED_REMOTE,
    COMBINED_IDENT,
    COMBINED_USER,
    COMBINED_TIME, /* not set here */
    COMBINED_METHOD,
    COMBINED_PATH,
    COMBINED_PROTOCOL,
    COMBINED_REQUEST, /* when it does not split; null for '-' */
    COMBINED_STATUS,
    COMBINED_BYTES,
    COMBINED_REFERER,
    COMBINED_AGENT,
    COMBINED_FIELDS
};

struct combined_line {
    struct str fields[COMBINED_FIELDS]; /* .at NULL: null */
    bool plain[COMBINED_FIELDS];        /* needs no escaping in JSON */
    struct str clf;                     /* the time as written, without [ ] */
    bool request_splits, is_combined;   /* is_combined: has referer and agent */
};

/* What goes before the value: ,"status": in memory that scan_copy() can read. */
struct combined_key {
    size_t len;
    char at[16 + 8];
};

extern const struct str combined_names[COMBINED_FIELDS];
extern const struct combined_key combined_keys[COMBINED_FIELDS];

/* False when it is no access-log line. SCAN_SLACK readable bytes behind `text`; `decoded` has text.len bytes and as
 * many readable ones behind them. */
bool combined_split(struct str text, char *decoded, struct combined_line *out);

#endif
