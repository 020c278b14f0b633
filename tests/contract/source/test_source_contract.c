/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the file system and the memory keep the source's contract, alone and behind a source_fault without faults.
 */
#include "source_contract.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "scratch.h"
#include "source_fault.h"
#include "source_memory.h"
#include "source_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- a directory ---- */

static void *posix_begin(void) {
    struct scratch *scratch = ALLOC(struct scratch);
    *scratch = scratch_make();
    return scratch;
}

static struct source posix_open(void *context) {
    (void)context;
    struct source source = {0};
    MUST(source_posix_open(&source, NULL) == RC_OK);
    return source;
}

static const char *posix_root(void *context) { return ((const struct scratch *)context)->path; }

static void posix_end(void *context) {
    scratch_done(context);
    free(context);
}

static void put(const char *path, struct str bytes, int flags) {
    char text[4096];
    (void)snprintf(text, sizeof text, "%s", path);
    for (char *slash = text + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        MUST(mkdir(text, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    AUTO(own_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    MUST(fd >= 0 && write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
}

static void posix_write(void *context, const char *path, struct str bytes) {
    (void)context;
    put(path, bytes, O_TRUNC);
}
static void posix_append(void *context, const char *path, struct str bytes) {
    (void)context;
    put(path, bytes, O_APPEND);
}
static void posix_truncate(void *context, const char *path, uint64_t size) {
    (void)context;
    MUST(truncate(path, (off_t)size) == 0);
}
static void posix_rename(void *context, const char *from, const char *to) {
    (void)context;
    MUST(rename(from, to) == 0);
}
static void posix_unlink(void *context, const char *path) {
    (void)context;
    MUST(unlink(path) == 0);
}
static bool posix_exists(void *context, const char *path) {
    (void)context;
    return access(path, F_OK) == 0;
}

/* ---- memory ---- */

struct memory_context {
    struct source first;
};

static void *memory_begin(void) {
    struct memory_context *context = ALLOC(struct memory_context);
    context->first = source_memory_new();
    source_memory_set_time(context->first, 1795000000000000000);
    return context;
}

static struct source first_of(const void *context) { return ((const struct memory_context *)context)->first; }
static struct source memory_open(void *context) { return source_memory_again(first_of(context)); }

static const char *memory_root(void *context) {
    (void)context;
    return "/simulated/root";
}

static void memory_end(void *context) {
    source_free(first_of(context));
    free(context);
}

static void memory_write(void *context, const char *path, struct str bytes) {
    source_memory_write(first_of(context), path, bytes);
}
static void memory_append(void *context, const char *path, struct str bytes) {
    source_memory_append(first_of(context), path, bytes);
}
static void memory_truncate(void *context, const char *path, uint64_t size) {
    source_memory_truncate(first_of(context), path, size);
}
static void memory_rename(void *context, const char *from, const char *to) {
    source_memory_rename(first_of(context), from, to);
}
static void memory_unlink(void *context, const char *path) { source_memory_unlink(first_of(context), path); }
static bool memory_exists(void *context, const char *path) { return source_memory_exists(first_of(context), path); }

/* ---- behind faults ---- */

static struct source_fault no_faults;

static struct source fault_posix_open(void *context) { return source_fault_new(posix_open(context), &no_faults); }
static struct source fault_memory_open(void *context) { return source_fault_new(memory_open(context), &no_faults); }

int main(void) {
    struct source_world posix = {"source_posix", posix_begin,    posix_open,   posix_root,   posix_end,    posix_write,
                                 posix_append,   posix_truncate, posix_rename, posix_unlink, posix_exists, false};
    struct source_world memory = {"source_memory", memory_begin,  memory_open,   memory_root,
                                  memory_end,      memory_write,  memory_append, memory_truncate,
                                  memory_rename,   memory_unlink, memory_exists, false};
    int failures = source_contract_run(&posix) + source_contract_run(&memory);
    posix.name = "source_posix behind source_fault";
    posix.open = fault_posix_open;
    memory.name = "source_memory behind source_fault";
    memory.open = fault_memory_open;
    failures += source_contract_run(&posix) + source_contract_run(&memory);
    MUST(no_faults.calls > 0);
    return failures != 0;
}
