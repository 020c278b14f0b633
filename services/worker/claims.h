/* SPDX-License-Identifier: Apache-2.0 */
/* claims: a slice's records that are kept once, and what the ledger knows of their keys.
 *
 * Threads: one at a time. Fails: RC_BAD: more claims than an attempt can have (one line makes too many records); what
 * ledger_claims() fails with. */
#ifndef SLUICE_CLAIMS_H
#define SLUICE_CLAIMS_H

#include "kept.h"
#include "ledger.h"

/* Asks for all claims of the slice, in one call. *out_again: another place keeps some of them; `kept` knows now, and
 * the slice has to be converted again, once: it will then claim a part of what it claimed. */
RC claims_look_up(struct kept *kept, struct ledger ledger, struct ledger_stripe stripe, bool *out_again,
                  struct why *why);

#endif
