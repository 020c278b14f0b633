/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_files.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "source_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 4096, FILES_MAX = 14, FILE_BYTES_MAX = 6000 };

static uint64_t below(struct sim_files *f, uint64_t n) { return rng_below(&f->rng, n); }
static bool chance(struct sim_files *f, uint32_t percent) { return below(f, 100) < percent; }

void sim_files_init(struct sim_files *f, struct source source, struct rng rng) {
    *f = (struct sim_files){.source = source, .rng = rng};
}

void sim_files_done(struct sim_files *f) {
    for (size_t i = 0; i < f->contents_len; i++) free(f->contents[i].bytes);
    free(f->contents);
    free(f->names);
}

/* ---- what is written ---- */

static size_t letters(struct sim_files *f, char *out, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = (char)('a' + below(f, 26));
    return n;
}

static size_t pad_of(struct sim_files *f) {
    if (chance(f, 6)) return f->line_bytes_max + below(f, 6) - 3; /* about the limit */
    if (chance(f, 4)) return f->line_bytes_max + below(f, 260);   /* far over it */
    return chance(f, 50) ? below(f, 8) : below(f, 50);
}

/* One line without its end; every one has its own number. */
static size_t make_line(struct sim_files *f, int source, char *out) {
    uint64_t n = ++f->lines;
    size_t at = 0;
    if (chance(f, 5)) { /* blank */
        size_t blanks = below(f, 4);
        for (; at < blanks; at++) out[at] = chance(f, 50) ? ' ' : '\t';
        return at;
    }
    if (source == SIM_RAW) {
        at = (size_t)sprintf(out, "r%" PRIu64 "-", n);
        at += letters(f, out + at, pad_of(f));
        if (chance(f, 5)) out[at++] = '\r';
        if (chance(f, 5)) out[at++] = (char)0xff;
        if (chance(f, 3)) out[at++] = '\0';
        return at;
    }
    switch (below(f, 12)) {
    case 0: return (size_t)sprintf(out, "bad %" PRIu64, n);
    case 1: return (size_t)sprintf(out, "[%" PRIu64 "]", n);
    case 2: return (size_t)sprintf(out, "{\"k\":\"a\",\"n\":%" PRIu64, n);
    default: break;
    }
    at = (size_t)sprintf(out, "{\"k\":\"%c\",\"n\":%" PRIu64 ",\"d\":%u,\"p\":\"", (char)('a' + below(f, 3)), n,
                         (unsigned)below(f, 6));
    at += letters(f, out + at, pad_of(f));
    out[at++] = '"';
    out[at++] = '}';
    return at;
}

/* Some lines; the last one may be without its end, and the rest of it waits to be written. */
static size_t make_chunk(struct sim_files *f, struct sim_name *name, int source, char *out) {
    size_t len = strlen(name->rest), lines = 1 + below(f, chance(f, 20) ? 24 : 5);
    memcpy(out, name->rest, len);
    name->rest[0] = '\0';
    for (size_t i = 0; i < lines && len + 600 < CHUNK; i++) {
        size_t from = len;
        len += make_line(f, source, out + len);
        if (chance(f, 12)) out[len++] = '\r';
        out[len++] = '\n';
        if (i + 1 < lines || !chance(f, 25)) continue;
        size_t cut = from + below(f, len - from + 1);
        if (chance(f, 70) && !memchr(out + cut, '\0', len - cut) && len - cut < sizeof name->rest) {
            memcpy(name->rest, out + cut, len - cut);
            name->rest[len - cut] = '\0';
        }
        len = cut;
    }
    return len;
}

/* ---- contents ---- */

static struct source_stat stat_of(struct sim_files *f, const char *path) {
    char uri[128];
    struct source_file *file = NULL;
    struct source_stat stat;
    (void)snprintf(uri, sizeof uri, "file://%s", path);
    MUST(source_open(f->source, str_of(uri), NULL, &file, NULL) == RC_OK);
    MUST(source_stat(f->source, file, &stat, NULL) == RC_OK);
    source_close(f->source, file);
    return stat;
}

