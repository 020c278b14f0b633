/* SPDX-License-Identifier: Apache-2.0 */
#include "config_fits.h"

#include "num.h"

#include <string.h>

enum { NAME_BYTES_MAX = 64 };

static bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool config_fits_pipeline(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (!is_lower_or_digit(s.at[i]) && s.at[i] != '_' && s.at[i] != '-') return false;
    return s.len >= 1 && s.len <= NAME_BYTES_MAX;
}

bool config_fits_source_name(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (!is_lower_or_digit(c) && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-' && c != '.') return false;
    }
    return s.len >= 1 && s.len <= NAME_BYTES_MAX;
}

bool config_fits_broker(struct str s) {
    return str_equal(s, STR("local")) || (str_starts(s, STR("kafka://")) && s.len > sizeof "kafka://" - 1);
}

bool config_fits_ledger(struct str s) {
    static const char *const schemes[] = {"redis://", "rediss://", "unix://"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (str_starts(s, str_of(schemes[i])) && s.len > strlen(schemes[i])) return true;
    return str_equal(s, STR("local"));
}

bool config_fits_http(struct str s) {
    return !s.len || (str_starts(s, STR("http://")) && s.len > sizeof "http://" - 1) ||
           (str_starts(s, STR("https://")) && s.len > sizeof "https://" - 1);
}

bool config_fits_some_text(struct str s) { return s.len > 0; }
