/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_block: any bytes as a message of the blocks topic. What decodes gives the same bytes when it is encoded. */
#include "block.h"
#include "must.h"
#include "own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    struct block_message message;
    if (block_decode(bytes, &message, NULL) != RC_OK) return 0;
    AUTO(buf_done) struct buf again = BUF_INIT(BLOCK_MESSAGE_MAX);
    enum rc rc = message.kind == BLOCK_RECORDS ? block_encode_header(&message.header, &again)
                                               : block_encode_trailer(&message.trailer, &again);
    buf_add(&again, message.payload);
    MUST(rc == RC_OK && str_equal(buf_str(&again), bytes));
    rc = block_check(&message, NULL);
    MUST(rc == RC_OK || rc == RC_BROKEN);
    return 0;
}
