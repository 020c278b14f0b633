/* SPDX-License-Identifier: Apache-2.0 */
#include "stop.h"

#include "num.h"

#include <stdio.h>
#include <string.h>

void stop_add(struct slice *slice, uint64_t offset, struct str rest, const struct source_stop *stop) {
    char detail[sizeof stop->words + 64];
    int len =
        snprintf(detail, sizeof detail, "%s; its text stops at offset %llu", stop->words, (unsigned long long)stop->at);
    slice_add_stop(slice, MIN(offset, stop->at), rest, (struct str){detail, (size_t)len});
}

void stop_add_lines(struct slice *slice, struct str bytes, uint64_t offset, const struct source_stop *stop,
                    size_t *out_added) {
    struct str lines = bytes;
    if (stop->stopped) {
        const char *last = memrchr(bytes.at, '\n', bytes.len);
        lines.len = last ? (size_t)(last - bytes.at) + 1 : 0;
    }
    slice_add(slice, lines, offset, out_added);
    if (!stop->stopped || *out_added < lines.len) return;
    stop_add(slice, offset + lines.len, str_sub(bytes, lines.len, bytes.len), stop);
    *out_added = bytes.len;
}
