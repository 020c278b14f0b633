/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what was answered RC_OK is there after kill -9 at any moment, and a call that was cut short happened wholly
 * or not at all; one process writes at a time, others may look. */
#include "ledger_world.h"

#include "ledger_sqlite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_ADAPTER = 1, KILLS = 30, BATCH = 5 };

static const struct id none = {{0}};

/* The child advances one stripe, BATCH at a call, and says after each call how far it was answered. */
static _Noreturn void child(const char *path, struct id file, int tell) {
    struct ledger_sqlite_settings settings = {path, 1, false, none, none};
    struct ledger ledger;
    struct why why = {0};
    struct rng rng = rng_from_kernel();
    struct arena arena = ARENA_INIT;
    struct ledger_stripe stripe = {file, 0};
    struct ledger_checkpoint at;
    if (ledger_sqlite_open(&settings, &ledger, &why) != RC_OK) _exit(1);
    if (ledger_checkpoints(ledger, &stripe, 1, &arena, &at, &why) != RC_OK) _exit(2);
    for (uint64_t from = at.at; from < 1000000;) {
        struct ledger_advance asks[BATCH];
        enum ledger_decision out[BATCH];
        for (size_t i = 0; i < BATCH; i++, from++) {
            struct attempt attempt = {1, file, 0, from, from + 1, id_make(&rng), at.winner, ledger.at.epoch};
            asks[i] = world_advance(attempt, 1);
            at.winner = attempt.id;
        }
        if (ledger_advance(ledger, asks, BATCH, NULL, 0, out, &why) != RC_OK || out[BATCH - 1] != LEDGER_WON) _exit(3);
        if (write(tell, &from, sizeof from) != sizeof from) _exit(4);
    }
    _exit(0);
}

static uint64_t look(struct world *w, struct id file) {
    struct ledger reader;
    struct ledger_stripe stripe = {file, 0};
    struct ledger_checkpoint at;
    WORLD_OK(w, ledger_sqlite_open_reader(w->path, 1, &reader, &w->why));
    WORLD_OK(w, ledger_checkpoints(reader, &stripe, 1, &w->arena, &at, &w->why));
    ledger_free(reader);
    return at.at;
}

static void what_was_answered_survives_kill_9(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 3);
    struct ledger_enroll ask = {id_make(&w->rng), world_facts(1), 0};
    enum rc answer;
    uint64_t answered = 0;
    ask.facts.stripe_bytes = 1 << 30;
    WORLD_OK(w, ledger_enroll(w->ledger, &ask, 1, &answer, &w->why));
    for (int i = 0; i < KILLS; i++) {
        int pipes[2];
        ledger_free(w->ledger);
        w->ledger = (struct ledger){0};
        assert_int_equal(pipe(pipes), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) child(w->path, ask.id, pipes[1]);
        (void)close(pipes[1]);
        /* dies in or behind one of its first calls */
        for (uint64_t calls = rng_below(&w->rng, 8); calls > 0; calls--)
            assert_int_equal(read(pipes[0], &answered, sizeof answered), sizeof answered);
        (void)kill(pid, SIGKILL);
        while (read(pipes[0], &answered, sizeof answered) == sizeof answered) {
        }
        (void)close(pipes[0]);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        uint64_t seen = look(w, ask.id); /* a reader comes before the next writer */
        WORLD_OK(w, w->adapter->open(w, &w->ledger, &w->why));
        uint64_t at = world_checkpoint(w, ask.id, 0).at;
        assert_int_equal(seen, at);
        assert_true(at >= answered);
        assert_int_equal(at % BATCH, 0);
        assert_int_equal(world_checkpoint(w, ask.id, 0).counts.lines, at);
        answered = at;
    }
    assert_true(answered > 0);
    world_free(w);
}

static void a_second_writer_is_refused_with_the_process_of_the_first(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 3);
    struct ledger second;
    char expect[64];
    (void)snprintf(expect, sizeof expect, "in use by process %ld", (long)getpid());
    struct ledger_sqlite_settings settings = {w->path, 1, true, {{1}}, {{2}}};
    assert_int_equal(ledger_sqlite_open(&settings, &second, &w->why), RC_DENIED);
    assert_non_null(strstr(w->why.text, expect));
    pid_t pid = fork();
    if (pid == 0) _exit(ledger_sqlite_open(&settings, &second, &w->why) == RC_DENIED ? 0 : 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)world_file(w, 1); /* the first is none the worse */
    world_free(w);
}

static void readers_look_beside_the_writer_and_without_one(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 3);
    struct ledger reader;
    struct ledger_listing *list;
    size_t n = 0;
    (void)world_file(w, 1);
    WORLD_OK(w, ledger_sqlite_open_reader(w->path, 1, &reader, &w->why));
    WORLD_OK(w, ledger_list(reader, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(n, 1);
    struct id file = world_file(w, 2); /* the writer goes on */
    WORLD_OK(w, ledger_list(reader, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(n, 2);
    struct ledger_close end = {file, 5, false};
    enum rc answer = RC_BUSY;
    assert_int_equal(ledger_close_files(reader, &end, 1, &answer, &w->why), RC_DENIED);
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    WORLD_OK(w, ledger_list(reader, none, 9, &w->arena, &list, &n, &w->why));
    ledger_free(reader);
    WORLD_OK(w, ledger_sqlite_open_reader(w->path, 1, &reader, &w->why));
    WORLD_OK(w, ledger_list(reader, none, 9, &w->arena, &list, &n, &w->why));
    assert_int_equal(n, 2);
    WORLD_OK(w, w->adapter->open(w, &w->ledger, &w->why)); /* a reader does not keep the writer out */
    ledger_free(reader);
    (void)world_file(w, 3);
    world_free(w);
}

static void a_ledger_is_made_only_on_request(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 3);
    struct ledger ledger;
    char path[WORLD_PATH_MAX + 8];
    (void)snprintf(path, sizeof path, "%s/other", w->folder);
    struct ledger_sqlite_settings settings = {path, 1, false, {{1}}, {{2}}};
    assert_int_equal(ledger_sqlite_open(&settings, &ledger, &w->why), RC_ABSENT);
    assert_int_equal(ledger_sqlite_open_reader(path, 1, &ledger, &w->why), RC_ABSENT);
    settings.create = true;
    settings.queue = none;
    assert_int_equal(ledger_sqlite_open(&settings, &ledger, &w->why), RC_BAD);
    assert_int_equal(access(path, F_OK), -1);
    (void)snprintf(path, sizeof path, "%s/no/such/folder", w->folder);
    assert_int_equal(ledger_sqlite_open(&settings, &ledger, &w->why), RC_DENIED);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_answered_survives_kill_9),
        cmocka_unit_test(a_second_writer_is_refused_with_the_process_of_the_first),
        cmocka_unit_test(readers_look_beside_the_writer_and_without_one),
        cmocka_unit_test(a_ledger_is_made_only_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
