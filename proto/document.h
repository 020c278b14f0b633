/* SPDX-License-Identifier: Apache-2.0 */
/* document: reads and writes the JSON documents in the store (manifest, receipt, identity): each field by its name and
 * type, refused when it is missing or of another type; unknown ones are ignored. Ids are 32 hexadecimal digits,
 * checksums and hashes 16, all lower-case; other numbers are JSON numbers, up to 2^64 - 1.
 *
 * Memory: a copy of the text, the parser (about 14 bytes a byte of text), and what is read, in the caller's arena.
 * Threads: one at a time. Limits: DOCUMENT_DEPTH. Fails: RC_BAD with the field's name. */
#ifndef SLUICE_DOCUMENT_H
#define SLUICE_DOCUMENT_H

#include "arena.h"
#include "id.h"
#include "json.h"
#include "json_out.h"

enum {
    DOCUMENT_DEPTH = 16,
    DOCUMENT_VERSION = 1,
    DOCUMENT_BYTES_MAX = 256 * 1024 * 1024,
    /* The shortest object in a list has 38 bytes; memory for a list is taken before its elements are looked at. */
    DOCUMENT_ELEMENT_MIN = 32,
};

struct document {
    struct json_parser *parser;
    struct buf text;
    struct json_node root;
    struct arena *arena; /* for texts that are read */
};

/* Parses a document of `kind` ("manifest") and version DOCUMENT_VERSION. Start with {0}; document_done() also after a
 * failure. */
RC document_open(struct document *document, struct str bytes, const char *kind, struct arena *arena, struct why *why);
/* Another text in its place: `root` and all nodes before are gone. For pieces (document_cut.h). */
RC document_parse(struct document *document, struct str bytes, struct why *why);
void document_done(struct document *document);

RC document_u64(struct json_node object, const char *key, uint64_t *out, struct why *why);
RC document_u32(struct json_node object, const char *key, uint32_t *out, struct why *why);
RC document_i64(struct json_node object, const char *key, int64_t *out, struct why *why);
RC document_bool(struct json_node object, const char *key, bool *out, struct why *why);
/* "" or a whole id */
RC document_id(struct json_node object, const char *key, struct id *out, struct why *why);
/* 16 digits */
RC document_hash(struct json_node object, const char *key, uint64_t *out, struct why *why);
/* A copy in the arena. */
RC document_text(const struct document *document, struct json_node object, const char *key, struct str *out,
                 struct why *why);
RC document_object(struct json_node object, const char *key, struct json_node *out, struct why *why);
/* A list of objects of at least DOCUMENT_ELEMENT_MIN bytes each; RC_BAD for more elements than fit in the text. */
RC document_array(const struct document *document, struct json_node object, const char *key, struct json_node *out,
                  size_t *out_count, struct why *why);
/* Whether `key` is there at all. */
bool document_has(struct json_node object, const char *key);

/* Writing: the opening with kind and version; lists have each element on a line of its own, so that a person can read
 * them. */
void document_begin(struct json_out *json, const char *kind);
void document_line(struct json_out *json);
void document_put_id(struct json_out *json, const char *key, struct id id);
void document_put_hash(struct json_out *json, const char *key, uint64_t hash);

#endif
