/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the name of an object of rejects: what parses is written as a name that parses to the same. */
#include "must.h"
#include "own.h"
#include "reject_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct reject_uri uri, again;
    AUTO(buf_done) struct buf out = BUF_INIT(size + 64);
    if (reject_uri_parse((struct str){(const char *)data, size}, &uri) != RC_OK) return 0;
    reject_uri_format(&uri, &out);
    MUST(buf_rc(&out) == RC_OK && reject_uri_parse(buf_str(&out), &again) == RC_OK);
    MUST(str_equal(uri.key, again.key) && str_equal(uri.reason, again.reason) && str_equal(uri.file, again.file));
    MUST(uri.partition == again.partition && uri.index == again.index && uri.bytes == again.bytes);
    return 0;
}
