/* SPDX-License-Identifier: Apache-2.0 */
/* source_uri: files of a file system as URIs (RFC 8089): "file:///var/log/a%20b". A path is any bytes but NUL; all that
 * is no pchar of RFC 3986 and no '/' is percent-encoded with upper-case digits, so that a URI is ASCII without blanks,
 * and one path has one URI. Threads: pure. Limits: SOURCE_PATH_MAX. Fails: RC_BAD, RC_LIMIT. */
#ifndef SLUICE_SOURCE_URI_H
#define SLUICE_SOURCE_URI_H

#include "buf.h"

#include <stdbool.h>

enum {
    SOURCE_PATH_MAX = 4095,                   /* Linux's PATH_MAX without its NUL */
    SOURCE_URI_MAX = 7 + 3 * SOURCE_PATH_MAX, /* "file://", and every byte encoded */
};

/* Appends the URI of an absolute path; RC_BAD when it is not absolute or holds a NUL. */
RC source_uri_encode(struct str path, struct buf *out);
/* Writes the encoding of `path` (any piece of one) to `out`, which has room for 3 bytes each; gives the length back. */
size_t source_uri_encode_piece(struct str path, char *out);
/* The inverse, from uri.at[at] on: RC_BAD for a broken '%', an encoded NUL, '?' and '#', RC_LIMIT. */
RC source_uri_decode_piece(struct str uri, size_t at, struct buf *out);
/* Appends the path: the inverse. Takes lower-case digits, needless encodings and the host "localhost" too; RC_BAD for
 * other schemes and hosts, a query, a fragment, a broken '%' and an encoded NUL. */
RC source_uri_decode(struct str uri, struct buf *out, struct why *why);

/* Does what a person typed name the file: its uri, its path, or the end of its path from a '/' on? */
bool source_uri_names(struct str asked, struct str uri);

#endif
