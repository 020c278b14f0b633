/* SPDX-License-Identifier: Apache-2.0 */
/* source_http: files that an emitter on another machine serves, read by ranges over HTTP. SOURCE_HTTP.md has the
 * requests.
 *
 * A URI is the URL that a job carries, http(s)://host:port/file/<id>. Each answer tells the facts of the file as they
 * are (source_http_stat), and they are compared with those that were expected when it was opened: so all that source.h
 * says of incarnations, sizes and times holds as if the file was here. Listing, watching, removing are not for this
 * side: RC_BAD.
 *
 * Memory: some 600 KiB a connection in use. Threads: any, and one inside. Limits: ranges of SOURCE_HTTP_RANGE a
 * request. Fails: RC_ABSENT: the emitter does not serve the file, or is not there: whoever says its jobs says them
 * again. RC_STALE: it serves another one under the id. RC_BUSY: it refuses our token. RC_BROKEN: no answer of an
 * emitter. */
#ifndef SLUICE_SOURCE_HTTP_H
#define SLUICE_SOURCE_HTTP_H

#include "source.h"

enum { SOURCE_HTTP_RANGE = 1 << 20, SOURCE_HTTP_TEXT = 192 };

/* The facts as the field X-Sluice-Stat has them: inode, birth, volume, size, modification, change, changing, links. */
void source_http_stat_format(const struct source_stat *stat, char out[SOURCE_HTTP_TEXT]);
RC source_http_stat_parse(struct str text, struct source_stat *out);

/* Copies the token; asks nobody. */
RC source_http_open(struct str token, unsigned connections, struct source *out, struct why *why);

#endif
