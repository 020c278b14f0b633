/* SPDX-License-Identifier: Apache-2.0 */
#include "config_read.h"

#include "alloc.h"
#include "buf.h"
#include "config_env.h"
#include "config_error.h"
#include "config_table.h"
#include "config_value.h"
#include "must.h"
#include "own.h"
#include "utf8.h"

#include <stdio.h>

_Static_assert(sizeof(enum config_converter) == sizeof(unsigned), "the reader stores enums as unsigned");

enum { ROWS_MAX = 160 };

struct reader {
    struct config *config;
    struct why *why;
    struct config_key key; /* of what is read now */
    struct config_mark *marks;
    size_t mark_count, mark_room;
    size_t expanded_bytes;
};

/* The value or map that is read now. */
struct target {
    const struct config_row *row;
    void *base; /* struct config or struct config_source */
};

static void *field_of(struct target t) { return (char *)t.base + t.row->offset; }

static void mark(struct reader *r, const struct config_node *node) {
    alloc_grow(&r->marks, &r->mark_room, r->mark_count + 1, sizeof *r->marks);
    r->marks[r->mark_count++] = (struct config_mark){
        .key = arena_str(&r->config->arena, str_of(r->key.text)),
        .place = node->place,
    };
}

static RC fail(struct reader *r, const struct config_node *node, const char *words) {
    return config_error_at(r->config, node->place, r->key.text, r->why, "%s", words);
}

/* ---- a value */

static bool is_null(const struct config_node *node) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != CONFIG_NODE_SCALAR || !node->plain) return false;
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (str_equal(node->text, str_of(nulls[i]))) return true;
    return false;
}

static RC check_kind(struct reader *r, const struct config_node *node, enum config_node_kind wanted) {
    static const char *const words[] = {"one value", "a list", "a map of keys"};
    if (is_null(node)) return fail(r, node, "has no value");
    if (node->kind == wanted) return RC_OK;
    return config_error_at(r->config, node->place, r->key.text, r->why, "must be %s, not %s", words[wanted],
                           words[node->kind]);
}

static RC check_bytes(struct reader *r, const struct config_node *node, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20 || c == 0x7f)
            return config_error_at(r->config, node->place, r->key.text, r->why,
                                   "holds the control character 0x%02x, which no value may", c);
    }
    return utf8_valid(text) ? RC_OK : fail(r, node, "is not UTF-8 once the environment is put in");
}

static RC expand(struct reader *r, const struct config_node *node, struct str *out) {
    AUTO(buf_done) struct buf buf = BUF_INIT(CONFIG_VALUE_MAX);
    struct why reason = {0};
    if (config_env_expand(node->text, &buf, &reason) != RC_OK) return fail(r, node, reason.text);
    if (buf_rc(&buf) != RC_OK) return fail(r, node, "is longer than 4096 bytes");
    r->expanded_bytes += buf.len;
    if (r->expanded_bytes > CONFIG_EXPANDED_BYTES_MAX) return fail(r, node, "all values together are over 4 MiB");
    TRY(check_bytes(r, node, buf_str(&buf)));
    *out = arena_str(&r->config->arena, buf_str(&buf));
    return RC_OK;
}

/* "3" in quotes is a text; ${LEVEL} in quotes is how one writes a number from the environment. */
static RC check_plain(struct reader *r, struct target t, const struct config_node *node) {
    if (t.row->kind != CONFIG_COUNT && t.row->kind != CONFIG_BOOL) return RC_OK;
    if (node->plain || (node->text.len && memchr(node->text.at, '$', node->text.len))) return RC_OK;
    return fail(r, node,
                t.row->kind == CONFIG_BOOL ? "must be true or false without quotes"
                                           : "must be a number without quotes");
}

static RC read_scalar(struct reader *r, struct target t, const struct config_node *node) {
    if (is_null(node) && t.row->kind == CONFIG_TEXT) return fail(r, node, "has no value; an empty text is \"\"");
    TRY(check_kind(r, node, CONFIG_NODE_SCALAR));
    TRY(check_plain(r, t, node));
    struct str text = {0};
    TRY(expand(r, node, &text));
    struct why reason = {0};
    if (config_value_store(t.row, text, field_of(t), &reason) == RC_OK) return RC_OK;
    if (!t.row->secret) return fail(r, node, reason.text);
    return config_error_at(r->config, node->place, r->key.text, r->why,
                           "the value (which is secret) does not fit; allowed: %s", t.row->allowed);
}

/* ---- lists */

