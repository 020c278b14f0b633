/* SPDX-License-Identifier: Apache-2.0 */
/* giving: tells the ledger the winners that seals and the log prove, many a call, and remembers whose predecessors and
 * trailers are still to be found. Threads: one at a time. Memory: 64 bytes an attempt. Fails: what the ledger fails
 * with.
 */
#ifndef SLUICE_GIVING_H
#define SLUICE_GIVING_H

#include "id_set.h"
#include "seal.h"
#include "unsealed.h"

enum { GIVEN_AT_ONCE = 512 };

struct giving {
    struct ledger ledger;
    struct id token;
    struct id_set given;    /* winners */
    struct id_set counted;  /* winners whose trailer was given */
    struct id_set wanted;   /* predecessors of winners, and winners that lack a trailer */
    struct id *wanted_list; /* the same in order */
    size_t wanted_len, wanted_room;
    struct ledger_winner *batch; /* not told yet; strings are the seal's */
    size_t batch_len;
};

void giving_init(struct giving *giving, struct ledger ledger, struct id token);
void giving_done(struct giving *giving);
/* All of a seal; its trailers are put in order of their attempts. */
RC giving_seal(struct giving *giving, struct seal *seal, struct why *why);
/* What is wanted and in the log, transitively. */
RC giving_unsealed(struct giving *giving, const struct unsealed *unsealed, struct why *why);

#endif
