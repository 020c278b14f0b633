/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a recovery: what was staged is united with what is there. */
#include "ledger_redis_staged.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FILES_A_SCRIPT = 128 };

struct ending {
    struct id token;
    struct id after, next;  /* pages */
    struct redis_meta meta; /* arrays are not kept */
    uint64_t resets[REDIS_GENERATIONS_MAX];
    uint64_t generation; /* that is reset */
    bool store, more, done;
};

/* ---- one file in one generation ---- */

static struct row *stripe_of(struct redis_whole *w, uint64_t stripe, uint64_t generation) {
    for (size_t i = 0; i < w->stripes_len; i++)
        if (w->stripes[i].stripe == stripe) return &w->stripes[i];
    struct row *row = &w->stripes[w->stripes_len++];
    *row = (struct row){.kind = ROW_STRIPE, .file = w->file.id, .stripe = stripe, .generation = generation};
    row->s.rules.start = stripe_start(stripe, w->file.facts.stripe_bytes);
    return row;
}

static RC unite_stripe(struct redis_call *c, struct redis_whole *w, struct row *row, const struct redis_given *staged,
                       size_t n, bool doubted, struct why *why) {
    char name[ID_TEXT];
    struct rules_stripe *rules = &row->s.rules;
    struct rules_given *given = ARENA_ARRAY(&c->arena, struct rules_given, n + 1);
    rules->doubted = doubted;
    for (size_t i = 0; i < n; i++) given[i] = staged[i].given;
    struct rules_recovered made = {.winners = ARENA_ARRAY(&c->arena, struct rules_winner, rules->winners_len + n + 1)};
    enum rc rc = rules_recover(rules, &row->s.counts, given, n, &made, why);
    if (rc != RC_OK) return why_wrap(why, rc, "file %s, stripe %" PRIu64, id_format(w->file.id, name), row->stripe);
    bool moved = made.winners_len > 0 && made.winners[made.winners_len - 1].to > rules_at(rules);
    rules->winners = made.winners;
    rules->winners_len = made.winners_len;
    rules->voids_len = 0;
    row->s.counts = made.counts;
    if (moved) {
        row->s.failures = 0;
        row->s.set_aside = false;
    }
    row->dirty = true;
    return RC_OK;
}

static void store_whole(struct redis_call *c, struct redis_whole *w, uint64_t generation, uint64_t epoch) {
    struct redis_progress p = {.receipted = w->progress.receipted};
    struct buf row = BUF_INIT(64);
    bool closed;
    struct id *id = ARENA_NEW(&c->arena, struct id);
    *id = w->file.id;
    for (size_t i = 0; i < w->stripes_len; i++) {
        struct redis_stripe *s = &w->stripes[i].s;
        p.outstanding += rules_outstanding(&s->rules);
        p.set_aside += s->set_aside;
        if (s->rules.winners_len && rules_at(&s->rules) > p.reach) {
            p.reach = rules_at(&s->rules);
            p.tail = s->rules.winners[s->rules.winners_len - 1].tail_hash;
        }
        if (w->stripes[i].dirty) redis_stripe_write(c, &w->stripes[i], generation, epoch);
    }
    redis_pack_progress(&row, &p);
    redis_use_generation(c, generation);
    REDIS_WRITE(c, "hset", redis_progress_key(c, *id, generation), str_sub(redis_id_str(id), 2, ID_BYTES),
                arena_str(&c->arena, buf_str(&row)));
    buf_done(&row);
    uint64_t end = redis_closed_end(&w->file, &closed);
    if (closed && (int64_t)end > p.receipted)
        REDIS_WRITE(c, "zadd", redis_key(c, "w:%" PRIu64, generation), STR("0"), redis_id_str(id));
}

/* One file in one generation. */
struct part {
    struct id file;
    uint64_t generation;
    const struct redis_given *staged; /* by stripe */
    size_t n;
};

