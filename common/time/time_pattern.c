/* SPDX-License-Identifier: Apache-2.0 */
#include "time_pattern.h"

#include "num.h"
#include "time_civil.h"
#include "time_parts.h"

/* ---- compile: what a conversion says about the time, so that nothing is said twice */

enum field {
    NOTHING,
    YEAR = 1 << 0,
    MONTH = 1 << 1,
    DAY = 1 << 2,
    YEARDAY = 1 << 3,
    HOUR = 1 << 4,
    HALF = 1 << 5,
    MINUTE = 1 << 6,
    SECOND = 1 << 7,
    FRACTION = 1 << 8,
    ZONE = 1 << 9,
    EPOCH = 1 << 10,
};

static const struct rule {
    char c;
    unsigned field;
    const char *spelled; /* a shorthand's meaning */
    const char *word;
} rules[] = {
    {'Y', YEAR, NULL, "the year"},     {'y', YEAR, NULL, "the year"},
    {'m', MONTH, NULL, "the month"},   {'b', MONTH, NULL, "the month"},
    {'B', MONTH, NULL, "the month"},   {'d', DAY, NULL, "the day"},
    {'e', DAY, NULL, "the day"},       {'j', YEARDAY, NULL, "the day of the year"},
    {'H', HOUR, NULL, "the hour"},     {'I', HOUR, NULL, "the hour"},
    {'p', HALF, NULL, "AM or PM"},     {'M', MINUTE, NULL, "the minute"},
    {'S', SECOND, NULL, "the second"}, {'f', FRACTION, NULL, "the fraction"},
    {'z', ZONE, NULL, "the zone"},     {'Z', ZONE, NULL, "the zone"},
    {'s', EPOCH, NULL, "the time"},    {'a', NOTHING, NULL, NULL},
    {'A', NOTHING, NULL, NULL},        {'T', NOTHING, "%H:%M:%S", NULL},
    {'D', NOTHING, "%m/%d/%y", NULL},  {'F', NOTHING, "%Y-%m-%d", NULL},
    {'n', NOTHING, " ", NULL},         {'t', NOTHING, " ", NULL},
};

struct compiler {
    struct time_parse *out;
    unsigned fields;
    size_t position; /* from 1, in the pattern as written */
    struct why *why;
};

static RC add_op(struct compiler *c, struct time_parse_op op) {
    if (c->out->op_count == TIME_PARSE_OPS_MAX)
        return why_set(c->why, RC_BAD, "position %zu: the pattern is longer than %d conversions and characters",
                       c->position, TIME_PARSE_OPS_MAX);
    c->out->ops[c->out->op_count++] = op;
    return RC_OK;
}

static RC add_char(struct compiler *c, char character) {
    bool blank = character == ' ' || character == '\t' || character == '\n';
    return add_op(c, (struct time_parse_op){.conversion = blank, .c = blank ? ' ' : character});
}

static const struct rule *rule_find(char c) {
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (rules[i].c == c) return &rules[i];
    return NULL;
}

/* A conversion that is no shorthand. */
static RC add_rule(struct compiler *c, const struct rule *rule) {
    if (c->fields & rule->field)
        return why_set(c->why, RC_BAD, "position %zu: %%%c gives %s a second time", c->position, rule->c, rule->word);
    c->fields |= rule->field;
    return add_op(c, (struct time_parse_op){.conversion = true, .c = rule->c});
}

static RC add_spelled(struct compiler *c, const char *spelled) {
    for (const char *p = spelled; *p; p++) {
        if (*p == '%')
            TRY(add_rule(c, rule_find(*++p)));
        else
            TRY(add_char(c, *p));
    }
    return RC_OK;
}

static RC add_conversion(struct compiler *c, char character) {
    if (character == '%') return add_op(c, (struct time_parse_op){.c = '%'});
    const struct rule *rule = rule_find(character);
    if (rule) return rule->spelled ? add_spelled(c, rule->spelled) : add_rule(c, rule);
    bool shown = character > ' ' && character < 0x7f;
    return why_set(c->why, RC_BAD, "position %zu: %s%.*s is not one of %s", c->position,
                   shown ? "%" : "a % and what follows it", shown, &character, TIME_PARSE_ALLOWED);
}

