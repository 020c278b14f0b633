/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what was answered RC_OK is there after kill -9 of Redis at any moment, and a call that was cut short
 * happened wholly or not at all; a Redis that restarted, was emptied or set back lets nobody in before a recovery; one
 * that hangs, refuses or forgot the scripts is told apart and lived through; what is set unsafely is named. */
#include "ledger_world.h"

#include "alloc.h"
#include "ledger_redis.h"
#include "redis_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 12, BATCH = 5 };

static const struct id none = {{0}};

static struct ledger_redis_settings settings_of(const struct redis_server *server) {
    return (struct ledger_redis_settings){
        .url = str_of(server->url), .pipeline = STR("crash"), .generation = 1, .call_ms = 3000};
}

struct bed {
    struct redis_server server;
    struct ledger_redis_settings settings;
    struct ledger_redis_init init;
    struct ledger ledger;
    struct arena arena;
    struct rng rng;
    struct why why;
    struct id file;
};

#define BED_OK(bed, call) assert_int_equal((call), RC_OK)

static void bed_start(struct bed *b) {
    bool made = false;
    enum rc answer = RC_BUSY;
    *b = (struct bed){.rng = rng_from_seed(11)};
    redis_server_start(&b->server, NULL);
    b->settings = settings_of(&b->server);
    b->init = (struct ledger_redis_init){id_make(&b->rng), id_make(&b->rng), false};
    BED_OK(b, ledger_redis_init(&b->settings, &b->init, &made, &b->why));
    assert_true(made);
    BED_OK(b, ledger_redis_init(&b->settings, &b->init, &made, &b->why));
    assert_false(made); /* idempotent */
    BED_OK(b, ledger_redis_open(&b->settings, &b->ledger, &b->why));
    struct ledger_enroll ask = {id_make(&b->rng), world_facts(1), 0};
    ask.facts.stripe_bytes = 1 << 30;
    BED_OK(b, ledger_enroll(b->ledger, &ask, 1, &answer, &b->why));
    b->file = ask.id;
}

static void bed_end(struct bed *b) {
    ledger_free(b->ledger);
    arena_done(&b->arena);
    redis_server_end(&b->server);
}

/* The recovery of a Redis that lost nothing: no winner has to be given. */
static void recover(struct bed *b) {
    struct ledger_identity who;
    struct id token = id_make(&b->rng);
    uint64_t target = 0, epoch = 0;
    BED_OK(b, ledger_identity(b->ledger, &who, &b->why));
    assert_true(who.recovering);
    struct ledger_epochs seen = {who.epoch, 0, 0};
    BED_OK(b, ledger_recover_begin(b->ledger, seen, token, &target, &b->why));
    BED_OK(b, ledger_recover_end(b->ledger, token, &epoch, &b->why));
    b->ledger.at.epoch = epoch;
}

static struct ledger_checkpoint checkpoint(struct bed *b) {
    struct ledger_stripe ask = {b->file, 0};
    struct ledger_checkpoint out;
    BED_OK(b, ledger_checkpoints(b->ledger, &ask, 1, &b->arena, &out, &b->why));
    return out;
}

/* Advances one stripe, BATCH at a call, and says after each call how far it was answered. */
static _Noreturn void child(const struct bed *b, uint64_t seed, int tell) {
    struct ledger ledger;
    struct why why = {0};
    struct rng rng = rng_from_seed(seed);
    struct arena arena = ARENA_INIT;
    struct ledger_stripe stripe = {b->file, 0};
    struct ledger_checkpoint at;
    if (ledger_redis_open(&b->settings, &ledger, &why) != RC_OK) _exit(1);
    if (ledger_checkpoints(ledger, &stripe, 1, &arena, &at, &why) != RC_OK) _exit(2);
    for (uint64_t from = at.at;;) {
        struct ledger_advance asks[BATCH];
        enum ledger_decision out[BATCH];
        for (size_t i = 0; i < BATCH; i++, from++) {
            struct attempt attempt = {1, b->file, 0, from, from + 1, id_make(&rng), at.winner, ledger.at.epoch};
            asks[i] = world_advance(attempt, 1);
            at.winner = attempt.id;
        }
        enum rc rc = ledger_advance(ledger, asks, BATCH, NULL, 0, out, &why);
        if (rc == RC_BUSY || rc == RC_STALE) _exit(0); /* the server died */
        if (rc != RC_OK || out[BATCH - 1] != LEDGER_WON) _exit(3);
        if (write(tell, &from, sizeof from) != sizeof from) _exit(4);
    }
}

