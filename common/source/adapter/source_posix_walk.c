/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tree that a pattern spans: spelled-out names are appended without reading their directory, all others come
 * from one reading of it, whatever the number of ways in which it can match. One path, one URI, no allocation a file.
 */
#include "source_posix_private.h"

#include "alloc.h"
#include "own.h"
#include "source_glob.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 64,   /* directory streams open at a time; a tree of logs has 3 to 10 levels */
    LINKS_MAX = 4096, /* directories entered by a symbolic link, in one listing */
};

struct directory_id {
    uint64_t device, inode;
};

struct walk {
    const struct source_pattern *pattern;
    const struct posix_visitor *visitor;
    struct source_glob *globs, *excludes;
    size_t now; /* the glob at hand */
    char path[SOURCE_PATH_MAX + 1];
    char uri[SOURCE_URI_MAX + 1];
    size_t path_len, uri_len;             /* of the directory at hand, without a '/' at the end */
    struct directory_id above[DEPTH_MAX]; /* the directories that we are in */
    size_t depth;
    struct directory_id *links; /* the directories that were entered by a link */
    size_t links_len, links_room;
    struct posix_volume volume;
};

static RC walk_on(struct walk *walk, uint64_t states, bool by_link);

static void tell(struct walk *walk, int error, const char *doing) {
    if (!walk->visitor->problem) return;
    struct why why = {0};
    enum rc rc = posix_errno(&why, error, doing, walk->path[0] ? walk->path : "/");
    walk->visitor->problem(walk->visitor->context, (struct str){walk->uri, walk->uri_len}, rc, &why);
}

/* What came and went meanwhile, or is not there yet, is no problem. */
static bool is_gone(int error) { return error == ENOENT || error == ENOTDIR; }

/* Appends "/name"; false (and told) when the path gets too long. */
static bool push(struct walk *walk, struct str name) {
    if (walk->path_len + 1 + name.len > SOURCE_PATH_MAX) {
        tell(walk, ENAMETOOLONG, "cannot look below");
        return false;
    }
    walk->path[walk->path_len++] = '/';
    memcpy(walk->path + walk->path_len, name.at, name.len);
    walk->path_len += name.len;
    walk->path[walk->path_len] = '\0';
    walk->uri[walk->uri_len++] = '/';
    walk->uri_len += source_uri_encode_piece(name, walk->uri + walk->uri_len);
    return true;
}

static void pop(struct walk *walk, size_t path_len, size_t uri_len) {
    walk->path_len = path_len;
    walk->path[path_len] = '\0';
    walk->uri_len = uri_len;
}

/* `path` is walk->path. */
static bool is_excluded(const struct walk *walk, struct str name) {
    for (size_t i = 0; i < walk->pattern->excludes_len; i++) {
        const struct source_glob *glob = &walk->excludes[i];
        bool match = false;
        if (glob->name_only)
            (void)source_glob_step(glob, source_glob_start(glob), name, &match);
        else
            match = source_glob_match(glob, (struct str){walk->path, walk->path_len});
        if (match) return true;
    }
    return false;
}

static bool was_told_before(const struct walk *walk) {
    for (size_t i = 0; i < walk->now; i++)
        if (source_glob_match(&walk->globs[i], (struct str){walk->path, walk->path_len})) return true;
    return false;
}

/* ---- files ---- */

/* The name at the end of walk->path, found in `directory` (with AT_FDCWD: the path itself). *out_mode is what it is, 0
 * when that is all there is to say. */
static RC visit_file(struct walk *walk, int directory, struct str name, mode_t *out_mode) {
    struct statx now;
    struct source_entry entry = {.uri = {walk->uri, walk->uri_len}};
    int flags = AT_NO_AUTOMOUNT | (walk->pattern->follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW);
    const char *path = directory == AT_FDCWD ? walk->path : name.at;
    *out_mode = 0;
    int error = statx(directory, path, flags, POSIX_STATX_MASK, &now) == 0 ? 0 : errno;
    if (!error) *out_mode = now.stx_mode;
    if (!error && S_ISREG(now.stx_mode)) {
        if (is_excluded(walk, name) || was_told_before(walk)) return RC_OK;
        error = posix_stat_of(&now, directory, path, &walk->volume, &entry.stat);
        if (!error) return walk->visitor->file(walk->visitor->context, &entry);
    }
    if (error && !is_gone(error)) tell(walk, error, "cannot look at");
    return RC_OK;
}

