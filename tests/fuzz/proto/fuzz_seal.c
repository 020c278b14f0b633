/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_seal: any bytes as a seal, and as what is inside the zstd frame of one (whose checksum would stop most of them).
 * What decodes gives the same bytes when it is encoded. */
#include "must.h"
#include "own.h"
#include "seal.h"
#include "squeeze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_frame(struct str frame, struct str inner) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf again = BUF_INIT(2 * (size_t)SEAL_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(SEAL_BYTES_MAX);
    struct seal seal;
    if (seal_decode(frame, &arena, &seal, NULL) != RC_OK) return;
    MUST(seal_encode(&seal, &again) == RC_OK);
    MUST(unsqueeze(buf_str(&again), SEAL_BYTES_MAX, &raw, NULL) == RC_OK);
    MUST(!inner.at || str_equal(buf_str(&raw), inner));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    try_frame(bytes, (struct str){0});
    AUTO(buf_done) struct buf frame = BUF_INIT(2 * (size_t)SEAL_BYTES_MAX);
    if (size && squeeze(bytes, &frame) == RC_OK) try_frame(buf_str(&frame), bytes);
    return 0;
}
