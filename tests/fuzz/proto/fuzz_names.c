/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_names: any bytes as a key. A key that parses is the one that is made of what was parsed. */
#include "must.h"
#include "names.h"
#include "own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str key = {(const char *)data, size};
    AUTO(buf_done) struct buf made = BUF_INIT(NAME_MAX_BYTES);
    struct name_object object;
    if (name_object_parse(key, &object) == RC_OK) {
        MUST(name_object(&object, &made) == RC_OK && str_equal(buf_str(&made), key));
        buf_reset(&made);
    }
    struct id queue;
    uint64_t generation = 0, index = 0;
    uint32_t partition = 0;
    if (name_manifest_parse(key, &queue, &generation, &partition, &index) == RC_OK)
        MUST(name_manifest(queue, generation, partition, index, &made) == RC_OK && str_equal(buf_str(&made), key));
    buf_reset(&made);
    if (name_seal_parse(key, &queue, &generation, &partition, &index) == RC_OK)
        MUST(name_seal(queue, generation, partition, index, &made) == RC_OK && str_equal(buf_str(&made), key));
    return 0;
}
