/* SPDX-License-Identifier: Apache-2.0 */
#include "str.h"

#include "num.h"

int str_compare(struct str a, struct str b) {
    size_t n = MIN(a.len, b.len);
    int order = n ? memcmp(a.at, b.at, n) : 0;
    if (order) return order;
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

struct str str_trim(struct str s) {
    while (s.len && is_blank(s.at[0])) s = str_sub(s, 1, s.len);
    while (s.len && is_blank(s.at[s.len - 1])) s.len--;
    return s;
}

bool str_cut(struct str *rest, char separator, struct str *out_head) {
    if (!rest->at) return false;
    const char *hit = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    if (!hit) {
        *out_head = *rest;
        *rest = (struct str){0};
        return true;
    }
    *out_head = (struct str){rest->at, (size_t)(hit - rest->at)};
    *rest = str_sub(*rest, out_head->len + 1, rest->len);
    return true;
}

RC str_parse_u64(struct str s, uint64_t *out) {
    if (!s.len) return RC_BAD;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') return RC_BAD;
        if (__builtin_mul_overflow(value, 10u, &value)) return RC_BAD;
        if (__builtin_add_overflow(value, (uint64_t)(s.at[i] - '0'), &value)) return RC_BAD;
    }
    *out = value;
    return RC_OK;
}

RC str_parse_i64(struct str s, int64_t *out) {
    bool negative = s.len && s.at[0] == '-';
    uint64_t value = 0;
    TRY(str_parse_u64(negative ? str_sub(s, 1, s.len) : s, &value));
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return RC_BAD;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return RC_OK;
}

static size_t digits_at_start(struct str s) {
    size_t n = 0;
    while (n < s.len && s.at[n] >= '0' && s.at[n] <= '9') n++;
    return n;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit *unit_find(const struct unit *units, size_t count, struct str name) {
    for (size_t i = 0; i < count; i++)
        if (str_equal(name, str_of(units[i].name))) return &units[i];
    return NULL;
}

RC str_parse_bytes(struct str s, uint64_t *out) {
    static const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"k", 1000},
        {"kB", 1000},
        {"K", 1000},
        {"KB", 1000},
        {"KiB", 1u << 10},
        {"M", 1000000},
        {"MB", 1000000},
        {"MiB", 1u << 20},
        {"G", 1000000000},
        {"GB", 1000000000},
        {"GiB", 1u << 30},
        {"T", 1000000000000},
        {"TB", 1000000000000},
        {"TiB", 1ull << 40},
    };
    size_t n = digits_at_start(s);
    uint64_t value = 0;
    TRY(str_parse_u64(str_sub(s, 0, n), &value));
    const struct unit *unit = unit_find(units, COUNT_OF(units), str_trim(str_sub(s, n, s.len)));
    if (!unit || __builtin_mul_overflow(value, unit->factor, &value)) return RC_BAD;
    *out = value;
    return RC_OK;
}

RC str_parse_duration_ms(struct str s, uint64_t *out) {
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    if (str_equal(s, STR("0"))) {
        *out = 0;
        return RC_OK;
    }
    uint64_t sum = 0;
    if (!s.len) return RC_BAD;
    while (s.len) {
        size_t n = digits_at_start(s), end = n;
        while (end < s.len && s.at[end] >= 'a' && s.at[end] <= 'z') end++;
        uint64_t value = 0;
        TRY(str_parse_u64(str_sub(s, 0, n), &value));
        const struct unit *unit = unit_find(units, COUNT_OF(units), str_sub(s, n, end));
        if (!unit || __builtin_mul_overflow(value, unit->factor, &value)) return RC_BAD;
        if (__builtin_add_overflow(sum, value, &sum)) return RC_BAD;
        s = str_sub(s, end, s.len);
    }
    *out = sum;
    return RC_OK;
}

enum { DISTANCE_MAX = 64 };

size_t str_distance(struct str a, struct str b) {
    if (a.len > DISTANCE_MAX || b.len > DISTANCE_MAX) return DISTANCE_MAX;
    size_t row[DISTANCE_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j], change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            row[j] = MIN(MIN(above, row[j - 1]) + 1, change);
            diagonal = above;
        }
    }
    return row[b.len];
}
