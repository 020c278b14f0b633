/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_footer: any bytes as an object's footer, and as what is inside the zstd frame of one (whose checksum would stop
 * most of them). What decodes gives the same bytes when it is encoded. */
#include "footer.h"
#include "must.h"
#include "own.h"
#include "squeeze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_frame(struct str frame, struct str inner) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf again = BUF_INIT(2 * (size_t)FOOTER_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(FOOTER_BYTES_MAX);
    struct footer footer;
    if (footer_decode(frame, &arena, &footer, NULL) != RC_OK) return;
    MUST(footer_encode(&footer, &again) == RC_OK);
    MUST(unsqueeze(buf_str(&again), FOOTER_BYTES_MAX, &raw, NULL) == RC_OK);
    MUST(!inner.at || str_equal(buf_str(&raw), inner));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    try_frame(bytes, (struct str){0});
    AUTO(buf_done) struct buf frame = BUF_INIT(2 * (size_t)FOOTER_BYTES_MAX);
    if (size && squeeze(bytes, &frame) == RC_OK) try_frame(buf_str(&frame), bytes);
    return 0;
}
