/* SPDX-License-Identifier: Apache-2.0 */
#include "source_glob.h"

#include "alloc.h"
#include "must.h"

#include <fnmatch.h>
#include <stdlib.h>

enum { PATTERN_MAX = 4096, NAME_ROOM = 1025 /* a key of S3 may be one component */ };

static uint64_t bit(size_t i) { return (uint64_t)1 << i; }

static void classify(struct source_part *part) {
    const char *special = strpbrk(part->text.at, "*?[\\");
    if (!special)
        part->kind = SOURCE_PART_NAME;
    else if (str_equal(part->text, STR("**")))
        part->kind = SOURCE_PART_DEEP;
    else if (*special == '*' && !strpbrk(special + 1, "*?[\\"))
        part->kind = SOURCE_PART_STAR;
    else
        part->kind = SOURCE_PART_GLOB;
    part->star = special ? (size_t)(special - part->text.at) : 0;
}

static enum rc refuse(struct source_glob *glob, enum rc rc, struct str pattern, const char *what, struct why *why) {
    source_glob_done(glob);
    if (pattern.len > 300) pattern.len = 300; /* as much as a message shows */
    return why_set(why, rc, "pattern '%.*s': %s", STR_ARG(pattern), what);
}

RC source_glob_parse(struct str pattern, bool allow_name, struct source_glob *out, struct why *why) {
    struct source_glob glob = {0};
    struct str rest = pattern, name;
    if (pattern.len > PATTERN_MAX) return refuse(&glob, RC_LIMIT, pattern, "longer than 4096 bytes", why);
    if (pattern.len == 0) return refuse(&glob, RC_BAD, pattern, "empty", why);
    if (memchr(pattern.at, '\0', pattern.len)) return refuse(&glob, RC_BAD, pattern, "holds a NUL byte", why);
    glob.name_only = allow_name && !memchr(pattern.at, '/', pattern.len);
    if (!glob.name_only && pattern.at[0] != '/') return refuse(&glob, RC_BAD, pattern, "not an absolute path", why);
    glob.text = alloc_bytes(pattern.len + 1);
    glob.parts = alloc_zero(SOURCE_GLOB_PARTS, sizeof *glob.parts);
    for (char *to = glob.text; str_cut(&rest, '/', &name);) {
        if (name.len == 0 || str_equal(name, STR("."))) continue;
        if (glob.len == SOURCE_GLOB_PARTS) return refuse(&glob, RC_LIMIT, pattern, "more than 64 components", why);
        memcpy(to, name.at, name.len);
        to[name.len] = '\0';
        glob.parts[glob.len].text = (struct str){to, name.len};
        classify(&glob.parts[glob.len++]);
        to += name.len + 1;
    }
    if (glob.len == 0) return refuse(&glob, RC_BAD, pattern, "names no file", why);
    *out = glob;
    return RC_OK;
}

void source_glob_done(struct source_glob *glob) {
    if (!glob) return;
    free(glob->parts);
    free(glob->text);
    *glob = (struct source_glob){0};
}

/* `**` may also stand for nothing: what comes behind it is possible, too. */
static uint64_t from_part(const struct source_glob *glob, size_t i) {
    uint64_t states = bit(i);
    while (i + 1 < glob->len && glob->parts[i].kind == SOURCE_PART_DEEP) states |= bit(++i);
    return states;
}

uint64_t source_glob_start(const struct source_glob *glob) { return from_part(glob, 0); }

static bool star_matches(const struct source_part *part, struct str name) {
    size_t before = part->star, behind = part->text.len - part->star - 1;
    if (name.len < before + behind || (before == 0 && name.at[0] == '.')) return false;
    return memcmp(name.at, part->text.at, before) == 0 &&
           memcmp(name.at + name.len - behind, part->text.at + before + 1, behind) == 0;
}

static bool part_matches(const struct source_part *part, struct str name) {
    switch (part->kind) {
    case SOURCE_PART_NAME: return str_equal(part->text, name);
    case SOURCE_PART_STAR: return star_matches(part, name);
    case SOURCE_PART_GLOB: return fnmatch(part->text.at, name.at, FNM_PERIOD) == 0;
    case SOURCE_PART_DEEP: return name.at[0] != '.';
    }
    MUST_NOT_REACH();
}

uint64_t source_glob_step(const struct source_glob *glob, uint64_t states, struct str name, bool *out_match) {
    uint64_t next = 0;
    *out_match = false;
    while (states) {
        size_t i = (size_t)__builtin_ctzll(states);
        states &= states - 1;
        if (!part_matches(&glob->parts[i], name)) continue;
        bool last = i + 1 == glob->len;
        if (last) *out_match = true;
        if (glob->parts[i].kind == SOURCE_PART_DEEP)
            next |= from_part(glob, i);
        else if (!last)
            next |= from_part(glob, i + 1);
    }
    return next;
}

const struct source_part *source_glob_only_name(const struct source_glob *glob, uint64_t states) {
    if (states == 0 || (states & (states - 1)) != 0) return NULL;
    const struct source_part *part = &glob->parts[__builtin_ctzll(states)];
    return part->kind == SOURCE_PART_NAME ? part : NULL;
}

bool source_glob_match(const struct source_glob *glob, struct str path) {
    uint64_t states = source_glob_start(glob);
    bool match = false;
    struct str name;
    while (str_cut(&path, '/', &name)) {
        char text[NAME_ROOM];
        if (name.len == 0) continue;
        if (name.len >= sizeof text) return false;
        if (!glob->name_only && states == 0) return false;
        memcpy(text, name.at, name.len);
        text[name.len] = '\0';
        if (glob->name_only) states = source_glob_start(glob);
        states = source_glob_step(glob, states, (struct str){text, name.len}, &match);
    }
    return match;
}
