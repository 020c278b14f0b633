/* SPDX-License-Identifier: Apache-2.0 */
#include "reject_source.h"

#include "alloc.h"
#include "manifest.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "reject_uri.h"
#include "stored.h"

#include <stdlib.h>
#include <string.h>

struct rejects_source {
    struct source inner;
    struct store store;
    struct id queue;
    uint64_t generation;
};

/* A frame, by its place in the raw bytes. */
struct frame_at {
    uint64_t raw;
    uint64_t member; /* of an object without a footer: where it begins */
};

/* What source.h calls an opened file: ours, or the inner source's. */
struct opened {
    struct source_file *inner;
    char *text; /* the uri */
    struct reject_uri uri;
    struct source_stat stat;
    bool loaded;
    struct arena arena; /* the manifest, while it is looked through, and the entry */
    struct manifest_object listed;
    struct stored stored;
    struct frame_at *frames; /* one more at the end */
    size_t frames_len, frames_room;
    size_t held; /* the frame in .raw, or SIZE_MAX */
    struct str raw;
};

static struct opened *ours(struct source_file *file) { return (struct opened *)file; }

RC reject_source_stat(struct str uri, struct source_stat *out) {
    struct reject_uri parsed;
    TRY(reject_uri_parse(uri, &parsed));
    uint64_t hash = hash_bytes(parsed.key), other = hash_bytes(str_sub(parsed.key, 1, parsed.key.len));
    *out = (struct source_stat){.inode = hash,
                                .birth_ns = (int64_t)(other >> 1 | 1), /* not 0: there is a time */
                                .size = parsed.bytes,
                                .links = 1,
                                .fixed = true};
    return RC_OK;
}

/* ---- the object ---- */

static RC find_listed(const struct rejects_source *s, struct opened *f, struct str *out_format, struct why *why) {
    AUTO(buf_done) struct buf name = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MANIFEST_BYTES_MAX);
    struct manifest m;
    TRY(name_manifest(s->queue, s->generation, f->uri.partition, f->uri.index, &name));
    TRY(store_get(s->store, buf_str(&name), 0, MANIFEST_BYTES_MAX, &bytes, why));
    if (manifest_decode(buf_str(&bytes), &f->arena, &m, why) != RC_OK) return RC_BROKEN;
    for (size_t i = 0; i < m.objects_len; i++) {
        if (!m.objects[i].rejects || !str_equal(m.objects[i].key, f->uri.key)) continue;
        f->listed = m.objects[i];
        *out_format = m.settings.format;
        return f->listed.raw_bytes == f->uri.bytes ? RC_OK : why_set(why, RC_STALE, "it has another size");
    }
    return why_set(why, RC_ABSENT, "its manifest does not list it");
}

static void note_frame(struct opened *f, uint64_t raw, uint64_t member) {
    alloc_grow(&f->frames, &f->frames_room, f->frames_len + 1, sizeof *f->frames);
    f->frames[f->frames_len++] = (struct frame_at){raw, member};
}

static RC index_frames(struct opened *f, struct why *why) {
    uint64_t raw = 0;
    struct str bytes;
    for (size_t i = 0; stored_more(&f->stored); i++) {
        const struct footer_block *head = stored_head(&f->stored);
        note_frame(f, raw, f->stored.at);
        if (head) {
            raw += head->raw_bytes;
            stored_skip(&f->stored);
        } else {
            TRY(stored_next(&f->stored, &bytes, why));
            raw += bytes.len;
        }
    }
    note_frame(f, raw, f->stored.at);
    return raw == f->uri.bytes ? RC_OK : why_set(why, RC_BROKEN, "its frames have another size");
}

static RC load(const struct rejects_source *s, struct opened *f, struct why *why) {
    struct str format = STR("");
    if (f->loaded) return RC_OK;
    arena_reset(&f->arena);
    f->frames_len = 0;
    f->held = SIZE_MAX;
    TRY(find_listed(s, f, &format, why));
    TRY(stored_open(&f->stored, s->store, &f->listed, format, why));
    TRY(index_frames(f, why));
    f->loaded = true;
    return RC_OK;
}

