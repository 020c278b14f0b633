/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_quantity.h"

#include <stdlib.h>

enum { NUMBER_MAX = 400 };
#define QUANTITY_MAX 9e18

static const struct {
    const char *name;
    int64_t value;
} constants[] = {{"JS::gcreason::NUM_TELEMETRY_REASONS", 101},
                 {"JS::GCReason::NUM_TELEMETRY_REASONS", 101},
                 {"mozilla::StartupTimeline::MAX_EVENT_ID", 12}};

static RC factor_of(struct str text, int64_t *out) {
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        if (str_equal(text, str_of(constants[i].name))) {
            *out = constants[i].value;
            return RC_OK;
        }
    return str_parse_i64(text, out);
}

static RC product_of(struct str text, int64_t *out) {
    struct str factor;
    int64_t product = 1, value = 0;
    if (str_ends(text, STR("*"))) return RC_BAD;
    while (str_cut(&text, '*', &factor)) {
        TRY(factor_of(str_trim(factor), &value));
        if (__builtin_mul_overflow(product, value, &product)) return RC_BAD;
    }
    *out = product;
    return RC_OK;
}

static RC sum_of(struct str text, int64_t *out) {
    struct str term;
    int64_t sum = 0, value = 0;
    if (!text.len || str_ends(text, STR("+"))) return RC_BAD;
    while (str_cut(&text, '+', &term)) {
        term = str_trim(term);
        if (!term.len) return RC_BAD;
        TRY(product_of(term, &value));
        if (__builtin_add_overflow(sum, value, &sum)) return RC_BAD;
    }
    *out = sum;
    return RC_OK;
}

/* By its text: of a document with a number that no machine word holds the parser keeps no values. */
RC telemetry_number(struct json_node node, double *out) {
    char digits[JSON_NUMBER_MAX], copy[NUMBER_MAX];
    struct str text;
    enum json_type type = json_type(node);
    if (type != JSON_I64 && type != JSON_U64 && type != JSON_DOUBLE) return RC_BAD;
    TRY(json_text(node, digits, &text));
    if (text.len >= sizeof copy) return RC_BAD;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, NULL);
    return RC_OK;
}

RC telemetry_quantity(struct json_node node, int64_t *out) {
    char digits[JSON_NUMBER_MAX];
    struct str text;
    double number = 0;
    if (json_get_str(node, &text) == RC_OK) return sum_of(str_trim(text), out);
    TRY(telemetry_number(node, &number));
    TRY(json_text(node, digits, &text));
    if (str_parse_i64(text, out) == RC_OK) return RC_OK;
    if (!(number > -QUANTITY_MAX && number < QUANTITY_MAX) || number != (double)(int64_t)number) return RC_BAD;
    *out = (int64_t)number;
    return RC_OK;
}
