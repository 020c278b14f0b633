/* SPDX-License-Identifier: Apache-2.0 */
/* check_fleet: what `sluice check` asks the servers of a fleet: is there a ledger that belongs to this output, are the
 * topics as they have to be, and could any of them lose what it acknowledged? Changes nothing: what is missing is for
 * `sluice init` to make.
 *
 * Prints what is there and what is at risk on stdout, what has to be mended on stderr, and looks at everything, so that
 * one call tells of all that is wrong. Threads: the main one. */
#ifndef SLUICE_CHECK_FLEET_H
#define SLUICE_CHECK_FLEET_H

#include "config.h"

/* Gives the first failure, every one of which was told: RC_DENIED: something has to be mended, RC_BUSY: a server is not
 * reachable. */
RC check_fleet(const struct config *config);

#endif
