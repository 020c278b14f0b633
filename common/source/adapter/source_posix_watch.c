/* SPDX-License-Identifier: Apache-2.0 */
/* Changes by inotify. Watched is each directory whose names can matter to a pattern, or, where it is not there yet, the
 * nearest one above it. When directories come or go the patterns are walked again before the wait returns. */
#include "source_posix_private.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "source_glob.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

enum {
    EVENTS = IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF,
    SETTLE_MS = 50, /* a burst of events is one change; a rescan costs more than this */
    EVENT_ROOM = 64 * 1024,
};

/* A copy of what was asked for. */
struct watched {
    struct source_pattern pattern;
    struct source_glob *last; /* of each path, the last component: which names matter */
};

struct posix_watch {
    int inotify, bell; /* inotify: -1 where the kernel gives none; bell: an eventfd that ends a wait */
    struct watched *watched;
    size_t len, room;
    size_t directories; /* how many are watched */
    int newest;         /* their descriptors count up: a higher one is a new directory */
    bool walk_again, full;
    char events[EVENT_ROOM] __attribute__((aligned(__alignof__(struct inotify_event))));
};

/* ---- patterns ---- */

static struct str *copy_all(const struct str *from, size_t len) {
    struct str *to = alloc_zero(len, sizeof *to);
    for (size_t i = 0; i < len; i++) to[i] = (struct str){alloc_text(from[i].at, from[i].len), from[i].len};
    return to;
}

static void free_all(const struct str *all, size_t len) {
    for (size_t i = 0; i < len; i++) free((char *)(uintptr_t)all[i].at);
    free((struct str *)(uintptr_t)all);
}

static void watched_done(struct watched *watched) {
    for (size_t i = 0; i < watched->pattern.paths_len; i++) source_glob_done(&watched->last[i]);
    free(watched->last);
    free_all(watched->pattern.paths, watched->pattern.paths_len);
    free_all(watched->pattern.excludes, watched->pattern.excludes_len);
}

static struct str last_component(struct str path) {
    while (path.len && path.at[path.len - 1] == '/') path.len--;
    size_t from = path.len;
    while (from && path.at[from - 1] != '/') from--;
    return str_sub(path, from, path.len);
}

static RC watched_make(const struct source_pattern *pattern, struct watched *out, struct why *why) {
    *out = (struct watched){.pattern = *pattern};
    out->pattern.paths = copy_all(pattern->paths, pattern->paths_len);
    out->pattern.excludes = copy_all(pattern->excludes, pattern->excludes_len);
    out->last = alloc_zero(pattern->paths_len, sizeof *out->last);
    for (size_t i = 0; i < pattern->paths_len; i++)
        TRY(source_glob_parse(last_component(pattern->paths[i]), true, &out->last[i], why));
    return RC_OK;
}

/* Can a file of this name be one of ours, wherever it is? */
static bool name_matters(const struct posix_watch *watch, const char *name) {
    for (size_t i = 0; i < watch->len; i++)
        for (size_t k = 0; k < watch->watched[i].pattern.paths_len; k++)
            if (source_glob_match(&watch->watched[i].last[k], str_of(name))) return true;
    return false;
}

/* ---- directories ---- */

/* RC_ABSENT: not there; RC_LIMIT: no more can be watched. Asking twice for one directory is harmless. */
static RC watch_one(struct posix_watch *watch, const char *path) {
    if (watch->directories >= SOURCE_WATCH_MAX) return RC_LIMIT;
    int descriptor = inotify_add_watch(watch->inotify, path, EVENTS | IN_ONLYDIR);
    if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) return RC_ABSENT;
    if (descriptor < 0 && (errno == ENOSPC || errno == ENOMEM)) return RC_LIMIT;
    if (descriptor > watch->newest) {
        watch->newest = descriptor;
        watch->directories++;
    }
    return RC_OK; /* no permission: the listing tells that */
}

/* A posix_visitor's `directory`. */
static enum rc watch_directory(void *context, const char *path) {
    struct posix_watch *watch = context;
    char text[SOURCE_PATH_MAX + 2];
    size_t len = strlen(path);
    memcpy(text, path, len + 1);
    enum rc rc = RC_ABSENT;
    while (rc == RC_ABSENT && len > 0) {
        rc = watch_one(watch, text);
        while (len > 0 && text[len - 1] != '/') len--; /* the directory above */
        if (len > 0) len--;
        text[len] = '\0';
    }
    if (rc == RC_ABSENT) rc = watch_one(watch, "/");
    if (rc == RC_LIMIT) watch->full = true;
    return rc == RC_LIMIT ? RC_LIMIT : RC_OK;
}

