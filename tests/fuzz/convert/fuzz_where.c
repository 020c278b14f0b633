/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a condition, and as the record that it is asked of. */
#include "alloc.h"
#include "own.h"
#include "where.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct json_parser *parser;
    if (!parser) parser = json_parser_new((struct json_parser_limits){.any_number = true});
    const uint8_t *lf = size ? memchr(data, '\n', size) : NULL;
    size_t len = lf ? (size_t)(lf - data) : size, rest = lf ? size - len - 1 : 0;
    AUTO(where_done) struct where *where = NULL;
    if (where_new((struct str){(const char *)data, len}, &where, NULL) != RC_OK) return 0;
    AUTO(own_free) char *record = alloc_zero(rest + JSON_PADDING, 1);
    if (rest) memcpy(record, lf + 1, rest);
    struct json_node root;
    if (json_parse(parser, (struct str){record, rest}, &root, NULL) == RC_OK) (void)where_holds(where, root);
    return 0;
}
