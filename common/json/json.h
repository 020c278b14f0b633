/* SPDX-License-Identifier: Apache-2.0 */
/* json: reads JSON (RFC 8259) by simdjson, which stays behind this header; json_simdjson.cc and json_tape.cc are the
 * only C++ files.
 *
 * Every document is validated whole: syntax, UTF-8, numbers, nesting. Two ways in, with the same answers:
 *   - json_parse(): one document, for manifests and settings of our own;
 *   - json_batch() + json_line(): many lines that should each hold one document. simdjson's first stage (UTF-8,
 * strings, structure) runs once over the whole batch, its second stage line by line. A line that is not exactly one
 * document (two documents, half a document, a string that is open at its end) is refused, and never affects another
 * line.
 *
 * What is found is a json_node, a small value that points into the parser: it is good until the parser's next
 * json_parse(), json_line() or json_batch(), and so are the texts from it. Texts from strings are unescaped UTF-8 and
 * may hold NUL. Of a key that stands twice in an object the first counts.
 *
 * Numbers must fit u64, i64 or a finite double. Others that the grammar allows, such as 1e400 or an integer of 30
 * digits, are refused (JSON_ERROR_NUMBER), unless `any_number` is set: then they are JSON_I64 0, and only json_text()
 * tells what stands there.
 *
 * Memory: about 14 bytes for each byte of the longest document (batch) seen, at most of `bytes_max`. Threads: one at a
 * time for each parser. Limits: `bytes_max`, `depth_max`. Fails: RC_BAD, and
 * RC_LIMIT for too long or too deep; json_failure() tells which. simdjson's tree parser knows no offset of an error. */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include "json_path.h"
#include "rc.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* So many bytes behind a document must be readable (their content does not matter): simdjson loads whole vectors.
     */
    JSON_PADDING = 64,
    JSON_DEPTH_DEFAULT = 256,
    JSON_NUMBER_MAX = 24, /* bytes that hold any 64-bit number as text */
};

struct json_parser;

struct json_parser_limits {
    size_t bytes_max;   /* of one document and of one batch; 0: 4 MiB. At most 1 GiB */
    uint32_t depth_max; /* of nested objects and arrays; 0: JSON_DEPTH_DEFAULT */
    bool any_number;    /* for who passes documents on and does not calculate */
};

enum json_error {
    JSON_ERROR_NONE,
    JSON_ERROR_SYNTAX,
    JSON_ERROR_UTF8,
    JSON_ERROR_DEPTH,
    JSON_ERROR_NUMBER, /* malformed, or out of range */
    JSON_ERROR_TOO_LONG,
};

enum json_type {
    JSON_ABSENT, /* of JSON_NODE_NONE */
    JSON_NULL,
    JSON_BOOL,
    JSON_I64,
    JSON_U64, /* only what does not fit i64 */
    JSON_DOUBLE,
    JSON_STR,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* A value in the parsed document. */
struct json_node {
    const void *document;
    size_t at;
};

#define JSON_NODE_NONE ((struct json_node){NULL, 0})

struct json_parser *json_parser_new(struct json_parser_limits limits);
void json_parser_free(struct json_parser *parser);
/* For AUTO(json_parser_done) struct json_parser *p = NULL. */
static inline void json_parser_done(struct json_parser **parser) { json_parser_free(*parser); }

/* The vector set that simdjson chose for this machine ("icelake", "haswell", "westmere", "fallback"). */
const char *json_implementation(void);

/* `document` is exactly one JSON text with optional white space around it (no BOM); JSON_PADDING readable bytes behind
 * it, which may be anything. On success *out_root is its value. */
RC json_parse(struct json_parser *parser, struct str document, struct json_node *out_root, struct why *why);

/* Announces that json_line() will be asked for lines of `lines`, in their order. `lines` begins at the start of a line
 * and ends at the end of one; JSON_PADDING readable bytes behind it. It must stay as it is until the last json_line().
 * Never fails: lines of a batch that holds a bad one are just slower. Best between 32 and 256 KiB (the caches). */
void json_batch(struct json_parser *parser, struct str lines);
/* As json_parse() for `line`, which lies inside the batch and holds no LF. Fast for whole lines, without their CR or
 * with it. */
RC json_line(struct json_parser *parser, struct str line, struct json_node *out_root, struct why *why);

/* Why the last json_parse() or json_line() failed. */
enum json_error json_failure(const struct json_parser *parser);

enum json_type json_type(struct json_node node);
static inline bool json_given(struct json_node node) { return node.document != NULL; }

/* RC_BAD when the value is of another type or out of range; *out is then unchanged. */
RC json_get_bool(struct json_node node, bool *out);
RC json_get_u64(struct json_node node, uint64_t *out);
RC json_get_i64(struct json_node node, int64_t *out);
/* Any number. */
RC json_get_double(struct json_node node, double *out);
RC json_get_str(struct json_node node, struct str *out);

/* A scalar as text: a string unescaped, a number as it is written in the document, "true", "false", "null". RC_BAD for
 * an object or an array, RC_ABSENT for JSON_NODE_NONE. Short integers are written to `digits`; *out may point there. */
RC json_text(struct json_node node, char digits[JSON_NUMBER_MAX], struct str *out);

/* The value of `key` in an object (linear; the first of equal keys): RC_ABSENT; RC_BAD when it is no object. */
RC json_get(struct json_node object, struct str key, struct json_node *out);
/* Number of members of an object or array; 0 for anything else. Linear. */
size_t json_count(struct json_node node);

/* Goes through an array or object:
 *   struct json_iter each = json_each(node);
 *   while (json_next(&each, &key, &value)) ...
 * Nothing else has members. `out_key` (NULL allowed) is "" in arrays. */
struct json_iter {
    struct json_node next, end;
    bool keys;
};
struct json_iter json_each(struct json_node node);
bool json_next(struct json_iter *each, struct str *out_key, struct json_node *out_value);

/* The value at the path: RC_ABSENT when there is none. */
RC json_find(struct json_node root, const struct json_path *path, struct json_node *out);
/* Several at once, in one pass over the root's keys; out_nodes[i] is JSON_NODE_NONE where there is none.
 * count <= JSON_FIND_MAX. */
enum { JSON_FIND_MAX = 32 };
void json_find_all(struct json_node root, const struct json_path *paths, size_t count, struct json_node *out_nodes);

/* What a path leads to, as text. Numbers are all JSON_I64; .text.at is NULL of what is no scalar. */
struct json_found {
    enum json_type type;
    struct str text;
};

/* json_line(), json_find_all() and json_text() in one, for lines of which only a few members are looked at: it builds
 * no tree of most, and takes a third of the time. *out_type is the root's; out_found is set where it is JSON_OBJECT,
 * and its texts are good as long as a node is. */
RC json_line_find(struct json_parser *parser, struct str line, const struct json_path *paths, size_t count,
                  struct json_found *out_found, enum json_type *out_type, struct why *why);

#endif
