/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_redis: the ledger of a fleet, in one Redis (7.0 or newer, append-only file, appendfsync always).
 *
 * A call loads the rows that it is about with one script, decides here with ledger_rules.h, and stores the decision
 * with a second script that does nothing unless all of these rows are as they were: one set of rules for every adapter,
 * and each call one atomic decision. REDIS.md has keys, bytes and the argument.
 * A Redis that restarted, failed over, was rolled back or emptied answers RC_STALE to everything until a recovery ran
 * (services/recovery): ledger_identity says `recovering`.
 *
 * Threads: a handle by any number, on a pool of connections. Memory: a call's rows. Fails: ledger.h; RC_DENIED: wrong
 * password, a command that the user may not use, TLS that this build has not; RC_BUSY: not reachable, loading, a
 * replica; RC_LIMIT: Redis is out of memory or cannot write its file. Passwords are never in a text. */
#ifndef SLUICE_LEDGER_REDIS_H
#define SLUICE_LEDGER_REDIS_H

#include "ledger.h"

struct ledger_redis_settings {
    /* redis://[user[:password]@]host[:port][/db], rediss:// for TLS, unix:///path[?db=n] */
    struct str url;
    struct str user, password; /* in front of what the url says, where not empty */
    struct str ca, cert, key;  /* files for rediss://; empty: the system's authorities, no certificate of our own */
    struct str pipeline;       /* [A-Za-z0-9._-]: all keys are {pipeline}:… */
    uint64_t generation;
    uint64_t connect_ms, call_ms; /* 0: 5 s and 10 s */
    size_t connections;           /* at most so many at once; 0: 8 */
};

/* RC_ABSENT: there is no ledger of this pipeline; `why` says what to do. */
RC ledger_redis_open(const struct ledger_redis_settings *settings, struct ledger *out, struct why *why);

/* Makes the ledger where there is none; *out_made says whether. RC_DENIED where there is another than `ledger`.
 * `emptied`: the output location remembers this ledger, so Redis lost it: it is made shut, and stays so until a
 * recovery opened it. Only a pipeline that never had a ledger may make an open one. */
struct ledger_redis_init {
    struct id ledger, queue; /* none for both: whatever is there is welcome, new ids come from the kernel */
    bool emptied;
};
RC ledger_redis_init(const struct ledger_redis_settings *settings, const struct ledger_redis_init *init, bool *out_made,
                     struct why *why);

/* What could lose or refuse what it acknowledged. Texts are in the arena, one a finding, ready for a person; none: all
 * is as it should be. */
enum ledger_redis_weight { LEDGER_REDIS_UNKNOWN, LEDGER_REDIS_RISK };
struct ledger_redis_finding {
    enum ledger_redis_weight weight; /* could not be looked at, or is wrong */
    struct str text;
};
RC ledger_redis_check(const struct ledger_redis_settings *settings, struct arena *arena,
                      struct ledger_redis_finding **out, size_t *out_n, struct why *why);

#endif