/* ---- directories ---- */

static bool is_among(const struct directory_id *ids, size_t len, const struct directory_id *id) {
    for (size_t i = 0; i < len; i++)
        if (ids[i].device == id->device && ids[i].inode == id->inode) return true;
    return false;
}

/* A directory reached by a link is entered once, and never from within itself. */
static bool may_enter(struct walk *walk, const struct stat *now, bool by_link) {
    struct directory_id id = {now->st_dev, now->st_ino};
    if (by_link) {
        if (is_among(walk->above, walk->depth, &id) || is_among(walk->links, walk->links_len, &id)) return false;
        if (walk->links_len == LINKS_MAX) {
            tell(walk, ELOOP, "too many links to directories: not entered is");
            return false;
        }
        alloc_grow(&walk->links, &walk->links_room, walk->links_len + 1, sizeof id);
        walk->links[walk->links_len++] = id;
    }
    walk->above[walk->depth] = id;
    return true;
}

static void own_closedir(DIR **listing) {
    if (*listing) (void)closedir(*listing);
}

/* NULL: not entered, and told where that is a problem. */
static DIR *enter(struct walk *walk, bool found, bool by_link) {
    if (walk->depth == DEPTH_MAX) {
        tell(walk, ENAMETOOLONG, "more than 64 levels of directories: not entered is");
        return NULL;
    }
    int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | (found && !by_link ? O_NOFOLLOW : 0);
    int fd = open(walk->path[0] ? walk->path : "/", flags);
    struct stat now;
    if (fd < 0 || fstat(fd, &now) != 0) {
        int error = errno;
        own_close(&fd);
        if (!is_gone(error)) tell(walk, error, "cannot list");
        return NULL;
    }
    DIR *listing = may_enter(walk, &now, by_link) ? fdopendir(fd) : NULL;
    if (!listing)
        own_close(&fd);
    else
        walk->depth++;
    return listing;
}