static void what_was_answered_survives_kill_9_of_redis(void **unused) {
    (void)unused;
    struct bed b;
    uint64_t answered = 0;
    bed_start(&b);
    for (uint64_t i = 0; i < KILLS; i++) {
        int pipes[2], status;
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) child(&b, 100 + i, pipes[1]);
        (void)close(pipes[1]);
        for (uint64_t calls = rng_below(&b.rng, 40); calls > 0; calls--)
            assert_int_equal(read(pipes[0], &answered, sizeof answered), sizeof answered);
        redis_server_kill(&b.server);
        while (read(pipes[0], &answered, sizeof answered) == sizeof answered) {
        }
        (void)close(pipes[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        redis_server_restart(&b.server, NULL);
        struct ledger_stripe ask = {b.file, 0};
        struct ledger_checkpoint at;
        enum rc rc;
        while ((rc = ledger_checkpoints(b.ledger, &ask, 1, &b.arena, &at, &b.why)) == RC_BUSY) {
        }
        assert_int_equal(rc, RC_STALE); /* another life: nobody is let in */
        recover(&b);
        assert_true(checkpoint(&b).at >= answered);
        assert_int_equal(checkpoint(&b).at % BATCH, 0);
        assert_int_equal(checkpoint(&b).counts.lines, checkpoint(&b).at);
        answered = checkpoint(&b).at;
    }
    assert_true(answered > 0);
    bed_end(&b);
}

static void a_recoverer_whose_redis_restarts_has_to_begin_again(void **unused) {
    (void)unused;
    struct bed b;
    struct id token = {{7}};
    uint64_t target = 0, epoch = 0;
    bed_start(&b);
    BED_OK(&b, ledger_recover_begin(b.ledger, (struct ledger_epochs){1, 0, 0}, token, &target, &b.why));
    redis_server_kill(&b.server);
    redis_server_restart(&b.server, NULL);
    enum rc rc;
    while ((rc = ledger_recover_end(b.ledger, token, &epoch, &b.why)) == RC_BUSY) {
    }
    assert_int_equal(rc, RC_STALE);
    recover(&b);
    assert_true(b.ledger.at.epoch > target);
    bed_end(&b);
}

static void an_emptied_redis_lets_nobody_in(void **unused) {
    (void)unused;
    struct bed b;
    struct ledger other;
    struct ledger_identity who;
    struct ledger_stripe ask;
    struct ledger_checkpoint at;
    bool made = false;
    bed_start(&b);
    ask = (struct ledger_stripe){b.file, 0};
    free(redis_server_ask(&b.server, "FLUSHALL"));
    assert_int_equal(ledger_checkpoints(b.ledger, &ask, 1, &b.arena, &at, &b.why), RC_STALE);
    assert_int_equal(ledger_identity(b.ledger, &who, &b.why), RC_ABSENT);
    assert_non_null(strstr(b.why.text, "sluice ledger rebuild"));
    assert_int_equal(ledger_redis_open(&b.settings, &other, &b.why), RC_ABSENT);
    b.init.emptied = true;
    BED_OK(&b, ledger_redis_init(&b.settings, &b.init, &made, &b.why));
    assert_true(made);
    assert_int_equal(ledger_checkpoints(b.ledger, &ask, 1, &b.arena, &at, &b.why), RC_STALE); /* shut */
    recover(&b);
    assert_false(checkpoint(&b).found);
    struct ledger_redis_init stranger = {{{1}}, {{2}}, false};
    assert_int_equal(ledger_redis_init(&b.settings, &stranger, &made, &b.why), RC_DENIED);
    bed_end(&b);
}

static void a_redis_that_hangs_is_busy_and_the_call_may_be_made_again(void **unused) {
    (void)unused;
    struct bed b;
    bed_start(&b);
    b.settings.call_ms = 200;
    ledger_free(b.ledger);
    BED_OK(&b, ledger_redis_open(&b.settings, &b.ledger, &b.why));
    struct attempt attempt = {1, b.file, 0, 0, 10, id_make(&b.rng), none, 1};
    struct ledger_advance ask = world_advance(attempt, 1);
    enum ledger_decision out = LEDGER_UNDECIDED;
    (void)kill(b.server.pid, SIGSTOP);
    assert_int_equal(ledger_advance(b.ledger, &ask, 1, NULL, 0, &out, &b.why), RC_BUSY);
    (void)kill(b.server.pid, SIGCONT);
    enum rc rc;
    while ((rc = ledger_advance(b.ledger, &ask, 1, NULL, 0, &out, &b.why)) == RC_BUSY) {
    }
    assert_int_equal(rc, RC_OK);
    assert_int_equal(out, LEDGER_WON);
    BED_OK(&b, ledger_advance(b.ledger, &ask, 1, NULL, 0, &out, &b.why));
    assert_int_equal(out, LEDGER_WON);
    assert_int_equal(checkpoint(&b).counts.lines, 1);
    bed_end(&b);
}

static void scripts_that_are_forgotten_and_connections_that_are_cut_are_nothing(void **unused) {
    (void)unused;
    struct bed b;
    bed_start(&b);
    free(redis_server_ask(&b.server, "SCRIPT FLUSH"));
    assert_int_equal(checkpoint(&b).at, 0);
    free(redis_server_ask(&b.server, "CLIENT KILL TYPE normal SKIPME yes"));
    assert_int_equal(checkpoint(&b).at, 0); /* only reads: made again on a new connection */
    free(redis_server_ask(&b.server, "SCRIPT FLUSH"));
    struct ledger_close end = {b.file, 50, false};
    enum rc answer = RC_BUSY;
    BED_OK(&b, ledger_close_files(b.ledger, &end, 1, &answer, &b.why));
    assert_int_equal(answer, RC_OK);
    bed_end(&b);
}

static void another_life_under_an_open_handle_is_stale(void **unused) {
    (void)unused;
    struct bed b;
    struct ledger_identity who;
    struct ledger_stripe ask;
    struct ledger_checkpoint at;
    bed_start(&b);
    ask = (struct ledger_stripe){b.file, 0};
    /* demoted and promoted again: the process is the same, its history is not */
    free(redis_server_ask(&b.server, "REPLICAOF 127.0.0.1 1"));
    free(redis_server_ask(&b.server, "CLIENT KILL TYPE normal SKIPME yes"));
    assert_int_equal(ledger_checkpoints(b.ledger, &ask, 1, &b.arena, &at, &b.why), RC_BUSY); /* a replica */
    free(redis_server_ask(&b.server, "REPLICAOF NO ONE"));
    enum rc rc;
    while ((rc = ledger_checkpoints(b.ledger, &ask, 1, &b.arena, &at, &b.why)) == RC_BUSY) {
    }
    assert_int_equal(rc, RC_STALE);
    BED_OK(&b, ledger_identity(b.ledger, &who, &b.why));
    assert_true(who.recovering);
    bed_end(&b);
}

static void a_wrong_password_is_denied_and_never_told(void **unused) {
    (void)unused;
    static const char *const secured[] = {"--requirepass", "s3cret%word", NULL};
    struct redis_server server;
    struct why why = {0};
    struct ledger ledger;
    char url[128];
    bool made;
    redis_server_start(&server, secured);
    struct ledger_redis_settings settings = settings_of(&server);
    struct ledger_redis_init init = {{{1}}, {{2}}, false};
    assert_int_equal(ledger_redis_open(&settings, &ledger, &why), RC_DENIED);
    (void)snprintf(url, sizeof url, "redis://default:wr0ng@127.0.0.1:%d", server.port);
    settings.url = str_of(url);
    assert_int_equal(ledger_redis_open(&settings, &ledger, &why), RC_DENIED);
    assert_null(strstr(why.text, "wr0ng"));
    (void)snprintf(url, sizeof url, "redis://:s3cret%%25word@127.0.0.1:%d/3", server.port);
    settings.url = str_of(url);
    assert_int_equal(ledger_redis_init(&settings, &init, &made, &why), RC_OK);
    settings.url = str_of(server.url);
    settings.password = STR("s3cret%word");
    assert_int_equal(ledger_redis_open(&settings, &ledger, &why), RC_ABSENT); /* another db */
    redis_server_end(&server);
}

static void a_user_who_may_not_write_all_is_denied_before_anything_is_half_done(void **unused) {
    (void)unused;
    struct bed b;
    struct ledger ledger;
    char url[128];
    bed_start(&b);
    free(redis_server_ask(&b.server, "ACL SETUSER limited on >pw ~* +@all -append"));
    (void)snprintf(url, sizeof url, "redis://limited:pw@127.0.0.1:%d", b.server.port);
    b.settings.url = str_of(url);
    assert_int_equal(ledger_redis_open(&b.settings, &ledger, &b.why), RC_DENIED);
    bed_end(&b);
}

static void what_is_set_unsafely_is_named(void **unused) {
    (void)unused;
    struct bed b;
    struct ledger_redis_finding *found;
    size_t n = 9;
    bed_start(&b);
    BED_OK(&b, ledger_redis_check(&b.settings, &b.arena, &found, &n, &b.why));
    assert_int_equal(n, 0);
    free(redis_server_ask(&b.server, "CONFIG SET appendfsync everysec"));
    free(redis_server_ask(&b.server, "CONFIG SET maxmemory-policy allkeys-lru"));
    BED_OK(&b, ledger_redis_check(&b.settings, &b.arena, &found, &n, &b.why));
    assert_int_equal(n, 2);
    assert_non_null(strstr(found[0].text.at, "noeviction"));
    assert_non_null(strstr(found[1].text.at, "everysec"));
    assert_int_equal(found[1].weight, LEDGER_REDIS_RISK);
    free(redis_server_ask(&b.server, "ACL SETUSER default -config"));
    BED_OK(&b, ledger_redis_check(&b.settings, &b.arena, &found, &n, &b.why));
    assert_int_equal(n, 2);
    assert_int_equal(found[0].weight, LEDGER_REDIS_RISK); /* INFO tells it */
    assert_int_equal(found[1].weight, LEDGER_REDIS_UNKNOWN);
    bed_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_survives_kill_9_of_redis),
        cmocka_unit_test(a_recoverer_whose_redis_restarts_has_to_begin_again),
        cmocka_unit_test(an_emptied_redis_lets_nobody_in),
        cmocka_unit_test(a_redis_that_hangs_is_busy_and_the_call_may_be_made_again),
        cmocka_unit_test(scripts_that_are_forgotten_and_connections_that_are_cut_are_nothing),
        cmocka_unit_test(another_life_under_an_open_handle_is_stale),
        cmocka_unit_test(a_wrong_password_is_denied_and_never_told),
        cmocka_unit_test(a_user_who_may_not_write_all_is_denied_before_anything_is_half_done),
        cmocka_unit_test(what_is_set_unsafely_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
