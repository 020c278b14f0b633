/* SPDX-License-Identifier: Apache-2.0 */
/* listen: a listening TCP socket out of a text in a config. Inside of admin, whose header says what the text is.
 * Threads: pure. Fails: RC_BAD for the text, RC_DENIED for an address that cannot be had. */
#ifndef SLUICE_LISTEN_H
#define SLUICE_LISTEN_H

#include "rc.h"
#include "str.h"

#include <stdint.h>

/* The socket (not blocking, closed on exec), which the caller owns, and the port that it got. */
RC listen_open(struct str text, int *out_fd, uint16_t *out_port, struct why *why);

#endif
