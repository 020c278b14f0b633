/* SPDX-License-Identifier: Apache-2.0 */
#include "columns.h"

#include "alloc.h"
#include "must.h"
#include "path_hash.h"
#include "route.h"
#include "scan.h"

#include <stdio.h>
#include <stdlib.h>

enum { BRACKETS = 2 };

struct str columns_unique(struct arena *arena, struct route *seen, struct str name) {
    struct str found = name;
    for (unsigned n = 2; route_get(seen, found, path_hash(found)) != ROUTE_NONE; n++) {
        char behind[16];
        int len = snprintf(behind, sizeof behind, "_%u", n);
        char *made = arena_alloc(arena, name.len + (size_t)len + SCAN_STEP);
        if (name.len) memcpy(made, name.at, name.len);
        memcpy(made + name.len, behind, (size_t)len);
        found = (struct str){made, name.len + (size_t)len};
    }
    route_put(seen, arena, found, path_hash(found), 1);
    return found;
}

static struct str name_of(struct arena *arena, struct route *seen, struct str name, size_t number) {
    char made[32];
    if (name.len == 0) name = (struct str){made, (size_t)snprintf(made, sizeof made, "column_%zu", number)};
    struct str kept = {arena_alloc(arena, name.len + SCAN_STEP), name.len};
    memcpy((char *)(uintptr_t)kept.at, name.at, name.len);
    return columns_unique(arena, seen, kept);
}

enum value_type columns_type(const struct converter *c, struct str name) {
    struct str found = STR("text");
    bool own = false;
    for (size_t i = 0; i < c->types_len && !own; i++) {
        own = str_equal(c->types[i].name, name);
        if (own || str_equal(c->types[i].name, STR("*"))) found = c->types[i].value;
    }
    enum value_type type = VALUE_TEXT;
    MUST(value_type_of(found, &type) == RC_OK); /* as converter_new() saw */
    return type;
}

static struct str key_of(struct arena *arena, struct str name) {
    char *key = arena_alloc(arena, name.len * VALUE_GROWTH + VALUE_EXTRA + SCAN_STEP);
    char *end = value_string(key, name);
    *end++ = ':';
    return (struct str){key, (size_t)(end - key)};
}

static size_t column_of(const struct columns *columns, const struct json_path *path) {
    if (path->step_count != 1) return SIZE_MAX;
    for (size_t i = 0; i < columns->count; i++)
        if (str_equal(json_path_step(path, 0), columns->at[i].name)) return i;
    return SIZE_MAX;
}

void columns_init(struct columns *columns, const struct converter *c, const struct str *names, size_t count) {
    MUST(count <= COLUMNS_MAX);
    *columns = (struct columns){.count = count, .time = SIZE_MAX};
    columns->at = ARENA_ARRAY(&columns->arena, struct column, count);
    columns->values = ARENA_ARRAY(&columns->arena, struct str, count);
    struct route seen;
    route_init(&seen, count);
    for (size_t i = 0; i < count; i++) {
        struct column *column = &columns->at[i];
        column->name = name_of(&columns->arena, &seen, names[i], i + 1);
        column->key = key_of(&columns->arena, column->name);
        column->type = columns_type(c, column->name);
        columns->keys_bytes += column->key.len + 1;
    }
    route_done(&seen);
    for (size_t i = 0; i < partition_field_count(c->partition); i++)
        columns->wanted[i] = column_of(columns, &partition_fields(c->partition)[i]);
    if (c->time_given) columns->time = column_of(columns, &c->time_field);
}

void columns_done(struct columns *columns) {
    arena_done(&columns->arena);
    *columns = (struct columns){0};
}

size_t columns_bytes(const struct columns *columns, size_t line_bytes) {
    return line_bytes * VALUE_GROWTH + columns->keys_bytes + columns->count * VALUE_EXTRA + BRACKETS + SCAN_STEP;
}

void columns_time(const struct converter *c, const struct time_parse *format, struct str text, struct converted *out) {
    out->values.has_time = text.at && time_parse_ns(format, text, &out->values.time_ns) == RC_OK;
    if (!out->values.has_time && !c->time_optional) converter_reject(out, REASON_TIME);
}

static void set_wanted(struct converter *c, const struct columns *columns) {
    for (size_t i = 0; i < partition_field_count(c->partition); i++)
        c->fields[i] = columns->wanted[i] == SIZE_MAX ? (struct str){0} : columns->values[columns->wanted[i]];
}

void columns_write(struct converter *c, struct columns *columns, bool plain, char *to, struct converted *out) {
    char *from = to;
    if (c->time_given) {
        struct str text = columns->time == SIZE_MAX ? (struct str){0} : columns->values[columns->time];
        columns_time(c, &c->time_format, text, out);
        if (out->verdict != CONVERTER_RECORD) return;
    }
    *to++ = '{';
    for (size_t i = 0; i < columns->count; i++) {
        const struct column *column = &columns->at[i];
        struct str *value = &columns->values[i];
        if (!value->at) continue;
        if (to != from + 1) *to++ = ',';
        to = scan_copy(to, column->key.at, column->key.len);
        to = value_write(to, *value, column->type, plain, value);
        if (!to) {
            converter_reject(out, REASON_TYPE);
            out->detail = column->name;
            return;
        }
    }
    *to++ = '}';
    out->record = (struct str){from, (size_t)(to - from)};
    set_wanted(c, columns);
}
