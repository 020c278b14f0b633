/* SPDX-License-Identifier: Apache-2.0 */
#include "time_format.h"

#include "must.h"
#include "num.h"
#include "time_civil.h"

static const int64_t SECOND = 1000000000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

/* What a conversion writes: at most `width` bytes, another text at most every `unit`. */
struct rule {
    char c;
    uint8_t width;
    enum { EVERY_SECOND, EVERY_MINUTE, EVERY_HOUR, EVERY_DAY } unit;
    const char *spelled;
};

static const struct rule rules[] = {
    {'Y', 4, EVERY_DAY, NULL},    {'m', 2, EVERY_DAY, NULL},       {'d', 2, EVERY_DAY, NULL},
    {'H', 2, EVERY_HOUR, NULL},   {'M', 2, EVERY_MINUTE, NULL},    {'S', 2, EVERY_SECOND, NULL},
    {'j', 3, EVERY_DAY, NULL},    {'s', 11, EVERY_SECOND, NULL},   {'y', 2, EVERY_DAY, NULL},
    {'F', 0, EVERY_DAY, "Y-m-d"}, {'T', 0, EVERY_SECOND, "H:M:S"}, {'G', 4, EVERY_DAY, NULL},
    {'V', 2, EVERY_DAY, NULL},    {'u', 1, EVERY_DAY, NULL},       {'b', 3, EVERY_DAY, NULL},
    {'a', 3, EVERY_DAY, NULL},    {'e', 2, EVERY_DAY, NULL},
};

static const struct rule *rule_find(char c) {
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].c == c) return &rules[i];
    return NULL;
}

struct compiler {
    struct time_format made;
    size_t width, position;
    struct why *why;
};

static RC add_op(struct compiler *c, bool conversion, char character, size_t width) {
    c->width += width;
    if (c->made.op_count == TIME_FORMAT_OPS_MAX || c->width >= TIME_FORMAT_MAX)
        return why_set(c->why, RC_BAD,
                       "position %zu: the pattern is longer than %d conversions and characters, or its text than %d "
                       "bytes",
                       c->position, TIME_FORMAT_OPS_MAX, TIME_FORMAT_MAX - 1);
    c->made.ops[c->made.op_count++] = (struct time_format_op){conversion, character};
    return RC_OK;
}

static RC add_rule(struct compiler *c, const struct rule *rule) {
    const int64_t steps[] = {SECOND, MINUTE, HOUR, DAY};
    c->made.step_ns = MIN(c->made.step_ns, steps[rule->unit]);
    return add_op(c, true, rule->c, rule->width);
}

static RC add_conversion(struct compiler *c, char character) {
    if (character == '%') return add_op(c, false, '%', 1);
    const struct rule *rule = rule_find(character);
    if (!rule) {
        bool shown = character > ' ' && character < 0x7f;
        return why_set(c->why, RC_BAD, "position %zu: %s%.*s is not one of %s", c->position,
                       shown ? "%" : "a % and what follows it", shown, &character, TIME_FORMAT_ALLOWED);
    }
    if (!rule->spelled) return add_rule(c, rule);
    for (const char *p = rule->spelled; *p; p++) {
        const struct rule *part = rule_find(*p);
        if (part)
            TRY(add_rule(c, part));
        else
            TRY(add_op(c, false, *p, 1));
    }
    return RC_OK;
}

RC time_format_compile(struct str pattern, struct time_format *out, struct why *why) {
    struct compiler c = {.made = {.step_ns = INT64_MAX}, .why = why};
    for (size_t i = 0; i < pattern.len; i++) {
        c.position = i + 1;
        if (pattern.at[i] != '%') {
            TRY(add_op(&c, false, pattern.at[i], 1));
            continue;
        }
        if (++i == pattern.len)
            return why_set(why, RC_BAD, "position %zu: a %% at the end; for a percent sign write %%%%", c.position);
        TRY(add_conversion(&c, pattern.at[i]));
    }
    *out = c.made;
    return RC_OK;
}

/* ---- format */

struct moment {
    int64_t seconds;
    int32_t days, hour, minute, second, weekday; /* weekday: 1 is Monday, 7 Sunday */
    struct time_civil date;
};

