/* SPDX-License-Identifier: Apache-2.0 */
#include "source_route.h"

#include "alloc.h"
#include "own.h"

#include <stdlib.h>

struct source_file {
    struct source source;
    struct source_file *file;
};

struct router {
    size_t len; /* of routes; routes[len] is the default */
    struct source_route routes[];
};

/* Whose it is. */
static size_t route_of(const struct router *router, struct str place) {
    size_t i = 0;
    while (i < router->len && !str_starts(place, router->routes[i].prefix)) i++;
    return i;
}

static struct source source_of(const struct router *router, struct str uri) {
    return router->routes[route_of(router, uri)].source;
}

/* The part of a pattern that is route i's. */
struct share {
    struct source_pattern pattern;
    struct str *paths, *excludes;
};

static void share_done(struct share *share) {
    free(share->paths);
    free(share->excludes);
}

static void share_make(const struct router *router, size_t i, const struct source_pattern *all, struct share *out) {
    out->paths = alloc_zero(all->paths_len, sizeof *out->paths);
    out->excludes = alloc_zero(all->excludes_len, sizeof *out->excludes);
    size_t paths = 0, excludes = 0;
    for (size_t k = 0; k < all->paths_len; k++)
        if (route_of(router, all->paths[k]) == i) out->paths[paths++] = all->paths[k];
    for (size_t k = 0; k < all->excludes_len; k++) {
        struct str exclude = all->excludes[k];
        bool name = exclude.len && !memchr(exclude.at, '/', exclude.len);
        if (name || route_of(router, exclude) == i) out->excludes[excludes++] = exclude;
    }
    out->pattern = (struct source_pattern){out->paths, paths, out->excludes, excludes, all->follow_symlinks};
}

static enum rc route_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                          void *context, struct why *why) {
    const struct router *router = self;
    for (size_t i = 0; i <= router->len; i++) {
        AUTO(share_done) struct share share = {0};
        share_make(router, i, pattern, &share);
        if (share.pattern.paths_len)
            TRY(source_list(router->routes[i].source, &share.pattern, visit, problem, context, why));
    }
    return RC_OK;
}

static enum rc route_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                          struct why *why) {
    struct source_file *file = NULL;
    struct source source = source_of(self, uri);
    TRY(source_open(source, uri, expected, &file, why));
    *out = ALLOC(struct source_file);
    **out = (struct source_file){source, file};
    return RC_OK;
}

static enum rc route_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    (void)self;
    return source_stat(file->source, file->file, out, why);
}

static enum rc route_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                          struct why *why) {
    (void)self;
    return source_read(file->source, file->file, from, out, len, out_len, why);
}

static void route_close(void *self, struct source_file *file) {
    (void)self;
    source_close(file->source, file->file);
    free(file);
}

static enum rc route_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    const struct router *router = self;
    for (size_t i = 0; i <= router->len; i++) {
        AUTO(share_done) struct share share = {0};
        share_make(router, i, pattern, &share);
        if (share.pattern.paths_len) TRY(source_watch(router->routes[i].source, &share.pattern, why));
    }
    return RC_OK;
}

static enum rc route_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    const struct router *router = self;
    return source_wait(router->routes[router->len].source, wait_ms, out_changed, why);
}

static void route_wake(void *self) {
    const struct router *router = self;
    source_wake(router->routes[router->len].source);
}

static enum rc route_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    return source_remove(source_of(self, uri), uri, expected, why);
}

static enum rc route_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                          struct why *why) {
    return source_move(source_of(self, uri), uri, expected, to_directory, why);
}

static enum rc route_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                          struct str value, struct why *why) {
    return source_mark(source_of(self, uri), uri, expected, key, value, why);
}

static void route_free(void *self) {
    struct router *router = self;
    for (size_t i = 0; i <= router->len; i++) source_free(router->routes[i].source);
    free(router);
}

static const struct source_ops ops = {
    .list = route_list,
    .open = route_open,
    .stat = route_stat,
    .read = route_read,
    .close = route_close,
    .watch = route_watch,
    .wait = route_wait,
    .wake = route_wake,
    .remove = route_remove,
    .move = route_move,
    .mark = route_mark,
    .free = route_free,
};

struct source source_route_new(struct source fallback, const struct source_route *routes, size_t routes_len) {
    struct router *router = alloc_zero(1, sizeof *router + (routes_len + 1) * sizeof router->routes[0]);
    router->len = routes_len;
    for (size_t i = 0; i < routes_len; i++) router->routes[i] = routes[i];
    router->routes[routes_len].source = fallback;
    return (struct source){&ops, router};
}
