/* SPDX-License-Identifier: Apache-2.0 */
/* walk_act: what writers and rotating programs do. A new action is a function and a row. */
#include "must.h"
#include "num.h"
#include "walk_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK = 4096, FILE_BYTES_MAX = 8000 };

static uint64_t below(struct walk_files *f, uint64_t n) { return rng_below(&f->rng, n); }
static bool chance(struct walk_files *f, uint32_t percent) { return below(f, 100) < percent; }

/* Every line, and every part that might become one, has a number of its own. */
static size_t make_line(struct walk_files *f, char *out) {
    size_t len = (size_t)sprintf(out, "L%" PRIu64 ":", ++f->lines);
    for (uint64_t n = below(f, chance(f, 80) ? 20 : 200); n > 0; n--) out[len++] = (char)('a' + below(f, 26));
    return len;
}

static size_t make_lines(struct walk_files *f, char *out, size_t at_least) {
    size_t len = 0, lines = 1 + below(f, chance(f, 20) ? 12 : 3);
    for (size_t i = 0; i < lines || len < at_least; i++) {
        if (len > CHUNK - 300) break;
        len += make_line(f, out + len);
        out[len++] = '\n';
    }
    if (!f->closes && chance(f, 25)) len -= 1 + below(f, 3); /* the last line goes on with the next write */
    return len;
}

static void grow(struct walk_files *f, struct walk_name *name, size_t at_least) {
    char lines[CHUNK];
    size_t len = make_lines(f, lines, at_least);
    walk_append(f, name, (struct str){lines, len});
}

static void fresh_path(struct walk_files *f, const char *folder, char out[WALK_PATH_MAX]) {
    (void)snprintf(out, WALK_PATH_MAX, "%s/%s/%" PRIu64 ".log", f->folder, folder, ++f->made);
}

static bool has_room(const struct walk_files *f) { return f->names_len < WALK_NAMES_MAX; }

static void act_create(struct walk_files *f) {
    char path[WALK_PATH_MAX];
    fresh_path(f, "in", path);
    struct walk_name *name = walk_create(f, path, true);
    if (chance(f, 85)) grow(f, name, 0);
}

static void act_write(struct walk_files *f, struct walk_name *name) {
    if (f->contents[name->content].len < FILE_BYTES_MAX) grow(f, name, 0);
}

/* The old name begins anew, mostly. */
static void rotate_to(struct walk_files *f, struct walk_name *name, const char *folder) {
    char from[WALK_PATH_MAX], to[WALK_PATH_MAX];
    if (!name->listed || !has_room(f)) return;
    (void)snprintf(from, sizeof from, "%s", name->path);
    fresh_path(f, folder, to);
    walk_rename(f, name, to, strcmp(folder, "in") == 0);
    if (chance(f, 70)) grow(f, walk_create(f, from, true), 0);
}

static void act_rotate(struct walk_files *f, struct walk_name *name) { rotate_to(f, name, "in"); }
static void act_rotate_out(struct walk_files *f, struct walk_name *name) { rotate_to(f, name, "out"); }

/* What was moved away comes back, under another name. */
static void act_return(struct walk_files *f, struct walk_name *name) {
    char to[WALK_PATH_MAX];
    if (name->listed) return;
    fresh_path(f, "in", to);
    walk_rename(f, name, to, true);
}

/* Where files are closed, the lines in front of a cut are others than those of the file from its start. */
static void act_cut(struct walk_files *f, struct walk_name *name) {
    bool whole = f->closes || chance(f, 50);
    walk_cut(f, name, whole ? 0 : below(f, f->contents[name->content].len + 1));
}

/* Past the old end, before anybody looks. */
static void act_regrow(struct walk_files *f, struct walk_name *name) {
    size_t len = f->contents[name->content].len;
    if (len > CHUNK / 2) return;
    act_cut(f, name);
    size_t now = f->contents[name->content].len;
    grow(f, name, len - now + 1);
}

static void act_copytruncate(struct walk_files *f, struct walk_name *name) {
    char to[WALK_PATH_MAX];
    bool listed = chance(f, 50);
    if (!has_room(f)) return;
    fresh_path(f, listed ? "in" : "out", to);
    walk_copy(f, name, to, listed);
    walk_cut(f, name, 0);
}

static void act_delete(struct walk_files *f, struct walk_name *name) { walk_unlink(f, name); }

/* Another file is renamed over it. */
static void act_replace(struct walk_files *f, struct walk_name *name) {
    char path[WALK_PATH_MAX], beside[WALK_PATH_MAX];
    if (!name->listed || !has_room(f)) return;
    (void)snprintf(path, sizeof path, "%s", name->path);
    fresh_path(f, "out", beside);
    struct walk_name *fresh = walk_create(f, beside, false);
    grow(f, fresh, 0);
    walk_rename(f, fresh, path, true);
}

static const struct {
    const char *name;
    void (*act)(struct walk_files *files, struct walk_name *name); /* NULL: cannot be done yet */
    uint32_t weight;
} actions[] = {
    {"write to", act_write, 60},
    {"rotate", act_rotate, 6},
    {"rotate to where nobody looks", act_rotate_out, 3},
    {"move back", act_return, 12},
    {"cut", act_cut, 5},
    {"cut and regrow", act_regrow, 6},
    {"copy and cut", act_copytruncate, 5},
    {"delete", act_delete, 4},
    {"replace", act_replace, 4},
    {"compress", NULL, 6}, /* waits for inputs that are compressed */
};

void walk_act(struct walk_files *f) {
    f->actions++;
    if (!f->names_len || (has_room(f) && chance(f, 15))) {
        act_create(f);
        (void)snprintf(f->told, sizeof f->told, "create %s", f->names[f->names_len - 1].path);
        return;
    }
    struct walk_name *name = &f->names[below(f, f->names_len)];
    uint64_t total = 0, drawn = 0;
    size_t i = 0;
    for (size_t k = 0; k < COUNT_OF(actions); k++) total += actions[k].weight;
    drawn = below(f, total);
    while (drawn >= actions[i].weight) drawn -= actions[i++].weight;
    if (!actions[i].act) i = 0;
    (void)snprintf(f->told, sizeof f->told, "%s %s, of %zu bytes", actions[i].name, name->path,
                   f->contents[name->content].len);
    actions[i].act(f, name);
}

void walk_act_begin_line(struct walk_files *f) {
    char line[512];
    if (!f->names_len) return;
    struct walk_name *name = &f->names[below(f, f->names_len)];
    if (f->contents[name->content].ends_len > 50 || !name->listed) return;
    walk_append(f, name, (struct str){line, make_line(f, line)});
    (void)snprintf(f->told, sizeof f->told, "begin a line in %s", name->path);
}
