/* SPDX-License-Identifier: Apache-2.0 */
/* receipts: per file and closed end, once all its lines are durable: what came of them and in which objects. The ledger
 * says whose time has come and in which batches a file's blocks are; the batches' manifests say in which objects. */
#include "receipt.h"

#include "alloc.h"
#include "emitter_inner.h"
#include "log.h"
#include "metric.h"
#include "names.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Manifests kept as an index: files of one batch come due together, but the batches of all partitions take turns. A
     * manifest is megabytes of JSON, so one that is read again for every other receipt would cost more than all else.
     */
    BATCHES_KEPT = 64,
    BATCHES_PARTS_MAX = 512 * 1024, /* of all that are kept: 16 MiB */
    RECEIPTS_A_STEP = 1024,         /* one call to the store, one to the ledger */
    RECEIPTS_BYTES = 4 * 1024 * 1024
};

/* What one object holds of one file. */
struct held_part {
    struct id file;
    uint32_t object;
    uint64_t records;
};

/* A manifest, reduced to what receipts need: parts sorted by file. */
struct batch_index {
    bool used;
    struct ledger_batch batch;
    uint64_t last_use;
    struct arena arena;
    struct receipt_object *objects;
    struct held_part *parts;
    size_t parts_len;
};

struct emitter_batches {
    struct batch_index at[BATCHES_KEPT];
    uint64_t uses;
    size_t parts; /* of all */
};

void emitter_batches_free(struct emitter_batches *batches) {
    if (!batches) return;
    for (size_t i = 0; i < BATCHES_KEPT; i++) {
        arena_done(&batches->at[i].arena);
        free(batches->at[i].parts);
    }
    free(batches);
}

static int by_file(const void *a, const void *b) {
    const struct held_part *x = a, *y = b;
    int order = id_compare(x->file, y->file);
    return order ? order : (x->object > y->object) - (x->object < y->object);
}

static void index_manifest(struct batch_index *index, const struct manifest *m) {
    size_t room = 0;
    index->parts_len = 0;
    index->objects = ARENA_ARRAY(&index->arena, struct receipt_object, m->objects_len);
    for (size_t i = 0; i < m->objects_len; i++) {
        const struct manifest_object *o = &m->objects[i];
        index->objects[i] = (struct receipt_object){.key = arena_str(&index->arena, o->key), .rejects = o->rejects};
        alloc_grow(&index->parts, &room, index->parts_len + o->parts_len, sizeof *index->parts);
        for (size_t k = 0; k < o->parts_len; k++)
            index->parts[index->parts_len++] = (struct held_part){o->parts[k].file, (uint32_t)i, o->parts[k].records};
    }
    if (index->parts_len) qsort(index->parts, index->parts_len, sizeof *index->parts, by_file);
}

static void drop(struct emitter_batches *batches, struct batch_index *index) {
    batches->parts -= index->parts_len;
    arena_done(&index->arena);
    free(index->parts);
    *index = (struct batch_index){.used = false};
}

static struct batch_index *oldest(struct emitter_batches *batches) {
    struct batch_index *found = NULL;
    for (size_t i = 0; i < BATCHES_KEPT; i++) {
        struct batch_index *b = &batches->at[i];
        if (b->used && (!found || b->last_use < found->last_use)) found = b;
    }
    return found;
}

/* An unused place; the batches that were not asked for longest make room. */
static struct batch_index *place(struct emitter_batches *batches) {
    while (batches->parts > BATCHES_PARTS_MAX) drop(batches, oldest(batches));
    for (size_t i = 0; i < BATCHES_KEPT; i++)
        if (!batches->at[i].used) return &batches->at[i];
    struct batch_index *found = oldest(batches);
    drop(batches, found);
    return found;
}