static RC unite_part(struct redis_call *c, const struct part *part, struct redis_whole *w, struct ending *e,
                     struct why *why) {
    const struct redis_given *staged = part->staged;
    bool doubted = e->meta.doubted, changed = part->n > 0;
    struct row *room = ARENA_ARRAY(&c->arena, struct row, w->stripes_len + part->n);
    if (w->stripes_len) memcpy(room, w->stripes, w->stripes_len * sizeof *room);
    w->stripes = room;
    for (size_t i = 0, k = 0; i < part->n; i = k) {
        for (k = i; k < part->n && staged[k].stripe == staged[i].stripe;) k++;
        struct row *row = stripe_of(w, staged[i].stripe, part->generation);
        TRY(unite_stripe(c, w, row, staged + i, k - i, doubted, why));
    }
    for (size_t i = 0; doubted && i < w->stripes_len; i++) {
        if (w->stripes[i].dirty || rules_outstanding(&w->stripes[i].s.rules) == 0) continue;
        TRY(unite_stripe(c, w, &w->stripes[i], NULL, 0, true, why));
        changed = true;
    }
    if (e->store && changed) store_whole(c, w, part->generation, e->meta.target);
    return RC_OK;
}

/* ---- pages of files ---- */

/* What is staged of a file in a generation; all of its generations where every winner is doubted. */
static size_t add_parts(struct redis_call *c, struct id file, const struct redis_staged *staged, bool doubted,
                        struct part *out) {
    size_t n = 0;
    for (size_t g = 0; g < c->generations_stored; g++) {
        if (c->forgotten[g]) continue;
        struct part part = {.file = file, .generation = c->generations[g], .staged = staged->given};
        size_t from = 0;
        while (from < staged->len && staged->given[from].generation != part.generation) from++;
        while (from + part.n < staged->len && staged->given[from + part.n].generation == part.generation) part.n++;
        part.staged += from < staged->len ? from : 0;
        if (part.n || doubted) out[n++] = part;
    }
    return n;
}

/* All parts of one generation are loaded together. */
static RC unite_parts(struct redis_call *c, const struct part *parts, size_t n, struct ending *e, struct why *why) {
    struct id *ids = ARENA_ARRAY(&c->arena, struct id, n);
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    for (size_t g = 0; g < c->generations_stored; g++) {
        size_t len = 0, next = 0;
        for (size_t i = 0; i < n; i++)
            if (parts[i].generation == c->generations[g]) ids[len++] = parts[i].file;
        TRY(redis_whole_load(c, ids, len, c->generations[g], e->meta.target, wholes, why));
        for (size_t i = 0; i < n; i++)
            if (parts[i].generation == c->generations[g]) TRY(unite_part(c, &parts[i], &wholes[next++], e, why));
    }
    return RC_OK;
}

static RC unite_files(struct redis_call *c, const struct id *ids, size_t n, struct ending *e, struct why *why) {
    struct redis_staged *staged = ARENA_ARRAY(&c->arena, struct redis_staged, n);
    struct part *parts = ARENA_ARRAY(&c->arena, struct part, n * c->generations_stored + 1);
    size_t parts_n = 0;
    TRY(redis_staged_load(c, e->meta.target, ids, n, staged, why));
    for (size_t f = 0; f < n; f++) parts_n += add_parts(c, ids[f], &staged[f], e->meta.doubted, parts + parts_n);
    TRY(unite_parts(c, parts, parts_n, e, why));
    for (size_t f = 0; e->store && f < n; f++) {
        REDIS_WRITE(c, "del", redis_staged_key(c, e->meta.target, ids[f]));
        REDIS_WRITE(c, "zrem", redis_staged_files(c, e->meta.target), redis_copy_id(c, ids[f], 0));
    }
    return RC_OK;
}

/* The files that have something staged; all files where every winner is doubted. */
static enum rc unite_body(struct redis_call *c, void *context, struct why *why) {
    struct ending *e = context;
    struct redis_meta meta;
    struct id page[FILES_A_SCRIPT], *ids = page;
    size_t n = 0;
    TRY(redis_own(c, e->token, &meta, why));
    if (meta.doubted)
        TRY(redis_ids_after(c, e->after, FILES_A_SCRIPT, &ids, &n, why));
    else
        TRY(redis_staged_page(c, meta.target, e->after, FILES_A_SCRIPT, page, &n, why));
    TRY(unite_files(c, ids, n, e, why));
    if (e->store) redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    e->more = n > 0;
    if (n) e->next = ids[n - 1]; /* where the next page begins, once this one is stored */
    return RC_OK;
}