static void content_add(struct sim_files *f, struct sim_content *c, const char *bytes, size_t len) {
    alloc_grow(&c->bytes, &c->room, c->len + len + 1, 1);
    if (len) memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
    c->sizes[c->sizes_len++ % SIM_SIZES] = (struct sim_size){c->len, *f->now_ms};
}

uint64_t sim_content_was(const struct sim_content *c, size_t len, uint64_t now_ms) {
    uint64_t longest = 0;
    for (size_t i = c->sizes_len > SIM_SIZES ? c->sizes_len - SIM_SIZES : 0; i < c->sizes_len; i++) {
        const struct sim_size *size = &c->sizes[i % SIM_SIZES];
        uint64_t until = i + 1 < c->sizes_len ? c->sizes[(i + 1) % SIM_SIZES].from_ms : now_ms;
        if (size->len == len) longest = MAX(longest, until - size->from_ms);
    }
    return longest;
}

static size_t content_new(struct sim_files *f, int source, struct source_stat stat) {
    alloc_grow(&f->contents, &f->contents_room, f->contents_len + 1, sizeof *f->contents);
    f->contents[f->contents_len] =
        (struct sim_content){.source = source, .inode = stat.inode, .birth_ns = stat.birth_ns};
    content_add(f, &f->contents[f->contents_len], "", 0);
    return f->contents_len++;
}

/* The inode's content is another one from now on, beginning with the first `keep` bytes of the one before. */
static void content_turn(struct sim_files *f, struct sim_name *name, size_t keep) {
    struct sim_content old = f->contents[name->content];
    struct source_stat stat = {.inode = old.inode, .birth_ns = old.birth_ns};
    size_t fresh = content_new(f, old.source, stat);
    content_add(f, &f->contents[fresh], old.bytes, keep);
    f->contents[fresh].taken = keep;
    for (size_t i = 0; i < f->names_len; i++)
        if (&f->names[i] != name && f->names[i].content == name->content) f->names[i].content = fresh;
    name->content = fresh;
}

const struct sim_content *sim_files_last(const struct sim_files *f, uint64_t inode, int64_t birth_ns) {
    for (size_t i = f->contents_len; i-- > 0;)
        if (f->contents[i].inode == inode && f->contents[i].birth_ns == birth_ns) return &f->contents[i];
    return NULL;
}

/* ---- names ---- */

static struct sim_name *name_new(struct sim_files *f, const char *path, bool listed) {
    alloc_grow(&f->names, &f->names_room, f->names_len + 1, sizeof *f->names);
    struct sim_name *name = &f->names[f->names_len++];
    *name = (struct sim_name){.listed = listed};
    (void)snprintf(name->path, sizeof name->path, "%s", path);
    return name;
}

static void name_drop(struct sim_files *f, struct sim_name *name) { *name = f->names[--f->names_len]; }

/* The chunk ends where a stripe does, in the middle of a line mostly; the rest of that line waits. */
static size_t cut_at_stripe(struct sim_files *f, struct sim_name *name, char *chunk, size_t len) {
    size_t size = f->contents[name->content].len, border = (size + len) / f->stripe_bytes * f->stripe_bytes;
    if (border <= size) return len;
    const char *at = chunk + (border - size), *end = chunk + len, *line = memchr(at, '\n', (size_t)(end - at));
    size_t rest = line ? (size_t)(line - at) + 1 : 0;
    name->rest[0] = '\0';
    if (!rest || rest >= sizeof name->rest || memchr(at, '\0', rest)) return border - size;
    memcpy(name->rest, at, rest);
    name->rest[rest] = '\0';
    return border - size;
}

/* More of the bytes that were there before the file was cut to nothing, as a copy over it does. */
static size_t write_again(struct sim_files *f, struct sim_name *name, char *out) {
    const struct sim_content *from = &f->contents[name->again - 1];
    size_t at = f->contents[name->content].len, len = MIN(from->len - at, 1 + below(f, chance(f, 50) ? 200 : CHUNK));
    memcpy(out, from->bytes + at, len);
    if (at + len == from->len) name->again = 0;
    name->rest[0] = '\0';
    return len;
}

