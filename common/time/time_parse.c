/* SPDX-License-Identifier: Apache-2.0 */
#include "time_parse.h"

#include "num.h"
#include "time_parts.h"
#include "time_pattern.h"

/* The six bytes "+hh:mm" at `at`, nothing shorter (RFC 3339). */
static RC strict_offset(const char *at, int32_t *out_s) {
    int32_t hours = time_parts_two(at + 1), minutes = time_parts_two(at + 4);
    if ((at[0] != '+' && at[0] != '-') || at[3] != ':' || hours > 23 || minutes > 59) return RC_BAD;
    int32_t seconds = hours * 3600 + minutes * 60;
    *out_s = at[0] == '-' ? -seconds : seconds;
    return RC_OK;
}

RC time_parse_rfc3339(struct str text, int64_t *out_ns) {
    if (text.len < 19) return RC_BAD;
    const char *p = text.at, *end = p + text.len;
    if (p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':') return RC_BAD;
    if (p[10] != 'T' && p[10] != 't' && p[10] != ' ') return RC_BAD;
    struct time_parts parts = {
        .year = time_parts_four(p),
        .month = time_parts_two(p + 5),
        .day = time_parts_two(p + 8),
        .hour = time_parts_two(p + 11),
        .minute = time_parts_two(p + 14),
        .second = time_parts_two(p + 17),
    };
    p += 19;
    if (p < end && *p == '.') {
        p++;
        TRY(time_parts_fraction(&p, end, 9, &parts.ns));
    }
    if (p < end && (*p == 'Z' || *p == 'z')) {
        p++;
    } else if (end - p == 6) {
        TRY(strict_offset(p, &parts.offset_s));
        p = end;
    }
    return p == end ? time_parts_ns(&parts, out_ns) : RC_BAD;
}

/* A decimal number as *out_units whole units and *out_parts of 10^digits parts of one, both to be added; digits that
 * are finer are dropped. */
static RC decimal(struct str text, int digits, int64_t *out_units, int32_t *out_parts) {
    if (!text.len) return RC_BAD;
    const char *p = text.at, *end = p + text.len;
    bool negative = false;
    if (*p == '-' || *p == '+') negative = *p++ == '-';
    const char *from = p;
    int64_t units = 0;
    for (; p < end && time_parts_is_digit(*p); p++)
        if (__builtin_mul_overflow(units, 10, &units) || __builtin_add_overflow(units, *p - '0', &units)) return RC_BAD;
    if (p == from) return RC_BAD;
    int32_t parts = 0;
    if (p < end && *p == '.') {
        p++;
        TRY(time_parts_fraction(&p, end, digits, &parts));
    }
    if (p != end) return RC_BAD;
    *out_units = negative ? -units : units;
    *out_parts = negative ? -parts : parts;
    return RC_OK;
}

RC time_parse_epoch_s(struct str text, int64_t *out_ns) {
    int64_t seconds;
    int32_t ns;
    TRY(decimal(text, 9, &seconds, &ns));
    return time_parts_join(seconds, ns, out_ns);
}

RC time_parse_epoch_ms(struct str text, int64_t *out_ns) {
    int64_t ms;
    int32_t ns;
    TRY(decimal(text, 6, &ms, &ns));
    return time_parts_join(ms / 1000, (int32_t)(ms % 1000) * 1000000 + ns, out_ns);
}

RC time_parse_clf(struct str text, int64_t *out_ns) {
    if (text.len >= 2 && text.at[0] == '[' && text.at[text.len - 1] == ']') text = str_sub(text, 1, text.len - 1);
    if (text.len != 20 && text.len != 26) return RC_BAD;
    const char *p = text.at;
    if (p[2] != '/' || p[6] != '/' || p[11] != ':' || p[14] != ':' || p[17] != ':') return RC_BAD;
    struct time_parts parts = {
        .year = time_parts_four(p + 7),
        .month = time_parts_month(p + 3),
        .day = time_parts_two(p),
        .hour = time_parts_two(p + 12),
        .minute = time_parts_two(p + 15),
        .second = time_parts_two(p + 18),
    };
    if (text.len == 26) {
        int32_t hours = time_parts_two(p + 22), minutes = time_parts_two(p + 24);
        if (p[20] != ' ' || (p[21] != '+' && p[21] != '-') || hours > 23 || minutes > 59) return RC_BAD;
        int32_t seconds = hours * 3600 + minutes * 60;
        parts.offset_s = p[21] == '-' ? -seconds : seconds;
    }
    return time_parts_ns(&parts, out_ns);
}

