/* SPDX-License-Identifier: Apache-2.0 */
#include "syslog_data.h"

#include "scan.h"

enum { JSON_GROWTH = 7 };

struct cursor {
    const char *at, *end;
    char *to, *decoded;
};

bool syslog_data_path(const struct json_path *path) {
    return path->step_count == 3 && str_equal(json_path_step(path, 0), STR("data"));
}

/* Up to a blank, '=', ']' or '"'; at least one byte. */
static bool read_name(struct cursor *c, struct str *out) {
    const char *from = c->at;
    while (c->at < c->end && !memchr(" =]\"", *c->at, 4)) c->at++;
    *out = (struct str){from, (size_t)(c->at - from)};
    return out->len > 0;
}

/* Up to the closing quote; \" \\ \] lose their backslash. */
static bool read_value(struct cursor *c, struct str *out) {
    const char *from = c->at, *at = from;
    char *start = c->decoded, *to = start;
    while (at < c->end && *at != '"') {
        bool escape = *at == '\\' && at + 1 < c->end && memchr("\"\\]", at[1], 3);
        if (escape && to == start) {
            memcpy(to, from, (size_t)(at - from));
            to += at - from;
        }
        if (escape) at++;
        if (escape || to != start) *to++ = *at;
        at++;
    }
    if (at == c->end) return false;
    *out = to == start ? (struct str){from, (size_t)(at - from)} : (struct str){start, (size_t)(to - start)};
    c->decoded = to;
    c->at = at + 1;
    return true;
}

static bool expect(struct cursor *c, char wanted) {
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static void keep_wanted(const struct converter *c, struct syslog_data *d, struct str id, struct str name,
                        struct str value) {
    for (size_t i = 0; i < partition_field_count(c->partition); i++) {
        const struct json_path *path = &partition_fields(c->partition)[i];
        if (syslog_data_path(path) && str_equal(json_path_step(path, 1), id) &&
            str_equal(json_path_step(path, 2), name))
            d->wanted[i] = value;
    }
}

static bool read_param(const struct converter *c, struct cursor *at, struct str id, struct syslog_data *d) {
    struct str name, value;
    if (!read_name(at, &name) || !expect(at, '=') || !expect(at, '"') || !read_value(at, &value)) return false;
    bool first = d->params.count == 0;
    name = names_add(&d->params, name);
    if (!name.at) return false;
    if (!first) *at->to++ = ',';
    at->to = value_string(at->to, name);
    *at->to++ = ':';
    at->to = value_string(at->to, value);
    keep_wanted(c, d, id, name, value);
    return true;
}

static bool read_element(const struct converter *c, struct cursor *at, struct syslog_data *d) {
    struct str id;
    if (!expect(at, '[') || !read_name(at, &id)) return false;
    bool first = d->ids.count == 0;
    if (names_add(&d->ids, id).at != id.at) return false;
    if (!first) *at->to++ = ',';
    at->to = value_string(at->to, id);
    *at->to++ = ':';
    *at->to++ = '{';
    names_reset(&d->params);
    while (expect(at, ' '))
        if (!read_param(c, at, id, d)) return false;
    *at->to++ = '}';
    return expect(at, ']');
}

bool syslog_data_read(const struct converter *c, struct str *rest, char *memory, struct syslog_data *out) {
    out->json = (struct str){0};
    for (size_t i = 0; i < PARTITION_FIELDS_MAX; i++) out->wanted[i] = (struct str){0};
    if (rest->len && rest->at[0] == '-') {
        *rest = str_sub(*rest, 1, rest->len);
        return true;
    }
    struct cursor at = {rest->at, rest->at + rest->len, memory, memory + JSON_GROWTH * rest->len + SCAN_STEP};
    names_reset(&out->ids);
    *at.to++ = '{';
    do {
        if (!read_element(c, &at, out)) return false;
    } while (at.at < at.end && *at.at == '[');
    *at.to++ = '}';
    out->json = (struct str){memory, (size_t)(at.to - memory)};
    *rest = (struct str){at.at, (size_t)(at.end - at.at)};
    return true;
}
