/* SPDX-License-Identifier: Apache-2.0 */
/* syslog: lines of RFC 5424 (<34>1 TIME HOST APP PROCID MSGID DATA MESSAGE) and of RFC 3164 as files hold them (with or
 * without <PRI>; "Oct 11 22:14:15" or RFC 3339; HOST; TAG[PID]: MESSAGE). A line says itself which it is. What is not
 * there, or is '-', is left out of the record.
 *
 * A time without a year lies in the twelve months that begin with settings.syslog_year and syslog_month, and is UTC: so
 * a record is a function of the line and the configuration, and never of the day on which it is converted. */
#include "alloc.h"
#include "columns.h"
#include "scan.h"
#include "syslog_data.h"
#include "time_format.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum syslog_column { TIME, TIME_RAW, FACILITY, SEVERITY, HOST, APP, PID, MSGID, DATA, MESSAGE, COLUMN_COUNT };

enum { FACILITIES = 24, SEVERITIES = 8, BSD_TIME_BYTES = 15 };

struct syslog {
    struct columns columns;
    struct syslog_data data;
    uint32_t year, month; /* 0: times without a year do not parse */
    char time[TIME_FORMAT_RFC3339_MAX + SCAN_STEP];
};

struct cursor {
    const char *at, *end;
};

/* Wide enough for scan_copy(), which reads behind them. */
static const char facilities[FACILITIES][32] = {"kern",   "user",     "mail",    "daemon",       "auth",     "syslog",
                                                "lpr",    "news",     "uucp",    "cron",         "authpriv", "ftp",
                                                "ntp",    "security", "console", "solaris-cron", "local0",   "local1",
                                                "local2", "local3",   "local4",  "local5",       "local6",   "local7"};
static const char severities[SEVERITIES][32] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

static RC syslog_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)why;
    static const struct str names[COLUMN_COUNT] = {
        [TIME] = {"time", 4}, [TIME_RAW] = {"time_raw", 8}, [FACILITY] = {"facility", 8}, [SEVERITY] = {"severity", 8},
        [HOST] = {"host", 4}, [APP] = {"app", 3},           [PID] = {"pid", 3},           [MSGID] = {"msgid", 5},
        [DATA] = {"data", 4}, [MESSAGE] = {"message", 7}};
    struct syslog *s = ALLOC(struct syslog);
    c->self = s;
    s->year = settings->syslog_year;
    s->month = settings->syslog_month;
    columns_init(&s->columns, c, names, COLUMN_COUNT);
    s->columns.at[DATA].type = VALUE_RAW;
    return RC_OK;
}

static void syslog_close(struct converter *c) {
    struct syslog *s = c->self;
    names_done(&s->data.ids);
    names_done(&s->data.params);
    columns_done(&s->columns);
    free(s);
}

static bool syslog_gives(const struct converter *c, size_t field) {
    const struct syslog *s = c->self;
    return s->columns.wanted[field] != SIZE_MAX || syslog_data_path(&partition_fields(c->partition)[field]);
}

static size_t syslog_scratch_bytes(const struct converter *c, size_t line_bytes) {
    const struct syslog *s = c->self;
    return columns_bytes(&s->columns, line_bytes) + SYSLOG_DATA_BYTES(line_bytes) + 64;
}

/* <PRI>; false when it begins like one and is none. */
static bool read_priority(struct syslog *s, struct cursor *c) {
    if (c->at == c->end || *c->at != '<') return true;
    const char *at = c->at + 1;
    unsigned value = 0;
    while (at < c->end && *at >= '0' && *at <= '9' && at - c->at <= 3) value = value * 10 + (unsigned)(*at++ - '0');
    if (at == c->at + 1 || at == c->end || *at != '>' || value >= FACILITIES * SEVERITIES) return false;
    c->at = at + 1;
    s->columns.values[FACILITY] = str_of(facilities[value / SEVERITIES]);
    s->columns.values[SEVERITY] = str_of(severities[value % SEVERITIES]);
    return true;
}

static struct str next_word(struct cursor *c) {
    const char *space = c->at < c->end ? memchr(c->at, ' ', (size_t)(c->end - c->at)) : NULL;
    struct str word = {c->at, (size_t)((space ? space : c->end) - c->at)};
    c->at = space ? space + 1 : c->end;
    return word;
}

static void set(struct syslog *s, enum syslog_column column, struct str value) {
    bool nil = value.len == 0 || (value.len == 1 && value.at[0] == '-');
    s->columns.values[column] = nil ? (struct str){0} : value;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* "Oct 11 22:14:15" with a space or a zero before a single digit; 0 when it is none. */
static unsigned month_of(const char *t, size_t len) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (len < BSD_TIME_BYTES || t[3] != ' ' || t[6] != ' ' || t[9] != ':' || t[12] != ':') return 0;
    if ((t[4] != ' ' && !is_digit(t[4])) || !is_digit(t[5]) || (len > BSD_TIME_BYTES && t[BSD_TIME_BYTES] != ' '))
        return 0;
    static const unsigned char clock[] = {7, 8, 10, 11, 13, 14};
    for (size_t i = 0; i < sizeof clock; i++)
        if (!is_digit(t[clock[i]])) return 0;
    for (unsigned month = 0; month < 12; month++)
        if (memcmp(months + (size_t)month * 3, t, 3) == 0) return month + 1;
    return 0;
}

