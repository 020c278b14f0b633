/* SPDX-License-Identifier: Apache-2.0 */
/* status: how far each file is, from the ledger's listing, a page at a time.
 *
 * Memory: one page of STATUS_PAGE files. Threads: one at a time. Fails: with what the ledger, the sizes or the visitor
 * fail with. */
#ifndef SLUICE_STATUS_H
#define SLUICE_STATUS_H

#include "json_out.h"
#include "report.h"

enum { STATUS_PAGE = 1000 };

enum status_state {
    STATUS_OPEN,
    STATUS_CLOSED,     /* it ends at a known byte; growth opens it again */
    STATUS_RECEIPTED,  /* all lines up to its end are durable, and the receipt is there */
    STATUS_SET_ASIDE,  /* a stripe's jobs failed too often; .reason says why */
    STATUS_GONE,       /* unlinked, replaced or truncated, and converted up to where it was seen */
    STATUS_INCOMPLETE, /* gone before all that was seen of it was converted */
    STATUS_STATES
};

struct status_file {
    struct id file;
    struct str source, uri;
    enum status_state state;
    bool size_known; /* it was found now, or its end is known */
    uint64_t size;
    uint64_t done;        /* bytes converted, at most the size */
    uint64_t durable;     /* bytes of the stripes that are durable as far as they are converted */
    uint64_t outstanding; /* messages that are won and not durable yet */
    struct counts counts;
    struct str reason;
};

struct status_total {
    uint64_t files, size, done, durable, outstanding;
    uint64_t states[STATUS_STATES];
    struct counts counts;
};

struct status_ask {
    const struct str *files; /* only these, as report_names() takes them; none: all */
    size_t files_len;
    /* How large the file is now; RC_ABSENT when it is not there. NULL: sizes are the closed ends. */
    enum rc (*size)(void *context, const struct ledger_listing *listing, uint64_t *out_bytes);
    void *context;
};

/* Texts are good during the call; anything but RC_OK ends the walk and is returned. */
typedef enum rc (*status_visit)(void *context, const struct status_file *file);

/* "set aside". Stable. */
const char *status_state_name(enum status_state state);
/* Nothing more is to be done for it, or nothing more can be. */
bool status_finished(const struct status_file *file);
/* In the order of the files' ids. `visit` may be NULL. */
RC status_each(const struct report *report, const struct status_ask *ask, status_visit visit, void *context,
               struct status_total *out_total, struct why *why);
/* One object each; the keys are in INTERFACES.md. */
void status_json(const struct status_file *file, struct json_out *json);
void status_total_json(const struct status_total *total, struct json_out *json);
/* lines, converted, rejects, filtered, blank, records as one object. */
void status_counts_json(const struct counts *counts, struct json_out *json);

#endif
