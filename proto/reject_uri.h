/* SPDX-License-Identifier: Apache-2.0 */
/* reject_uri: an object of rejects as a file whose lines are converted again (services/redrive/DESIGN.md):
 *
 *   rejects:<key>?manifest=p<k>/<i>&bytes=<n>[&reason=<words>][&file=<text to the end>]
 *
 * key: the object's in the store; manifest: which one lists it; bytes: of its raw content, the file's size. reason and
 * file say which of its lines are tried; all others stay the rejects that they are.
 *
 * Memory: parsing borrows. Threads: pure. Fails: RC_BAD. */
#ifndef SLUICE_REJECT_URI_H
#define SLUICE_REJECT_URI_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

struct reject_uri {
    struct str key;
    uint32_t partition;
    uint64_t index, bytes;
    struct str reason, file; /* "": any */
};

static inline bool reject_uri_is(struct str uri) { return str_starts(uri, STR("rejects:")); }
/* Appends. */
void reject_uri_format(const struct reject_uri *uri, struct buf *out);
RC reject_uri_parse(struct str uri, struct reject_uri *out);
/* The object alone, as far as it can be told; for who only asks which one it is. */
struct str reject_uri_key(struct str uri);
/* Is it of this generation? */
bool reject_uri_of(struct str uri, uint64_t generation);

#endif
