/* SPDX-License-Identifier: Apache-2.0 */
#include "reject_uri.h"

#include <inttypes.h>
#include <stdio.h>

void reject_uri_format(const struct reject_uri *uri, struct buf *out) {
    buf_add(out, STR("rejects:"));
    buf_add(out, uri->key);
    buf_add_format(out, "?manifest=p%" PRIu32 "/%" PRIu64 "&bytes=%" PRIu64, uri->partition, uri->index, uri->bytes);
    if (uri->reason.len) {
        buf_add(out, STR("&reason="));
        buf_add(out, uri->reason);
    }
    if (!uri->file.len) return;
    buf_add(out, STR("&file="));
    buf_add(out, uri->file);
}

struct str reject_uri_key(struct str uri) {
    struct str rest = reject_uri_is(uri) ? str_sub(uri, sizeof "rejects:" - 1, uri.len) : STR(""), key = STR("");
    return str_cut(&rest, '?', &key) ? key : STR("");
}

bool reject_uri_of(struct str uri, uint64_t generation) {
    char prefix[40];
    int len = snprintf(prefix, sizeof prefix, "_rejects/g%" PRIu64 "/", generation);
    return str_starts(reject_uri_key(uri), (struct str){prefix, (size_t)len});
}

static bool take(struct str *rest, struct str what) {
    if (!str_starts(*rest, what)) return false;
    *rest = str_sub(*rest, what.len, rest->len);
    return true;
}

/* Digits up to `end`, or up to the end of all where `end` is NUL or not there. */
static bool take_number(struct str *rest, char end, uint64_t *out) {
    size_t len = 0;
    while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9') len++;
    if (len < rest->len && rest->at[len] != end) return false;
    if (str_parse_u64(str_sub(*rest, 0, len), out) != RC_OK) return false;
    *rest = str_sub(*rest, len, rest->len);
    return true;
}

RC reject_uri_parse(struct str uri, struct reject_uri *out) {
    struct reject_uri made = {.key = reject_uri_key(uri)};
    uint64_t partition = 0;
    if (!made.key.len) return RC_BAD;
    struct str rest = str_sub(uri, sizeof "rejects:" - 1 + made.key.len, uri.len);
    if (!take(&rest, STR("?manifest=p")) || !take_number(&rest, '/', &partition) || partition > UINT32_MAX ||
        !take(&rest, STR("/")) || !take_number(&rest, '&', &made.index) || !take(&rest, STR("&bytes=")) ||
        !take_number(&rest, '&', &made.bytes))
        return RC_BAD;
    made.partition = (uint32_t)partition;
    if (take(&rest, STR("&reason="))) {
        const char *end = rest.len ? memchr(rest.at, '&', rest.len) : NULL;
        made.reason = str_sub(rest, 0, end ? (size_t)(end - rest.at) : rest.len);
        rest = str_sub(rest, made.reason.len, rest.len);
    }
    if (take(&rest, STR("&file="))) {
        made.file = rest;
        rest = str_sub(rest, rest.len, rest.len);
    }
    if (rest.len) return RC_BAD;
    *out = made;
    return RC_OK;
}
