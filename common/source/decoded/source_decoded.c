/* SPDX-License-Identifier: Apache-2.0 */
#include "source_decoded.h"

#include "alloc.h"
#include "measure.h"
#include "must.h"
#include "own.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 2 << 20, /* of a text is decoded when somebody looks at the file: some 10 ms */
    HEAD_ONLY = 4096   /* who reads no more may be somewhere else altogether */
};

struct decoded;

struct view {
    struct view *next;
    struct decoded *owner;
    bool as_it_is; /* nothing is decoded */
    struct source_view settings;
    struct text_settings texts[DECODE_KINDS]; /* the same for each kind */
    uint64_t number;
};

struct decoded {
    struct source inner;
    struct text_pool *pool;
    struct measure *measure;
    struct view *views; /* the last one is the handle itself */
};

/* One that was opened. Of one that is not decoded only .inner is used. */
struct source_file {
    struct source_file *inner;
    const struct text_settings *settings; /* NULL: it is not decoded */
    struct text_key key;
    pthread_mutex_t lock; /* of .text */
    struct text *text;    /* NULL: nobody read it yet */
    size_t uri_len;
    char uri[];
};

static struct decoded *owner(void *self) {
    struct view *view = self;
    return view->owner;
}

static RC kind_of(const struct view *view, struct source_file *inner, enum decode_kind *out, struct why *why) {
    char head[DECODE_MAGIC_MAX];
    size_t len = 0;
    *out = view->settings.text.decode.kind;
    if (!view->settings.automatic) return RC_OK;
    TRY(source_read(view->owner->inner, inner, 0, head, sizeof head, &len, why));
    *out = decode_kind_of((struct str){head, len});
    return RC_OK;
}

/* Looking into an object of a bucket is a request: only where its name says that it is worth it. */
static bool is_left_alone(const struct view *view, const struct source_stat *stat, struct str uri) {
    bool guesses = view->settings.automatic && view->settings.text.decode.charset == CHARSET_UTF8;
    return stat->fixed && guesses && !decode_kind_is_named(uri);
}

static RC settings_of(const struct view *view, struct source_file *inner, struct source_file *file, struct why *why) {
    struct source_stat stat;
    enum decode_kind kind = DECODE_NONE;
    if (view->as_it_is) return RC_OK;
    TRY(source_stat(view->owner->inner, inner, &stat, why));
    if (is_left_alone(view, &stat, (struct str){file->uri, file->uri_len})) return RC_OK;
    TRY(kind_of(view, inner, &kind, why));
    bool decodes = kind != DECODE_NONE || view->settings.text.decode.charset != CHARSET_UTF8;
    file->settings = decodes ? &view->texts[kind] : NULL;
    file->key = (struct text_key){stat.inode, stat.birth_ns, stat.volume, view->number * DECODE_KINDS + kind};
    return RC_OK;
}

static struct source_file *wrap(struct source_file *inner, struct str uri) {
    struct source_file *file = alloc_zero(1, sizeof *file + uri.len + 1);
    file->inner = inner;
    (void)pthread_mutex_init(&file->lock, NULL);
    memcpy(file->uri, uri.at, uri.len);
    file->uri_len = uri.len;
    return file;
}

static void decoded_close(void *self, struct source_file *file) {
    struct decoded *d = owner(self);
    if (file->text) text_pool_give(d->pool, &file->key, TAKE(file->text));
    source_close(d->inner, file->inner);
    (void)pthread_mutex_destroy(&file->lock);
    free(file);
}

static enum rc decoded_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                            struct why *why) {
    struct view *view = self;
    struct source_file *inner = NULL;
    TRY(source_open(view->owner->inner, uri, expected, &inner, why));
    struct source_file *file = wrap(inner, uri);
    enum rc rc = settings_of(view, inner, file, why);
    if (rc == RC_OK)
        *out = file;
    else
        decoded_close(self, file);
    return rc;
}

/* The text at `from`, locked by the caller. */
static struct text *text_for(struct decoded *d, struct source_file *file, uint64_t from) {
    if (!file->text) file->text = text_pool_take(d->pool, &file->key, from);
    if (!file->text) file->text = text_new(file->settings);
    text_of(file->text, d->inner, file->inner);
    return file->text;
}

/* A file that is not what it was leaves nothing that could be used again. */
static enum rc unless_stale(struct source_file *file, enum rc rc) {
    if (rc == RC_STALE) text_free(TAKE(file->text));
    return rc;
}

/* Where the file begins is asked by everybody: a text that is far into the file goes on there afterwards. */
static RC read_head(struct decoded *d, struct source_file *file, char *out, size_t len, size_t *out_len,
                    struct why *why) {
    struct text *text = text_pool_take_head(d->pool, &file->key, len);
    if (!text) return RC_ABSENT;
    text_of(text, d->inner, file->inner);
    enum rc rc = text_read(text, 0, out, len, out_len, why);
    if (rc == RC_STALE)
        text_free(text);
    else
        text_pool_give(d->pool, &file->key, text);
    return rc;
}

