/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: files that were saved page by page while batches were told, taken into an emptied ledger with the counters
 * that were read before, are the ledger that it was: same checkpoints, counts, ends, receipts and durability, and the
 * batches that a file knew already change nothing when they are told again. However many stripes the files have: what
 * is asked for at once and a page are bounded, and a file that is larger than a page comes back whole from its parts.
 */
#include "ledger_save.h"
#include "ledger_world.h"
#include "own.h"

static const struct id none = {{0}}, token = {{7}};

static const struct ledger_save_ask two_files = {.files = 2, .stripes = 1000};

/* What is saved of a world, page by page. */
struct copy {
    struct saved_file *files;
    size_t len;
};

/* Without the last file there would not have been enough. */
static void expect_few_stripes(const struct saved_file *files, size_t n, size_t most) {
    size_t sum = 0;
    for (size_t i = 0; i + 1 < n; i++) sum += files[i].stripes_len;
    assert_true(n == 1 || sum < most);
}

static struct copy save_all(struct world *w, struct ledger_save_ask ask) {
    struct copy copy = {ARENA_ARRAY(&w->arena, struct saved_file, 64), 0};
    for (;;) {
        struct saved_file *files = NULL;
        size_t n = 0;
        WORLD_OK(w, ledger_save(w->ledger, ask, &w->arena, &files, &n, &w->why));
        if (!n) return copy;
        assert_true(n <= ask.files && copy.len + n <= 64);
        expect_few_stripes(files, n, ask.stripes);
        memcpy(copy.files + copy.len, files, n * sizeof *files);
        copy.len += n;
        ask.after = files[n - 1].id;
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
    struct copy copy = save_all(w, two_files);
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
    assert_int_equal(ledger_save(old, two_files, &w->arena, &files, &n, &w->why), RC_STALE);
    struct copy copy = save_all(w, two_files);
    assert_int_equal(ledger_recover_files(w->ledger, token, copy.files, copy.len, &w->why), RC_STALE);
    struct saved_counter counter = {1, 0, 1, 1};
    assert_int_equal(ledger_recover_counters(w->ledger, token, &counter, 1, &w->why), RC_STALE);
}

/* ---- many stripes ---- */

enum { MANY_FILES = 5, MANY = 300, HUGE = 9000, PARTS_MAX = 10000 };

struct told {
    struct ledger_durable *adds[MANY_FILES];
    size_t n[MANY_FILES];
    uint64_t batches;
};

/* Wins the first `n` stripes of a file, and makes each second one durable. */
static void fill(struct world *w, struct id file, size_t n, struct told *told) {
    struct ledger_advance *asks = ARENA_ARRAY(&w->arena, struct ledger_advance, n);
    struct ledger_durable *adds = ARENA_ARRAY(&w->arena, struct ledger_durable, n);
    enum ledger_decision *out = ARENA_ARRAY(&w->arena, enum ledger_decision, n);
    size_t durable = 0;
    for (size_t i = 0; i < n; i++) {
        asks[i] = world_advance(world_attempt(w, file, i, 100 * i, 100 * (i + 1), none), 2);
        if (i % 2) adds[durable++] = (struct ledger_durable){file, i, asks[i].attempt.id, 2};
    }
    WORLD_OK(w, ledger_advance(w->ledger, asks, n, NULL, 0, out, &w->why));
    for (size_t i = 0; i < n; i++) assert_int_equal(out[i], LEDGER_WON);
    WORLD_OK(w, ledger_durable(w->ledger, (struct ledger_batch){0, told->batches}, adds, durable, &w->why));
    told->adds[told->batches] = adds;
    told->n[told->batches++] = durable;
}

/* Everything through pages of about `most` bytes; answers how many parts are continued. */
static size_t through_pages(struct world *w, size_t most, struct copy *copy) {
    struct saved_page page = {.generation = 1, .files = copy->files, .files_len = copy->len}, read;
    struct copy parts = {ARENA_ARRAY(&w->arena, struct saved_file, PARTS_MAX), 0};
    struct saved_place place = {0};
    size_t continued = 0;
    while (place.file < page.files_len) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(SAVED_BYTES_MAX);
        assert_int_equal(saved_page_encode(&page, most, &place, &bytes), RC_OK);
        assert_int_equal(saved_page_decode(buf_str(&bytes), &w->arena, &read, &w->why), RC_OK);
        assert_true(read.files_len > 0 && parts.len + read.files_len <= PARTS_MAX);
        for (size_t i = 0; i < read.files_len; i++) continued += read.files[i].continued;
        memcpy(parts.files + parts.len, read.files, read.files_len * sizeof *read.files);
        parts.len += read.files_len;
    }
    for (size_t i = 0; i < parts.len / 2; i++) { /* in any order */
        struct saved_file last = parts.files[parts.len - 1 - i];
        parts.files[parts.len - 1 - i] = parts.files[i];
        parts.files[i] = last;
    }
    *copy = parts;
    return continued;
}

/* What was saved is in `w` again, and what a batch says that the files know changes nothing. */
static void comes_back(struct world *w, size_t most, size_t at_least, const struct told *told) {
    struct world *other = world_new(w->adapter, 99);
    struct saved_counter counter = {1, 0, 0, told->batches};
    struct copy copy = save_all(w, (struct ledger_save_ask){.files = 64, .stripes = 400});
    size_t continued = through_pages(w, most, &copy);
    assert_true(continued >= at_least);
    load_all(other, &copy, &counter, 1);
    expect_same_listing(w, other);
    for (uint64_t k = 0; k < told->batches; k++) {
        enum rc rc = ledger_durable(other->ledger, (struct ledger_batch){0, k}, told->adds[k], told->n[k], &other->why);
        assert_int_equal(rc, RC_OK);
    }
    expect_same_listing(w, other);
    world_free(other);
}

static void several_files_of_many_stripes_go_over_several_pages(struct world *w) {
    struct told told = {.batches = 0};
    for (uint64_t i = 0; i < MANY_FILES; i++) fill(w, world_file(w, i + 1), MANY, &told);
    assert_int_equal(world_close(w, world_lookup(w, 1).id, 100 * (uint64_t)MANY, false), RC_OK);
    comes_back(w, SAVED_PAGE_BYTES, 0, &told);
    comes_back(w, 4096, MANY_FILES, &told);
}

static void a_file_that_is_larger_than_a_page_goes_on_in_the_next_ones(struct world *w) {
    struct told told = {.batches = 0};
    (void)world_file(w, 1);
    fill(w, world_file(w, 2), HUGE, &told);
    (void)world_file(w, 3);
    comes_back(w, 64 * 1024, 3, &told);
    comes_back(w, 200, 1000, &told);
}

static const struct world_sentence sentences[] = {
    WORLD_SENTENCE(several_files_of_many_stripes_go_over_several_pages),
    WORLD_SENTENCE(a_file_that_is_larger_than_a_page_goes_on_in_the_next_ones),
    WORLD_SENTENCE(what_was_saved_is_the_ledger_that_it_was),
    WORLD_SENTENCE(saving_and_loading_ask_for_their_epoch_and_token),
};

int main(void) { return world_run("saving and loading", sentences, sizeof sentences / sizeof sentences[0]); }