static RC batch_load(struct emitter *e, struct ledger_batch batch, struct batch_index *out, struct why *why) {
    struct ledger_identity who;
    enum rc known = ledger_identity(e->ports.ledger, &who, why);
    if (known != RC_OK) return known == RC_ABSENT ? RC_STALE : known; /* a server that was emptied meanwhile */
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MANIFEST_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    TRY(name_manifest(who.queue, e->ports.ledger.at.generation, batch.partition, batch.index, &key));
    enum rc rc = store_get(e->ports.store, buf_str(&key), 0, MANIFEST_BYTES_MAX, &bytes, why);
    if (rc == RC_ABSENT) rc = RC_BROKEN; /* the ledger says that this batch is durable */
    if (rc != RC_OK) return why_wrap(why, rc, "manifest %s", buf_text(&key));
    struct manifest manifest;
    rc = manifest_decode(buf_str(&bytes), &arena, &manifest, why);
    if (rc != RC_OK) return why_wrap(why, RC_BROKEN, "manifest %s", buf_text(&key));
    index_manifest(out, &manifest);
    out->batch = batch;
    out->used = true;
    return RC_OK;
}

static RC batch_get(struct emitter *e, struct ledger_batch batch, struct batch_index **out, struct why *why) {
    if (!e->batches) e->batches = ALLOC(struct emitter_batches);
    struct batch_index *found = NULL;
    for (size_t i = 0; i < BATCHES_KEPT && !found; i++) {
        struct batch_index *b = &e->batches->at[i];
        if (b->used && b->batch.partition == batch.partition && b->batch.index == batch.index) found = b;
    }
    if (!found) {
        found = place(e->batches);
        TRY(batch_load(e, batch, found, why));
        e->batches->parts += found->parts_len;
    }
    found->last_use = ++e->batches->uses;
    *out = found;
    return RC_OK;
}

