/* SPDX-License-Identifier: Apache-2.0 */
/* alloc: the one place where running out of memory is handled: it ends the process with a line that says so. All memory
 * is bounded by configuration, services restart and lose nothing, and so no caller has a path for NULL.
 * Threads: any. */
#ifndef SLUICE_ALLOC_H
#define SLUICE_ALLOC_H

#include <stddef.h>

/* `bytes` may be 0. Free with free(). Never NULL. */
void *alloc_bytes(size_t bytes) __attribute__((malloc, returns_nonnull));
/* count * size zeroed bytes; the product may not overflow. */
void *alloc_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* realloc() of count * size bytes. */
void *alloc_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
/* A NUL-terminated copy of `len` bytes at `from`. */
char *alloc_text(const char *from, size_t len) __attribute__((malloc, returns_nonnull));

/* Grows `*array` (elements of `size` bytes) so that it has room for `need` of them, at least doubling. */
void alloc_grow(void *array_pointer, size_t *room, size_t need, size_t size);

#define ALLOC(type) ((type *)alloc_zero(1, sizeof(type)))

#endif
