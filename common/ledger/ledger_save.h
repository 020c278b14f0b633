/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_save: the calls of the ledger that snapshots are made of. Threads, limits, failures: ledger.h. */
#ifndef SLUICE_LEDGER_SAVE_H
#define SLUICE_LEDGER_SAVE_H

#include "ledger.h"
#include "saved.h"

/* Which files a call is to save: those behind `after`, until there are `files` of them or about `stripes` stripes. */
struct ledger_save_ask {
    struct id after;
    size_t files, stripes;
};

struct ledger_save_ops {
    enum rc (*save)(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                    struct saved_file **out, size_t *out_n, struct why *why);
    enum rc (*recover_files)(void *self, struct id token, uint64_t generation, const struct saved_file *files, size_t n,
                             struct why *why);
    enum rc (*recover_counters)(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                struct why *why);
};

/* `save` gives files as they are in the handle's generation, each whole and as it was at one moment of the call,
 * ascending; none: there are no more. At least one is given, however many stripes it has (some 700 bytes of memory
 * each; `end` of a recovery reads a file whole too). A ledger without a file takes them back: `recover_files` as often
 * as there are pages, whole files or parts of them in any order, then `recover_counters` once, which makes the counters
 * `next`, all in one step. Both come between begin and the first winners, and may be made again with the same.
 * RC_ABSENT: the generation has claims, which no snapshot holds; whoever recovers needs its seals.
 * Counters are asked for first and files later, so a file may hold what a batch from `next` on made durable; it then
 * lists that batch, and `durable` of a batch below `until` passes over the files that list it. */
RC ledger_save(struct ledger ledger, struct ledger_save_ask ask, struct arena *arena, struct saved_file **out,
               size_t *out_n, struct why *why);
RC ledger_recover_files(struct ledger ledger, struct id token, const struct saved_file *files, size_t n,
                        struct why *why);
RC ledger_recover_counters(struct ledger ledger, struct id token, const struct saved_counter *counters, size_t n,
                           struct why *why);

#endif
