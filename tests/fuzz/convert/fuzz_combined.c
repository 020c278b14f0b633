/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an access log: every record and reject is JSON, and nothing is written behind the scratch. The first
 * byte chooses whether a bad time is a reject. */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lines_fuzz fuzz[2];
    for (int i = 0; i < 2 && !fuzz[i].slice; i++) {
        struct converter_settings settings = {.kind = CONVERTER_COMBINED,
                                              .source = STR("fuzz"),
                                              .partition = STR("{path}/{agent}-{status}/{time:%H}/{user}"),
                                              .time_optional = i == 1};
        fuzz[i] = lines_fuzz_new(&settings);
    }
    if (size == 0) return 0;
    lines_fuzz_run(&fuzz[data[0] & 1], data + 1, size - 1, data[0], lines_fuzz_check_json);
    return 0;
}