static size_t frame_of(const struct opened *f, uint64_t at) {
    size_t low = 0, high = f->frames_len - 1;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (f->frames[middle].raw <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static RC hold(struct opened *f, size_t frame, struct why *why) {
    if (f->held == frame) return RC_OK;
    f->held = SIZE_MAX;
    f->stored.next = frame;
    f->stored.at = f->frames[frame].member;
    TRY(stored_next(&f->stored, &f->raw, why));
    f->held = frame;
    return RC_OK;
}

/* ---- the port ---- */

static enum rc op_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                       void *context, struct why *why) {
    struct rejects_source *s = self;
    if (pattern->paths_len && !reject_uri_is(pattern->paths[0]))
        return source_list(s->inner, pattern, visit, problem, context, why);
    for (size_t i = 0; i < pattern->paths_len; i++) {
        struct source_entry entry = {.uri = pattern->paths[i]};
        TRY(reject_source_stat(entry.uri, &entry.stat));
        TRY(visit(context, &entry));
    }
    return RC_OK;
}

static enum rc op_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                       struct why *why) {
    struct rejects_source *s = self;
    struct source_stat stat = {0};
    struct source_file *inner = NULL;
    bool is_ours = reject_uri_is(uri);
    if (!is_ours)
        TRY(source_open(s->inner, uri, expected, &inner, why));
    else if (reject_source_stat(uri, &stat) != RC_OK)
        return why_set(why, RC_BAD, "%.*s names no object of rejects", STR_ARG(uri));
    else if (expected && !source_same(expected, &stat))
        return why_set(why, RC_STALE, "%.*s is another object", STR_ARG(uri));
    struct opened *f = ALLOC(struct opened);
    *f = (struct opened){.inner = inner, .stat = stat, .stored = STORED_INIT};
    if (is_ours) {
        f->text = alloc_text(uri.at, uri.len);
        enum rc rc = reject_uri_parse((struct str){f->text, uri.len}, &f->uri);
        if (rc != RC_OK) { /* it was parsed before */
            free(f->text);
            free(f);
            return rc;
        }
    }
    *out = (struct source_file *)f;
    return RC_OK;
}

static enum rc op_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    struct rejects_source *s = self;
    if (ours(file)->inner) return source_stat(s->inner, ours(file)->inner, out, why);
    *out = ours(file)->stat;
    return RC_OK;
}

static enum rc op_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                       struct why *why) {
    struct rejects_source *s = self;
    struct opened *f = ours(file);
    if (f->inner) return source_read(s->inner, f->inner, from, out, len, out_len, why);
    size_t done = 0;
    enum rc rc = from < f->uri.bytes && len ? load(s, f, why) : RC_OK;
    while (rc == RC_OK && done < len && from + done < f->uri.bytes) {
        size_t frame = frame_of(f, from + done);
        rc = hold(f, frame, why);
        if (rc != RC_OK) break;
        size_t at = (size_t)(from + done - f->frames[frame].raw), more = MIN(len - done, f->raw.len - at);
        memcpy((char *)out + done, f->raw.at + at, more);
        done += more;
    }
    if (rc != RC_OK) return why_wrap(why, rc, "%s", f->text);
    *out_len = done;
    return RC_OK;
}

static void op_close(void *self, struct source_file *file) {
    struct rejects_source *s = self;
    struct opened *f = ours(file);
    source_close(s->inner, f->inner);
    stored_done(&f->stored);
    arena_done(&f->arena);
    free(f->frames);
    free(f->text);
    free(f);
}

static enum rc op_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    return source_watch(((struct rejects_source *)self)->inner, pattern, why);
}

static enum rc op_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    return source_wait(((struct rejects_source *)self)->inner, wait_ms, out_changed, why);
}

static void op_wake(void *self) { source_wake(((struct rejects_source *)self)->inner); }

static enum rc op_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    return source_remove(((struct rejects_source *)self)->inner, uri, expected, why);
}

static enum rc op_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                       struct why *why) {
    return source_move(((struct rejects_source *)self)->inner, uri, expected, to_directory, why);
}

static enum rc op_mark(void *self, struct str uri, const struct source_stat *expected, struct str key, struct str value,
                       struct why *why) {
    return source_mark(((struct rejects_source *)self)->inner, uri, expected, key, value, why);
}

static void op_free(void *self) {
    struct rejects_source *s = self;
    source_free(s->inner);
    free(s);
}

static const struct source_ops ops = {.list = op_list,
                                      .open = op_open,
                                      .stat = op_stat,
                                      .read = op_read,
                                      .close = op_close,
                                      .watch = op_watch,
                                      .wait = op_wait,
                                      .wake = op_wake,
                                      .remove = op_remove,
                                      .move = op_move,
                                      .mark = op_mark,
                                      .free = op_free};

struct source reject_source_around(struct source inner, struct store store, struct id queue, uint64_t generation) {
    struct rejects_source *s = ALLOC(struct rejects_source);
    *s = (struct rejects_source){inner, store, queue, generation};
    return (struct source){&ops, s};
}
