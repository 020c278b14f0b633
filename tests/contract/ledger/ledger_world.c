/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_world.h"

#include "alloc.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world *world_new(const struct world_adapter *adapter, uint64_t seed) {
    const char *base = getenv("TMPDIR");
    struct world *world = ALLOC(struct world);
    world->adapter = adapter;
    world->rng = rng_from_seed(seed);
    (void)snprintf(world->folder, sizeof world->folder, "%s/sluice-ledger-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    int n = snprintf(world->path, sizeof world->path, "%.200s/ledger.db", world->folder);
    assert_true(n > 0 && n < (int)sizeof world->path);
    WORLD_OK(world, adapter->open(world, &world->ledger, &world->why));
    return world;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

void world_free(struct world *world) {
    ledger_free(world->ledger);
    if (world->adapter->remove) world->adapter->remove(world);
    arena_done(&world->arena);
    assert_int_equal(nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(world);
}

void world_reopen(struct world *world) {
    if (!world->adapter->keeps) return;
    struct ledger_at at = world->ledger.at;
    ledger_free(world->ledger);
    world->ledger = (struct ledger){0};
    WORLD_OK(world, world->adapter->open(world, &world->ledger, &world->why));
    world->ledger.at = at;
}

void world_follow_epoch(struct world *world) {
    struct ledger_identity who;
    WORLD_OK(world, ledger_identity(world->ledger, &who, &world->why));
    world->ledger.at.epoch = who.epoch;
}

struct facts world_facts(uint64_t n) {
    return (struct facts){.source = STR("access"),
                          .uri = STR("file:///var/log/a.log"),
                          .inode = n,
                          .birth_ns = 1000 + (int64_t)n,
                          .prefix_len = 10,
                          .prefix_hash = n * 0x9e3779b97f4a7c15u,
                          .stripe_bytes = 100};
}

struct ledger_key world_key(uint64_t n) {
    struct facts facts = world_facts(n);
    return (struct ledger_key){facts.source, facts.inode, facts.birth_ns, facts.volume};
}

struct id world_file(struct world *world, uint64_t n) {
    struct ledger_enroll ask = {id_make(&world->rng), world_facts(n), 0};
    enum rc answer = RC_BUSY;
    WORLD_OK(world, ledger_enroll(world->ledger, &ask, 1, &answer, &world->why));
    assert_int_equal(answer, RC_OK);
    return ask.id;
}

struct ledger_file world_lookup(struct world *world, uint64_t n) {
    struct ledger_key key = world_key(n);
    struct ledger_file file;
    WORLD_OK(world, ledger_lookup(world->ledger, &key, 1, &world->arena, &file, &world->why));
    return file;
}

struct attempt world_attempt(struct world *world, struct id file, uint64_t stripe, uint64_t from, uint64_t to,
                             struct id predecessor) {
    return (struct attempt){.generation = world->ledger.at.generation,
                            .file = file,
                            .stripe = stripe,
                            .from = from,
                            .to = to,
                            .id = id_make(&world->rng),
                            .predecessor = predecessor,
                            .epoch = world->ledger.at.epoch};
}

struct ledger_advance world_advance(struct attempt attempt, uint32_t messages) {
    return (struct ledger_advance){.attempt = attempt,
                                   .counts = {.lines = 1, .converted = 1, .records = 1},
                                   .tail_hash = attempt.to * 31,
                                   .messages = messages,
                                   .ends_seen = UINT32_MAX};
}

enum ledger_decision world_win(struct world *world, struct ledger_advance ask) {
    enum ledger_decision decision = LEDGER_UNDECIDED;
    WORLD_OK(world, ledger_advance(world->ledger, &ask, 1, NULL, 0, &decision, &world->why));
    return decision;
}

enum ledger_decision world_verdict(struct world *world, struct attempt attempt) {
    struct ledger_verdict verdict;
    WORLD_OK(world, ledger_verdicts(world->ledger, &attempt, 1, &verdict, &world->why));
    return verdict.decision;
}

enum ledger_decision world_void(struct world *world, struct attempt attempt) {
    struct ledger_verdict verdict;
    WORLD_OK(world, ledger_voids(world->ledger, &attempt, 1, &verdict, &world->why));
    return verdict.decision;
}

struct ledger_checkpoint world_checkpoint(struct world *world, struct id file, uint64_t stripe) {
    struct ledger_stripe ask = {file, stripe};
    struct ledger_checkpoint out;
    WORLD_OK(world, ledger_checkpoints(world->ledger, &ask, 1, &world->arena, &out, &world->why));
    return out;
}

enum rc world_close(struct world *world, struct id file, uint64_t end, bool gone) {
    struct ledger_close ask = {file, end, gone};
    enum rc answer = RC_BUSY;
    WORLD_OK(world, ledger_close_files(world->ledger, &ask, 1, &answer, &world->why));
    return answer;
}

enum rc world_durable(struct world *world, uint32_t partition, uint64_t index, struct attempt attempt,
                      uint32_t messages) {
    struct ledger_durable add = {attempt.file, attempt.stripe, attempt.id, messages};
    return ledger_durable(world->ledger, (struct ledger_batch){partition, index}, &add, 1, &world->why);
}

size_t world_due(struct world *world, struct ledger_due **out) {
    size_t n = 0;
    WORLD_OK(world, ledger_due(world->ledger, 64, &world->arena, out, &n, &world->why));
    return n;
}

void world_receipted(struct world *world, struct id file, uint64_t end) {
    struct ledger_close ask = {file, end, false};
    WORLD_OK(world, ledger_receipted(world->ledger, &ask, 1, &world->why));
}

struct ledger_listing *world_listing(struct world *w, struct id file) {
    struct ledger_listing *list = NULL;
    struct id after = {{0}};
    size_t n = 0;
    do {
        WORLD_OK(w, ledger_list(w->ledger, after, 50, &w->arena, &list, &n, &w->why));
        for (size_t i = 0; i < n; i++)
            if (id_equal(list[i].file, file)) return &list[i];
        if (n) after = list[n - 1].file;
    } while (n);
    fail_msg("a file is not listed");
    return NULL;
}

static void run_sentence(void **state) {
    const struct world_sentence *sentence = *state;
    for (size_t i = 0; i < world_adapters_len; i++) {
        struct world *world = world_new(&world_adapters[i], 1);
        sentence->run(world);
        world_free(world);
    }
}

int world_run(const char *suite, const struct world_sentence *sentences, size_t n) {
    struct CMUnitTest *tests = alloc_zero(n, sizeof *tests);
    for (size_t i = 0; i < n; i++) {
        void *state = (void *)(uintptr_t)&sentences[i]; /* cmocka's states are not const */
        tests[i] = (struct CMUnitTest){sentences[i].name, run_sentence, NULL, NULL, state};
    }
    int failed = _cmocka_run_group_tests(suite, tests, n, NULL, NULL);
    free(tests);
    return failed;
}
