/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whatever sequence of calls comes, an adapter answers what a model of twenty variables answers, call by call:
 * advances, verdicts, voids, batches, closes, receipts, newer incarnations, recoveries with and without the ledger
 * being set back, with the ledger opened again now and then. A failing seed is printed; LEDGER_SEED=n runs it alone. */
#include "ledger_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 2, STRIPES = 2, WIDTH = 100, MADE_MAX = 400, CHAIN_MAX = 40, PARTITIONS = 2, ENDS_MAX = 40 };

/* What the model knows of an attempt that somebody made. */
struct made {
    struct attempt attempt;
    uint32_t messages, durable;
    bool won, dead; /* dead: voided, or lost by asking */
};

struct cell {
    size_t chain[CHAIN_MAX], chain_len; /* indices of made: who won, in order */
    size_t first;                       /* winners before this one are forgotten */
};

struct model {
    struct made made[MADE_MAX];
    size_t made_len;
    struct cell cells[FILES][STRIPES];
    uint64_t ends[FILES][ENDS_MAX];
    size_t ends_len[FILES];
    int64_t receipted[FILES];
    uint64_t next[PARTITIONS];
    struct id files[FILES];
};

struct run {
    struct world *w;
    struct model m;
    /* an older state of both, to be set back to */
    struct model old;
    void *saved;
    size_t saved_len;
};

static struct cell *cell_of(struct model *m, const struct attempt *a) {
    size_t file = id_equal(a->file, m->files[0]) ? 0 : 1;
    return &m->cells[file][a->stripe];
}

static uint64_t at_of(struct model *m, size_t file, uint64_t stripe) {
    struct cell *c = &m->cells[file][stripe];
    return c->chain_len ? m->made[c->chain[c->chain_len - 1]].attempt.to : stripe * WIDTH;
}

static bool remembered(struct model *m, size_t i) {
    struct cell *c = cell_of(m, &m->made[i].attempt);
    for (size_t k = c->first; k < c->chain_len; k++)
        if (c->chain[k] == i) return true;
    return false;
}

static bool has_void(struct model *m, struct id id, uint64_t at) {
    for (size_t i = 0; i < m->made_len; i++)
        if (id_equal(m->made[i].attempt.id, id)) return m->made[i].dead && m->made[i].attempt.from >= at;
    return false;
}

static enum ledger_decision verdict_of(struct run *r, size_t i) {
    struct model *m = &r->m;
    struct made *x = &m->made[i];
    struct cell *c = cell_of(m, &x->attempt);
    uint64_t at = c->chain_len ? m->made[c->chain[c->chain_len - 1]].attempt.to : x->attempt.stripe * WIDTH;
    if (x->won) return remembered(m, i) ? LEDGER_WON : LEDGER_LOST;
    if (x->dead || x->attempt.from < at || x->attempt.epoch < r->w->ledger.at.epoch) return LEDGER_LOST;
    struct id last = c->chain_len ? m->made[c->chain[c->chain_len - 1]].attempt.id : (struct id){{0}};
    if (x->attempt.from == at && !id_equal(last, x->attempt.predecessor)) return LEDGER_LOST;
    if (!id_is_none(x->attempt.predecessor) && has_void(m, x->attempt.predecessor, at)) return LEDGER_LOST;
    return LEDGER_UNDECIDED;
}

static size_t pick(struct run *r, size_t below) { return (size_t)rng_below(&r->w->rng, below); }

/* A new attempt: mostly at the checkpoint behind the last winner, sometimes behind any other attempt. */
static size_t make(struct run *r) {
    struct model *m = &r->m;
    size_t file = pick(r, FILES);
    uint64_t stripe = pick(r, STRIPES), from = at_of(m, file, stripe);
    struct cell *c = &m->cells[file][stripe];
    struct id before = c->chain_len ? m->made[c->chain[c->chain_len - 1]].attempt.id : (struct id){{0}};
    if (m->made_len && pick(r, 3) == 0) {
        struct attempt *other = &m->made[pick(r, m->made_len)].attempt;
        if (id_equal(other->file, m->files[file]) && other->stripe == stripe) {
            from = other->to;
            before = other->id;
        }
    }
    struct made *x = &m->made[m->made_len];
    *x = (struct made){.attempt = world_attempt(r->w, m->files[file], stripe, from, from + 1 + pick(r, 30), before),
                       .messages = 1 + (uint32_t)pick(r, 3)};
    return m->made_len++;
}

