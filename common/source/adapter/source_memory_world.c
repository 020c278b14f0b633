/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated disk, and what others do to it. */
#include "source_memory.h"
#include "source_memory_private.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <stdlib.h>
#include <string.h>

struct memory_world *memory_world_new(void) {
    struct memory_world *world = ALLOC(struct memory_world);
    (void)pthread_mutex_init(&world->lock, NULL);
    world->log = BUF_INIT(SIZE_MAX - 1);
    return world;
}

void memory_world_free(struct memory_world *world) {
    while (world->len > 0) memory_take(world, &world->names[world->len - 1]);
    free(world->names);
    buf_done(&world->log);
    (void)pthread_mutex_destroy(&world->lock);
    free(world);
}

size_t memory_place(const struct memory_world *world, const char *path) {
    size_t from = 0, to = world->len;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(world->names[middle].path, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct memory_name *memory_find(const struct memory_world *world, const char *path) {
    size_t at = memory_place(world, path);
    return at < world->len && strcmp(world->names[at].path, path) == 0 ? &world->names[at] : NULL;
}

void memory_drop(struct memory_node *node) {
    if (node->stat.links > 0 || node->holders > 0) return;
    buf_done(&node->bytes);
    free(node);
}

void memory_take(struct memory_world *world, struct memory_name *name) {
    struct memory_node *node = name->node;
    size_t at = (size_t)(name - world->names);
    free(name->path);
    memmove(name, name + 1, (world->len - at - 1) * sizeof *name);
    world->len--;
    node->stat.links--;
    memory_drop(node);
}

void memory_give(struct memory_world *world, const char *path, struct memory_node *node) {
    MUST(path[0] == '/');
    node->stat.links++; /* first, as it may be what has the name now */
    struct memory_name *there = memory_find(world, path);
    if (there) memory_take(world, there);
    size_t at = memory_place(world, path);
    alloc_grow(&world->names, &world->room, world->len + 1, sizeof *world->names);
    memmove(&world->names[at + 1], &world->names[at], (world->len - at) * sizeof *world->names);
    world->len++;
    world->names[at] = (struct memory_name){.path = alloc_text(path, strlen(path)), .node = node};
}

void memory_changed(struct memory_world *world, const char *path) {
    world->now_ns++;
    buf_add(&world->log, (struct str){path, strlen(path) + 1});
}

static struct memory_node *make_node(struct memory_world *world) {
    struct memory_node *node = ALLOC(struct memory_node);
    uint64_t inode = world->next_inode ? world->next_inode : ++world->last_inode;
    world->next_inode = 0;
    int64_t birth_ns = world->no_births ? 0 : world->now_ns;
    node->stat = (struct source_stat){.inode = inode, .birth_ns = birth_ns, .mtime_ns = world->now_ns};
    node->bytes = BUF_INIT(SIZE_MAX - 1);
    return node;
}

static struct memory_node *node_at(struct memory_world *world, const char *path, bool make) {
    struct memory_name *name = memory_find(world, path);
    MUST(name || make);
    if (name) return name->node;
    struct memory_node *node = make_node(world);
    memory_give(world, path, node);
    return node;
}

static void set_size(struct memory_world *world, struct memory_node *node, uint64_t size) {
    size_t old = node->bytes.len;
    MUST(size <= old || buf_reserve(&node->bytes, (size_t)size - old) == RC_OK);
    if (size > old) memset(node->bytes.at + old, 0, (size_t)size - old);
    node->bytes.len = (size_t)size;
    node->stat.size = size;
    node->stat.mtime_ns = world->now_ns;
}

static void add(struct memory_world *world, struct memory_node *node, struct str bytes) {
    buf_add(&node->bytes, bytes);
    set_size(world, node, node->bytes.len);
}

void source_memory_write(struct source source, const char *path, struct str bytes) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, path);
    struct memory_node *node = node_at(world, path, true);
    set_size(world, node, 0);
    add(world, node, bytes);
}

void source_memory_append(struct source source, const char *path, struct str bytes) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, path);
    add(world, node_at(world, path, true), bytes);
}

void source_memory_truncate(struct source source, const char *path, uint64_t size) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, path);
    set_size(world, node_at(world, path, false), size);
}

void source_memory_rename(struct source source, const char *from, const char *to) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, from);
    memory_changed(world, to);
    struct memory_node *node = node_at(world, from, false);
    if (strcmp(from, to) == 0) return;
    memory_give(world, to, node);
    memory_take(world, memory_find(world, from));
}

void source_memory_unlink(struct source source, const char *path) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, path);
    struct memory_name *name = memory_find(world, path);
    MUST(name);
    memory_take(world, name);
}

void source_memory_link(struct source source, const char *path, const char *other) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    memory_changed(world, other);
    memory_give(world, other, node_at(world, path, false));
}

void source_memory_reuse_inode(struct source source, uint64_t inode) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    world->next_inode = inode;
}

void source_memory_births(struct source source, bool births) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    world->no_births = !births;
}

void source_memory_set_time(struct source source, int64_t now_ns) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    MUST(now_ns >= world->now_ns);
    world->now_ns = now_ns;
}

void source_memory_deny(struct source source, const char *path, bool denied) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    struct memory_name *name = memory_find(world, path);
    MUST(name);
    name->denied = denied;
}

bool source_memory_exists(struct source source, const char *path) {
    struct memory_world *world = memory_world_of(source);
    LOCKED(&world->lock);
    return memory_find(world, path) != NULL;
}
