/* SPDX-License-Identifier: Apache-2.0 */
/* Forgetting a generation: its mark in the list of generations and the first files' keys go in one script. Every other
 * call of the generation reads the list when it loads and compares it when it stores, so none is stored behind it. */
#include "ledger_redis_parts.h"

#include "num.h"

#include <stdlib.h>

#include <inttypes.h>

enum { FORGOTTEN_AT_ONCE = 64 }; /* files a script */

struct forgetting {
    size_t max;
    struct id after, reached;
    bool done;
};

static struct str marked_list(struct redis_call *c) {
    struct buf text = BUF_INIT(REDIS_GENERATIONS_MAX * (size_t)24);
    bool there = false;
    for (size_t i = 0; i < c->generations_len; i++) {
        bool mine = c->generations[i] == c->at.generation;
        buf_add_format(&text, "%" PRIu64 "%s,", c->generations[i], mine || c->forgotten[i] ? "!" : "");
        there |= mine;
    }
    if (!there) buf_add_format(&text, "%" PRIu64 "!,", c->at.generation);
    struct str out = arena_str(&c->arena, buf_str(&text));
    buf_done(&text);
    return out;
}

static bool is_marked(const struct redis_call *c) {
    for (size_t i = 0; i < c->generations_len; i++)
        if (c->generations[i] == c->at.generation) return c->forgotten[i];
    return false;
}

/* What is not one key a file goes with the mark: nobody adds to it any more. */
static RC mark(struct redis_call *c, struct why *why) {
    uint64_t g = c->at.generation;
    if (is_marked(c)) return RC_OK;
    if (c->generations_len == REDIS_GENERATIONS_MAX) return why_set(why, RC_LIMIT, "too many generations");
    REDIS_WRITE(c, "set", redis_key(c, "gens"), marked_list(c));
    REDIS_WRITE(c, "del", redis_key(c, "n:%" PRIu64, g));
    REDIS_WRITE(c, "del", redis_key(c, "a:%" PRIu64, g));
    REDIS_WRITE(c, "del", redis_key(c, "w:%" PRIu64, g));
    for (int i = 0; i < REDIS_CLAIM_HASHES; i++) REDIS_WRITE(c, "del", redis_claims_key(c, g, i));
    REDIS_WRITE(c, "hdel", redis_key(c, "c"), redis_number(c, g));
    return RC_OK;
}

/* Stripes are ascending, so those of one hash are neighbours. */
static void forget_file(struct redis_call *c, struct redis_whole *w) {
    uint64_t g = c->at.generation;
    struct id id = w->file.id;
    bool other_hashes = false;
    for (size_t i = 0; i < w->stripes_len; i++) {
        const struct row *row = &w->stripes[i];
        uint64_t hash = row->stripe / REDIS_STRIPES_A_HASH;
        if (row->s.had_rest) REDIS_WRITE(c, "del", redis_rest_key(c, g, id, row->stripe));
        if (i && hash == w->stripes[i - 1].stripe / REDIS_STRIPES_A_HASH) continue;
        REDIS_WRITE(c, "del", redis_stripe_key(c, g, id, row->stripe));
        other_hashes |= hash > 0;
    }
    if (other_hashes) REDIS_WRITE(c, "del", redis_named(c, 't', g, id, ""));
    if (w->batches.len) REDIS_WRITE(c, "del", redis_named(c, 'b', g, id, ""));
    if (w->progress.found) REDIS_WRITE(c, "hdel", redis_progress_key(c, id, g), redis_copy_id(c, id, 2));
}

static enum rc forget_body(struct redis_call *c, void *context, struct why *why) {
    struct forgetting *f = context;
    struct id *ids = NULL;
    size_t n = 0, stripes = 0;
    c->forgets = true;
    f->reached = f->after;
    TRY(redis_ids_after(c, f->after, MIN(MAX(f->max, (size_t)1), (size_t)FORGOTTEN_AT_ONCE), &ids, &n, why));
    TRY(mark(c, why));
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    TRY(redis_whole_load(c, ids, n, c->at.generation, c->at.epoch, wholes, why));
    for (size_t i = 0; i < n && (i == 0 || stripes < f->max); i++) {
        forget_file(c, &wholes[i]);
        stripes += wholes[i].stripes_len;
        f->reached = ids[i];
    }
    f->done = n == 0;
    return RC_OK;
}

enum rc ledger_redis_forget(void *self, struct ledger_at at, size_t max, struct id *after, bool *out_done,
                            struct why *why) {
    struct forgetting f = {.max = max, .after = *after};
    if (at.generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", at.generation);
    TRY(redis_call_run(self, at, true, forget_body, &f, why));
    *after = f.reached;
    *out_done = f.done;
    return RC_OK;
}

/* ---- which there are ---- */

struct generations {
    struct arena *arena;
    struct ledger_generation *found;
    size_t n;
};

static int by_number(const void *a, const void *b) {
    const struct ledger_generation *x = a, *y = b;
    return (x->generation > y->generation) - (x->generation < y->generation);
}

static enum rc generations_body(struct redis_call *c, void *context, struct why *why) {
    struct generations *g = context;
    TRY(redis_load(c, why)); /* nothing but the list */
    g->n = c->generations_len;
    g->found = ARENA_ARRAY(g->arena, struct ledger_generation, g->n);
    for (size_t i = 0; i < g->n; i++) g->found[i] = (struct ledger_generation){c->generations[i], c->forgotten[i]};
    if (g->n) qsort(g->found, g->n, sizeof *g->found, by_number);
    return RC_OK;
}

enum rc ledger_redis_generations(void *self, struct arena *arena, struct ledger_generation **out, size_t *out_n,
                                 struct why *why) {
    struct generations g = {.arena = arena};
    TRY(redis_call_run(self, (struct ledger_at){0}, false, generations_body, &g, why));
    *out = g.found;
    *out_n = g.n;
    return RC_OK;
}