static size_t first_part(const struct batch_index *b, struct id file) {
    size_t low = 0, high = b->parts_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (id_compare(b->parts[middle].file, file) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds the objects of one batch that hold records of the file. */
static void add_objects(struct emitter *e, const struct batch_index *b, struct receipt *r, size_t *room) {
    for (size_t i = first_part(b, r->file); i < b->parts_len && id_equal(b->parts[i].file, r->file); i++) {
        const struct receipt_object *from = &b->objects[b->parts[i].object];
        struct receipt_object *last = r->objects_len ? &r->objects[r->objects_len - 1] : NULL;
        if (last && str_equal(last->key, from->key)) {
            last->records += b->parts[i].records;
            continue;
        }
        alloc_grow(&r->objects, room, r->objects_len + 1, sizeof *r->objects);
        r->objects[r->objects_len++] =
            (struct receipt_object){arena_str(&e->arena, from->key), from->rejects, b->parts[i].records};
    }
}

static RC collect(struct emitter *e, const struct ledger_due *due, struct receipt *r, struct why *why) {
    size_t room = 0;
    for (size_t i = 0; i < due->batches_len; i++) {
        struct batch_index *b = NULL;
        TRY(batch_get(e, due->batches[i], &b, why));
        add_objects(e, b, r, &room);
    }
    return RC_OK;
}

/* The receipt as an object, its texts in the step's arena. */
static RC encode(struct emitter *e, const struct receipt *receipt, struct store_item *out) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(RECEIPT_BYTES_MAX);
    TRY(name_receipt(receipt->generation, receipt->file, receipt->end, &key));
    TRY(receipt_encode(receipt, &bytes));
    *out = (struct store_item){arena_str(&e->arena, buf_str(&key)), arena_str(&e->arena, buf_str(&bytes))};
    return RC_OK;
}

static RC make_one(struct emitter *e, const struct ledger_due *due, struct store_item *out, struct why *why) {
    struct receipt receipt = {.file = due->file,
                              .facts = due->facts,
                              .generation = e->ports.ledger.at.generation,
                              .end = due->end,
                              .counts = due->counts,
                              .stripes = due->stripes,
                              .written_ns = e->wall_ns};
    enum rc rc = counts_hold(&due->counts)
                     ? collect(e, due, &receipt, why)
                     : why_set(why, RC_BROKEN, "the ledger's counts of %.*s do not add up", STR_ARG(due->facts.uri));
    if (rc == RC_OK) rc = encode(e, &receipt, out);
    free(receipt.objects);
    return rc == RC_OK ? RC_OK : why_wrap(why, rc, "receipt of %.*s", STR_ARG(due->facts.uri));
}

static RC act_after(struct emitter *e, const struct catalog_entry *entry, const struct source_stat *expected,
                    struct why *why) {
    const struct emitter_source *source = emitter_source_of(e, entry);
    struct str uri = emitter_uri(e, entry);
    switch (source->after) {
    case EMITTER_KEEP: return RC_OK;
    case EMITTER_DELETE: return source_remove(e->ports.source, uri, expected, why);
    case EMITTER_MOVE: return source_move(e->ports.source, uri, expected, source->move_to, why);
    case EMITTER_TAG: return source_mark(e->ports.source, uri, expected, source->tag_key, source->tag_value, why);
    }
    return RC_OK;
}

void emitter_after_durable(struct emitter *e, struct catalog_entry *entry) {
    const struct emitter_source *source = emitter_source_of(e, entry);
    bool ended = entry->rotated || e->settings.once;
    if (source->after == EMITTER_KEEP || entry->after_done || !ended || entry->size != entry->closed_end) return;
    struct source_stat expected = catalog_stat(entry);
    struct why why = {0};
    enum rc rc = act_after(e, entry, &expected, &why);
    entry->after_done =
        true; /* it was tried; a change that was in the way makes it another end, with another receipt */
    if (rc == RC_OK)
        LOG_INFO(source->after == EMITTER_DELETE ? "input deleted"
                 : source->after == EMITTER_MOVE ? "input moved"
                                                 : "input tagged",
                 F_STR("file", emitter_uri(e, entry)));
    else
        LOG_WARN("input kept", F_STR("file", emitter_uri(e, entry)), F_STR("error", str_of(why.text)));
}

void emitter_receipted(struct emitter *e, struct catalog_entry *entry) {
    entry->receipt_put = false;
    entry->receipted = true;
    emitter_after_durable(e, entry);
}

/* Receipts that were told, and nobody knows whether the answer was lost or the call: told again, which does no harm. */
static RC tell_again(struct emitter *e, struct why *why) {
    struct ledger_close told[EMITTER_BATCH];
    struct catalog_entry *entries[EMITTER_BATCH];
    size_t n = 0;
    for (size_t i = 0; i < e->catalog.len && n < EMITTER_BATCH; i++) {
        struct catalog_entry *entry = &e->catalog.entries[i];
        if (entry->state == CATALOG_FREE || !entry->receipt_put) continue;
        told[n] = (struct ledger_close){.file = entry->id, .end = entry->closed_end};
        entries[n++] = entry;
    }
    if (n) TRY(ledger_receipted(e->ports.ledger, told, n, why));
    for (size_t i = 0; i < n; i++) emitter_receipted(e, entries[i]);
    e->receipts_unsure = n == EMITTER_BATCH;
    return RC_OK;
}

static void note_receipt(struct emitter *e, struct catalog_entry *entry, const struct ledger_due *due, enum rc rc) {
    if (!entry || !id_equal(entry->id, due->file) || !entry->closed || entry->closed_end != due->end) return;
    entry->receipt_put = true;
    if (rc == RC_OK)
        emitter_receipted(e, entry);
    else
        e->receipts_unsure = true;
}

/* `rc` is what the ledger said to the receipt. */
static void settle_entry(struct emitter *e, const struct ledger_due *due, enum rc rc) {
    struct source_stat stat = {.inode = due->facts.inode, .birth_ns = due->facts.birth_ns, .volume = due->facts.volume};
    for (size_t i = 0; i < e->settings.sources_len; i++) {
        if (!str_equal(e->settings.sources[i].name, due->facts.source)) continue;
        note_receipt(e, catalog_find(&e->catalog, (uint16_t)i, &stat), due, rc);
    }
    for (size_t i = 0; e->adopted && i < e->catalog.len; i++) {
        struct catalog_entry *entry = &e->catalog.entries[i];
        if (entry->state != CATALOG_FREE && entry->adopted) note_receipt(e, entry, due, rc);
    }
}

/* Receipts of the first of `due`, as many as fit. */
static RC make_some(struct emitter *e, const struct ledger_due *due, size_t *n, struct store_item *out,
                    struct why *why) {
    size_t bytes = 0, made = 0;
    while (made < *n && bytes < RECEIPTS_BYTES) {
        TRY(make_one(e, &due[made], &out[made], why));
        bytes += out[made++].bytes.len;
    }
    *n = made;
    return RC_OK;
}

/* What is told is what is in the store: a receipt that was put before has the time of then in it. */
static RC read_put(struct emitter *e, struct store_item *item, struct why *why) {
    if (!e->ports.notify.ops) return RC_OK;
    AUTO(buf_done) struct buf bytes = BUF_INIT(RECEIPT_BYTES_MAX);
    TRY(store_get(e->ports.store, item->key, 0, RECEIPT_BYTES_MAX, &bytes, why));
    item->bytes = arena_str(&e->arena, buf_str(&bytes));
    return RC_OK;
}

/* Those that are in the store, to the front of `due` and `items`; *n is how many. Stale: it was put before, but the
 * ledger did not hear of it. */
static RC keep_put(struct emitter *e, struct ledger_due *due, struct store_item *items, const enum rc *rcs, size_t *n,
                   struct why *why) {
    size_t len = 0;
    for (size_t i = 0; i < *n; i++) {
        if (rcs[i] != RC_OK && rcs[i] != RC_STALE) continue;
        if (rcs[i] == RC_STALE) TRY(read_put(e, &items[i], why));
        due[len] = due[i];
        items[len++] = items[i];
    }
    *n = len;
    return RC_OK;
}

/* Whoever wants to hear of receipts hears before the ledger, so that none is forgotten. Where nobody listens the
 * receipts come due again; everything else goes on meanwhile. */
static size_t notify_of(struct emitter *e, const struct store_item *items, size_t n) {
    struct notify_item *told = ARENA_ARRAY(&e->arena, struct notify_item, n);
    for (size_t i = 0; i < n; i++) told[i] = (struct notify_item){items[i].key, items[i].bytes};
    size_t sent = 0;
    struct why why = {0};
    enum rc rc = notify_send(e->ports.notify, told, n, &sent, &why);
    if (rc == RC_OK) {
        backoff_reset(&e->notify_backoff);
        return sent;
    }
    e->notify_again_ms = e->now_ms + backoff_next_ms(&e->notify_backoff);
    LOG_WARN("a receipt cannot be told; trying again", F_U64("receipts", n - sent), F_STR("error", str_of(why.text)));
    return sent;
}

/* Tells the ledger. */
static RC tell(struct emitter *e, const struct ledger_due *due, size_t n, struct why *why) {
    if (!n) return RC_OK;
    struct ledger_close *told = ARENA_ARRAY(&e->arena, struct ledger_close, n);
    for (size_t i = 0; i < n; i++) told[i] = (struct ledger_close){.file = due[i].file, .end = due[i].end};
    enum rc rc = ledger_receipted(e->ports.ledger, told, n, why);
    for (size_t i = 0; i < n; i++) settle_entry(e, &due[i], rc);
    if (rc != RC_OK) return rc;
    metric_add(METRIC_RECEIPTS, n);
    return RC_OK;
}

RC emitter_receipts(struct emitter *e, size_t *out_n, struct why *why) {
    struct ledger_due *due = NULL;
    size_t n = 0;
    *out_n = 0;
    if (e->receipts_unsure) {
        *out_n = 1; /* something was done: no waiting */
        return tell_again(e, why);
    }
    TRY(ledger_due(e->ports.ledger, RECEIPTS_A_STEP, &e->arena, &due, &n, why));
    if (!n) return RC_OK;
    struct store_item *items = ARENA_ARRAY(&e->arena, struct store_item, n);
    enum rc *rcs = ARENA_ARRAY(&e->arena, enum rc, n);
    TRY(make_some(e, due, &n, items, why));
    struct why failed = {0};
    enum rc rc = store_put_absent_many(e->ports.store, items, n, rcs, &failed);
    TRY(keep_put(e, due, items, rcs, &n, why));
    n = notify_of(e, items, n);
    TRY(tell(e, due, n, why));
    *out_n = n;
    if (rc != RC_OK && why) *why = failed;
    return rc == RC_OK ? RC_OK : why_wrap(why, rc, "receipts");
}
