/* SPDX-License-Identifier: Apache-2.0 */
/* serve: an emitter's files for workers on other machines: ranges of those that it says jobs of, and of nothing else. A
 * file has its id for a name, no path of the disk is ever looked at, and it is read through a descriptor that is kept
 * from its first job to its last: so renaming and deleting it do no harm.
 *
 *   GET /file/<id>    Range: bytes=F-L, Authorization: Bearer <token>
 *
 * 206 with at most SOURCE_HTTP_RANGE bytes, 416 behind the end; HEAD is the facts alone. Each carries X-Sluice-Stat
 * (source_http.h). 401 without the token, 403 with another, 404 for an id that has no job under way.
 *
 * Memory: a descriptor and 40 bytes a file under way; one answer. Threads: publish and forget by the emitter's,
 * requests by one of its own. Fails: RC_DENIED with the place in the configuration. */
#ifndef SLUICE_SERVE_H
#define SLUICE_SERVE_H

#include "config.h"
#include "emitter.h"

struct serve;
/* Listens. *out is NULL where the configuration has none; `source` outlives it. */
RC serve_start(const struct config *config, struct source source, struct serve **out, struct why *why);
/* NULL is fine: then nothing is shared. */
struct emitter_share serve_share(struct serve *serve);
void serve_free(struct serve *serve);

#endif
