/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include "alloc.h"
#include "must.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "tombstone.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct writing {
    struct store store;
    struct ledger ledger;
    const struct snapshot_settings *settings;
    struct str name;
    struct saved_index index;
    size_t room;
};

/* ---- counters ---- */

static RC is_removed(const struct writing *w, uint64_t generation, bool *out, struct why *why) {
    int64_t when = 0;
    return tombstone_look(w->store, w->settings->queue, generation, out, &when, why);
}

static RC read_counters(struct writing *w, struct why *why) {
    struct ledger ledger = w->ledger;
    for (uint64_t g = 1; g <= w->ledger.at.generation; g++) {
        bool removed = false;
        TRY(is_removed(w, g, &removed, why));
        ledger.at.generation = g;
        for (uint32_t k = 0; !removed && k < w->settings->partitions; k++) {
            uint64_t next = 0;
            TRY(ledger_durable_next(ledger, k, &next, why));
            alloc_grow(&w->index.counters, &w->room, w->index.counters_len + 1, sizeof *w->index.counters);
            w->index.counters[w->index.counters_len++] = (struct saved_counter){g, k, next, next};
        }
    }
    return RC_OK;
}

static RC read_counters_again(struct writing *w, struct why *why) {
    struct ledger ledger = w->ledger;
    for (size_t i = 0; i < w->index.counters_len; i++) {
        struct saved_counter *c = &w->index.counters[i];
        ledger.at.generation = c->generation;
        TRY(ledger_durable_next(ledger, c->partition, &c->until, why));
    }
    return RC_OK;
}

/* ---- pages ---- */

static RC put_page(struct writing *w, const struct saved_page *page, struct saved_place *place, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SAVED_BYTES_MAX);
    size_t most = w->settings->page_bytes ? w->settings->page_bytes : SAVED_PAGE_BYTES;
    struct str uri = page->files[place->file].facts.uri;
    TRY(name_snapshot_page(w->name, w->index.pages, &key));
    if (saved_page_encode(page, most, place, &bytes) != RC_OK)
        return why_set(why, RC_LIMIT, "one stripe, or the ends of %.*s, are too much for a page", STR_ARG(uri));
    TRY(store_put(w->store, buf_str(&key), buf_str(&bytes), why));
    w->index.pages++;
    return RC_OK;
}

static RC put_pages(struct writing *w, const struct saved_page *page, struct why *why) {
    struct saved_place place = {0};
    while (place.file < page->files_len) TRY(put_page(w, page, &place, why));
    return RC_OK;
}

/* Earlier generations have a part in few files of a later day; the last one names all. */
static size_t keep_needed(struct saved_file *files, size_t n, bool all) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (all || files[i].stripes_len || files[i].receipted) files[kept++] = files[i];
    return kept;
}

static RC write_pages(struct writing *w, uint64_t generation, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger ledger = w->ledger;
    struct ledger_save_ask ask = {.files = SNAPSHOT_FILES, .stripes = SNAPSHOT_STRIPES};
    size_t n = 0;
    if (w->settings->page_files) ask.files = w->settings->page_files;
    ledger.at.generation = generation;
    do {
        struct saved_page page = {.queue = w->settings->queue, .generation = generation};
        arena_reset(&arena);
        TRY(ledger_save(ledger, ask, &arena, &page.files, &n, why));
        if (!n) break;
        ask.after = page.files[n - 1].id;
        page.files_len = keep_needed(page.files, n, generation == w->ledger.at.generation);
        w->index.files += page.files_len;
        TRY(put_pages(w, &page, why));
    } while (n);
    return RC_OK;
}

/* Claims are in seals only, so a generation that has some is recovered from its seals. All its pages ask that again: if
 * the last one found none, no winner in any page has one. */
static RC check_claims(const struct writing *w, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct saved_file *none = NULL;
    struct ledger ledger = w->ledger;
    size_t n = 0;
    for (size_t i = 0; i < w->index.counters_len; i++) {
        if (ledger.at.generation == w->index.counters[i].generation && i) continue;
        ledger.at.generation = w->index.counters[i].generation;
        TRY(ledger_save(ledger, (struct ledger_save_ask){0}, &arena, &none, &n, why));
    }
    return RC_OK;
}