/* The time of RFC 3164: into s->time as RFC 3339, where its year is known. */
static void set_bsd_time(struct syslog *s, const char *t, unsigned month) {
    s->columns.values[TIME_RAW] = (struct str){t, BSD_TIME_BYTES};
    if (!s->year) return;
    unsigned year = s->year + (month < s->month ? 1 : 0);
    int len =
        snprintf(s->time, sizeof s->time, "%04u-%02u-%c%cT%.8sZ", year, month, t[4] == ' ' ? '0' : t[4], t[5], t + 7);
    s->columns.values[TIME] = (struct str){s->time, (size_t)len};
}

static bool read_time(struct syslog *s, struct cursor *c) {
    unsigned month = month_of(c->at, (size_t)(c->end - c->at));
    if (month) {
        set_bsd_time(s, c->at, month);
        c->at += BSD_TIME_BYTES;
        if (c->at < c->end) c->at++;
        return true;
    }
    struct str word = next_word(c);
    set(s, TIME, word);
    return word.len > 0 && is_digit(word.at[0]);
}

/* TAG[PID]: of the rest, which then is behind it; without a colon there is no tag. */
static void read_tag(struct syslog *s, struct cursor *c) {
    const char *at = c->at;
    while (at < c->end && *at != ' ' && *at != ':' && *at != '[') at++;
    struct str app = {c->at, (size_t)(at - c->at)}, pid = {0};
    if (at < c->end && *at == '[') {
        const char *close = memchr(at, ']', (size_t)(c->end - at));
        if (!close || (close + 1 < c->end && close[1] != ':' && close[1] != ' ')) return;
        pid = (struct str){at + 1, (size_t)(close - at - 1)};
        at = close + 1;
    } else if (at == c->end || *at != ':') {
        return;
    }
    if (at < c->end && *at == ':') at++;
    if (at < c->end && *at == ' ') at++;
    set(s, APP, app);
    set(s, PID, pid);
    c->at = at;
}

static bool read_bsd(struct syslog *s, struct cursor *c) {
    if (!read_time(s, c)) return false;
    struct cursor before = *c;
    struct str host = next_word(c);
    if (host.len && host.at[host.len - 1] == ':')
        *c = before; /* a tag where the host should be: this program does not write it */
    else
        set(s, HOST, host);
    read_tag(s, c);
    s->columns.values[MESSAGE] = (struct str){c->at, (size_t)(c->end - c->at)};
    return true;
}

static bool read_5424(struct converter *c, struct syslog *s, struct cursor *at, char *data) {
    static const enum syslog_column words[] = {TIME, HOST, APP, PID, MSGID};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct str word = next_word(at);
        if (!word.len) return false;
        set(s, words[i], word);
    }
    struct str rest = {at->at, (size_t)(at->end - at->at)};
    if (!syslog_data_read(c, &rest, data, &s->data)) return false;
    s->columns.values[DATA] = s->data.json;
    if (rest.len && rest.at[0] != ' ') return false;
    if (rest.len) rest = str_sub(rest, 1, rest.len);
    if (str_starts(rest, STR("\xEF\xBB\xBF"))) rest = str_sub(rest, 3, rest.len);
    if (rest.len) s->columns.values[MESSAGE] = rest;
    return true;
}

static bool read_line(struct converter *c, struct str line, char *data) {
    struct syslog *s = c->self;
    s->data.json = (struct str){0};
    for (size_t i = 0; i < COLUMN_COUNT; i++) s->columns.values[i] = (struct str){0};
    struct cursor at = {line.at, line.at + line.len};
    if (!read_priority(s, &at)) return false;
    bool has_priority = s->columns.values[FACILITY].at != NULL;
    if (has_priority && at.end - at.at > 2 && at.at[0] == '1' && at.at[1] == ' ') {
        at.at += 2;
        return read_5424(c, s, &at, data);
    }
    return read_bsd(s, &at);
}

static void read_record_time(struct converter *c, struct syslog *s, struct converted *out) {
    struct str *time = &s->columns.values[TIME], *raw = &s->columns.values[TIME_RAW];
    out->values.has_time = time->at && time_parse_rfc3339(*time, &out->values.time_ns) == RC_OK;
    if (out->values.has_time) {
        *raw = (struct str){0};
        return;
    }
    if (!c->time_optional) {
        converter_reject(out, REASON_TIME);
        if (raw->at && !s->year) out->detail = STR("the time has no year; see syslog.since");
    }
    if (!raw->at) *raw = *time;
    *time = (struct str){0};
}

static void syslog_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    struct syslog *s = c->self;
    if (!utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    if (!read_line(c, line, scratch + columns_bytes(&s->columns, line.len))) {
        converter_reject(out, REASON_FORMAT);
        return;
    }
    read_record_time(c, s, out);
    if (out->verdict == CONVERTER_RECORD) columns_write(c, &s->columns, false, scratch, out);
    for (size_t i = 0; i < partition_field_count(c->partition); i++)
        if (syslog_data_path(&partition_fields(c->partition)[i]))
            c->fields[i] = s->data.json.at ? s->data.wanted[i] : (struct str){0};
}

const struct converter_ops syslog_ops = {.name = "syslog",
                                         .open = syslog_open,
                                         .close = syslog_close,
                                         .gives = syslog_gives,
                                         .scratch_bytes = syslog_scratch_bytes,
                                         .line = syslog_line,
                                         .takes_lines = true,
                                         .own_time = true};
