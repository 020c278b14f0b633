/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: threads that share a handle and race for the same places get one winner at each, on every adapter. Runs
 * under the thread sanitizer, too. */
#include "ledger_world.h"

#include "alloc.h"

#include <pthread.h>
#include <stdlib.h>

enum { RACERS = 4, PLACES = 200 };

struct racer {
    struct world *w;
    struct id file;
    struct rng rng;
    struct id won[PLACES];
    pthread_t thread;
};

static void *race(void *arg) {
    struct racer *r = arg;
    struct arena arena = ARENA_INIT;
    struct why why = {0};
    for (;;) {
        struct ledger_stripe stripe = {r->file, 0};
        struct ledger_checkpoint at;
        enum ledger_decision decision = LEDGER_UNDECIDED;
        if (ledger_checkpoints(r->w->ledger, &stripe, 1, &arena, &at, &why) != RC_OK || at.at >= PLACES) break;
        struct attempt attempt = {1, r->file, 0, at.at, at.at + 1, id_make(&r->rng), at.winner, 1};
        struct ledger_advance ask = world_advance(attempt, 1);
        if (ledger_advance(r->w->ledger, &ask, 1, NULL, 0, &decision, &why) != RC_OK) break;
        if (decision == LEDGER_WON) r->won[at.at] = attempt.id;
    }
    arena_done(&arena);
    return NULL;
}

static void threads_that_race_for_a_place_get_one_winner(void **unused) {
    (void)unused;
    for (size_t a = 0; a < world_adapters_len; a++) {
        struct world *w = world_new(&world_adapters[a], 3);
        struct racer *racers = alloc_zero(RACERS, sizeof *racers);
        struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), 0};
        enum rc answer;
        ask.facts.stripe_bytes = 1 << 30;
        WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
        for (size_t i = 0; i < RACERS; i++) {
            racers[i].w = w;
            racers[i].file = ask.id;
            racers[i].rng = rng_from_seed(100 + i);
            assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
        }
        for (size_t i = 0; i < RACERS; i++) assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        assert_int_equal(world_checkpoint(w, ask.id, 0).counts.lines, PLACES);
        for (size_t place = 0; place < PLACES; place++) {
            size_t winners = 0;
            for (size_t i = 0; i < RACERS; i++) winners += !id_is_none(racers[i].won[place]);
            assert_int_equal(winners, 1);
        }
        free(racers);
        world_free(w);
    }
}

/* ---- batches ---- */

enum { TELLERS = 4, BATCHES = 60 };

struct teller {
    struct world *w;
    const struct attempt *won;
    enum rc rc;
    struct why why;
    pthread_t thread;
};

static void *tell(void *arg) {
    struct teller *t = arg;
    for (uint64_t i = 0; i < BATCHES && t->rc == RC_OK; i++) {
        struct ledger_durable add = {t->won->file, 0, t->won->id, 1};
        t->rc = ledger_durable(t->w->ledger, (struct ledger_batch){0, i}, &add, 1, &t->why);
    }
    return NULL;
}

static void threads_that_tell_the_same_batches_tell_each_once(void **unused) {
    (void)unused;
    for (size_t a = 0; a < world_adapters_len; a++) {
        struct world *w = world_new(&world_adapters[a], 4);
        struct teller tellers[TELLERS];
        struct attempt won = world_attempt(w, world_file(w, 1), 0, 0, 50, (struct id){{0}});
        assert_int_equal(world_win(w, world_advance(won, BATCHES)), LEDGER_WON);
        for (size_t i = 0; i < TELLERS; i++) {
            tellers[i] = (struct teller){.w = w, .won = &won};
            assert_int_equal(pthread_create(&tellers[i].thread, NULL, tell, &tellers[i]), 0);
        }
        for (size_t i = 0; i < TELLERS; i++) assert_int_equal(pthread_join(tellers[i].thread, NULL), 0);
        for (size_t i = 0; i < TELLERS; i++)
            if (tellers[i].rc != RC_OK) fail_msg("%s", tellers[i].why.text);
        uint64_t next;
        WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
        assert_int_equal(next, BATCHES);
        assert_int_equal(world_durable(w, 0, BATCHES, won, 1), RC_BROKEN); /* all of it was durable, once */
        world_free(w);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_that_race_for_a_place_get_one_winner),
        cmocka_unit_test(threads_that_tell_the_same_batches_tell_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