static RC write_all(struct writing *w, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SAVED_BYTES_MAX);
    uint64_t last = 0;
    TRY(check_claims(w, why));
    for (size_t i = 0; i < w->index.counters_len; i++) {
        if (w->index.counters[i].generation == last) continue;
        last = w->index.counters[i].generation;
        TRY(write_pages(w, last, why));
    }
    TRY(read_counters_again(w, why));
    if (saved_index_encode(&w->index, &bytes) != RC_OK) return why_set(why, RC_LIMIT, "too many chains for a snapshot");
    buf_add(&key, w->name);
    buf_add(&key, NAME_SNAPSHOT_INDEX);
    return store_put_absent(w->store, buf_str(&key), buf_str(&bytes), why);
}

/* ---- which there are ---- */

struct listing {
    struct arena *arena;
    struct str newest[SNAPSHOTS_KEPT]; /* complete ones, the newest first */
    struct str *doomed;                /* keys of what is older than those */
    size_t doomed_len, room;
    bool collect;
};

static bool str_less(struct str a, struct str b) {
    int order = memcmp(a.at, b.at, MIN(a.len, b.len));
    return order < 0 || (order == 0 && a.len < b.len);
}

/* Names are told in ascending order, so the last ones are the newest. */
static enum rc visit(void *context, struct str key, uint64_t bytes) {
    struct listing *l = context;
    (void)bytes;
    if (l->collect) {
        struct str oldest = l->newest[SNAPSHOTS_KEPT - 1];
        if (!oldest.len || !str_less(str_sub(key, 0, oldest.len), oldest)) return RC_OK;
        alloc_grow(&l->doomed, &l->room, l->doomed_len + 1, sizeof *l->doomed);
        l->doomed[l->doomed_len++] = arena_str(l->arena, key);
        return RC_OK;
    }
    if (!str_ends(key, NAME_SNAPSHOT_INDEX)) return RC_OK;
    for (size_t i = SNAPSHOTS_KEPT - 1; i > 0; i--) l->newest[i] = l->newest[i - 1];
    l->newest[0] = arena_str(l->arena, str_sub(key, 0, key.len - NAME_SNAPSHOT_INDEX.len));
    return RC_OK;
}

/* An index goes before its pages: a snapshot is whole or none. */
static RC prune(struct store store, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct listing l = {.arena = &arena};
    TRY(store_list(store, NAME_SNAPSHOTS, STR(""), visit, &l, why));
    l.collect = true;
    TRY(store_list(store, NAME_SNAPSHOTS, STR(""), visit, &l, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l.doomed_len && rc == RC_OK; i++) /* "index" is told before "p00000000" */
        rc = store_remove(store, l.doomed[i], why);
    free(l.doomed);
    return rc;
}

RC snapshot_write(struct store store, struct ledger ledger, const struct snapshot_settings *settings, struct rng *rng,
                  uint64_t *out_files, struct why *why) {
    AUTO(buf_done) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct writing w = {.store = store, .ledger = ledger, .settings = settings};
    enum rc rc = read_counters(&w, why);
    uint64_t sum = 0;
    for (size_t i = 0; i < w.index.counters_len; i++) sum += w.index.counters[i].next;
    if (rc == RC_OK) rc = name_snapshot(ledger.at.epoch, sum, id_make(rng), &name);
    w.name = buf_str(&name);
    w.index.queue = settings->queue;
    if (rc == RC_OK && sum) rc = write_all(&w, why); /* before the first batch there is nothing to save */
    if (rc == RC_OK && sum) rc = prune(store, why);
    free(w.index.counters);
    if (rc == RC_OK) *out_files = w.index.files;
    return rc; /* RC_ABSENT: see check_claims() */
}

/* ---- loading ---- */

static RC foreign(struct str name, struct why *why) {
    return why_set(why, RC_BROKEN, "%.*s is of another queue", STR_ARG(name));
}

RC snapshot_find(struct store store, struct id queue, struct arena *arena, struct snapshot *out, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SAVED_BYTES_MAX);
    struct listing l = {.arena = arena};
    struct snapshot found;
    TRY(store_list(store, NAME_SNAPSHOTS, STR(""), visit, &l, why));
    if (!l.newest[0].len) return why_set(why, RC_ABSENT, "there is no snapshot of the ledger");
    found.name = l.newest[0];
    buf_add(&key, found.name);
    buf_add(&key, NAME_SNAPSHOT_INDEX);
    enum rc rc = store_get(store, buf_str(&key), 0, SAVED_BYTES_MAX, &bytes, why);
    if (rc == RC_ABSENT) rc = RC_STALE;
    if (rc == RC_OK) rc = saved_index_decode(buf_str(&bytes), arena, &found.index, why);
    if (rc != RC_OK) return why_wrap(why, rc == RC_BAD ? RC_BROKEN : rc, "%.*s", STR_ARG(buf_str(&key)));
    if (!id_equal(found.index.queue, queue)) return foreign(found.name, why);
    *out = found;
    return RC_OK;
}

