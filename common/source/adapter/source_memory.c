/* SPDX-License-Identifier: Apache-2.0 */
/* The port on the simulated disk. */
#include "source_memory.h"
#include "source_memory_private.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "source_match.h"
#include "source_uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An incarnation that a handle holds open. */
struct source_file {
    struct memory_node *node;
    unsigned holders;
    struct source_file *next;
};

enum { SUFFIX_MAX = 100000, PATH_ROOM = SOURCE_PATH_MAX + 1 };

/* ---- listing ---- */

static bool any_matches(const struct source_glob *globs, size_t len, const char *path) {
    for (size_t i = 0; i < len; i++)
        if (source_glob_match(&globs[i], str_of(path))) return true;
    return false;
}

/* The first wanted name above `path` (which it becomes); the visitor runs without the lock. */
static bool next_wanted(struct memory_world *world, const struct source_match *match, char path[PATH_ROOM],
                        struct source_stat *stat) {
    LOCKED(&world->lock);
    size_t at = memory_place(world, path);
    if (at < world->len && strcmp(world->names[at].path, path) == 0) at++;
    while (at < world->len && !source_match_any(match, world->names[at].path)) at++;
    if (at == world->len) return false;
    (void)snprintf(path, PATH_ROOM, "%s", world->names[at].path);
    *stat = world->names[at].node->stat;
    return true;
}

static enum rc memory_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                           void *context, struct why *why) {
    (void)problem;
    struct memory_handle *handle = self;
    AUTO(source_match_done) struct source_match match = {0};
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    char path[PATH_ROOM] = "";
    struct source_entry entry;
    TRY(source_match_parse(pattern, &match, why));
    while (next_wanted(handle->world, &match, path, &entry.stat)) {
        buf_reset(&uri);
        TRY(source_uri_encode(str_of(path), &uri));
        entry.uri = buf_str(&uri);
        TRY(visit(context, &entry));
    }
    return RC_OK;
}

/* ---- opened files ---- */

static RC path_of(struct str uri, char out[PATH_ROOM], struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(SOURCE_PATH_MAX);
    TRY(source_uri_decode(uri, &path, why));
    memcpy(out, buf_text(&path), path.len + 1);
    return RC_OK;
}

static struct source_file *find_held(struct memory_handle *handle, const struct source_stat *stat) {
    struct source_file *file = handle->held;
    while (file && !source_same(&file->node->stat, stat)) file = file->next;
    return file;
}

static struct source_file *hold(struct memory_handle *handle, struct memory_node *node) {
    struct source_file *file = find_held(handle, &node->stat);
    if (!file) {
        file = ALLOC(struct source_file);
        *file = (struct source_file){.node = node, .next = handle->held};
        handle->held = file;
        node->holders++;
    }
    file->holders++;
    return file;
}

static enum rc memory_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                           struct why *why) {
    struct memory_handle *handle = self;
    char path[PATH_ROOM];
    TRY(path_of(uri, path, why));
    LOCKED(&handle->world->lock);
    struct source_file *held = expected ? find_held(handle, expected) : NULL;
    const struct memory_name *name = memory_find(handle->world, path);
    if (held) {
        held->holders++;
        *out = held;
        return RC_OK;
    }
    if (!name) return why_set(why, RC_ABSENT, "%s is not there", path);
    if (name->denied) return why_set(why, RC_DENIED, "%s may not be read", path);
    if (expected && !source_same(expected, &name->node->stat))
        return why_set(why, RC_STALE, "another file lies at %s now", path);
    *out = hold(handle, name->node);
    return RC_OK;
}

static enum rc memory_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    (void)why;
    struct memory_handle *handle = self;
    LOCKED(&handle->world->lock);
    *out = file->node->stat;
    return RC_OK;
}

static enum rc memory_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                           struct why *why) {
    (void)why;
    struct memory_handle *handle = self;
    LOCKED(&handle->world->lock);
    const struct buf *bytes = &file->node->bytes;
    *out_len = from < bytes->len ? MIN(len, bytes->len - (size_t)from) : 0;
    if (*out_len) memcpy(out, bytes->at + from, *out_len);
    return RC_OK;
}

static void memory_close(void *self, struct source_file *file) {
    struct memory_handle *handle = self;
    LOCKED(&handle->world->lock);
    MUST(file->holders > 0);
    if (--file->holders > 0) return;
    struct source_file **link = &handle->held;
    while (*link != file) link = &(*link)->next;
    *link = file->next;
    file->node->holders--;
    memory_drop(file->node);
    free(file);
}

/* ---- changes ---- */

/* Looks through what changed since the last look. With the lock held. */
static void catch_up(struct memory_handle *handle) {
    const struct buf *log = &handle->world->log;
    for (; handle->seen < log->len; handle->seen += strlen(log->at + handle->seen) + 1)
        if (any_matches(handle->watched, handle->watched_len, log->at + handle->seen)) handle->changed = true;
}

