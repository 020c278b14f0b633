/* SPDX-License-Identifier: Apache-2.0 */
#include "config_schema.h"

#include "config_table.h"
#include "json_out.h"

#include <stdio.h>

static const char BYTES_PATTERN[] = "^[0-9]+ *(B|k|kB|K|KB|KiB|M|MB|MiB|G|GB|GiB|T|TB|TiB)?$";
static const char DURATION_PATTERN[] = "^(0|([0-9]+(ms|s|m|h|d))+)$";

static void text_pair(struct json_out *json, const char *key, const char *value) {
    json_key_str(json, str_of(key), str_of(value));
}

/* {"type": "string", "pattern": ...} */
static void text_type(struct json_out *json, const char *pattern) {
    json_open(json, '{');
    text_pair(json, "type", "string");
    if (pattern) text_pair(json, "pattern", pattern);
    json_close(json, '}');
}

static void integer_type(struct json_out *json, uint64_t low, uint64_t high) {
    json_open(json, '{');
    text_pair(json, "type", "integer");
    json_key_u64(json, STR("minimum"), low);
    json_key_u64(json, STR("maximum"), high);
    json_close(json, '}');
}

static void enum_type(struct json_out *json, const char *const *names) {
    json_open(json, '{');
    json_key(json, STR("enum"));
    json_open(json, '[');
    for (; *names; names++) json_str(json, str_of(*names));
    json_close(json, ']');
    json_close(json, '}');
}

/* The value itself, or a text that the environment completes. */
static void scalar(struct json_out *json, const struct config_row *row) {
    json_key(json, STR("anyOf"));
    json_open(json, '[');
    switch (row->kind) {
    case CONFIG_ENUM: enum_type(json, row->names); break;
    case CONFIG_BOOL: json_raw(json, STR("{\"type\":\"boolean\"}")); break;
    case CONFIG_COUNT: integer_type(json, row->low, row->high); break;
    case CONFIG_BYTES:
        integer_type(json, row->low, row->high);
        text_type(json, BYTES_PATTERN);
        break;
    case CONFIG_DURATION: text_type(json, DURATION_PATTERN); break;
    default: text_type(json, row->pattern); break;
    }
    json_raw(json, STR("{\"$ref\":\"#/$defs/environment\"}"));
    json_close(json, ']');
}

static void fallback(struct json_out *json, const struct config_row *row) {
    if (!row->fallback) return;
    json_key(json, STR("default"));
    if (row->kind == CONFIG_COUNT || row->kind == CONFIG_BOOL)
        json_raw(json, str_of(row->fallback));
    else
        json_str(json, str_of(row->fallback));
}

static void list_bounds(struct json_out *json, const struct config_row *row) {
    text_pair(json, "type", "array");
    json_key_u64(json, STR("minItems"), row->low);
    json_key_u64(json, STR("maxItems"), row->high);
    json_key(json, STR("items"));
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the table of keys */
static void map_body(struct json_out *json, const char *path);

static void property(struct json_out *json, const struct config_row *row) {
    json_key(json, str_of(config_table_name(row)));
    json_open(json, '{');
    text_pair(json, "description", row->about);
    if (row->kind == CONFIG_MAP) {
        map_body(json, row->path);
    } else if (row->kind == CONFIG_LIST) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s[]", row->path);
        list_bounds(json, row);
        json_open(json, '{');
        map_body(json, path);
        json_close(json, '}');
    } else if (row->kind == CONFIG_STRS) {
        list_bounds(json, row);
        text_type(json, "^.+$");
    } else if (row->kind == CONFIG_PAIRS) {
        text_pair(json, "type", "object");
        json_key_u64(json, STR("maxProperties"), row->high);
        json_key(json, STR("additionalProperties"));
        if (row->names)
            enum_type(json, row->names);
        else
            json_raw(json, STR("{\"type\":[\"string\",\"number\",\"boolean\"]}"));
    } else {
        scalar(json, row);
        fallback(json, row);
    }
    json_close(json, '}');
}

static void map_body(struct json_out *json, const char *path) {
    text_pair(json, "type", "object");
    json_key_bool(json, STR("additionalProperties"), false);
    json_key(json, STR("required"));
    json_open(json, '[');
    for (size_t i = 0; i < config_table_count; i++)
        if (config_table[i].required && config_table_is_in(&config_table[i], path))
            json_str(json, str_of(config_table_name(&config_table[i])));
    json_close(json, ']');
    json_key(json, STR("properties"));
    json_open(json, '{');
    for (size_t i = 0; i < config_table_count; i++)
        if (config_table_is_in(&config_table[i], path)) property(json, &config_table[i]);
    json_close(json, '}');
}

/* NOLINTEND(misc-no-recursion) */

void config_schema_json(struct buf *out) {
    struct json_out json = {.to = out};
    json_open(&json, '{');
    text_pair(&json, "$schema", "https://json-schema.org/draft/2020-12/schema");
    text_pair(&json, "title", "sluice configuration");
    map_body(&json, "");
    json_key(&json, STR("$defs"));
    json_raw(&json, STR("{\"environment\":{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{[A-Za-z_]\","
                        "\"description\":\"${NAME} or ${NAME:-text}\"}}"));
    json_close(&json, '}');
}