static const struct {
    struct str name;
    enum time_parse_kind kind;
} names[] = {
    {{"rfc3339", 7}, TIME_PARSE_RFC3339},
    {{"epoch_s", 7}, TIME_PARSE_EPOCH_S},
    {{"epoch_ms", 8}, TIME_PARSE_EPOCH_MS},
    {{"clf", 3}, TIME_PARSE_CLF},
};

static enum rc unknown_name(struct str text, struct why *why) {
    size_t best = 0, best_distance = SIZE_MAX;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t distance = str_distance(text, names[i].name);
        if (distance < best_distance) best = i, best_distance = distance;
    }
    bool near = best_distance <= 2 && text.len > 2;
    return why_set(why, RC_BAD, "\"%.*s\" is not one of rfc3339, epoch_s, epoch_ms, clf, or a pattern with %%%s%s%s",
                   (int)MIN(text.len, 100), text.at, near ? "; did you mean \"" : "", near ? names[best].name.at : "",
                   near ? "\"?" : "");
}

RC time_parse_compile(struct str text, struct time_parse *out, struct why *why) {
    struct time_parse made = {.kind = TIME_PARSE_PATTERN};
    if (text.len && memchr(text.at, '%', text.len)) {
        TRY(time_pattern_compile(text, &made, why));
        *out = made;
        return RC_OK;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!str_equal(text, names[i].name)) continue;
        made.kind = names[i].kind;
        *out = made;
        return RC_OK;
    }
    return unknown_name(text, why);
}

RC time_parse_ns(const struct time_parse *format, struct str text, int64_t *out_ns) {
    switch (format->kind) {
    case TIME_PARSE_RFC3339: return time_parse_rfc3339(text, out_ns);
    case TIME_PARSE_EPOCH_S: return time_parse_epoch_s(text, out_ns);
    case TIME_PARSE_EPOCH_MS: return time_parse_epoch_ms(text, out_ns);
    case TIME_PARSE_CLF: return time_parse_clf(text, out_ns);
    case TIME_PARSE_PATTERN: return time_pattern_ns(format, text, out_ns);
    }
    return RC_BAD;
}

enum { UTC_MIN = 20 }; /* "2000-10-10T13:55:36Z" */
static const int64_t MINUTE_NS = 60 * (int64_t)1000000000;

/* Behind the minute: "36Z" or "36.123Z". */
static RC seconds_ns(struct str text, int64_t *out_ns) {
    const char *p = text.at, *end = p + text.len - 1;
    int32_t seconds = time_parts_two(p), parts = 0;
    p += 2;
    if (seconds > 59 || (*end != 'Z' && *end != 'z')) return RC_BAD;
    if (p < end) {
        if (*p++ != '.') return RC_BAD;
        TRY(time_parts_fraction(&p, end, 9, &parts));
    }
    if (p != end) return RC_BAD;
    *out_ns = seconds * (int64_t)1000000000 + parts;
    return RC_OK;
}

static void note_minute(struct time_minute *last, struct str text, int64_t ns) {
    char zone = text.at[text.len - 1];
    int64_t behind = ns % MINUTE_NS;
    if (behind < 0) behind += MINUTE_NS;
    if ((zone != 'Z' && zone != 'z') || ns < INT64_MIN + MINUTE_NS) return;
    memcpy(last->text, text.at, sizeof last->text);
    last->ns = ns - behind;
}

RC time_parse_near(const struct time_parse *format, struct time_minute *last, struct str text, int64_t *out_ns) {
    if (format->kind != TIME_PARSE_RFC3339 || text.len < UTC_MIN) return time_parse_ns(format, text, out_ns);
    int64_t behind = 0, ns = 0;
    if (memcmp(text.at, last->text, sizeof last->text) == 0 &&
        seconds_ns(str_sub(text, sizeof last->text, text.len), &behind) == RC_OK &&
        !__builtin_add_overflow(last->ns, behind, &ns)) {
        *out_ns = ns;
        return RC_OK;
    }
    TRY(time_parse_rfc3339(text, &ns));
    note_minute(last, text, ns);
    *out_ns = ns;
    return RC_OK;
}