static enum rc memory_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    struct memory_handle *handle = self;
    LOCKED(&handle->world->lock);
    catch_up(handle); /* what was before does not count for the new pattern */
    alloc_grow(&handle->watched, &handle->watched_room, handle->watched_len + pattern->paths_len,
               sizeof *handle->watched);
    for (size_t i = 0; i < pattern->paths_len; i++) {
        TRY(source_glob_parse(pattern->paths[i], false, &handle->watched[handle->watched_len], why));
        handle->watched_len++;
    }
    return RC_OK;
}

static enum rc memory_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    (void)wait_ms;
    (void)why;
    struct memory_handle *handle = self;
    LOCKED(&handle->world->lock);
    catch_up(handle);
    *out_changed = handle->changed;
    handle->changed = false;
    return RC_OK;
}

static void memory_wake(void *self) { (void)self; /* nobody sleeps */ }

/* ---- removing ---- */

/* With the lock held. */
static RC find_expected(struct memory_world *world, const char *path, const struct source_stat *expected,
                        struct memory_name **out, struct why *why) {
    struct memory_name *name = memory_find(world, path);
    if (!name) return why_set(why, RC_ABSENT, "%s is not there", path);
    if (name->denied) return why_set(why, RC_DENIED, "%s may not be removed", path);
    if (!source_same(&name->node->stat, expected)) return why_set(why, RC_STALE, "another file lies at %s now", path);
    if (name->node->stat.size != expected->size) return why_set(why, RC_STALE, "%s changed its size", path);
    if (name->node->stat.mtime_ns != expected->mtime_ns) return why_set(why, RC_STALE, "%s was written to", path);
    *out = name;
    return RC_OK;
}

static enum rc memory_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    struct memory_handle *handle = self;
    struct memory_name *name = NULL;
    char path[PATH_ROOM];
    TRY(path_of(uri, path, why));
    LOCKED(&handle->world->lock);
    TRY(find_expected(handle->world, path, expected, &name, why));
    memory_take(handle->world, name);
    memory_changed(handle->world, path);
    return RC_OK;
}

/* The first free one of "to/name", "to/name.1" … */
static RC free_path(const struct memory_world *world, struct str to, const char *name, char out[PATH_ROOM],
                    struct why *why) {
    for (int n = 0; n <= SUFFIX_MAX; n++) {
        char end[16] = "";
        if (n > 0) (void)snprintf(end, sizeof end, ".%d", n);
        if (snprintf(out, PATH_ROOM, "%.*s/%s%s", STR_ARG(to), name, end) >= PATH_ROOM) break;
        if (!memory_find(world, out)) return RC_OK;
    }
    return why_set(why, RC_LIMIT, "no free name for %s", name);
}

static enum rc memory_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                           struct why *why) {
    struct memory_handle *handle = self;
    struct memory_name *name = NULL;
    char path[PATH_ROOM], to[PATH_ROOM];
    TRY(path_of(uri, path, why));
    if (to_directory.len == 0 || to_directory.at[0] != '/') return why_set(why, RC_BAD, "no absolute path to move to");
    LOCKED(&handle->world->lock);
    TRY(find_expected(handle->world, path, expected, &name, why));
    TRY(free_path(handle->world, to_directory, strrchr(path, '/') + 1, to, why));
    memory_give(handle->world, to, name->node);
    memory_take(handle->world, memory_find(handle->world, path));
    memory_changed(handle->world, path);
    memory_changed(handle->world, to);
    return RC_OK;
}

static enum rc memory_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                           struct str value, struct why *why) {
    (void)self, (void)expected, (void)key, (void)value;
    return why_set(why, RC_BAD, "%.*s: a file takes no tags", STR_ARG(uri));
}

/* ---- handles ---- */

/* The end of a process closes its files. */
static void drop_held(struct memory_handle *handle) {
    LOCKED(&handle->world->lock);
    while (handle->held) {
        struct source_file *file = handle->held;
        handle->held = file->next;
        file->node->holders--;
        memory_drop(file->node);
        free(file);
    }
}

static bool drop_handle(struct memory_world *world) {
    LOCKED(&world->lock);
    return --world->handles == 0;
}

static void memory_free(void *self) {
    struct memory_handle *handle = self;
    drop_held(handle);
    for (size_t i = 0; i < handle->watched_len; i++) source_glob_done(&handle->watched[i]);
    free(handle->watched);
    if (drop_handle(handle->world)) memory_world_free(handle->world);
    free(handle);
}

static const struct source_ops ops = {
    .list = memory_list,
    .open = memory_open,
    .stat = memory_stat,
    .read = memory_read,
    .close = memory_close,
    .watch = memory_watch,
    .wait = memory_wait,
    .wake = memory_wake,
    .remove = memory_remove,
    .move = memory_move,
    .mark = memory_mark,
    .free = memory_free,
};

struct memory_world *memory_world_of(struct source source) {
    MUST(source.ops == &ops);
    return ((struct memory_handle *)source.self)->world;
}

static struct source new_handle(struct memory_world *world) {
    LOCKED(&world->lock);
    struct memory_handle *handle = ALLOC(struct memory_handle);
    *handle = (struct memory_handle){.world = world, .seen = world->log.len};
    world->handles++;
    return (struct source){&ops, handle};
}

struct source source_memory_new(void) {
    return new_handle(memory_world_new());
}

struct source source_memory_again(struct source source) {
    return new_handle(memory_world_of(source));
}