static enum rc decoded_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                            struct why *why) {
    struct decoded *d = owner(self);
    if (!file->settings) return source_read(d->inner, file->inner, from, out, len, out_len, why);
    LOCKED(&file->lock);
    enum rc rc = RC_ABSENT;
    if (!file->text && !from && len <= HEAD_ONLY) rc = read_head(d, file, out, len, out_len, why);
    if (rc != RC_ABSENT) return rc;
    return unless_stale(file, text_read(text_for(d, file, from), from, out, len, out_len, why));
}

static enum rc decoded_stop(void *self, struct source_file *file, uint64_t at, struct source_stop *out,
                            struct why *why) {
    *out = (struct source_stop){.stopped = false};
    if (!file->settings) return RC_OK;
    LOCKED(&file->lock);
    return unless_stale(file, text_stop_at(text_for(owner(self), file, at), at, out, why));
}

/* Decodes what is not decoded yet, if that is little. */
static RC measure_now(struct decoded *d, struct source_file *file, const struct source_stat *stat, struct text_end *out,
                      struct why *why) {
    LOCKED(&file->lock);
    struct text *text = text_for(d, file, UINT64_MAX);
    enum rc rc = unless_stale(file, text_measure(text, stat->size, AT_ONCE, out, why));
    if (rc == RC_OK) text_pool_note(d->pool, &file->key, stat, out);
    if (file->text) text_pool_give(d->pool, &file->key, TAKE(file->text));
    return rc;
}

static enum rc decoded_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    TRY(source_stat(owner(self)->inner, file->inner, out, why));
    out->decoded = file->settings != NULL;
    out->packed = file->settings && file->settings->decode.kind != DECODE_NONE;
    return RC_OK;
}

static enum rc decoded_measure(void *self, struct source_file *file, struct source_stat *stat, struct why *why) {
    struct decoded *d = owner(self);
    struct text_end end = {0};
    if (!file->settings) return RC_OK;
    enum rc rc = RC_OK;
    if (!text_pool_find(d->pool, &file->key, stat, &end)) rc = measure_now(d, file, stat, &end, why);
    if (rc == RC_BUSY) {
        struct measure_job job = {file->key, file->settings, {file->uri, file->uri_len}, *stat};
        measure_ask(d->measure, &job);
        stat->pending = true;
        return RC_OK;
    }
    stat->end = end.at;
    stat->steady = end.steady;
    return rc;
}

static enum rc decoded_list(void *self, const struct source_pattern *pattern, source_visit visit,
                            source_problem problem, void *context, struct why *why) {
    return source_list(owner(self)->inner, pattern, visit, problem, context, why);
}

static enum rc decoded_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    return source_watch(owner(self)->inner, pattern, why);
}

static enum rc decoded_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    return source_wait(owner(self)->inner, wait_ms, out_changed, why);
}

static void decoded_wake(void *self) { source_wake(owner(self)->inner); }

static enum rc decoded_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    return source_remove(owner(self)->inner, uri, expected, why);
}

static enum rc decoded_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                            struct why *why) {
    return source_move(owner(self)->inner, uri, expected, to_directory, why);
}

static void decoded_free(void *self) {
    struct decoded *d = owner(self);
    measure_free(d->measure);
    text_pool_free(d->pool);
    source_free(d->inner);
    for (struct view *view = d->views, *next = NULL; view; view = next) {
        next = view->next;
        free(view);
    }
    free(d);
}

static enum rc decoded_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                            struct str value, struct why *why) {
    return source_mark(owner(self)->inner, uri, expected, key, value, why);
}

static const struct source_ops ops = {
    .list = decoded_list,
    .open = decoded_open,
    .stat = decoded_stat,
    .measure = decoded_measure,
    .read = decoded_read,
    .stop = decoded_stop,
    .close = decoded_close,
    .watch = decoded_watch,
    .wait = decoded_wait,
    .wake = decoded_wake,
    .remove = decoded_remove,
    .move = decoded_move,
    .mark = decoded_mark,
    .free = decoded_free,
};

static struct view *add_view(struct decoded *d) {
    struct view *view = ALLOC(struct view);
    *view = (struct view){.next = d->views, .owner = d, .number = d->views ? d->views->number + 1 : 0};
    d->views = view;
    return view;
}

struct source source_decoded_new(struct source inner, unsigned threads) {
    struct decoded *d = ALLOC(struct decoded);
    d->inner = inner;
    d->pool = text_pool_new();
    d->measure = measure_new(inner, d->pool, threads);
    struct view *view = add_view(d);
    view->as_it_is = true;
    return (struct source){&ops, view};
}

struct source source_decoded_view(struct source decoded, const struct source_view *settings) {
    MUST(decoded.ops == &ops);
    struct view *view = add_view(owner(decoded.self));
    view->settings = *settings;
    for (unsigned kind = 0; kind < DECODE_KINDS; kind++) {
        view->texts[kind] = settings->text;
        view->texts[kind].decode.kind = (enum decode_kind)kind;
    }
    return (struct source){&ops, view};
}
