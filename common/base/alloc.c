/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void out_of_memory(size_t bytes) {
    (void)fprintf(stderr,
                  "sluice: out of memory asking for %zu bytes; nothing is lost, start again with more memory or "
                  "smaller bounds (lanes, lane_bytes)\n",
                  bytes);
    abort();
}

void *alloc_bytes(size_t bytes) {
    void *p = malloc(bytes ? bytes : 1);
    if (!p) out_of_memory(bytes);
    return p;
}

void *alloc_zero(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p) out_of_memory(count * size);
    return p;
}

void *alloc_resize(void *old, size_t count, size_t size) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory(SIZE_MAX);
    void *p = realloc(old, bytes ? bytes : 1);
    if (!p) out_of_memory(bytes);
    return p;
}

char *alloc_text(const char *from, size_t len) {
    char *p = alloc_bytes(len + 1);
    if (len) memcpy(p, from, len);
    p[len] = '\0';
    return p;
}

void alloc_grow(void *array_pointer, size_t *room, size_t need, size_t size) {
    if (need <= *room) return;
    size_t more = *room * 2 > need ? *room * 2 : need;
    if (more < 8) more = 8;
    void *old = NULL;
    memcpy(&old, array_pointer, sizeof old);
    old = alloc_resize(old, more, size);
    memcpy(array_pointer, &old, sizeof old);
    *room = more;
}
