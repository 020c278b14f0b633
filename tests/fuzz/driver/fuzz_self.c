/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the driver of the corpora hands every file over whole, and a target that fails makes the test fail. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char bad[] = "this input is bad";
    if (size >= sizeof bad - 1 && memcmp(data, bad, sizeof bad - 1) == 0) _Exit(3);
    return 0;
}
