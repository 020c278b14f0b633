/* SPDX-License-Identifier: Apache-2.0 */
#include "find_same.h"

#include "alloc.h"
#include "json.h"
#include "must.h"
#include "own.h"

#include <stdlib.h>
#include <string.h>

/* Keys of which some have one length, a key twice, nested ones, indexes, an empty key, one with a quote. */
static const char *const texts[] = {"a",  "b",    "ab",     "a.b",  "a.a.b", "/a/0", "/b/1/a",    "/a/0/0",
                                    "ok", "/a~1", "/a~0/b", "time", "/ ",    "/\"",  "t\xc3\xa9", "/ab/10"};
enum { PATHS = sizeof texts / sizeof texts[0] };

static const struct json_path *paths(void) {
    static struct json_path compiled[PATHS];
    for (size_t i = 0; i < PATHS && !compiled[i].step_count; i++)
        MUST(json_path_compile(str_of(texts[i]), &compiled[i], NULL) == RC_OK);
    return compiled;
}

static bool same_value(struct json_node node, const struct json_found *found) {
    char digits[JSON_NUMBER_MAX];
    struct str text = {0};
    enum json_type type = json_type(node);
    if (type == JSON_U64 || type == JSON_DOUBLE) type = JSON_I64;
    if (type != found->type) return false;
    bool has = json_text(node, digits, &text) == RC_OK;
    return has == (found->text.at != NULL) && (!has || str_equal(text, found->text));
}

static bool same(struct json_parser *batch, struct json_parser *alone, struct str line, size_t *objects) {
    struct json_found found[PATHS];
    struct json_node root, nodes[PATHS];
    enum json_type type = JSON_ABSENT;
    enum rc rc = json_line_find(batch, line, paths(), PATHS, found, &type, NULL);
    if (rc != json_parse(alone, line, &root, NULL) || json_failure(batch) != json_failure(alone)) return false;
    if (rc != RC_OK) return true;
    if ((type == JSON_OBJECT) != (json_type(root) == JSON_OBJECT)) return false;
    if (type != JSON_OBJECT) return true;
    ++*objects;
    json_find_all(root, paths(), PATHS, nodes);
    for (size_t i = 0; i < PATHS; i++)
        if (!same_value(nodes[i], &found[i])) return false;
    return true;
}

bool find_same(struct str lines, struct str *out_line, size_t *out_objects) {
    const struct json_parser_limits any = {.any_number = true};
    AUTO(json_parser_done) struct json_parser *batch = json_parser_new(any);
    AUTO(json_parser_done) struct json_parser *alone = json_parser_new(any);
    AUTO(own_free) char *copy = alloc_bytes(lines.len + JSON_PADDING);
    if (lines.len) memcpy(copy, lines.at, lines.len);
    memset(copy + lines.len, '9', JSON_PADDING); /* a number at the very end must not go on there */
    json_batch(batch, (struct str){copy, lines.len});
    *out_objects = 0;
    for (size_t at = 0; at < lines.len;) {
        const char *lf = memchr(copy + at, '\n', lines.len - at);
        size_t end = lf ? (size_t)(lf - copy) : lines.len;
        *out_line = str_sub(lines, at, end);
        if (!same(batch, alone, (struct str){copy + at, end - at}, out_objects)) return false;
        at = end + 1;
    }
    return true;
}
