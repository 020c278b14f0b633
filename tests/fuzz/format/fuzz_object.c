/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_object: any bytes as a zst object, and as a gz object with a footer in front, whose length the first two bytes
 * are. What opens is read whole, within the object's bounds. */
#include "must.h"
#include "object.h"
#include "own.h"

enum { CAP = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc get(void *context, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    (void)why;
    const struct str *bytes = context;
    MUST(len <= bytes->len && from <= bytes->len - len);
    buf_add(out, str_sub(*bytes, from, from + len));
    return buf_rc(out);
}

static void try_as(enum frame_format format, struct str bytes, struct str footer) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(format);
    AUTO(buf_done) struct buf compressed = BUF_INIT(CAP);
    AUTO(buf_done) struct buf raw = BUF_INIT(CAP);
    struct object object;
    if (object_open((struct object_source){get, &bytes, bytes.len}, format, footer, &arena, &object, NULL) != RC_OK)
        return;
    for (size_t i = 0; i < object.footer.blocks_len; i++) {
        enum rc rc = object_read(&object, decoder, i, &compressed, &raw, NULL);
        MUST(rc == RC_OK || rc == RC_BROKEN || rc == RC_LIMIT);
    }
    enum rc rc = object_check(&object, hash_bytes(bytes), decoder, &compressed, &raw, NULL);
    MUST(rc == RC_OK || rc == RC_BROKEN || rc == RC_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    try_as(FRAME_ZST, bytes, (struct str){0});
    if (size < 2) return 0;
    size_t footer = 2 + (size_t)data[0] + ((size_t)data[1] << 8);
    if (footer <= size) try_as(FRAME_GZ, str_sub(bytes, footer, size), str_sub(bytes, 2, footer));
    return 0;
}