void sim_files_forget(struct sim_files *f, struct sim_name *name) { name_drop(f, name); }

static void append(struct sim_files *f, struct sim_name *name) {
    char chunk[CHUNK + 400];
    size_t len =
        name->again ? write_again(f, name, chunk) : make_chunk(f, name, f->contents[name->content].source, chunk);
    if (!name->again && len && chance(f, 10)) len = cut_at_stripe(f, name, chunk, len);
    source_memory_append(f->source, name->path, (struct str){chunk, len});
    content_add(f, &f->contents[name->content], chunk, len);
    (void)snprintf(f->told, sizeof f->told, "append %zu to %s, now %zu", len, name->path,
                   f->contents[name->content].len);
}

/* Makes an empty or filled file under a path that is free. */
static struct sim_name *create(struct sim_files *f, const char *path, int source) {
    source_memory_append(f->source, path, STR(""));
    struct sim_name *name = name_new(f, path, true);
    name->content = content_new(f, source, stat_of(f, path));
    if (!chance(f, 15)) append(f, name);
    return name;
}

static void create_any(struct sim_files *f) {
    char path[64];
    int source = chance(f, 50) ? SIM_RAW : SIM_NDJSON;
    (void)snprintf(path, sizeof path, "/in/%s-%" PRIu64, source == SIM_RAW ? "raw" : "nd", ++f->made);
    (void)create(f, path, source);
    (void)snprintf(f->told, sizeof f->told, "create %s", path);
}

/* The name goes on, beside it a new file under the old name, mostly. */
static void rotate(struct sim_files *f, struct sim_name *name) {
    char to[64], from[64];
    int source = f->contents[name->content].source;
    bool out = f->wild && chance(f, 15); /* to where nobody looks */
    const char *kind = source == SIM_RAW ? "raw" : "nd";
    (void)snprintf(to, sizeof to, "/%s/%s-r%" PRIu64, out ? "out" : "in", kind, ++f->rotations);
    (void)snprintf(from, sizeof from, "%s", name->path);
    source_memory_rename(f->source, from, to);
    (void)snprintf(name->path, sizeof name->path, "%s", to);
    name->listed = !out;
    if (chance(f, 70)) (void)create(f, from, source);
    (void)snprintf(f->told, sizeof f->told, "rotate %s to %s", from, to);
}

static void truncate_to(struct sim_files *f, struct sim_name *name) {
    size_t len = f->contents[name->content].len, to = chance(f, 60) ? 0 : below(f, len + 1);
    source_memory_truncate(f->source, name->path, to);
    content_turn(f, name, to);
    name->again = 0;
    (void)snprintf(f->told, sizeof f->told, "truncate %s from %zu to %zu", name->path, len, to);
    if (chance(f, 50)) append(f, name);
}

void sim_files_regrow(struct sim_files *f, uint64_t inode, uint64_t from) {
    size_t i = 0;
    while (i < f->names_len && f->contents[f->names[i].content].inode != inode) i++;
    struct sim_name *name = &f->names[i];
    f->told[0] = '\0';
    if (i == f->names_len || f->contents[name->content].len < from) return;
    size_t len = f->contents[name->content].len, to = from + below(f, len - from + 1);
    if (len > FILE_BYTES_MAX) return;
    source_memory_truncate(f->source, name->path, to);
    content_turn(f, name, to);
    name->again = 0;
    do append(f, name);
    while (f->contents[name->content].len <= len);
    (void)snprintf(f->told, sizeof f->told, "cut %s from %zu to %zu and regrow it to %zu", name->path, len, to,
                   f->contents[name->content].len);
}

/* The same bytes are written anew, bit by bit. */
static void copy_over(struct sim_files *f, struct sim_name *name) {
    size_t old = name->content, len = f->contents[old].len;
    source_memory_truncate(f->source, name->path, 0);
    content_turn(f, name, 0);
    name->rest[0] = '\0';
    name->again = len ? old + 1 : 0;
    (void)snprintf(f->told, sizeof f->told, "the %zu bytes of %s are written again", len, name->path);
}