static RC check_fields(const struct compiler *c) {
    unsigned f = c->fields;
    if (!(f & ~(unsigned)(HALF | ZONE | FRACTION))) return why_set(c->why, RC_BAD, "the pattern names no time");
    if ((f & EPOCH) && (f & ~(unsigned)(EPOCH | FRACTION)))
        return why_set(c->why, RC_BAD, "%%s is the whole time: only %%f goes with it");
    if ((f & YEARDAY) && (f & (MONTH | DAY)))
        return why_set(c->why, RC_BAD, "%%j is the month and the day: neither goes with it");
    return RC_OK;
}

/* %I and %p need each other, %H needs neither. */
static RC check_hours(const struct compiler *c) {
    bool hour12 = false;
    for (uint32_t i = 0; i < c->out->op_count; i++)
        if (c->out->ops[i].conversion && c->out->ops[i].c == 'I') hour12 = true;
    if (hour12 && !(c->fields & HALF)) return why_set(c->why, RC_BAD, "%%I needs %%p, or take %%H");
    if (!hour12 && (c->fields & HALF)) return why_set(c->why, RC_BAD, "%%p needs %%I");
    return RC_OK;
}

RC time_pattern_compile(struct str text, struct time_parse *out, struct why *why) {
    struct compiler c = {.out = out, .why = why};
    for (size_t i = 0; i < text.len; i++) {
        c.position = i + 1;
        if (text.at[i] != '%') {
            TRY(add_char(&c, text.at[i]));
            continue;
        }
        if (++i == text.len)
            return why_set(why, RC_BAD, "position %zu: a %% at the end; for a percent sign write %%%%", c.position);
        TRY(add_conversion(&c, text.at[i]));
    }
    TRY(check_fields(&c));
    return check_hours(&c);
}

/* ---- match */

struct match {
    const char *at, *end;
    struct time_parts parts;
    int32_t yearday; /* 0: not given */
    bool hour12, pm, has_epoch, negative;
    int64_t epoch_s;
};

/* A number of digits_min to digits_max digits in [low, high]. */
static RC number(struct match *m, int digits_max, int32_t low, int32_t high, int32_t *out) {
    int32_t value = 0;
    int n = 0;
    for (; n < digits_max && m->at < m->end && time_parts_is_digit(*m->at); n++) value = value * 10 + (*m->at++ - '0');
    if (!n || value < low || value > high) return RC_BAD;
    *out = value;
    return RC_OK;
}

static RC blanks(struct match *m) {
    const char *from = m->at;
    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t')) m->at++;
    return m->at > from ? RC_OK : RC_BAD;
}

/* Does `word` (lower case) stand here, in any case? Then goes behind it. */
static bool word(struct match *m, const char *lower, size_t len) {
    if ((size_t)(m->end - m->at) < len) return false;
    for (size_t i = 0; i < len; i++)
        if ((m->at[i] | 0x20) != lower[i]) return false;
    m->at += len;
    return true;
}

/* The index of the name here, whole or its first three letters; -1 when there is none. */
static int name(struct match *m, const char *const *names, int count) {
    for (int i = 0; i < count; i++)
        if (word(m, names[i], strlen(names[i])) || word(m, names[i], 3)) return i;
    return -1;
}

static RC month_name(struct match *m) {
    static const char *const months[] = {"january", "february", "march",     "april",   "may",      "june",
                                         "july",    "august",   "september", "october", "november", "december"};
    m->parts.month = name(m, months, 12) + 1;
    return m->parts.month ? RC_OK : RC_BAD;
}

static RC day_name(struct match *m) {
    static const char *const days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
    return name(m, days, 7) < 0 ? RC_BAD : RC_OK;
}

static RC full_year(struct match *m) {
    if (m->end - m->at < 4) return RC_BAD;
    m->parts.year = time_parts_four(m->at);
    m->at += 4;
    return m->parts.year <= 9999 ? RC_OK : RC_BAD;
}

static RC short_year(struct match *m) {
    TRY(number(m, 2, 0, 99, &m->parts.year));
    m->parts.year += m->parts.year < 69 ? 2000 : 1900;
    return RC_OK;
}

