/* SPDX-License-Identifier: Apache-2.0 */
/* buf: bytes that we own and add to, with a cap from birth.
 *
 * Adding past the cap is remembered, not done: the buffer stays as it was and `over` stays set until buf_reset(), so
 * that a writer of many small pieces checks once, at its end, with buf_rc(). Memory: at most `cap` bytes, grown by
 * doubling. Threads: one at a time. Fails: RC_LIMIT over the cap. */
#ifndef SLUICE_BUF_H
#define SLUICE_BUF_H

#include "str.h"

#include <stddef.h>

struct buf {
    char *at;
    size_t len, room, cap;
    bool over;
};

#define BUF_INIT(cap_bytes) ((struct buf){.cap = (cap_bytes)})

void buf_done(struct buf *buf);
/* Empty again, memory kept. */
void buf_reset(struct buf *buf);
void buf_add(struct buf *buf, struct str bytes);
void buf_add_char(struct buf *buf, char c);
void buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `more` bytes behind .len, to be filled by the caller who then raises .len; RC_LIMIT over the cap. */
RC buf_reserve(struct buf *buf, size_t more);
/* RC_OK, or RC_LIMIT when anything since the last reset did not fit. */
RC buf_rc(const struct buf *buf);
static inline struct str buf_str(const struct buf *buf) { return (struct str){buf->at, buf->len}; }
/* The text with a NUL behind it (not counted); valid until the next change. */
const char *buf_text(struct buf *buf);

#endif
