/* SPDX-License-Identifier: Apache-2.0 */
/* base64: reads RFC 4648 base64 with padding, the one form of a text that json_base64() writes. Threads: pure. Fails:
 * RC_BAD for anything else (other characters, missing padding, bits behind the end), RC_LIMIT over the cap. */
#ifndef SLUICE_BASE64_H
#define SLUICE_BASE64_H

#include "buf.h"

/* Appends the bytes; on a failure `out` is as it was (but .over is set after an RC_LIMIT). */
RC base64_decode(struct str text, struct buf *out);

#endif
