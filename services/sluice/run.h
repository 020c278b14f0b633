/* SPDX-License-Identifier: Apache-2.0 */
/* run: emitter, worker lanes and uploaders around one configuration: all of them in one process, which is the whole
 * product on one machine, or one of the roles, of which a fleet has any number.
 *
 * Threads: one for the emitter, one a lane, one for the committer, one a queue partition, one for HTTP; the caller's
 * waits for signals and shows the progress. Memory: README.md, bounds. Ends: --once when all input that was there is
 * durable and has its receipts; else on SIGTERM or SIGINT, when the attempts under way are decided; or when a service
 * meets what a person must see. */
#ifndef SLUICE_RUN_H
#define SLUICE_RUN_H

#include "runtime.h"
#include "signals.h"

enum run_role { RUN_EMITTER = 1, RUN_WORKER = 2, RUN_UPLOADER = 4, RUN_ALL = 7 };

enum { RUN_PATIENCE_MS = 5 * 60 * 1000 }; /* how long --once waits for room on a full disk, by default */

/* Which rejects are converted again; "": any. */
struct run_redrive {
    struct str source, reason, file;
};

struct run_options {
    unsigned roles;                    /* of enum run_role; all of them where broker and ledger are local */
    bool once;                         /* with RUN_EMITTER: it is what ends */
    bool progress;                     /* show how far it is */
    uint64_t patience_ms;              /* see loop.h */
    const struct run_redrive *redrive; /* with .once: these rejects are the input, and not the files. NULL: no */
};

struct run_summary {
    uint64_t files, receipted, set_aside, unreadable, lost_bytes;
    uint64_t bytes;
};

/* RC_OK: ended as it should; RC_BAD: --once is done, but some files were set aside, unreadable or lost bytes (see
 * summary). */
RC run_pipeline(const struct config *config, const struct run_options *options, struct signals *signals,
                struct run_summary *out, struct why *why);
/* Checks what only the converters know: templates and time fields; the error names file, line and column. */
RC run_check_sources(const struct config *config, struct why *why);

#endif