/* The type of an entry, where the directory does not tell it or it is a link to be followed: 0 when it is gone. */
static unsigned char type_of(const struct walk *walk, int fd, const struct dirent *entry) {
    bool follow = entry->d_type == DT_LNK && walk->pattern->follow_symlinks;
    struct stat now;
    if (entry->d_type != DT_UNKNOWN && !follow) return entry->d_type;
    if (fstatat(fd, entry->d_name, &now, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    if (S_ISLNK(now.st_mode) && walk->pattern->follow_symlinks && fstatat(fd, entry->d_name, &now, 0) != 0)
        return DT_UNKNOWN;
    return S_ISREG(now.st_mode) ? DT_REG : S_ISDIR(now.st_mode) ? DT_DIR : DT_UNKNOWN;
}

/* The recursion ends at DEPTH_MAX. NOLINTNEXTLINE(misc-no-recursion) */
static RC take_entry(struct walk *walk, int fd, const struct dirent *entry, uint64_t states) {
    bool match = false;
    struct str name = {entry->d_name, strlen(entry->d_name)};
    uint64_t next = source_glob_step(&walk->globs[walk->now], states, name, &match);
    if (!next && !match) return RC_OK;
    unsigned char type = type_of(walk, fd, entry);
    size_t path_len = walk->path_len, uri_len = walk->uri_len;
    if (!(type == DT_REG && match && walk->visitor->file) && !(type == DT_DIR && next)) return RC_OK;
    if (!push(walk, name)) return RC_OK;
    enum rc rc = RC_OK;
    mode_t mode = 0;
    if (type == DT_REG)
        rc = visit_file(walk, fd, name, &mode);
    else if (!is_excluded(walk, name))
        rc = walk_on(walk, next, entry->d_type != DT_DIR);
    pop(walk, path_len, uri_len);
    return rc;
}

/* The recursion ends at DEPTH_MAX. NOLINTNEXTLINE(misc-no-recursion) */
static RC read_directory(struct walk *walk, uint64_t states, bool found, bool by_link) {
    if (walk->visitor->directory) TRY(walk->visitor->directory(walk->visitor->context, walk->path));
    AUTO(own_closedir) DIR *listing = enter(walk, found, by_link);
    if (!listing) return RC_OK;
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        errno = 0;
        const struct dirent *entry = readdir(listing);
        if (!entry) break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        rc = take_entry(walk, dirfd(listing), entry, states);
    }
    if (rc == RC_OK && errno) tell(walk, errno, "cannot list");
    walk->depth--;
    return rc;
}

/* A file that the pattern spells out. A link that may not be followed is told: nobody would expect silence. */
static RC visit_named(struct walk *walk, struct str name) {
    mode_t mode = 0;
    if (!walk->visitor->file) return RC_OK;
    TRY(visit_file(walk, AT_FDCWD, name, &mode));
    if (S_ISLNK(mode) && walk->visitor->problem) {
        struct why why = {0};
        enum rc rc = why_set(&why, RC_DENIED, "%s is a symbolic link, and follow_symlinks is off", walk->path);
        walk->visitor->problem(walk->visitor->context, (struct str){walk->uri, walk->uri_len}, rc, &why);
    }
    return RC_OK;
}

/* Goes on below walk->path, which a glob found (states are not the start's) or the pattern spells out.
 * NOLINTNEXTLINE(misc-no-recursion) */
static RC walk_on(struct walk *walk, uint64_t states, bool by_link) {
    const struct source_glob *glob = &walk->globs[walk->now];
    const struct source_part *part = NULL;
    size_t path_len = walk->path_len, uri_len = walk->uri_len;
    bool found = path_len > 0, match = false;
    enum rc rc = RC_OK;
    while (states && !match && (part = source_glob_only_name(glob, states))) {
        uint64_t next = source_glob_step(glob, states, part->text, &match);
        if (match && walk->visitor->directory) rc = walk->visitor->directory(walk->visitor->context, walk->path);
        if (rc != RC_OK || !push(walk, part->text)) {
            states = 0;
            break;
        }
        if (match) rc = visit_named(walk, part->text);
        states = next;
        found = by_link = false;
    }
    if (rc == RC_OK && states && !match) rc = read_directory(walk, states, found, by_link);
    pop(walk, path_len, uri_len);
    return rc;
}

static RC parse_all(const struct str *patterns, size_t len, bool allow_name, struct source_glob **out,
                    struct why *why) {
    *out = alloc_zero(len, sizeof **out);
    for (size_t i = 0; i < len; i++) TRY(source_glob_parse(patterns[i], allow_name, &(*out)[i], why));
    return RC_OK;
}

static void globs_free(struct source_glob *globs, size_t len) {
    for (size_t i = 0; globs && i < len; i++) source_glob_done(&globs[i]);
    free(globs);
}

static void own_walk(struct walk **walk) {
    globs_free((*walk)->globs, (*walk)->pattern->paths_len);
    globs_free((*walk)->excludes, (*walk)->pattern->excludes_len);
    free((*walk)->links);
    free(*walk);
}

RC posix_walk(const struct source_pattern *pattern, const struct posix_visitor *visitor, struct why *why) {
    AUTO(own_walk) struct walk *walk = ALLOC(struct walk);
    walk->pattern = pattern;
    walk->visitor = visitor;
    TRY(parse_all(pattern->paths, pattern->paths_len, false, &walk->globs, why));
    TRY(parse_all(pattern->excludes, pattern->excludes_len, true, &walk->excludes, why));
    memcpy(walk->uri, "file://", sizeof "file://");
    for (walk->now = 0; walk->now < pattern->paths_len; walk->now++) {
        pop(walk, 0, sizeof "file://" - 1);
        TRY(walk_on(walk, source_glob_start(&walk->globs[walk->now]), false));
    }
    return RC_OK;
}