struct loading {
    struct store store;
    struct ledger ledger;
    struct id token;
    const struct snapshot *snapshot;
    pthread_mutex_t lock;
    uint64_t next; /* page */
    enum rc rc;
    struct why why; /* of the first that failed */
};

static RC load_page(const struct loading *l, struct str key, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger ledger = l->ledger;
    struct saved_page page;
    enum rc rc = store_get(l->store, key, 0, SAVED_BYTES_MAX, &bytes, why);
    if (rc == RC_ABSENT) rc = RC_STALE;
    if (rc == RC_OK) rc = saved_page_decode(buf_str(&bytes), &arena, &page, why);
    if (rc != RC_OK) return why_wrap(why, rc == RC_BAD ? RC_BROKEN : rc, "%.*s", STR_ARG(key));
    if (!id_equal(page.queue, l->snapshot->index.queue)) return foreign(key, why);
    ledger.at.generation = page.generation;
    return ledger_recover_files(ledger, l->token, page.files, page.files_len, why);
}

static bool next_page(struct loading *l, uint64_t *out) {
    LOCKED(&l->lock);
    if (l->rc != RC_OK || l->next == l->snapshot->index.pages) return false;
    *out = l->next++;
    return true;
}

static void failed(struct loading *l, enum rc rc, const struct why *why) {
    LOCKED(&l->lock);
    if (l->rc != RC_OK) return;
    l->rc = rc;
    l->why = *why;
}

static void *load_pages(void *context) {
    struct loading *l = context;
    uint64_t i = 0;
    while (next_page(l, &i)) {
        AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
        struct why why = {0};
        enum rc rc = name_snapshot_page(l->snapshot->name, i, &key);
        if (rc == RC_OK) rc = load_page(l, buf_str(&key), &why);
        if (rc != RC_OK) failed(l, rc, &why);
    }
    return NULL;
}

RC snapshot_load(struct store store, struct ledger ledger, struct id token, const struct snapshot *snapshot,
                 unsigned loaders, struct why *why) {
    struct loading l = {.store = store, .ledger = ledger, .token = token, .snapshot = snapshot};
    pthread_t threads[SNAPSHOT_LOADERS_MAX];
    unsigned n = 0;
    MUST(pthread_mutex_init(&l.lock, NULL) == 0);
    while (n + 1 < MIN(loaders, (unsigned)SNAPSHOT_LOADERS_MAX) && n + 1 < snapshot->index.pages &&
           pthread_create(&threads[n], NULL, load_pages, &l) == 0)
        n++; /* with fewer it takes longer */
    (void)load_pages(&l);
    for (unsigned i = 0; i < n; i++) MUST(pthread_join(threads[i], NULL) == 0);
    (void)pthread_mutex_destroy(&l.lock);
    if (l.rc != RC_OK) {
        if (why) *why = l.why;
        return l.rc;
    }
    return ledger_recover_counters(ledger, token, snapshot->index.counters, snapshot->index.counters_len, why);
}
