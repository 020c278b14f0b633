/* SPDX-License-Identifier: Apache-2.0 */
#include "listed.h"

#include "alloc.h"
#include "attempt.h"
#include "names.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

void listed_init(struct listed *listed, size_t max, uint64_t low) {
    *listed = (struct listed){.max = max, .low = low, .high = UINT64_MAX};
}

void listed_done(struct listed *listed) {
    free(listed->hashes);
    free(listed->chains);
    listed_init(listed, listed->max, 0);
}

/* ---- hashes ---- */

static int order(const void *one, const void *two) {
    const uint64_t *a = one, *b = two;
    return (*a > *b) - (*a < *b);
}

/* Halves the window until it holds no more than max. */
static void fit(struct listed *l) {
    if (l->sorted < l->len) qsort(l->hashes, l->len, sizeof *l->hashes, order);
    while (l->len > l->max && l->high > l->low) {
        l->high = l->low + (l->high - l->low) / 2;
        while (l->len && l->hashes[l->len - 1] > l->high) l->len--;
    }
    l->sorted = l->len;
}

static void add_hash(struct listed *l, uint64_t hash) {
    if (hash < l->low || hash > l->high) return;
    alloc_grow(&l->hashes, &l->room, l->len + 1, sizeof *l->hashes);
    l->hashes[l->len++] = hash;
    if (l->len >= 2 * l->max) fit(l);
}

/* ---- chains ---- */

static struct listed_chain *find_chain(const struct listed *l, uint32_t partition) {
    for (size_t i = 0; i < l->chains_len; i++)
        if (l->chains[i].partition == partition) return &l->chains[i];
    return NULL;
}

static struct listed_chain *chain_of(struct listed *l, uint32_t partition) {
    struct listed_chain *chain = find_chain(l, partition);
    if (chain) return chain;
    alloc_grow(&l->chains, &l->chains_room, l->chains_len + 1, sizeof *l->chains);
    l->chains[l->chains_len] = (struct listed_chain){.partition = partition};
    return &l->chains[l->chains_len++];
}

/* Indices that have no manifest in between are barriers, which hold nothing; or something is wrong, and then the next
 * manifest does not begin where this one ended. */
static void follow(struct listed_chain *chain, const struct manifest *m) {
    chain->next = m->index + 1;
    chain->hole |= m->start != chain->end;
    if (!chain->hole) chain->end = m->end;
}

/* ---- manifests ---- */

static void add_object(struct listed_figures *f, const struct manifest_object *o) {
    upkeep_tally_add(o->rejects ? &f->rejects : &f->objects, o->bytes);
    if (o->rejects) {
        f->reject_lines += o->records;
        return;
    }
    f->records += o->records;
    if (!o->has_time) return;
    f->time_min_ns = f->has_time ? MIN(f->time_min_ns, o->time_min_ns) : o->time_min_ns;
    f->time_max_ns = f->has_time ? MAX(f->time_max_ns, o->time_max_ns) : o->time_max_ns;
    f->has_time = true;
}

struct reading {
    struct listed *listed;
    const struct upkeep *upkeep;
    uint64_t generation;
    struct arena arena;
    struct buf bytes;
    struct why *why;
};

static void reading_done(struct reading *r) {
    arena_done(&r->arena);
    buf_done(&r->bytes);
}

static RC read_one(struct reading *r, struct str key, struct manifest *out) {
    arena_reset(&r->arena);
    buf_reset(&r->bytes);
    TRY(store_get(r->upkeep->store, key, 0, MANIFEST_BYTES_MAX, &r->bytes, r->why));
    return manifest_decode(buf_str(&r->bytes), &r->arena, out, r->why) == RC_OK ? RC_OK : RC_BROKEN;
}

static enum rc see(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    struct reading *r = context;
    struct id queue;
    uint64_t generation = 0, index = 0;
    uint32_t partition = 0;
    struct manifest m;
    if (name_manifest_parse(key, &queue, &generation, &partition, &index) != RC_OK) return RC_OK;
    struct listed_chain *chain = chain_of(r->listed, partition);
    if (index < chain->next) return RC_OK;
    enum rc rc = read_one(r, key, &m);
    if (rc == RC_OK && (!id_equal(m.queue, r->upkeep->queue) || m.generation != r->generation ||
                        m.partition != partition || m.index != index))
        rc = why_set(r->why, RC_BROKEN, "it is a manifest of another place");
    if (rc != RC_OK) return why_wrap(r->why, rc, "%.*s", STR_ARG(key));
    follow(chain, &m);
    r->listed->figures.batches++;
    for (size_t i = 0; i < m.objects_len; i++) {
        add_object(&r->listed->figures, &m.objects[i]);
        add_hash(r->listed, hash_bytes(m.objects[i].key));
    }
    return RC_OK;
}

RC listed_read(struct listed *l, const struct upkeep *upkeep, uint64_t generation, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    AUTO(reading_done)
    struct reading r = {l, upkeep, generation, ARENA_INIT, BUF_INIT(MANIFEST_BYTES_MAX), why};
    TRY(name_manifests_prefix(upkeep->queue, generation, &prefix));
    TRY(store_list(upkeep->store, buf_str(&prefix), STR(""), see, &r, why));
    fit(l);
    return RC_OK;
}

enum listed_answer listed_ask(const struct listed *l, struct str key, uint32_t partition, uint64_t start) {
    uint64_t hash = hash_bytes(key);
    if (hash < l->low || hash > l->high) return LISTED_OUTSIDE;
    if (l->len && bsearch(&hash, l->hashes, l->len, sizeof hash, order)) return LISTED_YES;
    const struct listed_chain *chain = find_chain(l, partition);
    return chain && start < chain->end ? LISTED_ORPHAN : LISTED_PROGRESS;
}