static enum rc reset_body(struct redis_call *c, void *context, struct why *why) {
    struct ending *e = context;
    struct redis_meta meta;
    struct id *ids = NULL;
    size_t n = 0;
    TRY(redis_own(c, e->token, &meta, why));
    TRY(redis_ids_after(c, e->after, FILES_A_SCRIPT, &ids, &n, why));
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    TRY(redis_whole_load(c, ids, n, e->generation, meta.target, wholes, why));
    for (size_t f = 0; f < n; f++) {
        struct redis_whole *w = &wholes[f];
        for (size_t i = 0; i < w->stripes_len; i++) {
            struct rules_stripe *rules = &w->stripes[i].s.rules;
            for (size_t k = 0; k < rules->winners_len; k++) rules->winners[k].durable = 0;
            w->stripes[i].dirty = true;
        }
        if (w->stripes_len) store_whole(c, w, e->generation, meta.target);
        REDIS_WRITE(c, "del", redis_named(c, 'b', e->generation, ids[f], ""));
    }
    redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    REDIS_WRITE(c, "del", redis_key(c, "n:%" PRIu64, e->generation));
    e->more = n > 0;
    if (n) e->next = ids[n - 1];
    return RC_OK;
}

static RC all_pages(void *self, struct ending *e, redis_body body, struct why *why) {
    e->after = (struct id){{0}};
    do {
        TRY(redis_call_run(self, (struct ledger_at){0}, false, body, e, why));
        e->after = e->next;
    } while (e->more);
    return RC_OK;
}

/* ---- the end ---- */

static enum rc first_body(struct redis_call *c, void *context, struct why *why) {
    struct ending *e = context;
    struct redis_meta meta;
    struct str gate;
    TRY(redis_meta_recovering(c, &meta, &gate, why));
    if (!id_equal(meta.token, e->token)) return why_set(why, RC_STALE, "somebody else recovers the ledger, or has");
    e->meta = meta;
    e->done = meta.target == 0; /* asked again after the end: the answer was lost */
    memcpy(e->resets, meta.resets, meta.resets_len * sizeof *e->resets);
    return RC_OK;
}

/* From here on a recoverer that takes over has to keep the resets: they may have begun. */
static enum rc applying_body(struct redis_call *c, void *context, struct why *why) {
    struct redis_meta meta;
    TRY(redis_own(c, ((struct ending *)context)->token, &meta, why));
    if (meta.applying) return RC_OK;
    meta.applying = true;
    redis_meta_store(c, &meta);
    return RC_OK;
}

static enum rc open_body(struct redis_call *c, void *context, struct why *why) {
    struct redis_meta meta;
    char life[REDIS_LIFE_MAX];
    TRY(redis_own(c, ((struct ending *)context)->token, &meta, why));
    TRY(redis_link_life(c->l->link, life, why));
    REDIS_WRITE(c, "del", redis_staged_files(c, meta.target));
    REDIS_WRITE(c, "set", redis_key(c, "gate"), redis_gate(c, meta.target, life));
    meta.epoch = meta.target;
    meta.target = 0;
    meta.applying = false;
    meta.resets_len = 0;
    redis_meta_store(c, &meta);
    return RC_OK;
}

enum rc ledger_redis_recover_end(void *self, struct id token, uint64_t *out_epoch, struct why *why) {
    AUTO(own_free) struct ending *e = ALLOC(struct ending);
    const struct ledger_at none = {0};
    e->token = token;
    TRY(redis_call_run(self, none, false, first_body, e, why));
    uint64_t epoch = e->done ? e->meta.epoch : e->meta.target;
    size_t resets = e->meta.resets_len;
    if (!e->done) {
        TRY(all_pages(self, e, unite_body, why));
        TRY(redis_call_run(self, none, false, applying_body, e, why));
        e->store = true;
        TRY(all_pages(self, e, unite_body, why));
        for (size_t i = 0; i < resets; i++) {
            e->generation = e->resets[i];
            TRY(all_pages(self, e, reset_body, why));
        }
        TRY(redis_claims_fallen(self, token, why));
        TRY(redis_call_run(self, none, false, open_body, e, why));
    }
    *out_epoch = epoch;
    return RC_OK;
}
