/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what decodes as a URI is an absolute path without NUL, whose own URI decodes to it again. */
#include "must.h"
#include "own.h"
#include "source_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO(buf_done) struct buf path = BUF_INIT(SOURCE_PATH_MAX), uri = BUF_INIT(SOURCE_URI_MAX);
    AUTO(buf_done) struct buf again = BUF_INIT(SOURCE_PATH_MAX);
    if (source_uri_decode((struct str){(const char *)data, size}, &path, NULL) != RC_OK) return 0;
    MUST(path.len > 0 && path.at[0] == '/' && !memchr(path.at, '\0', path.len));
    MUST(source_uri_encode(buf_str(&path), &uri) == RC_OK);
    MUST(source_uri_decode(buf_str(&uri), &again, NULL) == RC_OK);
    MUST(str_equal(buf_str(&path), buf_str(&again)));
    return 0;
}
