/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as lines: what is looked for without a tree is what a tree of each line says. */
#include "../../unit/json/find_same.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str line = {0};
    size_t objects = 0;
    MUST(find_same((struct str){(const char *)data, size}, &line, &objects));
    return 0;
}