static struct moment moment_of(int64_t ns) {
    struct moment m = {.seconds = ns / SECOND - (ns % SECOND < 0)};
    m.days = (int32_t)(m.seconds / 86400 - (m.seconds % 86400 < 0));
    int32_t of_day = (int32_t)(m.seconds - (int64_t)m.days * 86400);
    m.hour = of_day / 3600;
    m.minute = of_day / 60 % 60;
    m.second = of_day % 60;
    m.weekday = (m.days % 7 + 7 + 3) % 7 + 1; /* 1970-01-01 was a Thursday */
    m.date = time_civil_from_days(m.days);
    return m;
}

/* The ISO 8601 week belongs to the year in which its Thursday lies. */
static int32_t week_of(const struct moment *m, int32_t *out_year) {
    struct time_civil thursday = time_civil_from_days(m->days + 4 - m->weekday);
    *out_year = thursday.year;
    return (thursday.yearday - 1) / 7 + 1;
}

/* `value` >= 0 in exactly `width` places. */
static char *put(char *to, int64_t value, int width, char pad) {
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)(value || i == width - 1 ? '0' + value % 10 : pad);
        value /= 10;
    }
    return to + width;
}

static char *put_epoch(char *to, int64_t seconds) {
    if (seconds < 0) *to++ = '-';
    uint64_t rest = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    int width = 1;
    for (uint64_t more = rest; more > 9; more /= 10) width++;
    return put(to, (int64_t)rest, width, '0');
}

static char *put_name(char *to, const char *names, int32_t index) {
    memcpy(to, names + (size_t)index * 3, 3);
    return to + 3;
}

static char *put_op(char *to, char c, const struct moment *m) {
    int32_t year;
    int32_t week;
    switch (c) {
    case 'Y': return put(to, m->date.year, 4, '0');
    case 'm': return put(to, m->date.month, 2, '0');
    case 'd': return put(to, m->date.day, 2, '0');
    case 'e': return put(to, m->date.day, 2, ' ');
    case 'H': return put(to, m->hour, 2, '0');
    case 'M': return put(to, m->minute, 2, '0');
    case 'S': return put(to, m->second, 2, '0');
    case 'j': return put(to, m->date.yearday, 3, '0');
    case 'y': return put(to, m->date.year % 100, 2, '0');
    case 's': return put_epoch(to, m->seconds);
    case 'u': return put(to, m->weekday, 1, '0');
    case 'b': return put_name(to, "JanFebMarAprMayJunJulAugSepOctNovDec", m->date.month - 1);
    case 'a': return put_name(to, "MonTueWedThuFriSatSun", m->weekday - 1);
    case 'G':
    case 'V': week = week_of(m, &year); return c == 'G' ? put(to, year, 4, '0') : put(to, week, 2, '0');
    default: MUST_NOT_REACH();
    }
}

size_t time_format_ns(const struct time_format *format, int64_t ns, char out[TIME_FORMAT_MAX]) {
    struct moment m = moment_of(ns);
    char *to = out;
    for (uint32_t i = 0; i < format->op_count; i++) {
        const struct time_format_op *op = &format->ops[i];
        if (op->conversion)
            to = put_op(to, op->c, &m);
        else
            *to++ = op->c;
    }
    *to = '\0';
    return (size_t)(to - out);
}

char *time_format_rfc3339(int64_t ns, int digits, char out[TIME_FORMAT_RFC3339_MAX]) {
    MUST(digits >= 0 && digits <= 9);
    struct moment m = moment_of(ns);
    char *to = put(out, m.date.year, 4, '0');
    *to++ = '-';
    to = put(to, m.date.month, 2, '0');
    *to++ = '-';
    to = put(to, m.date.day, 2, '0');
    *to++ = 'T';
    to = put(to, m.hour, 2, '0');
    *to++ = ':';
    to = put(to, m.minute, 2, '0');
    *to++ = ':';
    to = put(to, m.second, 2, '0');
    if (digits) {
        int64_t parts = ns % SECOND + (ns % SECOND < 0 ? SECOND : 0);
        for (int i = digits; i < 9; i++) parts /= 10;
        *to++ = '.';
        to = put(to, parts, digits, '0');
    }
    *to++ = 'Z';
    *to = '\0';
    return out;
}