static size_t any_attempt(struct run *r) {
    if (r->m.made_len == 0 || pick(r, 2)) return make(r);
    return r->m.made_len - 1 - pick(r, r->m.made_len < 10 ? r->m.made_len : 10);
}

static void do_advance(struct run *r) {
    struct model *m = &r->m;
    size_t i = any_attempt(r);
    struct made *x = &m->made[i];
    struct cell *c = cell_of(m, &x->attempt);
    size_t file = (size_t)(c - &m->cells[0][0]) / STRIPES;
    enum ledger_decision expect = verdict_of(r, i);
    struct ledger_advance ask = world_advance(x->attempt, x->messages);
    ask.ends_seen = (uint32_t)pick(r, m->ends_len[file] + 1);
    bool blind = ask.ends_seen < m->ends_len[file] && m->ends[file][ask.ends_seen] < x->attempt.to;
    bool wins = expect == LEDGER_UNDECIDED && x->attempt.from == at_of(m, file, x->attempt.stripe) && !blind;
    if (wins) {
        x->won = true;
        c->chain[c->chain_len++] = i;
        expect = LEDGER_WON;
    } else if (expect != LEDGER_WON) {
        x->dead = x->dead || !x->won;
        expect = LEDGER_LOST;
    }
    assert_int_equal(world_win(r->w, ask), expect);
}

static void do_verdict(struct run *r) {
    size_t i = any_attempt(r);
    enum ledger_decision expect = verdict_of(r, i);
    assert_int_equal(world_verdict(r->w, r->m.made[i].attempt), expect);
}

static void do_void(struct run *r) {
    size_t i = any_attempt(r);
    struct made *x = &r->m.made[i];
    enum ledger_decision expect = verdict_of(r, i) == LEDGER_WON ? LEDGER_WON : LEDGER_LOST;
    if (!x->won) x->dead = true;
    assert_int_equal(world_void(r->w, x->attempt), expect);
}

static uint64_t outstanding(struct model *m, struct cell *c) {
    uint64_t sum = 0;
    for (size_t k = c->first; k < c->chain_len; k++)
        sum += m->made[c->chain[k]].messages - m->made[c->chain[k]].durable;
    return sum;
}

static void do_durable(struct run *r) {
    struct model *m = &r->m;
    struct ledger_durable adds[FILES * STRIPES];
    uint32_t partition = (uint32_t)pick(r, PARTITIONS);
    size_t n = 0;
    for (size_t f = 0; f < FILES; f++)
        for (size_t s = 0; s < STRIPES; s++) {
            struct cell *c = &m->cells[f][s];
            if (c->first == c->chain_len || pick(r, 2)) continue;
            struct made *x = &m->made[c->chain[c->first + pick(r, c->chain_len - c->first)]];
            uint32_t more = (uint32_t)pick(r, x->messages - x->durable + 1);
            if (more == 0) continue;
            adds[n++] = (struct ledger_durable){m->files[f], s, x->attempt.id, more};
            x->durable += more;
            if (outstanding(m, c) == 0) c->first = c->chain_len - 1;
        }
    WORLD_OK(r->w,
             ledger_durable(r->w->ledger, (struct ledger_batch){partition, m->next[partition]}, adds, n, &r->w->why));
    m->next[partition]++;
    uint64_t next;
    WORLD_OK(r->w, ledger_durable_next(r->w->ledger, partition, &next, &r->w->why));
    assert_int_equal(next, m->next[partition]);
}

