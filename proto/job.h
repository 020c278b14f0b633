/* SPDX-License-Identifier: Apache-2.0 */
/* job: "stripe k of file f is ready up to byte b". Level-triggered: twice, late or never is harmless.
 * Decoded strings borrow from the message. Threads: pure. Fails: RC_BAD for anything that is not exactly a job. */
#ifndef SLUICE_JOB_H
#define SLUICE_JOB_H

#include "attempt.h"
#include "buf.h"

enum { JOB_VERSION = 1, JOB_MESSAGE_MAX = 16 * 1024, JOB_AT_MAX = 512 };

struct job {
    struct id file;
    struct facts facts;
    struct str at; /* where its bytes are to be read, where that is not facts.uri; at most JOB_AT_MAX bytes */
    uint64_t stripe;
    uint64_t
        ready;   /* convert the lines that end at or before this byte of the file (may lie behind the stripe's end) */
    bool closed; /* the file ends at `ready`: an unterminated last line counts, if fstat says so after reading */
};

RC job_encode(const struct job *job, struct buf *out);
RC job_decode(struct str message, struct job *out, struct why *why);

#endif
