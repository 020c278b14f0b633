/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: files that were saved page by page while batches were told, taken into an emptied ledger with the counters
 * that were read before, are the ledger that it was: same checkpoints, counts, ends, receipts and durability, and the
 * batches that a file knew already change nothing when they are told again. */
#include "ledger_save.h"
#include "ledger_world.h"

static const struct id none = {{0}}, token = {{7}};

/* What is saved of a world, page by page. */
struct copy {
    struct saved_file *files;
    size_t len;
};

static struct copy save_all(struct world *w, size_t page) {
    struct copy copy = {ARENA_ARRAY(&w->arena, struct saved_file, 64), 0};
    struct id after = none;
    for (;;) {
        struct saved_file *files = NULL;
        size_t n = 0;
        WORLD_OK(w, ledger_save(w->ledger, after, page, &w->arena, &files, &n, &w->why));
        if (!n) return copy;
        assert_true(n <= page && copy.len + n <= 64);
        memcpy(copy.files + copy.len, files, n * sizeof *files);
        copy.len += n;
        after = files[n - 1].id;
    }
}

/* Into `w`, which is empty, twice as after a lost answer; opens it. */
static void load_all(struct world *w, const struct copy *copy, const struct saved_counter *counters, size_t n) {
    uint64_t target = 0, epoch = 0;
    struct ledger_epochs seen = {w->ledger.at.epoch, 0, 0};
    WORLD_OK(w, ledger_recover_begin(w->ledger, seen, token, &target, &w->why));
    for (int again = 0; again < 2; again++) {
        WORLD_OK(w, ledger_recover_files(w->ledger, token, copy->files, copy->len, &w->why));
        WORLD_OK(w, ledger_recover_counters(w->ledger, token, counters, n, &w->why));
    }
    WORLD_OK(w, ledger_recover_end(w->ledger, token, &epoch, &w->why));
    w->ledger.at.epoch = epoch;
}

static void expect_same_listing(struct world *a, struct world *b) {
    struct ledger_listing *x = NULL, *y = NULL;
    size_t xn = 0, yn = 0;
    WORLD_OK(a, ledger_list(a->ledger, none, 64, &a->arena, &x, &xn, &a->why));
    WORLD_OK(b, ledger_list(b->ledger, none, 64, &b->arena, &y, &yn, &b->why));
    assert_int_equal(xn, yn);
    for (size_t i = 0; i < xn; i++) {
        assert_true(id_equal(x[i].file, y[i].file));
        assert_int_equal(x[i].state, y[i].state);
        assert_int_equal(x[i].closed, y[i].closed);
        assert_int_equal(x[i].closed_end, y[i].closed_end);
        assert_int_equal(x[i].gone, y[i].gone);
        assert_int_equal(x[i].converted_bytes, y[i].converted_bytes);
        assert_int_equal(x[i].stripes, y[i].stripes);
        assert_int_equal(x[i].durable_stripes, y[i].durable_stripes);
        assert_int_equal(x[i].outstanding, y[i].outstanding);
        assert_memory_equal(&x[i].counts, &y[i].counts, sizeof x[i].counts);
    }
}

static void what_was_saved_is_the_ledger_that_it_was(struct world *w) {
    struct world *other = world_new(w->adapter, 99);
    struct id files[3];
    uint64_t next = 0;
    for (uint64_t i = 0; i < 3; i++) files[i] = world_file(w, i + 1);
    struct attempt a = world_attempt(w, files[0], 0, 0, 100, none), b = world_attempt(w, files[0], 1, 100, 150, none);
    struct attempt c = world_attempt(w, files[1], 0, 0, 40, none), d = world_attempt(w, files[1], 0, 40, 100, c.id);
    const struct attempt all[] = {a, b, c, d};
    for (size_t i = 0; i < 4; i++) assert_int_equal(world_win(w, world_advance(all[i], 2)), LEDGER_WON);
    assert_int_equal(world_durable(w, 0, 0, a, 2), RC_OK);
    assert_int_equal(world_close(w, files[0], 150, false), RC_OK);
    struct saved_counter counter = {1, 0, 1, 0};
    /* behind the counters: these are known to the files and not to the counter */
    assert_int_equal(world_durable(w, 0, 1, b, 2), RC_OK);
    assert_int_equal(world_durable(w, 0, 2, c, 1), RC_OK);
    struct copy copy = save_all(w, 2);
    assert_int_equal(copy.len, 3);
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &counter.until, &w->why));
    load_all(other, &copy, &counter, 1);
    expect_same_listing(w, other);
    WORLD_OK(other, ledger_durable_next(other->ledger, 0, &next, &other->why));
    assert_int_equal(next, 1);
    assert_int_equal(world_durable(other, 0, 1, b, 2), RC_OK);
    assert_int_equal(world_durable(other, 0, 2, c, 1), RC_OK);
    expect_same_listing(w, other);
    assert_int_equal(world_durable(other, 0, 3, c, 1), RC_OK);
    assert_int_equal(world_durable(other, 0, 4, d, 2), RC_OK);
    struct ledger_due *due = NULL;
    size_t n = 0;
    WORLD_OK(other, ledger_due(other->ledger, 10, &other->arena, &due, &n, &other->why));
    assert_int_equal(n, 1);
    assert_true(id_equal(due[0].file, files[0]));
    assert_int_equal(due[0].batches_len, 2);
    world_free(other);
}

static void saving_and_loading_ask_for_their_epoch_and_token(struct world *w) {
    struct saved_file *files = NULL;
    size_t n = 0;
    struct ledger old = w->ledger;
    (void)world_file(w, 1);
    old.at.epoch++;
    assert_int_equal(ledger_save(old, none, 2, &w->arena, &files, &n, &w->why), RC_STALE);
    struct copy copy = save_all(w, 1);
    assert_int_equal(ledger_recover_files(w->ledger, token, copy.files, copy.len, &w->why), RC_STALE);
    struct saved_counter counter = {1, 0, 1, 1};
    assert_int_equal(ledger_recover_counters(w->ledger, token, &counter, 1, &w->why), RC_STALE);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(what_was_saved_is_the_ledger_that_it_was),
    WORLD_SENTENCE(saving_and_loading_ask_for_their_epoch_and_token),
};

int main(void) { return world_run("saving and loading", sentences, sizeof sentences / sizeof sentences[0]); }