static RC check_length(struct reader *r, const struct config_row *row, const struct config_node *node) {
    if (node->count >= row->low && node->count <= row->high) return RC_OK;
    return config_error_at(r->config, node->place, r->key.text, r->why, "has %zu entries; allowed: %d to %d",
                           node->count, (int)row->low, (int)row->high);
}

/* Goes to entry `i` of the list in r->key; leave it by key_back(). */
static size_t key_index(struct reader *r, size_t i) {
    size_t len = strlen(r->key.text);
    (void)snprintf(r->key.text + len, sizeof r->key.text - len, "[%zu]", i);
    return len;
}

static size_t key_name(struct reader *r, const char *name) {
    size_t len = strlen(r->key.text);
    (void)snprintf(r->key.text + len, sizeof r->key.text - len, "%s%s", len ? "." : "", name);
    return len;
}

static void key_back(struct reader *r, size_t len) { r->key.text[len] = '\0'; }

static RC read_strs(struct reader *r, struct target t, const struct config_node *node) {
    TRY(check_kind(r, node, CONFIG_NODE_LIST));
    TRY(check_length(r, t.row, node));
    struct config_strs strs = {ARENA_ARRAY(&r->config->arena, struct str, node->count), 0};
    for (const struct config_node *entry = node->first; entry; entry = entry->next) {
        size_t back = key_index(r, strs.count);
        mark(r, entry);
        TRY(check_kind(r, entry, CONFIG_NODE_SCALAR));
        TRY(expand(r, entry, &strs.at[strs.count]));
        if (!strs.at[strs.count++].len) return fail(r, entry, "is empty");
        key_back(r, back);
    }
    *(struct config_strs *)field_of(t) = strs;
    return RC_OK;
}

static bool is_name(const struct config_row *row, struct str text) {
    bool found = !row->names;
    for (size_t i = 0; row->names && row->names[i]; i++) found = found || str_equal(text, str_of(row->names[i]));
    return found;
}

static RC wrong_name(struct reader *r, const struct config_row *row, const struct config_node *node, struct str text) {
    char list[256];
    size_t at = 0;
    struct config_hint hint = CONFIG_HINT_INIT;
    for (size_t i = 0; row->names[i]; i++) {
        config_hint_offer(&hint, text, str_of(row->names[i]));
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", row->names[i]);
    }
    return config_error_at(r->config, node->place, r->key.text, r->why, "\"%s\" is not one of %s%s",
                           config_show(text).text, list, hint.text);
}

static RC read_pair(struct reader *r, struct target t, const struct config_node *entry, struct config_pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++)
        if (str_equal(pairs->at[i].name, entry->key))
            return config_error_at(r->config, entry->key_place, r->key.text, r->why, "the key is given twice");
    mark(r, entry);
    if (is_null(entry)) return fail(r, entry, "has no value; an empty text is \"\"");
    TRY(check_kind(r, entry, CONFIG_NODE_SCALAR));
    struct str_pair *pair = &pairs->at[pairs->count];
    pair->name = arena_str(&r->config->arena, entry->key);
    TRY(expand(r, entry, &pair->value));
    if (!is_name(t.row, pair->value)) return wrong_name(r, t.row, entry, pair->value);
    pairs->count++;
    return RC_OK;
}