static RC day_padded(struct match *m) {
    while (m->at < m->end && *m->at == ' ') m->at++;
    return number(m, 2, 1, 31, &m->parts.day);
}

static RC half(struct match *m) {
    m->pm = word(m, "pm", 2);
    return m->pm || word(m, "am", 2) ? RC_OK : RC_BAD;
}

static RC epoch(struct match *m) {
    m->has_epoch = true;
    if (m->at < m->end && (*m->at == '-' || *m->at == '+')) m->negative = *m->at++ == '-';
    const char *from = m->at;
    int64_t value = 0;
    for (; m->at < m->end && time_parts_is_digit(*m->at); m->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *m->at - '0', &value))
            return RC_BAD;
    m->epoch_s = m->negative ? -value : value;
    return m->at > from ? RC_OK : RC_BAD;
}

RC time_pattern_offset(const char **at, const char *end, int32_t *out_s) {
    const char *p = *at;
    if (p < end && (*p == 'Z' || *p == 'z')) {
        *out_s = 0;
        *at = p + 1;
        return RC_OK;
    }
    if (end - p < 3 || (*p != '+' && *p != '-')) return RC_BAD;
    bool west = *p == '-';
    int32_t hours = time_parts_two(p + 1), minutes = 0;
    p += 3;
    const char *digits = p + (p < end && *p == ':');
    if (end - digits >= 2 && time_parts_two(digits) < 100) {
        minutes = time_parts_two(digits);
        p = digits + 2;
    }
    if (hours > 23 || minutes > 59) return RC_BAD;
    *out_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    *at = p;
    return RC_OK;
}

static RC conversion(struct match *m, char c) {
    struct time_parts *parts = &m->parts;
    switch (c) {
    case ' ': return blanks(m);
    case 'Y': return full_year(m);
    case 'y': return short_year(m);
    case 'm': return number(m, 2, 1, 12, &parts->month);
    case 'b':
    case 'B': return month_name(m);
    case 'd': return number(m, 2, 1, 31, &parts->day);
    case 'e': return day_padded(m);
    case 'j': return number(m, 3, 1, 366, &m->yearday);
    case 'a':
    case 'A': return day_name(m);
    case 'H': return number(m, 2, 0, 23, &parts->hour);
    case 'I': m->hour12 = true; return number(m, 2, 1, 12, &parts->hour);
    case 'p': return half(m);
    case 'M': return number(m, 2, 0, 59, &parts->minute);
    case 'S': return number(m, 2, 0, 60, &parts->second);
    case 'f': return time_parts_fraction(&m->at, m->end, 9, &parts->ns);
    case 'z': return time_pattern_offset(&m->at, m->end, &parts->offset_s);
    case 'Z': return word(m, "utc", 3) || word(m, "gmt", 3) ? RC_OK : RC_BAD;
    case 's': return epoch(m);
    default: return RC_BAD;
    }
}

/* The day of the year to month and day. */
static RC spread_yearday(struct match *m) {
    struct time_parts *p = &m->parts;
    if (p->year < 1 || m->yearday > 365 + time_civil_leap(p->year)) return RC_BAD;
    struct time_civil date = time_civil_from_days(time_civil_days(p->year, 1, 1) + m->yearday - 1);
    p->month = date.month;
    p->day = date.day;
    return RC_OK;
}

RC time_pattern_ns(const struct time_parse *pattern, struct str text, int64_t *out_ns) {
    if (!text.len) return RC_BAD;
    struct match m = {.at = text.at, .end = text.at + text.len, .parts = {.year = 1970, .month = 1, .day = 1}};
    for (uint32_t i = 0; i < pattern->op_count; i++) {
        const struct time_parse_op *op = &pattern->ops[i];
        if (op->conversion)
            TRY(conversion(&m, op->c));
        else if (m.at == m.end || *m.at++ != op->c)
            return RC_BAD;
    }
    if (m.at != m.end) return RC_BAD;
    if (m.has_epoch) return time_parts_join(m.epoch_s, m.negative ? -m.parts.ns : m.parts.ns, out_ns);
    if (m.hour12) m.parts.hour = m.parts.hour % 12 + (m.pm ? 12 : 0);
    if (m.yearday) TRY(spread_yearday(&m));
    return time_parts_ns(&m.parts, out_ns);
}
