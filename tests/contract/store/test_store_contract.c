/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the directory and the memory keep the store's contract, alone and behind a store_fault without faults. */
#include "store_contract.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "scratch.h"
#include "store_dir.h"
#include "store_fault.h"
#include "store_memory.h"

#include <stdio.h>
#include <stdlib.h>

static void *dir_begin(void) {
    struct scratch *scratch = ALLOC(struct scratch);
    *scratch = scratch_make();
    return scratch;
}

static struct store dir_open(void *context) {
    const struct scratch *scratch = context;
    char path[SCRATCH_PATH];
    struct store store = {0};
    struct why why = {0};
    if (store_dir_open(scratch_path(scratch, "out/root", path), &store, &why) != RC_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        abort();
    }
    return store;
}

static void dir_end(void *context) {
    scratch_done(context);
    free(context);
}

struct memory_world {
    struct store first;
};

static void *memory_begin(void) {
    struct memory_world *world = ALLOC(struct memory_world);
    world->first = store_memory_new();
    return world;
}

static struct store memory_open(void *context) {
    const struct memory_world *world = context;
    return store_memory_again(world->first);
}

static void memory_end(void *context) {
    struct memory_world *world = context;
    store_free(world->first);
    free(world);
}

/* One control block serves all handles: without faults it only counts. */
static struct store_fault no_faults;

static struct store fault_dir_open(void *context) { return store_fault_new(dir_open(context), &no_faults); }
static struct store fault_memory_open(void *context) { return store_fault_new(memory_open(context), &no_faults); }

int main(void) {
    static const struct store_world worlds[] = {
        {.name = "store_dir", .begin = dir_begin, .open = dir_open, .end = dir_end},
        {.name = "store_memory", .begin = memory_begin, .open = memory_open, .end = memory_end, .upload_keys = true},
        {.name = "store_dir behind store_fault", .begin = dir_begin, .open = fault_dir_open, .end = dir_end},
        {.name = "store_memory behind store_fault",
         .begin = memory_begin,
         .open = fault_memory_open,
         .end = memory_end,
         .upload_keys = true},
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) failures += store_contract_run(&worlds[i]);
    MUST(no_faults.effects > 0 && no_faults.reads > 0);
    return failures != 0;
}
