/* SPDX-License-Identifier: Apache-2.0 */
/* How a path is written: each component into a small buffer that keeps its first bytes; a hash over all of it is begun
 * only when it turns out too long. */
#include "partition.h"

#include "must.h"
#include "num.h"
#include "partition_impl.h"
#include "path_hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CUT_MARK = 17 }; /* '-' and 16 digits */

struct component {
    size_t len;                  /* kept in at */
    struct path_hash_state *all; /* of the whole component, once it is longer than what is kept */
    char at[PARTITION_COMPONENT_MAX + 1];
};

static void put(struct component *c, struct str text) {
    if (!c->all && c->len + text.len <= PARTITION_COMPONENT_MAX) {
        if (text.len) memcpy(c->at + c->len, text.at, text.len);
        c->len += text.len;
        return;
    }
    if (!c->all) {
        c->all = path_hash_begin();
        path_hash_add(c->all, (struct str){c->at, c->len});
    }
    path_hash_add(c->all, text);
}

static bool plain(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
}

static bool dots_only(struct str value) { return str_equal(value, STR(".")) || str_equal(value, STR("..")); }

static void put_value(struct component *c, struct str value) {
    static const char digits[] = "0123456789ABCDEF";
    if (!value.at || value.len == 0) {
        put(c, STR(PARTITION_DEFAULT));
        return;
    }
    bool dots = dots_only(value);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char b = (unsigned char)value.at[i];
        bool hides = c->len == 0 && (b == '_' || b == '.');
        if (plain(b) && !hides && !dots) {
            put(c, str_sub(value, i, i + 1));
            continue;
        }
        char encoded[3] = {'%', digits[b >> 4], digits[b & 15]};
        put(c, (struct str){encoded, sizeof encoded});
    }
}

/* Shortens what is kept to `room` bytes, the mark of `hash` at its end. */
static void cut(struct component *c, size_t room, uint64_t hash) {
    size_t keep = MIN(c->len, room - CUT_MARK);
    if (keep >= 1 && c->at[keep - 1] == '%') {
        keep -= 1;
    } else if (keep >= 2 && c->at[keep - 2] == '%') {
        keep -= 2;
    }
    (void)snprintf(c->at + keep, CUT_MARK + 1, "-%016" PRIx64, hash);
    c->len = keep + CUT_MARK;
}

/* At the end of a component: now it has its final form, unless the path gets too long. */
static void finish(struct component *c) {
    if (!c->all) return;
    cut(c, PARTITION_COMPONENT_MAX, path_hash_end(c->all));
    c->all = NULL;
}

static void put_time(struct component *c, const struct partition_piece *piece, const struct partition_values *values) {
    char text[TIME_FORMAT_MAX];
    size_t len = values->has_time ? time_format_ns(&piece->format, values->time_ns, text) : 0;
    put_value(c, (struct str){text, len});
}

/* `values` NULL: the overflow's path. */
static void put_piece(struct component *c, const struct partition *p, const struct partition_piece *piece,
                      const struct partition_values *values) {
    if (piece->kind == PARTITION_LITERAL) {
        put(c, piece->text);
    } else if (piece->kind == PARTITION_SOURCE) {
        put_value(c, p->source);
    } else if (!values) {
        put(c, STR(PARTITION_OVERFLOW));
    } else if (piece->kind == PARTITION_TIME) {
        put_time(c, piece, values);
    } else {
        put_value(c, values->fields[piece->field]);
    }
}

static size_t join(struct component *components, size_t count, char out[PARTITION_PATH_MAX + 1]) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += components[i].len + (i > 0);
    size_t share = PARTITION_PATH_MAX / MAX(count, 1) - 1;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        struct component *c = &components[i];
        if (total > PARTITION_PATH_MAX && c->len > share) {
            cut(c, share, path_hash((struct str){c->at, c->len}));
        }
        if (i > 0) out[at++] = '/';
        memcpy(out + at, c->at, c->len);
        at += c->len;
    }
    out[at] = '\0';
    return at;
}

static size_t write_path(const struct partition *p, const struct partition_values *values,
                         char out[PARTITION_PATH_MAX + 1]) {
    struct component components[PARTITION_COMPONENTS_MAX];
    size_t count = 0;
    struct component *now = NULL;
    for (uint32_t i = 0; i < p->piece_count; i++) {
        const struct partition_piece *piece = &p->pieces[i];
        if (!now) {
            now = &components[count++];
            now->len = 0;
            now->all = NULL;
        }
        if (piece->kind != PARTITION_SLASH) {
            put_piece(now, p, piece, values);
            continue;
        }
        finish(now);
        now = NULL;
    }
    if (now) finish(now);
    return join(components, count, out);
}

size_t partition_path(const struct partition *p, const struct partition_values *values,
                      char out[PARTITION_PATH_MAX + 1]) {
    MUST(values);
    return write_path(p, values, out);
}

size_t partition_overflow_path(const struct partition *p, char out[PARTITION_PATH_MAX + 1]) {
    return write_path(p, NULL, out);
}

size_t partition_encode(struct str value, char out[PARTITION_COMPONENT_MAX + 1]) {
    struct component c = {.len = 0};
    put_value(&c, value);
    finish(&c);
    memcpy(out, c.at, c.len);
    out[c.len] = '\0';
    return c.len;
}