static uint64_t reach_of(struct model *m, size_t file) {
    uint64_t reach = 0;
    for (uint64_t s = 0; s < STRIPES; s++)
        if (m->cells[file][s].chain_len && at_of(m, file, s) > reach) reach = at_of(m, file, s);
    return reach;
}

static void do_close(struct run *r) {
    struct model *m = &r->m;
    size_t file = pick(r, FILES), n = m->ends_len[file];
    uint64_t end = pick(r, 3) ? reach_of(m, file) : pick(r, 2 * WIDTH);
    if (n == ENDS_MAX - 1) return; /* replacing adds one */
    bool again = n && m->ends[file][n - 1] == end;
    bool stale = !again && ((n && end < m->ends[file][n - 1]) || end < reach_of(m, file));
    assert_int_equal(world_close(r->w, m->files[file], end, false), stale ? RC_STALE : RC_OK);
    if (!stale && !again) m->ends[file][m->ends_len[file]++] = end;
}

/* Is everything before the reach converted? Then it is where the file ends, once another one takes its key. */
static bool is_whole(struct model *m, size_t file, uint64_t reach) {
    for (uint64_t s = 0; s < STRIPES && s * WIDTH < reach; s++)
        if (at_of(m, file, s) < ((s + 1) * WIDTH < reach ? (s + 1) * WIDTH : reach)) return false;
    return reach > 0 && reach <= STRIPES * WIDTH;
}

static bool is_due(struct model *m, size_t file) {
    size_t n = m->ends_len[file];
    if (n == 0 || m->receipted[file] >= (int64_t)m->ends[file][n - 1]) return false;
    uint64_t end = m->ends[file][n - 1];
    if (reach_of(m, file) > end) return false;
    for (uint64_t s = 0; s < STRIPES; s++) {
        if (outstanding(m, &m->cells[file][s])) return false;
        uint64_t wanted = (s + 1) * WIDTH < end ? (s + 1) * WIDTH : end;
        if (s * WIDTH < end && at_of(m, file, s) < wanted) return false;
    }
    return end <= STRIPES * WIDTH;
}

static void do_due(struct run *r) {
    struct model *m = &r->m;
    struct ledger_due *due;
    size_t n = world_due(r->w, &due), expect = 0;
    for (size_t file = 0; file < FILES; file++) expect += is_due(m, file);
    assert_int_equal(n, expect);
    for (size_t i = 0; i < n; i++) {
        size_t file = id_equal(due[i].file, m->files[0]) ? 0 : 1;
        uint64_t lines = 0, end = m->ends[file][m->ends_len[file] - 1];
        assert_true(is_due(m, file));
        assert_int_equal(due[i].end, end);
        for (uint64_t s = 0; s * WIDTH < end; s++) lines += m->cells[file][s].chain_len;
        assert_int_equal(due[i].counts.lines, lines);
        if (pick(r, 2)) continue;
        world_receipted(r->w, m->files[file], end);
        m->receipted[file] = (int64_t)end;
    }
}

/* New incarnations of both files: the old ones end where the model says, or nowhere new. What was made of the old ones
 * is not asked for any more. */
static void do_replace(struct run *r) {
    struct model *m = &r->m;
    struct ledger_due *due;
    struct id next[FILES];
    size_t expect = 0;
    for (size_t f = 0; f < FILES; f++) {
        uint64_t reach = reach_of(m, f);
        size_t *n = &m->ends_len[f];
        struct ledger_enroll ask = {id_make(&r->w->rng), world_facts(f), world_lookup(r->w, f).version};
        enum rc answer;
        if (is_whole(m, f, reach) && (*n == 0 || m->ends[f][*n - 1] < reach)) m->ends[f][(*n)++] = reach;
        WORLD_OK(r->w, ledger_enroll(r->w->ledger, &ask, 1, &answer, &r->w->why));
        assert_int_equal(answer, RC_OK);
        struct ledger_listing *gone = world_listing(r->w, m->files[f]);
        assert_true(gone->gone && gone->closed == (*n > 0));
        if (*n) assert_int_equal(gone->closed_end, m->ends[f][*n - 1]);
        expect += is_due(m, f);
        next[f] = ask.id;
    }
    assert_int_equal(world_due(r->w, &due), expect);
    for (size_t i = 0; i < expect; i++) world_receipted(r->w, due[i].file, due[i].end);
    struct model fresh = {.receipted = {-1, -1}, .files = {next[0], next[1]}};
    memcpy(fresh.next, m->next, sizeof fresh.next);
    *m = fresh;
    free(r->saved); /* it knows the old ones only */
    r->saved = NULL;
}