static RC read_pairs(struct reader *r, struct target t, const struct config_node *node) {
    TRY(check_kind(r, node, CONFIG_NODE_MAP));
    TRY(check_length(r, t.row, node));
    struct config_pairs pairs = {ARENA_ARRAY(&r->config->arena, struct str_pair, node->count), 0};
    for (const struct config_node *entry = node->first; entry; entry = entry->next) {
        size_t back = key_name(r, config_show(entry->key).text);
        TRY(read_pair(r, t, entry, &pairs));
        key_back(r, back);
    }
    *(struct config_pairs *)field_of(t) = pairs;
    return RC_OK;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of keys, whatever the file holds */
static RC read_map(struct reader *r, const char *path, void *base, const struct config_node *node);

/* The only list of maps is sources. */
static RC read_list(struct reader *r, struct target t, const struct config_node *node) {
    TRY(check_kind(r, node, CONFIG_NODE_LIST));
    TRY(check_length(r, t.row, node));
    struct config *config = r->config;
    config->sources = ARENA_ARRAY(&config->arena, struct config_source, node->count);
    for (const struct config_node *entry = node->first; entry; entry = entry->next) {
        size_t back = key_index(r, config->source_count);
        mark(r, entry);
        TRY(check_kind(r, entry, CONFIG_NODE_MAP));
        TRY(read_map(r, "sources[]", &config->sources[config->source_count++], entry));
        key_back(r, back);
    }
    return RC_OK;
}

/* ---- maps */

static RC read_row(struct reader *r, struct target t, const struct config_node *node) {
    switch (t.row->kind) {
    case CONFIG_MAP: TRY(check_kind(r, node, CONFIG_NODE_MAP)); return read_map(r, t.row->path, t.base, node);
    case CONFIG_LIST: return read_list(r, t, node);
    case CONFIG_STRS: return read_strs(r, t, node);
    case CONFIG_PAIRS: return read_pairs(r, t, node);
    default: return read_scalar(r, t, node);
    }
}

static RC unknown_key(struct reader *r, const char *path, const struct config_node *node) {
    char list[512];
    size_t at = 0;
    struct config_hint hint = CONFIG_HINT_INIT;
    for (size_t i = 0; i < config_table_count; i++) {
        if (!config_table_is_in(&config_table[i], path)) continue;
        const char *name = config_table_name(&config_table[i]);
        config_hint_offer(&hint, node->key, str_of(name));
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", name);
    }
    return config_error_at(r->config, node->key_place, r->key.text, r->why, "\"%s\" is not one of the keys %s%s",
                           config_show(node->key).text, list, hint.text);
}

/* Fills what the file does not give; a missing map has only optional keys, or is required itself. */
static RC read_default(struct reader *r, struct target t, const struct config_node *map) {
    if (t.row->required && map)
        return config_error_at(r->config, map->place, r->key.text, r->why, "the key \"%s\" is missing",
                               config_table_name(t.row));
    if (t.row->kind == CONFIG_MAP) return read_map(r, t.row->path, t.base, NULL);
    if (!t.row->fallback) return RC_OK;
    struct why reason = {0};
    enum rc rc = config_value_store(t.row, str_of(t.row->fallback), field_of(t), &reason);
    if (rc != RC_OK) return why_set(r->why, RC_BROKEN, "the default of %s: %s", t.row->path, reason.text);
    return RC_OK;
}

/* The keys that are there; `seen` is by row. */
static RC read_given(struct reader *r, const char *path, void *base, const struct config_node *node, bool *seen) {
    for (const struct config_node *child = node->first; child; child = child->next) {
        size_t i = 0;
        while (i < config_table_count && !(config_table_is_in(&config_table[i], path) &&
                                           str_equal(child->key, str_of(config_table_name(&config_table[i])))))
            i++;
        if (i == config_table_count) return unknown_key(r, path, child);
        size_t back = key_name(r, config_table_name(&config_table[i]));
        if (seen[i]) return config_error_at(r->config, child->key_place, r->key.text, r->why, "the key is given twice");
        seen[i] = true;
        mark(r, child);
        TRY(read_row(r, (struct target){&config_table[i], base}, child));
        key_back(r, back);
    }
    return RC_OK;
}

/* `node` NULL: the map is not in the file. */
static RC read_map(struct reader *r, const char *path, void *base, const struct config_node *node) {
    bool seen[ROWS_MAX] = {false};
    if (node) TRY(read_given(r, path, base, node, seen));
    for (size_t i = 0; i < config_table_count; i++)
        if (!seen[i] && config_table_is_in(&config_table[i], path))
            TRY(read_default(r, (struct target){&config_table[i], base}, node));
    return RC_OK;
}

/* NOLINTEND(misc-no-recursion) */

static int mark_order(const void *a, const void *b) {
    return str_compare(((const struct config_mark *)a)->key, ((const struct config_mark *)b)->key);
}

static RC read_root(struct reader *r, const struct config_node *root) {
    if (root->kind != CONFIG_NODE_MAP) return fail(r, root, "the file must be a map of keys");
    TRY(read_map(r, "", r->config, root));
    if (!r->mark_count) return RC_OK;
    qsort(r->marks, r->mark_count, sizeof *r->marks, mark_order);
    struct config_marks marks = {ARENA_ARRAY(&r->config->arena, struct config_mark, r->mark_count), r->mark_count};
    memcpy(marks.at, r->marks, sizeof *r->marks * r->mark_count);
    r->config->marks = marks;
    return RC_OK;
}

RC config_read(struct config *config, const struct config_node *root, struct why *why) {
    MUST(config_table_count <= ROWS_MAX);
    struct reader r = {.config = config, .why = why};
    enum rc rc = read_root(&r, root);
    free(r.marks);
    return rc;
}
