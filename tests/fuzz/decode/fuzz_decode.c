/* SPDX-License-Identifier: Apache-2.0 */
/* Any file of any kind: the same text in one go and in small cuts, no more than the cap allows. The first byte chooses
 * kind, charset and the size of the cuts. */
#include "decode.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <string.h>

enum { CAP = 1 << 20, ROOM = 64 * 1024, MEMORY = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t unpack(const struct decode_settings *settings, struct str file, size_t cut, char *out,
                     enum decode_status *out_status) {
    struct decode *d = decode_new(settings);
    size_t made = 0, at = 0;
    decode_set_cap(d, CAP);
    for (;;) {
        size_t len = MIN(cut, file.len - at), before = made;
        struct decode_piece piece = {file.at + at, len, out + made,
                                     MIN((size_t)CAP + 8 - made, cut + CHARSET_BYTES_MAX)};
        decode_step(d, &piece);
        made = (size_t)(piece.out - out);
        at += len - piece.in_len;
        if (made == before && len == piece.in_len) break;
    }
    struct decode_piece rest = {NULL, 0, out + made, ROOM};
    made += decode_rest(d, &rest);
    *out_status = decode_state(d).status;
    decode_free(d);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!size) return 0;
    struct decode_settings settings = {.kind = (enum decode_kind)(data[0] % DECODE_KINDS), .memory_max = MEMORY};
    if (data[0] >= 128) settings.charset = (enum charset)(data[0] / DECODE_KINDS % CHARSETS);
    struct str file = {(const char *)data + 1, size - 1};
    enum decode_status whole = DECODE_WHOLE, cut = DECODE_WHOLE;
    AUTO(own_free) char *one = alloc_bytes(CAP + ROOM + 16), *other = alloc_bytes(CAP + ROOM + 16);
    size_t len = unpack(&settings, file, ROOM, one, &whole);
    MUST(len <= CAP + CHARSET_BYTES_MAX);
    MUST(unpack(&settings, file, 1 + data[0] % 7, other, &cut) == len);
    MUST(cut == whole && memcmp(one, other, len) == 0);
    return 0;
}
