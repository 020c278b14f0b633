/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_schema: the dimensions that telemetry is kept by, out of a schema file:
 *
 *   {"version": 1, "dimensions": [{"field_name": "appName", "allowed_values": ["Firefox", "Fennec"]}, …]}
 *
 * allowed_values: "*" (all), one value, a list, or {"min": …, "max": …} (numbers, or texts by code point). A value is
 * that of info.FIELD, or UNKNOWN where it is missing or null; submission_date is the day of the record's time,
 * yyyymmdd. What is not allowed is OTHER, and so is an object or an array. Of what is allowed each byte but
 * [A-Za-z0-9_.] becomes '_': also a
 * '/', which the original kept. What a folder cannot be called ("..", nothing) is the partition's to encode
 * (partition.h).
 *
 * Memory: the schema. Threads: read-only once made. Limits: 1 to TELEMETRY_DIMENSIONS_MAX dimensions. Fails: RC_BAD
 * with what is wrong. */
#ifndef SLUICE_TELEMETRY_SCHEMA_H
#define SLUICE_TELEMETRY_SCHEMA_H

#include "buf.h"
#include "json.h"

enum { TELEMETRY_DIMENSIONS_MAX = 8, TELEMETRY_SCHEMA_BYTES = 256 * 1024 };

/* A value of a ping's info; .node of nothing and .fixed with a text where it is a given one. */
struct telemetry_value {
    struct json_node node;
    struct str fixed;
};

struct telemetry_schema;

RC telemetry_schema_new(struct str text, struct telemetry_schema **out, struct why *why);
void telemetry_schema_free(struct telemetry_schema *schema);
static inline void telemetry_schema_done(struct telemetry_schema **schema) { telemetry_schema_free(*schema); }
size_t telemetry_schema_count(const struct telemetry_schema *schema);
struct str telemetry_schema_field(const struct telemetry_schema *schema, size_t dimension);
/* Adds the folder's name for this value (of submission_date a fixed one). */
void telemetry_schema_folder(const struct telemetry_schema *schema, size_t dimension, struct telemetry_value value,
                             struct buf *to);

#endif
