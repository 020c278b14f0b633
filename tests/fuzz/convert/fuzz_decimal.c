/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as decimals, one a line: each reads back from its text as the same, and adding is exact in either order. */
#include "decimal.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct decimal value) {
    char text[DECIMAL_MAX];
    struct decimal again;
    size_t len = decimal_format(value, text);
    MUST(len > 0 && len <= sizeof text);
    MUST(decimal_parse((struct str){text, len}, &again) == RC_OK && again.units == value.units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size}, line;
    struct decimal last = {0};
    while (size && str_cut(&rest, '\n', &line)) {
        struct decimal value, there = last, back;
        if (decimal_parse(line, &value) != RC_OK) continue;
        check_text(value);
        back = value;
        bool added = decimal_add(&there, value) == RC_OK;
        MUST(added == (decimal_add(&back, last) == RC_OK));
        if (added) {
            MUST(there.units == back.units && there.units - value.units == last.units);
            check_text(there);
        }
        last = value;
    }
    return 0;
}
