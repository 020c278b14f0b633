/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame: any bytes as one frame of each format. Nothing inflates beyond its cap. */
#include "frame.h"
#include "must.h"
#include "own.h"

enum { RAW_MAX = 256 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_as(enum frame_format format, struct str bytes) {
    AUTO(frame_decoder_done) struct frame_decoder *decoder = frame_decoder_new(format);
    AUTO(buf_done) struct buf raw = BUF_INIT(2 * RAW_MAX);
    enum rc rc = frame_decode(decoder, bytes, RAW_MAX, &raw, NULL);
    MUST(rc == RC_OK || rc == RC_BROKEN || rc == RC_LIMIT);
    MUST(raw.len <= RAW_MAX && (rc == RC_OK || raw.len == 0));
    buf_reset(&raw);
    size_t taken = 0;
    if (frame_decode_first(decoder, bytes, RAW_MAX, &raw, &taken, NULL) == RC_OK)
        MUST(taken > 0 && taken <= bytes.len && raw.len <= RAW_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    try_as(FRAME_ZST, bytes);
    try_as(FRAME_GZ, bytes);
    return 0;
}
