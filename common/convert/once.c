/* SPDX-License-Identifier: Apache-2.0 */
#include "once.h"

#include "alloc.h"
#include "buf.h"
#include "own.h"
#include "where.h"

#include <endian.h>
#include <stdlib.h>
#include <xxhash.h>

struct once {
    struct where *when;
    struct json_path paths[ONCE_FIELDS_MAX];
    size_t paths_len;
    int64_t window_ns;
    struct str source;
    struct buf text;
};

RC once_new(const struct converter_once *settings, struct str source, struct once **out, struct why *why) {
    *out = NULL;
    if (!settings->key_len) return RC_OK;
    if (settings->key_len > ONCE_FIELDS_MAX || settings->window_ns <= 0)
        return why_set(why, RC_BAD, "a key has up to %d fields, and a window", ONCE_FIELDS_MAX);
    struct once made = {.paths_len = settings->key_len, .window_ns = settings->window_ns};
    for (size_t i = 0; i < settings->key_len; i++) TRY(json_path_compile(settings->key[i], &made.paths[i], why));
    if (settings->when.len) TRY(where_new(settings->when, &made.when, why));
    made.source = (struct str){alloc_text(source.at, source.len), source.len};
    made.text = BUF_INIT(64 * (size_t)1024 * 1024);
    struct once *once = ALLOC(struct once);
    *once = made;
    *out = once;
    return RC_OK;
}

void once_free(struct once *o) {
    if (!o) return;
    where_free(o->when);
    buf_done(&o->text);
    free((char *)(uintptr_t)o->source.at);
    free(o);
}

static void add_number(struct buf *b, uint64_t n) {
    uint64_t little = htole64(n);
    buf_add(b, (struct str){(const char *)&little, sizeof little});
}

static void add_text(struct buf *b, struct str text) {
    add_number(b, text.len);
    buf_add(b, text);
}

/* The number of the window, rounded down before 1970 too. */
static int64_t window_of(int64_t time_ns, int64_t window_ns) { return time_ns / window_ns - (time_ns % window_ns < 0); }

static bool add_values(struct once *o, struct json_node record) {
    struct json_node nodes[ONCE_FIELDS_MAX];
    json_find_all(record, o->paths, o->paths_len, nodes);
    for (size_t i = 0; i < o->paths_len; i++) {
        char digits[JSON_NUMBER_MAX];
        struct str text;
        if (json_type(nodes[i]) == JSON_NULL || json_text(nodes[i], digits, &text) != RC_OK) return false;
        buf_add_char(&o->text, json_type(nodes[i]) == JSON_STR ? 's' : 'v');
        add_text(&o->text, text);
    }
    return true;
}

void once_look(struct once *o, struct json_node record, struct converted *out) {
    if (!out->values.has_time || (o->when && !where_holds(o->when, record))) return;
    buf_reset(&o->text);
    add_text(&o->text, o->source);
    add_number(&o->text, (uint64_t)o->window_ns);
    add_number(&o->text, (uint64_t)window_of(out->values.time_ns, o->window_ns));
    if (!add_values(o, record)) return;
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(o->text.at, o->text.len));
    memcpy(out->once_key.bytes, canonical.digest, ID_BYTES);
    out->once = true;
}
