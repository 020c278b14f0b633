/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a ledger file with any byte changed, cut short at any place, replaced or emptied gives RC_BROKEN or exactly
 * the answers of the undamaged one, never others; and a file that was refused is left byte for byte as it was. In the
 * log that a crash leaves, a changed byte can cost the last transaction, which may have been torn, and never more. */
#include "ledger_world.h"

#include "buf.h"
#include "ledger_sqlite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_ADAPTER = 1, FILES = 120, FLIPS = 240, CALLS = 12, TEXT_MAX = 4 * 1024 * 1024, FILE_MAX = 8 * 1024 * 1024 };

static const struct id none = {{0}};

struct bytes {
    char *at;
    size_t len;
};

static struct bytes read_file(const char *path) {
    struct bytes b = {malloc(FILE_MAX), 0};
    FILE *f = fopen(path, "rb");
    assert_true(b.at && f);
    b.len = fread(b.at, 1, FILE_MAX, f);
    assert_true(b.len < FILE_MAX);
    assert_int_equal(fclose(f), 0);
    return b;
}

static void write_file(const char *path, const char *at, size_t len) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(at, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void path_of(const struct world *w, const char *end, char out[WORLD_PATH_MAX + 8]) {
    (void)snprintf(out, WORLD_PATH_MAX + 8, "%s%s", w->path, end);
}

/* Everything that a ledger answers, as text. */
static enum rc dump(struct ledger ledger, struct buf *out, struct why *why) {
    struct arena arena = ARENA_INIT;
    struct id after = none;
    enum rc rc = RC_OK;
    for (size_t n = 1; n > 0 && rc == RC_OK;) {
        struct ledger_listing *list = NULL;
        rc = ledger_list(ledger, after, 50, &arena, &list, &n, why);
        for (size_t i = 0; i < n && rc == RC_OK; i++) {
            struct ledger_file file;
            struct facts *facts = &list[i].facts;
            struct ledger_key key = {facts->source, facts->inode, facts->birth_ns, facts->volume};
            struct ledger_stripe_listing *stripes = NULL;
            struct ledger_checkpoint at = {0};
            struct ledger_stripe first = {list[i].file, 0};
            size_t stripes_n = 0;
            char name[ID_TEXT];
            after = list[i].file;
            rc = ledger_lookup(ledger, &key, 1, &arena, &file, why);
            if (rc == RC_OK) rc = ledger_list_stripes(ledger, after, &arena, &stripes, &stripes_n, why);
            if (rc == RC_OK) rc = ledger_checkpoints(ledger, &first, 1, &arena, &at, why);
            if (rc != RC_OK) break;
            buf_add_format(out, "%s %.*s %d %zu %zu %zu %zu\n", id_format(after, name), STR_ARG(facts->uri),
                           (int)list[i].state, (size_t)list[i].counts.lines, (size_t)file.reach, (size_t)file.tail_hash,
                           (size_t)list[i].outstanding);
            buf_add_format(out, " %s %zu %zu %zu\n", id_format(at.winner, name), (size_t)at.at, (size_t)at.tail_hash,
                           at.ends_len);
            for (size_t k = 0; k < stripes_n; k++)
                buf_add_format(out, " %zu %zu %zu\n", (size_t)stripes[k].at, (size_t)stripes[k].counts.lines,
                               (size_t)stripes[k].outstanding);
        }
        arena_reset(&arena);
    }
    arena_done(&arena);
    return rc;
}

static enum rc open_and_dump(struct world *w, struct buf *out) {
    struct ledger_sqlite_settings settings = {w->path, 1, true, {{1}}, {{2}}};
    struct ledger ledger;
    buf_reset(out);
    enum rc rc = ledger_sqlite_open(&settings, &ledger, &w->why);
    if (rc != RC_OK) return rc;
    rc = dump(ledger, out, &w->why);
    ledger_free(ledger);
    return rc;
}

/* A ledger of some files at all states, closed well; *out_text is what it answers. */
static struct world *full_world(struct buf *out_text, struct bytes *out_file) {
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 5);
    for (uint64_t i = 0; i < FILES; i++) {
        struct id file = world_file(w, i);
        struct attempt a = world_attempt(w, file, 0, 0, 60, none), b = world_attempt(w, file, 0, 60, 100, a.id);
        assert_int_equal(world_win(w, world_advance(a, 1)), LEDGER_WON);
        if (i % 2) assert_int_equal(world_win(w, world_advance(b, 2)), LEDGER_WON);
        if (i % 3)
            WORLD_OK(w, ledger_durable(w->ledger, (struct ledger_batch){0, i - i / 3 - 1},
                                       &(struct ledger_durable){file, 0, a.id, 1}, 1, &w->why));
        if (i % 5 == 0) assert_int_equal(world_close(w, file, 100, false), RC_OK);
    }
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    WORLD_OK(w, open_and_dump(w, out_text));
    *out_file = read_file(w->path);
    return w;
}

