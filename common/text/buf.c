/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include "alloc.h"
#include "num.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_ROOM = 256 };

void buf_done(struct buf *buf) {
    if (!buf) return;
    free(buf->at);
    *buf = (struct buf){.cap = buf->cap};
}

void buf_reset(struct buf *buf) {
    buf->len = 0;
    buf->over = false;
}

/* One byte more than asked is kept for the NUL of buf_text. */
RC buf_reserve(struct buf *buf, size_t more) {
    size_t need = 0;
    if (__builtin_add_overflow(buf->len, more, &need) || need > buf->cap) {
        buf->over = true;
        return RC_LIMIT;
    }
    if (need < buf->room) return RC_OK;
    size_t room = MAX(MAX(need + 1, buf->room * 2), (size_t)BUF_FIRST_ROOM);
    room = MAX(MIN(room, buf->cap + 1), need + 1);
    buf->at = alloc_resize(buf->at, room, 1);
    buf->room = room;
    return RC_OK;
}

void buf_add(struct buf *buf, struct str bytes) {
    if (buf->over || buf_reserve(buf, bytes.len) != RC_OK) return;
    if (bytes.len) memcpy(buf->at + buf->len, bytes.at, bytes.len);
    buf->len += bytes.len;
}

void buf_add_char(struct buf *buf, char c) { buf_add(buf, (struct str){&c, 1}); }

void buf_add_format(struct buf *buf, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (n < 0 || buf->over || buf_reserve(buf, (size_t)n) != RC_OK) return;
    va_start(list, format);
    (void)vsnprintf(buf->at + buf->len, (size_t)n + 1, format, list);
    va_end(list);
    buf->len += (size_t)n;
}

RC buf_rc(const struct buf *buf) { return buf->over ? RC_LIMIT : RC_OK; }

const char *buf_text(struct buf *buf) {
    if (!buf->at) return "";
    buf->at[buf->len] = '\0';
    return buf->at;
}
