/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in order of their bytes, one directory at a time. A directory's name sorts as if it ended in '/', since all keys
 * below it go on like that: "a-b" comes before "a/b", and "a0" behind it. */
#include "store_dir_private.h"

#include "alloc.h"
#include "buf.h"
#include "own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* The names of one directory, each behind the next in one buf: NUL-terminated, directories with their '/'. */
struct names {
    struct buf text;
    size_t *at;
    size_t len, room;
};

struct walk {
    struct store_dir *dir;
    struct str prefix, after;
    store_visit visit;
    void *context;
    struct why *why;
    char path[DIR_PATH_ROOM]; /* of the entry at hand; a directory's with its '/' */
};

static void names_done(struct names *names) {
    buf_done(&names->text);
    free(names->at);
}

static void own_closedir(DIR **listing) {
    if (*listing) (void)closedir(*listing);
}

static int by_name(const void *a, const void *b, void *text) {
    return strcmp((const char *)text + *(const size_t *)a, (const char *)text + *(const size_t *)b);
}

/* Some file systems do not tell the type with the name. */
static unsigned char type_of(int fd, const struct dirent *entry) {
    struct stat now;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type;
    if (fstatat(fd, entry->d_name, &now, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
    return S_ISREG(now.st_mode) ? DT_REG : S_ISDIR(now.st_mode) ? DT_DIR : DT_UNKNOWN;
}

/* Can a key below `key` (a directory, with its '/') or the key itself be in the answer? */
static bool is_wanted(const struct walk *walk, struct str key, bool directory) {
    if (directory) {
        if (!str_starts(key, walk->prefix) && !str_starts(walk->prefix, key)) return false;
        return str_starts(walk->after, key) || str_compare(key, walk->after) > 0;
    }
    return str_starts(key, walk->prefix) && str_compare(key, walk->after) > 0;
}

static void add_name(struct walk *walk, struct names *names, size_t path_len, const char *name, bool directory) {
    size_t len = strlen(name);
    if (path_len + len + directory > STORE_KEY_MAX) return; /* no key, so none of ours */
    memcpy(walk->path + path_len, name, len);
    if (directory) walk->path[path_len + len++] = '/';
    if (!is_wanted(walk, (struct str){walk->path, path_len + len}, directory)) return;
    alloc_grow(&names->at, &names->room, names->len + 1, sizeof *names->at);
    names->at[names->len++] = names->text.len;
    buf_add(&names->text, (struct str){walk->path + path_len, len});
    buf_add_char(&names->text, '\0');
}

/* Collects and sorts the wanted names in walk->path, whose length is path_len. A directory that went away is empty. */
static RC read_names(struct walk *walk, size_t path_len, struct names *names) {
    walk->path[path_len] = '\0';
    int fd = openat(walk->dir->root, path_len ? walk->path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(own_closedir) DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    if (!listing) {
        int error = errno;
        own_close(&fd);
        if (error == ENOENT || error == ENOTDIR || error == ELOOP) return RC_OK;
        return dir_errno(walk->why, error, "cannot list", walk->dir, walk->path);
    }
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(listing)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (path_len == 0 && strcmp(entry->d_name, STORE_RESERVED) == 0) continue;
        unsigned char type = type_of(fd, entry);
        if (type == DT_REG || type == DT_DIR) add_name(walk, names, path_len, entry->d_name, type == DT_DIR);
    }
    walk->path[path_len] = '\0';
    if (errno) return dir_errno(walk->why, errno, "cannot list", walk->dir, walk->path);
    if (names->len) qsort_r(names->at, names->len, sizeof *names->at, by_name, names->text.at);
    return RC_OK;
}

static RC visit_object(struct walk *walk, size_t path_len) {
    struct stat now;
    if (fstatat(walk->dir->root, walk->path, &now, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return RC_OK; /* removed since */
        return dir_errno(walk->why, errno, "cannot look at", walk->dir, walk->path);
    }
    if (!S_ISREG(now.st_mode)) return RC_OK;
    return walk->visit(walk->context, (struct str){walk->path, path_len}, (uint64_t)now.st_size);
}

/* Recursion is bounded by the length of a key: STORE_KEY_MAX / 2 directories. NOLINTNEXTLINE(misc-no-recursion) */
static RC list_directory(struct walk *walk, size_t path_len) {
    AUTO(names_done) struct names names = {.text = BUF_INIT(SIZE_MAX - 1)};
    TRY(read_names(walk, path_len, &names));
    for (size_t i = 0; i < names.len; i++) {
        const char *name = names.text.at + names.at[i];
        size_t len = strlen(name), end = path_len + len;
        memcpy(walk->path + path_len, name, len + 1);
        bool directory = name[len - 1] == '/';
        TRY(directory ? list_directory(walk, end) : visit_object(walk, end));
    }
    return RC_OK;
}

enum rc dir_list(void *self, struct str prefix, struct str after, store_visit visit, void *context, struct why *why) {
    struct walk walk = {.dir = self, .prefix = prefix, .after = after, .visit = visit, .context = context, .why = why};
    size_t start = prefix.len; /* the directory in which all the answer lies */
    while (start > 0 && prefix.at[start - 1] != '/') start--;
    if (start) memcpy(walk.path, prefix.at, start);
    return list_directory(&walk, start);
}
