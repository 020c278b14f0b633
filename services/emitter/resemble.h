/* SPDX-License-Identifier: Apache-2.0 */
/* resemble: may this compressed file be what another file became? By names alone; the pure part of adopt.c.
 * Threads: pure. Fails: never. */
#ifndef SLUICE_RESEMBLE_H
#define SLUICE_RESEMBLE_H

#include "str.h"

/* What rotation leaves of a name: without its folder, without the ending of a compressor, and without parts that are
 * only digits behind a '.', '-' or '_': app.log of app.log, app.log.2, app.log.1.gz and app-20261201.log.zst. Written
 * to `out`, cut at its size. */
enum { RESEMBLE_NAME_MAX = 256 };
struct str resemble_stem(struct str uri, char out[RESEMBLE_NAME_MAX]);
/* Is `packed` the name that a compressor gives to what it makes of `uri`, before it removes that? */
bool resemble_is_made_of(struct str packed, struct str uri);

#endif