static RC walk_all(struct posix_watch *watch, size_t from, struct why *why) {
    const struct posix_visitor visitor = {.directory = watch_directory, .context = watch};
    for (size_t i = from; i < watch->len; i++) {
        enum rc rc = posix_walk(&watch->watched[i].pattern, &visitor, why);
        if (rc == RC_LIMIT && watch->full)
            return why_set(why, RC_LIMIT,
                           "no more directories can be watched (%zu are, at most %d, and "
                           "/proc/sys/fs/inotify/max_user_watches); rescans find what happens in the rest",
                           watch->directories, (int)SOURCE_WATCH_MAX);
        if (rc != RC_OK) return rc;
    }
    return RC_OK;
}

RC posix_watch_add(struct posix_watch *watch, const struct source_pattern *pattern, struct why *why) {
    struct watched watched;
    enum rc rc = watched_make(pattern, &watched, why);
    if (rc != RC_OK) {
        watched_done(&watched);
        return rc;
    }
    alloc_grow(&watch->watched, &watch->room, watch->len + 1, sizeof watched);
    watch->watched[watch->len++] = watched;
    if (watch->inotify < 0)
        return why_set(why, RC_LIMIT,
                       "changes cannot be watched: no inotify instance is left to this user "
                       "(/proc/sys/fs/inotify/max_user_instances); rescans find them");
    return walk_all(watch, watch->len - 1, why);
}

/* ---- waiting ---- */

static bool event_matters(struct posix_watch *watch, const struct inotify_event *event) {
    if ((event->mask & IN_IGNORED) && watch->directories > 0) watch->directories--;
    if (event->mask & (IN_Q_OVERFLOW | IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)) {
        watch->walk_again = true;
        return true;
    }
    return event->len > 0 && name_matters(watch, event->name);
}

/* Reads all that is there; true when any of it matters. */
static bool drain(struct posix_watch *watch) {
    bool matters = false;
    for (;;) {
        ssize_t n = read(watch->inotify, watch->events, sizeof watch->events);
        if (n <= 0) return matters;
        for (size_t at = 0; at < (size_t)n;) {
            const struct inotify_event *event = (const void *)(watch->events + at);
            matters = event_matters(watch, event) || matters;
            at += sizeof *event + event->len;
        }
    }
}

static uint64_t now_ms(void) {
    struct timespec now;
    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits for events or the bell until `until`; true when it rang or the time is up. */
static RC poll_once(struct posix_watch *watch, uint64_t until, bool *out_end, struct why *why) {
    struct pollfd fds[2] = {{.fd = watch->bell, .events = POLLIN}, {.fd = watch->inotify, .events = POLLIN}};
    uint64_t now = now_ms(), rest = until > now ? until - now : 0, rings = 0;
    int n = poll(fds, 2, (int)MIN(rest, (uint64_t)INT32_MAX));
    if (n < 0 && errno != EINTR) return posix_errno(why, errno, "cannot wait for", "changes");
    *out_end = n == 0 && rest <= INT32_MAX;
    if (n > 0 && fds[0].revents) *out_end = read(watch->bell, &rings, sizeof rings) > 0 || *out_end;
    return RC_OK;
}

/* Before the caller is told, so that what comes behind its rescan is seen. RC_LIMIT was told by watch, or is of
 * directories that came since; the rescan is there for both. */
static RC walk_again(struct posix_watch *watch, struct why *why) {
    watch->walk_again = watch->full = false;
    enum rc rc = walk_all(watch, 0, why);
    return rc == RC_LIMIT ? RC_OK : rc;
}

RC posix_watch_wait(struct posix_watch *watch, uint64_t wait_ms, bool *out_changed, struct why *why) {
    bool changed = false, end = false;
    uint64_t until = num_add(now_ms(), wait_ms);
    while (!end) {
        TRY(poll_once(watch, until, &end, why));
        if (!drain(watch) || changed) continue;
        changed = true;
        until = MIN(until, now_ms() + SETTLE_MS);
    }
    if (watch->walk_again) TRY(walk_again(watch, why));
    *out_changed = changed;
    return RC_OK;
}

void posix_watch_wake(struct posix_watch *watch) {
    uint64_t one = 1;
    ssize_t n = write(watch->bell, &one, sizeof one);
    MUST(n == sizeof one || errno == EAGAIN); /* EAGAIN: it rings already */
}

RC posix_watch_new(struct posix_watch **out, struct why *why) {
    struct posix_watch *watch = ALLOC(struct posix_watch);
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (watch->bell < 0) {
        enum rc rc = posix_errno(why, errno, "cannot make", "an event descriptor");
        posix_watch_free(watch);
        return rc;
    }
    *out = watch;
    return RC_OK;
}

void posix_watch_free(struct posix_watch *watch) {
    if (!watch) return;
    for (size_t i = 0; i < watch->len; i++) watched_done(&watch->watched[i]);
    free(watch->watched);
    own_close(&watch->inotify);
    own_close(&watch->bell);
    free(watch);
}