static void rewrite(struct sim_files *f, struct sim_name *name) {
    char chunk[CHUNK + 400];
    name->again = 0;
    content_turn(f, name, 0);
    size_t len = make_chunk(f, name, f->contents[name->content].source, chunk);
    source_memory_write(f->source, name->path, (struct str){chunk, len});
    content_add(f, &f->contents[name->content], chunk, len);
    (void)snprintf(f->told, sizeof f->told, "rewrite %s, now %zu", name->path, len);
}

/* A copy appears and the file is cut to nothing, as logrotate's copytruncate does. */
static void copytruncate(struct sim_files *f, struct sim_name *name) {
    char to[64];
    size_t from = name->content, at = (size_t)(name - f->names);
    int source = f->contents[from].source;
    (void)snprintf(to, sizeof to, "/in/%s-c%" PRIu64, source == SIM_RAW ? "raw" : "nd", ++f->rotations);
    source_memory_append(f->source, to, (struct str){f->contents[from].bytes, f->contents[from].len});
    size_t copy = content_new(f, source, stat_of(f, to));
    content_add(f, &f->contents[copy], f->contents[from].bytes, f->contents[from].len);
    name_new(f, to, true)->content = copy;
    source_memory_truncate(f->source, f->names[at].path, 0);
    content_turn(f, &f->names[at], 0);
    f->names[at].again = 0;
    (void)snprintf(f->told, sizeof f->told, "copytruncate %s to %s", f->names[at].path, to);
}

static void unlink_it(struct sim_files *f, struct sim_name *name) {
    (void)snprintf(f->told, sizeof f->told, "unlink %s", name->path);
    source_memory_unlink(f->source, name->path);
    name_drop(f, name);
}

/* Another file is renamed over it. */
static void replace(struct sim_files *f, struct sim_name *name) {
    char path[64];
    int source = f->contents[name->content].source;
    (void)snprintf(path, sizeof path, "%s", name->path);
    name_drop(f, name);
    struct sim_name *fresh = create(f, "/tmp/fresh", source);
    source_memory_rename(f->source, "/tmp/fresh", path);
    (void)snprintf(fresh->path, sizeof fresh->path, "%s", path);
    (void)snprintf(f->told, sizeof f->told, "replace %s", path);
}

static void change_wildly(struct sim_files *f, struct sim_name *name) {
    switch (below(f, 7)) {
    case 0: truncate_to(f, name); return;
    case 1: rewrite(f, name); return;
    case 2: copytruncate(f, name); return;
    case 3: unlink_it(f, name); return;
    case 5: copy_over(f, name); return;
    case 4:
        if (name->listed) replace(f, name);
        return;
    default:
        if (name->listed) rotate(f, name);
        return;
    }
}

void sim_files_change(struct sim_files *f) {
    f->told[0] = '\0';
    if (!f->names_len || (f->names_len < FILES_MAX && chance(f, 12))) {
        create_any(f);
        return;
    }
    struct sim_name *name = &f->names[below(f, f->names_len)];
    bool large = f->contents[name->content].len > FILE_BYTES_MAX;
    if (f->wild && chance(f, large ? 60 : 20))
        change_wildly(f, name);
    else if (chance(f, 6) && name->listed && f->names_len < FILES_MAX)
        rotate(f, name);
    else if (!large)
        append(f, name);
}

void sim_files_reuse_inode(struct sim_files *f) {
    if (!f->names_len) return;
    struct sim_name *name = &f->names[below(f, f->names_len)];
    uint64_t inode = f->contents[name->content].inode;
    int source = f->contents[name->content].source;
    char path[64];
    if (!name->listed) return;
    (void)snprintf(path, sizeof path, "%s", name->path);
    source_memory_unlink(f->source, path);
    name_drop(f, name);
    source_memory_reuse_inode(f->source, inode);
    (void)create(f, path, source);
    (void)snprintf(f->told, sizeof f->told, "reuse inode %" PRIu64 " for %s", inode, path);
}