static void do_look(struct run *r) {
    struct model *m = &r->m;
    size_t file = pick(r, FILES);
    uint64_t stripe = pick(r, STRIPES), lines = 0, open = 0, stripes = 0;
    struct cell *c = &m->cells[file][stripe];
    struct ledger_checkpoint at = world_checkpoint(r->w, m->files[file], stripe);
    assert_true(at.found);
    assert_int_equal(at.at, at_of(m, file, stripe));
    assert_int_equal(at.counts.lines, c->chain_len);
    assert_int_equal(at.ends_total, m->ends_len[file]);
    if (c->chain_len) assert_true(id_equal(at.winner, m->made[c->chain[c->chain_len - 1]].attempt.id));
    struct ledger_file found = world_lookup(r->w, file);
    assert_int_equal(found.reach, reach_of(m, file));
    struct ledger_listing *list = world_listing(r->w, m->files[file]);
    for (size_t s = 0; s < STRIPES; s++) {
        lines += m->cells[file][s].chain_len;
        open += outstanding(m, &m->cells[file][s]);
        stripes += m->cells[file][s].chain_len > 0;
    }
    assert_int_equal(list->counts.lines, lines);
    assert_int_equal(list->outstanding, open);
    assert_int_equal(list->stripes, stripes);
}

static void do_save(struct run *r) {
    if (!r->w->adapter->save) return;
    free(r->saved);
    r->saved = NULL;
    WORLD_OK(r->w, r->w->adapter->save(r->w, &r->saved, &r->saved_len, &r->w->why));
    r->old = r->m;
}

/* Sets both back to what was saved; attempts are in the world, whatever the ledger forgot. */
static void set_back(struct run *r) {
    struct model now = r->m;
    WORLD_OK(r->w, r->w->adapter->load(r->w, r->saved, r->saved_len, &r->w->why));
    r->m = r->old;
    for (size_t i = r->old.made_len; i < now.made_len; i++)
        r->m.made[i] = (struct made){.attempt = now.made[i].attempt, .messages = now.made[i].messages};
    r->m.made_len = now.made_len;
}

/* Seals prove the first `sealed` winners of a cell as it was before anything was set back. */
static void give_cell(struct run *r, struct id token, uint64_t file, struct cell *c, const struct cell *known,
                      size_t sealed) {
    for (size_t k = 0; k < sealed; k++) {
        struct made *x = &r->m.made[known->chain[k]];
        struct ledger_winner given = {.attempt = x->attempt,
                                      .facts = world_facts(file),
                                      .has_counts = true,
                                      .counts = {.lines = 1, .converted = 1, .records = 1},
                                      .tail_hash = x->attempt.to * 31,
                                      .messages = x->messages};
        WORLD_OK(r->w, ledger_recover_winners(r->w->ledger, token, &given, 1, &r->w->why));
        x->won = true;
        if (k >= c->chain_len) c->chain[c->chain_len++] = known->chain[k];
        c->first = 0; /* a forgotten one that is given is remembered again */
    }
}

