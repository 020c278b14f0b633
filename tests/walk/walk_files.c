/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_files.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

RC walk_files_init(struct walk_files *f, const char *folder, struct rng rng) {
    *f = (struct walk_files){.rng = rng};
    (void)snprintf(f->folder, sizeof f->folder, "%s", folder);
    static const char *const below[] = {"in", "out"};
    for (size_t i = 0; i < COUNT_OF(below); i++) {
        char path[WALK_PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", folder, below[i]);
        if (mkdir(path, 0700) != 0) return RC_BROKEN;
    }
    return RC_OK;
}

void walk_files_done(struct walk_files *f) {
    for (size_t i = 0; i < f->contents_len; i++) free(f->contents[i].bytes);
    free(f->contents);
}

static size_t content_new(struct walk_files *f) {
    alloc_grow(&f->contents, &f->contents_room, f->contents_len + 1, sizeof *f->contents);
    f->contents[f->contents_len] = (struct walk_content){0};
    return f->contents_len++;
}

static void content_add(struct walk_files *f, size_t content, const char *bytes, size_t len) {
    struct walk_content *c = &f->contents[content];
    alloc_grow(&c->bytes, &c->room, c->len + len + 1, 1);
    if (len) memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
}

static void write_to(const char *path, struct str bytes, int flags) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    MUST(fd >= 0);
    MUST(write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
    MUST(close(fd) == 0);
}

static struct walk_name *name_new(struct walk_files *f, const char *path, size_t content, bool listed) {
    MUST(f->names_len < COUNT_OF(f->names));
    struct walk_name *name = &f->names[f->names_len++];
    *name = (struct walk_name){.content = content, .listed = listed};
    (void)snprintf(name->path, sizeof name->path, "%s", path);
    return name;
}

struct walk_name *walk_create(struct walk_files *f, const char *path, bool listed) {
    write_to(path, STR(""), O_EXCL);
    return name_new(f, path, content_new(f), listed);
}

void walk_append(struct walk_files *f, struct walk_name *name, struct str bytes) {
    write_to(name->path, bytes, O_APPEND);
    content_add(f, name->content, bytes.at, bytes.len);
}

void walk_cut(struct walk_files *f, struct walk_name *name, size_t to) {
    MUST(truncate(name->path, (off_t)to) == 0);
    size_t fresh = content_new(f), old = name->content;
    if (to) content_add(f, fresh, f->contents[old].bytes, to);
    f->contents[fresh].kept = to;
    f->contents[fresh].before = old;
    name->content = fresh;
}

void walk_rename(struct walk_files *f, struct walk_name *name, const char *to, bool listed) {
    MUST(rename(name->path, to) == 0);
    for (size_t i = 0; i < f->names_len; i++)
        if (&f->names[i] != name && strcmp(f->names[i].path, to) == 0) {
            f->names[i].content = name->content; /* what lay there is gone */
            f->names[i].listed = listed;
            *name = f->names[--f->names_len];
            return;
        }
    (void)snprintf(name->path, sizeof name->path, "%s", to);
    name->listed = listed;
}

void walk_unlink(struct walk_files *f, struct walk_name *name) {
    MUST(unlink(name->path) == 0);
    *name = f->names[--f->names_len];
}

void walk_copy(struct walk_files *f, struct walk_name *name, const char *to, bool listed) {
    size_t from = name->content, copy = content_new(f);
    struct str bytes = {f->contents[from].bytes, f->contents[from].len};
    write_to(to, bytes.at ? bytes : STR(""), O_EXCL);
    if (bytes.len) content_add(f, copy, bytes.at, bytes.len);
    (void)name_new(f, to, copy, listed);
}

static size_t behind_last_newline(const struct walk_content *c) {
    size_t at = c->len;
    while (at && c->bytes[at - 1] != '\n') at--;
    return at;
}

static void note_end(struct walk_content *c) {
    if (!c->len || c->bytes[c->len - 1] == '\n') return;
    if (c->ends_len && c->ends[c->ends_len - 1] == c->len) return;
    MUST(c->ends_len < COUNT_OF(c->ends));
    c->ends[c->ends_len++] = c->len;
}

void walk_files_rest(struct walk_files *f, bool last) {
    for (size_t i = 0; i < f->names_len; i++) {
        struct walk_content *c = &f->contents[f->names[i].content];
        if (!f->names[i].listed) continue;
        if (f->closes || last) {
            note_end(c);
            c->seen = c->len;
        } else {
            c->seen = MAX(c->seen, behind_last_newline(c));
        }
    }
}

static bool starts(const struct walk_content *c, size_t at) {
    if (at == 0 || c->bytes[at - 1] == '\n') return true;
    for (size_t i = 0; i < c->ends_len; i++)
        if (c->ends[i] == at) return true;
    return false;
}

bool walk_line_next(const struct walk_content *c, size_t *at, struct str *out) {
    size_t from = *at, end = from + 1;
    if (from >= c->len) return false;
    while (end < c->len && !starts(c, end)) end++;
    *at = end;
    *out = (struct str){c->bytes + from, end - from};
    if (c->bytes[end - 1] == '\n') out->len--;
    return true;
}