/* What was refused is unchanged; what was not answers the same. */
static bool check_damaged(struct world *w, const struct bytes *damaged, const struct buf *expect, struct buf *got) {
    enum rc rc = open_and_dump(w, got);
    if (rc == RC_OK) {
        assert_int_equal(got->len, expect->len);
        assert_memory_equal(got->at, expect->at, expect->len);
        return false;
    }
    assert_int_equal(rc, RC_BROKEN);
    assert_true(w->why.text[0] != '\0');
    struct bytes now = read_file(w->path);
    assert_int_equal(now.len, damaged->len);
    assert_memory_equal(now.at, damaged->at, damaged->len);
    free(now.at);
    return true;
}

static void a_flipped_byte_is_noticed_or_does_not_matter(void **unused) {
    (void)unused;
    struct buf expect = BUF_INIT(TEXT_MAX), got = BUF_INIT(TEXT_MAX);
    struct bytes file;
    struct world *w = full_world(&expect, &file);
    size_t noticed = 0;
    for (size_t i = 0; i < FLIPS; i++) {
        size_t at = i < 100 ? i : (size_t)rng_below(&w->rng, file.len); /* the header byte by byte */
        char was = file.at[at];
        file.at[at] = (char)(was ^ (1 << rng_below(&w->rng, 8)));
        write_file(w->path, file.at, file.len);
        noticed += check_damaged(w, &file, &expect, &got);
        file.at[at] = was;
    }
    assert_true(noticed > FLIPS / 2); /* pages that no answer comes from may stay unread */
    write_file(w->path, file.at, file.len);
    WORLD_OK(w, open_and_dump(w, &got));
    buf_done(&expect);
    buf_done(&got);
    free(file.at);
    world_free(w);
}

static void a_file_that_was_cut_short_is_broken(void **unused) {
    (void)unused;
    struct buf expect = BUF_INIT(TEXT_MAX), got = BUF_INIT(TEXT_MAX);
    struct bytes file;
    struct world *w = full_world(&expect, &file);
    for (size_t len = 0; len < file.len; len += len < 4200 ? 100 : 4096 * 3 + 7) {
        struct bytes cut = {file.at, len};
        write_file(w->path, file.at, len);
        assert_true(check_damaged(w, &cut, &expect, &got));
    }
    buf_done(&expect);
    buf_done(&got);
    free(file.at);
    world_free(w);
}

static void pages_that_changed_places_are_noticed(void **unused) {
    (void)unused;
    struct buf expect = BUF_INIT(TEXT_MAX), got = BUF_INIT(TEXT_MAX);
    struct bytes file;
    struct world *w = full_world(&expect, &file);
    size_t pages = file.len / 4096, noticed = 0;
    char page[4096];
    for (size_t i = 1; i + 1 < pages; i++) {
        memcpy(page, file.at + i * 4096, 4096);
        memcpy(file.at + i * 4096, file.at + (i + 1) * 4096, 4096);
        write_file(w->path, file.at, file.len);
        noticed += check_damaged(w, &file, &expect, &got);
        memcpy(file.at + i * 4096, page, 4096);
    }
    assert_true(noticed > pages / 2);
    buf_done(&expect);
    buf_done(&got);
    free(file.at);
    world_free(w);
}

static void a_foreign_file_is_left_alone(void **unused) {
    (void)unused;
    static const char text[] = "Dear diary, this is no ledger, but it must not be lost either.\n";
    struct buf got = BUF_INIT(TEXT_MAX), nothing = BUF_INIT(1);
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 5);
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    struct bytes big = {calloc(1, 20000), 20000};
    assert_non_null(big.at);
    memcpy(big.at, "SQLite format 3", 16); /* a database, but not ours */
    struct bytes cases[] = {{big.at, big.len}, {big.at + 50, 10000}, {NULL, 0}};
    cases[2] = (struct bytes){malloc(sizeof text), sizeof text};
    assert_non_null(cases[2].at);
    memcpy(cases[2].at, text, sizeof text);
    for (size_t i = 0; i < 3; i++) {
        write_file(w->path, cases[i].at, cases[i].len);
        assert_true(check_damaged(w, &cases[i], &nothing, &got));
        struct ledger reader;
        assert_int_equal(ledger_sqlite_open_reader(w->path, 1, &reader, &w->why), RC_BROKEN);
    }
    free(big.at);
    free(cases[2].at);
    buf_done(&got);
    world_free(w);
}