static void give_all(struct run *r, struct id token, const struct model *before, bool reset) {
    for (size_t f = 0; f < FILES; f++)
        for (size_t s = 0; s < STRIPES; s++) {
            struct cell *c = &r->m.cells[f][s];
            const struct cell *known = &before->cells[f][s];
            size_t behind = reset ? 0 : pick(r, known->chain_len - known->first + 1);
            give_cell(r, token, f, c, known, known->chain_len - behind);
            for (size_t k = 0; reset && k < c->chain_len; k++) r->m.made[c->chain[k]].durable = 0;
        }
}

static void do_recover(struct run *r) {
    struct model before = r->m;
    struct ledger_identity who;
    struct id token = id_make(&r->w->rng);
    uint64_t epoch = r->w->ledger.at.epoch, target;
    bool reset = pick(r, 2);
    if (r->saved && pick(r, 2)) set_back(r);
    WORLD_OK(r->w, ledger_identity(r->w->ledger, &who, &r->w->why));
    struct ledger_epochs seen = {who.epoch, epoch, 0};
    WORLD_OK(r->w, ledger_recover_begin(r->w->ledger, seen, token, &target, &r->w->why));
    give_all(r, token, &before, reset);
    if (reset) WORLD_OK(r->w, ledger_recover_reset_durable(r->w->ledger, token, &r->w->why));
    WORLD_OK(r->w, ledger_recover_end(r->w->ledger, token, &epoch, &r->w->why));
    assert_int_equal(epoch, target);
    world_follow_epoch(r->w);
    if (reset) memset(r->m.next, 0, sizeof r->m.next);
    for (size_t i = 0; i < r->m.made_len; i++) r->m.made[i].dead = false; /* their epoch makes them lost */
    free(r->saved);
    r->saved = NULL;
}

static void one_step(struct run *r) {
    static void (*const steps[])(struct run *) = {do_advance, do_advance, do_advance, do_advance, do_verdict,
                                                  do_verdict, do_void,    do_durable, do_durable, do_close,
                                                  do_due,     do_look,    do_look};
    if (r->m.made_len + 2 >= MADE_MAX) return;
    size_t rare = pick(r, 40);
    if (rare == 0)
        do_save(r);
    else if (rare == 1)
        do_recover(r);
    else if (rare == 2)
        world_reopen(r->w);
    else if (rare == 3 && pick(r, 3) == 0)
        do_replace(r);
    else
        steps[pick(r, sizeof steps / sizeof steps[0])](r);
    arena_reset(&r->w->arena);
}

static void one_seed(const struct world_adapter *adapter, uint64_t seed, int steps) {
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->w = world_new(adapter, seed);
    for (size_t i = 0; i < FILES; i++) {
        r->m.files[i] = world_file(r->w, i);
        r->m.receipted[i] = -1;
    }
    for (int i = 0; i < steps; i++) one_step(r);
    world_free(r->w);
    free(r->saved);
    free(r);
}

static uint64_t now_running;

static void run_seeds(size_t adapter, uint64_t seeds, int steps) {
    const char *alone = getenv("LEDGER_SEED");
    uint64_t from = alone ? strtoull(alone, NULL, 10) : 1;
    for (now_running = from; now_running < (alone ? from + 1 : seeds + 1); now_running++)
        one_seed(&world_adapters[adapter], now_running, steps);
    now_running = 0; /* all went well */
}

static int tell_seed(void **unused) {
    (void)unused;
    if (now_running == 0) return 0;
    (void)fprintf(stderr, "failed: LEDGER_SEED=%" PRIu64 "\n", now_running);
    return 0;
}

static void random_sequences_agree_with_the_model(void **unused) {
    (void)unused;
    run_seeds(0, world_adapters[0].keeps ? 60 : 1000, 150); /* each call of one that keeps is a sync */
}

static void random_sequences_agree_with_the_model_on_the_other_adapter(void **unused) {
    (void)unused;
    if (world_adapters_len > 1) run_seeds(1, 15, 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(random_sequences_agree_with_the_model, tell_seed),
        cmocka_unit_test_teardown(random_sequences_agree_with_the_model_on_the_other_adapter, tell_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
