/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_footer: any bytes as an object's footer. What decodes gives the same bytes when it is encoded. */
#include "footer.h"
#include "must.h"
#include "own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf again = BUF_INIT(FOOTER_BYTES_MAX);
    struct footer footer;
    if (footer_decode(bytes, &arena, &footer, NULL) != RC_OK) return 0;
    MUST(footer_encode(&footer, &again) == RC_OK && str_equal(buf_str(&again), bytes));
    return 0;
}