static void a_log_without_its_ledger_is_broken(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 5);
    struct buf got = BUF_INIT(TEXT_MAX);
    char wal[WORLD_PATH_MAX + 8];
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    path_of(w, "-wal", wal);
    write_file(wal, "something", 9);
    assert_int_equal(remove(w->path), 0);
    assert_int_equal(open_and_dump(w, &got), RC_BROKEN);
    assert_int_equal(access(w->path, F_OK), -1);
    buf_done(&got);
    world_free(w);
}

/* ---- the log ---- */

/* Calls in a child that dies without closing: the log stays. */
static void crash_with_a_log(struct world *w, struct id file) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct ledger_sqlite_settings settings = {w->path, 1, false, none, none};
        struct ledger ledger;
        struct why why = {0};
        struct id before = none;
        if (ledger_sqlite_open(&settings, &ledger, &why) != RC_OK) _exit(1);
        for (uint64_t i = 0; i < CALLS; i++) {
            struct attempt attempt = {1, file, 0, i, i + 1, id_make(&w->rng), before, 1};
            struct ledger_advance ask = world_advance(attempt, 1);
            enum ledger_decision out;
            if (ledger_advance(ledger, &ask, 1, NULL, 0, &out, &why) != RC_OK) _exit(2);
            before = attempt.id;
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_changed_byte_in_the_log_costs_at_most_the_last_call(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 5);
    struct id file = world_file(w, 1);
    char wal[WORLD_PATH_MAX + 8], shm[WORLD_PATH_MAX + 8];
    size_t refused = 0, lost = 0;
    path_of(w, "-wal", wal);
    path_of(w, "-shm", shm);
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    crash_with_a_log(w, file);
    struct bytes log = read_file(wal), base = read_file(w->path);
    assert_true(log.len > CALLS * 4096);
    for (size_t i = 0; i < FLIPS / 2; i++) {
        size_t at = i < 60 ? i : (size_t)rng_below(&w->rng, log.len);
        char was = log.at[at];
        log.at[at] = (char)(was ^ (1 << rng_below(&w->rng, 8)));
        write_file(wal, log.at, log.len);
        write_file(w->path, base.at, base.len);
        (void)remove(shm);
        enum rc rc = w->adapter->open(w, &w->ledger, &w->why);
        if (rc == RC_OK) {
            uint64_t done = world_checkpoint(w, file, 0).at;
            assert_true(done == CALLS || done == CALLS - 1);
            lost += done < CALLS;
            ledger_free(w->ledger);
            w->ledger = (struct ledger){0};
        } else {
            assert_int_equal(rc, RC_BROKEN);
            struct bytes now = read_file(wal), main = read_file(w->path);
            assert_true(now.len == log.len && memcmp(now.at, log.at, log.len) == 0);
            assert_true(main.len == base.len && memcmp(main.at, base.at, base.len) == 0);
            free(now.at);
            free(main.at);
            refused++;
        }
        log.at[at] = was;
    }
    assert_true(refused > FLIPS / 4 && lost < FLIPS / 8);
    free(log.at);
    free(base.at);
    world_free(w);
}

static void a_log_that_ends_in_a_torn_call_is_taken_up_to_it(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 5);
    struct id file = world_file(w, 1);
    char wal[WORLD_PATH_MAX + 8], shm[WORLD_PATH_MAX + 8];
    path_of(w, "-wal", wal);
    path_of(w, "-shm", shm);
    ledger_free(w->ledger);
    w->ledger = (struct ledger){0};
    crash_with_a_log(w, file);
    struct bytes log = read_file(wal), base = read_file(w->path);
    uint64_t last = 0;
    for (size_t len = 0; len <= log.len; len += 1000) {
        write_file(wal, log.at, len);
        write_file(w->path, base.at, base.len);
        (void)remove(shm);
        WORLD_OK(w, w->adapter->open(w, &w->ledger, &w->why));
        uint64_t done = world_checkpoint(w, file, 0).at;
        assert_true(done >= last && done <= CALLS);
        last = done;
        ledger_free(w->ledger);
        w->ledger = (struct ledger){0};
    }
    assert_true(last >= CALLS - 1);
    free(log.at);
    free(base.at);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_is_noticed_or_does_not_matter),
        cmocka_unit_test(a_file_that_was_cut_short_is_broken),
        cmocka_unit_test(pages_that_changed_places_are_noticed),
        cmocka_unit_test(a_foreign_file_is_left_alone),
        cmocka_unit_test(a_log_without_its_ledger_is_broken),
        cmocka_unit_test(a_changed_byte_in_the_log_costs_at_most_the_last_call),
        cmocka_unit_test(a_log_that_ends_in_a_torn_call_is_taken_up_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
