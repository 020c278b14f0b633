/* SPDX-License-Identifier: Apache-2.0 */
/* source_memory_private: the world behind source_memory's handles. Everything is under its lock. */
#ifndef SLUICE_SOURCE_MEMORY_PRIVATE_H
#define SLUICE_SOURCE_MEMORY_PRIVATE_H

#include "buf.h"
#include "source_memory.h"

#include <pthread.h>

struct memory_node {
    struct source_stat stat; /* .links: names */
    unsigned holders;        /* open files of all handles */
    struct buf bytes;
};

struct memory_name {
    char *path;
    bool denied;
    struct memory_node *node;
};

struct memory_world {
    pthread_mutex_t lock;
    unsigned handles;
    struct memory_name *names; /* by path */
    size_t len, room;
    uint64_t last_inode, next_inode; /* next_inode 0: count up */
    bool no_births;
    int64_t now_ns;
    struct buf log; /* paths that changed, each with its NUL, for the waiting */
};

struct memory_handle {
    struct memory_world *world;
    struct source_file *held;
    struct source_glob *watched;
    size_t watched_len, watched_room;
    size_t seen;  /* of world->log */
    bool changed; /* and not told yet */
};

/* The first name not below `path`. All below: with the lock held. */
size_t memory_place(const struct memory_world *world, const char *path);
/* NULL: not there. */
struct memory_name *memory_find(const struct memory_world *world, const char *path);
/* Gives `node` the name, taking away what had it. */
void memory_give(struct memory_world *world, const char *path, struct memory_node *node);
void memory_take(struct memory_world *world, struct memory_name *name);
/* Frees a node without names and holders. */
void memory_drop(struct memory_node *node);
/* Time goes on, and those who wait will hear of `path`. */
void memory_changed(struct memory_world *world, const char *path);

struct memory_world *memory_world_new(void);
void memory_world_free(struct memory_world *world);
/* The world of a handle. */
struct memory_world *memory_world_of(struct source source);

#endif
