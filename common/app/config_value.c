/* SPDX-License-Identifier: Apache-2.0 */
#include "config_value.h"

#include "config_error.h"
#include "num.h"

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    uint64_t factor;
};

struct config_number config_value_format(enum config_kind kind, uint64_t value) {
    static const struct unit bytes[] = {
        {"TiB", 1ull << 40}, {"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}};
    static const struct unit times[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    struct config_number out;
    struct unit best = {"", 1};
    for (size_t i = COUNT_OF(bytes); i-- && kind == CONFIG_BYTES;)
        if (value % bytes[i].factor == 0) best = bytes[i];
    for (size_t i = COUNT_OF(times); i-- && kind == CONFIG_DURATION;)
        if (value % times[i].factor == 0) best = times[i];
    if (value == 0) best = (struct unit){kind == CONFIG_DURATION ? "s" : "", 1};
    (void)snprintf(out.text, sizeof out.text, "%" PRIu64 "%s", value / best.factor, best.name);
    return out;
}

static RC store_text(const struct config_row *row, struct str text, struct str *field, struct why *why) {
    if (row->fits && !row->fits(text))
        return why_set(why, RC_DENIED, "\"%s\" does not fit; allowed: %s", config_show(text).text, row->allowed);
    *field = text;
    return RC_OK;
}

static RC store_enum(const struct config_row *row, struct str text, void *field, struct why *why) {
    char list[256];
    size_t at = 0;
    struct config_hint hint = CONFIG_HINT_INIT;
    for (unsigned i = 0; row->names[i]; i++) {
        if (str_equal(text, str_of(row->names[i]))) {
            memcpy(field, &i, sizeof i);
            return RC_OK;
        }
        config_hint_offer(&hint, text, str_of(row->names[i]));
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", row->names[i]);
    }
    return why_set(why, RC_DENIED, "\"%s\" is not one of %s%s", config_show(text).text, list, hint.text);
}

static RC store_bool(struct str text, bool *field, struct why *why) {
    bool yes = str_equal(text, STR("true"));
    if (!yes && !str_equal(text, STR("false")))
        return why_set(why, RC_DENIED, "\"%s\" is not one of true, false", config_show(text).text);
    *field = yes;
    return RC_OK;
}

/* 010 is eight to some readers of YAML and ten to others. */
static RC parse_count(struct str text, uint64_t *out) {
    if (text.len > 1 && text.at[0] == '0') return RC_BAD;
    return str_parse_u64(text, out);
}

static RC parse_number(enum config_kind kind, struct str text, uint64_t *out) {
    if (kind == CONFIG_COUNT) return parse_count(text, out);
    return kind == CONFIG_BYTES ? str_parse_bytes(text, out) : str_parse_duration_ms(text, out);
}

static RC store_number(const struct config_row *row, struct str text, uint64_t *field, struct why *why) {
    uint64_t value = 0;
    enum rc rc = parse_number(row->kind, text, &value);
    if (rc == RC_OK && value >= row->low && value <= row->high) {
        *field = value;
        return RC_OK;
    }
    struct config_number low = config_value_format(row->kind, row->low),
                         high = config_value_format(row->kind, row->high);
    struct config_shown shown = config_show(text);
    if (rc == RC_OK) return why_set(why, RC_DENIED, "%s is not between %s and %s", shown.text, low.text, high.text);
    const char *wanted = row->kind == CONFIG_COUNT   ? "a whole number"
                         : row->kind == CONFIG_BYTES ? "a number of bytes such as 4096, 64KiB or 1MiB,"
                                                     : "a time such as 500ms, 10s, 5m or 1h30m,";
    return why_set(why, RC_DENIED, "\"%s\" is not %s between %s and %s", shown.text, wanted, low.text, high.text);
}

RC config_value_store(const struct config_row *row, struct str text, void *field, struct why *why) {
    switch (row->kind) {
    case CONFIG_TEXT: return store_text(row, text, field, why);
    case CONFIG_ENUM: return store_enum(row, text, field, why);
    case CONFIG_BOOL: return store_bool(text, field, why);
    default: return store_number(row, text, field, why);
    }
}
