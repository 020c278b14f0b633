/* SPDX-License-Identifier: Apache-2.0 */
/* combined: one line of an access log to one JSON object. The line is split into fields first (combined_split.c), and
 * then the object is written in one go. */
#include "alloc.h"
#include "combined_split.h"
#include "converter_impl.h"
#include "scan.h"
#include "time_format.h"
#include "utf8.h"

#include <stdlib.h>

enum {
    /* A byte grows to 6 at most (a control character to \u001f); decoded fields lie behind the record. */
    GROWTH = 7,
    KEYS_BYTES = 512, /* the keys, quotes, a time in both forms, and what scan_copy() writes behind */
    CLF_TIME_MAX = 32,
};

struct combined {
    enum combined_field wanted[PARTITION_FIELDS_MAX]; /* COMBINED_FIELDS: there is no such field */
    /* Neighbours in a log are mostly of the same second. */
    char last_clf[CLF_TIME_MAX];
    size_t last_clf_len;
    int64_t last_ns;
    size_t last_len;
    char last_rfc3339[TIME_FORMAT_RFC3339_MAX + SCAN_SLACK];
};

static enum combined_field field_of(const struct json_path *path) {
    if (path->step_count != 1) return COMBINED_FIELDS;
    for (enum combined_field f = 0; f < COMBINED_FIELDS; f++) {
        if (str_equal(json_path_step(path, 0), combined_names[f])) return f;
    }
    return COMBINED_FIELDS;
}

static RC combined_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)settings, (void)why;
    struct combined *self = ALLOC(struct combined);
    c->self = self;
    for (size_t i = 0; i < partition_field_count(c->partition); i++) {
        self->wanted[i] = field_of(&partition_fields(c->partition)[i]);
    }
    return RC_OK;
}

static void combined_close(struct converter *c) { free(c->self); }

static bool combined_gives(const struct converter *c, size_t field) {
    const struct combined *self = c->self;
    return self->wanted[field] != COMBINED_FIELDS;
}

static size_t combined_scratch_bytes(const struct converter *c, size_t line_bytes) {
    (void)c;
    return GROWTH * line_bytes + KEYS_BYTES + SCAN_SLACK;
}

/* 10/Oct/2000:13:55:36 -0700 to 2000-10-10T13:55:36-07:00; false when it is written in another way. */
static bool rearrange(struct str clf, char *out) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (clf.len != 26 || clf.at[2] != '/' || clf.at[6] != '/' || clf.at[11] != ':' || clf.at[20] != ' ') return false;
    int month = 0;
    while (month < 12 && memcmp(months + (size_t)month * 3, clf.at + 3, 3) != 0) month++;
    if (month++ == 12) return false;
    const char *t = clf.at;
    char text[] = {t[7],
                   t[8],
                   t[9],
                   t[10],
                   '-',
                   (char)('0' + month / 10),
                   (char)('0' + month % 10),
                   '-',
                   t[0],
                   t[1],
                   'T',
                   t[12],
                   t[13],
                   ':',
                   t[15],
                   t[16],
                   ':',
                   t[18],
                   t[19],
                   t[21],
                   t[22],
                   t[23],
                   ':',
                   t[24],
                   t[25],
                   '\0'};
    memcpy(out, text, sizeof text);
    return true;
}

/* The record's time; RC_BAD leaves the last good one remembered. */
static RC read_time(struct combined *self, struct str clf) {
    if (clf.len == 0 || clf.len > CLF_TIME_MAX) return RC_BAD;
    if (clf.len == self->last_clf_len && memcmp(clf.at, self->last_clf, clf.len) == 0) return RC_OK;
    int64_t ns = 0;
    TRY(time_parse_clf(clf, &ns));
    if (!rearrange(clf, self->last_rfc3339)) (void)time_format_rfc3339(ns, 0, self->last_rfc3339);
    self->last_len = strlen(self->last_rfc3339);
    self->last_ns = ns;
    self->last_clf_len = clf.len;
    memcpy(self->last_clf, clf.at, clf.len);
    return RC_OK;
}

static char *put(char *to, struct str text) { return scan_copy(to, text.at, text.len); }

static char *put_control(char *to, unsigned char c) {
    static const char digits[] = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    memcpy(to, escape, sizeof escape);
    return to + sizeof escape;
}

static char *put_escaped(char *to, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20) {
            to = put_control(to, c);
            continue;
        }
        if (c == '"' || c == '\\') *to++ = '\\';
        *to++ = (char)c;
    }
    return to;
}

static char *put_member(char *to, const struct combined_line *line, enum combined_field f) {
    to = scan_copy(to, combined_keys[f].at, combined_keys[f].len);
    struct str text = line->fields[f];
    if (!text.at) {
        memcpy(to, "null", 4);
        return to + 4;
    }
    if (f == COMBINED_STATUS || f == COMBINED_BYTES) return put(to, text);
    *to++ = '"';
    to = line->plain[f] ? put(to, text) : put_escaped(to, text);
    *to++ = '"';
    return to;
}

static size_t write_record(const struct combined_line *line, bool has_time, char *to) {
    char *from = to;
    to = put_member(to, line, COMBINED_REMOTE);
    to = put_member(to, line, COMBINED_IDENT);
    to = put_member(to, line, COMBINED_USER);
    to = put_member(to, line, COMBINED_TIME);
    if (!has_time) {
        static const char key[] = ",\"time_raw\":\"";
        memcpy(to, key, sizeof key - 1);
        to = put_escaped(to + sizeof key - 1, line->clf);
        *to++ = '"';
    }
    if (line->request_splits) {
        to = put_member(to, line, COMBINED_METHOD);
        to = put_member(to, line, COMBINED_PATH);
        to = put_member(to, line, COMBINED_PROTOCOL);
    } else {
        to = put_member(to, line, COMBINED_REQUEST);
    }
    to = put_member(to, line, COMBINED_STATUS);
    to = put_member(to, line, COMBINED_BYTES);
    if (line->is_combined) {
        to = put_member(to, line, COMBINED_REFERER);
        to = put_member(to, line, COMBINED_AGENT);
    }
    *to++ = '}';
    return (size_t)(to - from);
}

static void combined_line(struct converter *c, struct str text, char *scratch, struct converted *out) {
    struct combined *self = c->self;
    struct combined_line line;
    if (!utf8_valid(text)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    if (!combined_split(text, scratch + (GROWTH - 1) * text.len + KEYS_BYTES, &line)) {
        converter_reject(out, REASON_FORMAT);
        return;
    }
    bool has_time = read_time(self, line.clf) == RC_OK;
    if (!has_time && !c->time_optional) {
        converter_reject(out, REASON_TIME);
        return;
    }
    if (has_time) {
        line.fields[COMBINED_TIME] = (struct str){self->last_rfc3339, self->last_len};
        line.plain[COMBINED_TIME] = true;
        out->values.time_ns = self->last_ns;
    }
    out->values.has_time = has_time;
    out->record = (struct str){scratch, write_record(&line, has_time, scratch)};
    for (size_t i = 0; i < partition_field_count(c->partition); i++) {
        bool there = self->wanted[i] != COMBINED_FIELDS;
        c->fields[i] = there ? line.fields[self->wanted[i]] : (struct str){0};
    }
}

const struct converter_ops combined_ops = {.name = "combined",
                                           .open = combined_open,
                                           .close = combined_close,
                                           .gives = combined_gives,
                                           .scratch_bytes = combined_scratch_bytes,
                                           .line = combined_line,
                                           .own_time = true};
