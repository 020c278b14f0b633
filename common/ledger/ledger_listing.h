/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_listing: what the ledger's listings answer; ledger.h has the calls. Texts and arrays are in the caller's
 * arena.
 */
#ifndef SLUICE_LEDGER_LISTING_H
#define SLUICE_LEDGER_LISTING_H

#include "attempt.h"
#include "counts.h"

enum ledger_state { LEDGER_OPEN, LEDGER_CLOSED, LEDGER_RECEIPTED, LEDGER_SET_ASIDE };

struct ledger_listing {
    struct id file;
    struct facts facts;
    enum ledger_state state;
    bool closed;
    uint64_t closed_end;
    bool gone;
    uint64_t
        converted_bytes; /* sum over stripes of checkpoint minus stripe start (a last line may reach into the next) */
    uint64_t durable_stripes, stripes; /* of those that have a checkpoint */
    uint64_t outstanding;              /* messages that are won and not durable yet */
    struct counts counts;
    struct str set_aside_reason; /* of the first stripe that was set aside, else empty */
};

struct ledger_stripe_listing {
    uint64_t stripe;
    uint64_t at;
    struct counts counts;
    uint64_t outstanding;
    bool set_aside;
    struct str reason;
};

struct ledger_generation {
    uint64_t generation;
    bool forgotten; /* by ledger_forget, whole or in part */
};

/* A winner that the ledger still remembers one by one: for who looks after what became of its messages. */
struct ledger_won {
    uint64_t stripe, from, to;
    struct id attempt;
    struct id predecessor; /* none for the first of a stripe, and where it was forgotten */
    bool forgotten;        /* winners before it were forgotten; then all of them were durable */
    struct counts counts;
    uint64_t lines_before; /* of the stripe, in the winners before */
    uint64_t tail_hash;    /* of the up to TAIL_MAX bytes before `to` */
    uint64_t tail_before;  /* the predecessor's; 0 where there is none */
    uint32_t messages, durable;
};

struct ledger_wons {
    struct ledger_won *wons; /* by stripe, ascending; in a stripe by `from` */
    size_t wons_len;
    uint64_t *ends; /* all closed ends of the file, ascending */
    size_t ends_len;
};

#endif
