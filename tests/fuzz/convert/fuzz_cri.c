/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as lines of cri: every record and reject is JSON. The first byte chooses whether a time is needed. */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct str_pair types[] = {{{"n", 1}, {"integer", 7}}, {{"*", 1}, {"auto", 4}}};
    static struct lines_fuzz fuzz[2];
    for (size_t i = 0; i < 2 && !fuzz[i].slice; i++) {
        struct converter_settings settings = {.kind = CONVERTER_CRI,
                                              .source = STR("fuzz"),
                                              .partition = STR("{host}-{data.a.b}{pod}/{message}/{time:%H}"),
                                              .time_given = true,
                                              .time_field = STR("t"),
                                              .time_optional = i == 0,
                                              .syslog_year = i ? 2026 : 0,
                                              .syslog_month = 7,
                                              .types = types,
                                              .types_len = i ? 2 : 0};
        MUST(time_parse_compile(STR("rfc3339"), &settings.time_format, NULL) == RC_OK);
        fuzz[i] = lines_fuzz_new(&settings);
    }
    if (size == 0) return 0;
    lines_fuzz_run(&fuzz[data[0] & 1], data + 1, size - 1, data[0], lines_fuzz_check_json);
    return 0;
}
