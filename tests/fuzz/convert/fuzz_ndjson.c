/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as NDJSON: a line has the same verdict among others as alone, and every record and reject is JSON. The
 * first byte chooses: is it the file's start? */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lines_fuzz fuzz;
    if (!fuzz.slice) {
        struct converter_settings settings = {.kind = CONVERTER_NDJSON,
                                              .source = STR("fuzz"),
                                              .partition = STR("dt={time:%Y}/{a}/{b.c}-{/d/0}"),
                                              .time_given = true,
                                              .time_optional = true,
                                              .time_field = STR("t")};
        MUST(time_parse_compile(STR("rfc3339"), &settings.time_format, NULL) == RC_OK);
        fuzz = lines_fuzz_new(&settings);
    }
    if (size == 0) return 0;
    lines_fuzz_run(&fuzz, data + 1, size - 1, data[0] & 1, lines_fuzz_check_json);
    return 0;
}
