/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: whichever write, sync or truncation of the disk fails, once or from then on, the call that met it says so
 * (RC_LIMIT for a full disk, RC_BROKEN for an error), has happened wholly or not at all, can be made again, and no call
 * that was answered RC_OK is lost. And: every call that changes something is synced before it answers. */
#include "ledger_world.h"

#include "ledger_sqlite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_ADAPTER = 1, CALLS = 7, DIGEST_MAX = 256 };

/* ---- a file system that fails on demand, under SQLite's own choice of one ---- */

static struct {
    uint64_t effects, at, syncs;
    bool armed, stays;
    int code;
} disk;

static sqlite3_vfs faulty;
static sqlite3_vfs *below;
static sqlite3_io_methods methods;

struct faulty_file {
    sqlite3_file base;
};

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((struct faulty_file *)file + 1); }

static bool fails(void) {
    uint64_t now = disk.effects++;
    return disk.armed && (now == disk.at || (disk.stays && now > disk.at));
}

static int on_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset) {
    return fails() ? disk.code : real(file)->pMethods->xWrite(real(file), from, amount, offset);
}
static int on_sync(sqlite3_file *file, int flags) {
    disk.syncs++;
    return fails() ? (disk.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC)
                   : real(file)->pMethods->xSync(real(file), flags);
}
static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return fails() ? SQLITE_IOERR_TRUNCATE : real(file)->pMethods->xTruncate(real(file), size);
}
static int on_close(sqlite3_file *f) { return real(f)->pMethods->xClose(real(f)); }
static int on_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, n, at);
}
static int on_size(sqlite3_file *f, sqlite3_int64 *out) { return real(f)->pMethods->xFileSize(real(f), out); }
static int on_lock(sqlite3_file *f, int kind) { return real(f)->pMethods->xLock(real(f), kind); }
static int on_unlock(sqlite3_file *f, int kind) { return real(f)->pMethods->xUnlock(real(f), kind); }
static int on_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int on_control(sqlite3_file *f, int what, void *arg) {
    return real(f)->pMethods->xFileControl(real(f), what, arg);
}
static int on_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int on_device(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int on_shm_map(sqlite3_file *f, int region, int bytes, int extend, void volatile **out) {
    return real(f)->pMethods->xShmMap(real(f), region, bytes, extend, out);
}
static int on_shm_lock(sqlite3_file *f, int at, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void on_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int on_shm_unmap(sqlite3_file *f, int gone) { return real(f)->pMethods->xShmUnmap(real(f), gone); }

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    file->pMethods = NULL;
    int code = below->xOpen(below, path, real(file), flags, out_flags);
    if (real(file)->pMethods) file->pMethods = &methods;
    return code;
}

static int install(void **unused) {
    (void)unused;
    below = sqlite3_vfs_find(NULL);
    assert_non_null(below);
    methods =
        (sqlite3_io_methods){2,           on_close,       on_read,      on_write,   on_truncate, on_sync,   on_size,
                             on_lock,     on_unlock,      on_reserved,  on_control, on_sector,   on_device, on_shm_map,
                             on_shm_lock, on_shm_barrier, on_shm_unmap, NULL,       NULL};
    faulty = *below;
    faulty.zName = "faulty";
    faulty.szOsFile += (int)sizeof(struct faulty_file);
    faulty.xOpen = on_open;
    return sqlite3_vfs_register(&faulty, 1) == SQLITE_OK ? 0 : -1;
}

/* ---- the calls ---- */

struct story {
    struct ledger_enroll enroll;
    struct attempt a, b, lost;
};

static struct story story_of(struct world *w) {
    struct story s = {.enroll = {id_make(&w->rng), world_facts(1), 0}};
    s.a = world_attempt(w, s.enroll.id, 0, 0, 40, (struct id){{0}});
    s.b = world_attempt(w, s.enroll.id, 0, 40, 90, s.a.id);
    s.lost = world_attempt(w, s.enroll.id, 0, 90, 95, s.b.id);
    return s;
}

static enum rc tell(struct world *w, const struct story *s, int call) {
    struct ledger_advance advances[] = {world_advance(s->a, 2), world_advance(s->b, 1)};
    enum ledger_decision decisions[2];
    struct ledger_verdict verdict;
    struct ledger_durable adds[] = {{s->a.file, 0, s->a.id, 2}, {s->a.file, 0, s->b.id, 1}};
    struct ledger_close end = {s->a.file, 90, false};
    enum rc answer = RC_OK, rc = RC_BROKEN;
    uint32_t failures;
    if (call == 0) rc = ledger_enroll(w->ledger, &s->enroll, 1, &answer, &w->why);
    if (call == 1) rc = ledger_advance(w->ledger, advances, 2, NULL, 0, decisions, &w->why);
    if (call == 2) rc = ledger_voids(w->ledger, &s->lost, 1, &verdict, &w->why);
    if (call == 3)
        rc = ledger_job_failed(w->ledger, (struct ledger_stripe){s->a.file, 5}, STR("r"), 1, &failures, &w->why);
    if (call == 4) rc = ledger_close_files(w->ledger, &end, 1, &answer, &w->why);
    if (call == 5) rc = ledger_durable(w->ledger, (struct ledger_batch){0, 0}, adds, 2, &w->why);
    if (call == 6) rc = ledger_receipted(w->ledger, &end, 1, &w->why);
    assert_int_equal(answer, RC_OK);
    return rc;
}

/* What the ledger holds, in a few words; job_failed counts calls, so its count is left out. */
static void digest(struct world *w, const struct story *s, char out[DIGEST_MAX]) {
    struct ledger_file file = world_lookup(w, 1);
    uint64_t next = 0;
    out[0] = '\0';
    if (!file.found) return;
    struct ledger_checkpoint at = world_checkpoint(w, file.id, 0);
    WORLD_OK(w, ledger_durable_next(w->ledger, 0, &next, &w->why));
    struct ledger_verdict verdict;
    WORLD_OK(w, ledger_verdicts(w->ledger, &s->lost, 1, &verdict, &w->why));
    (void)snprintf(out, DIGEST_MAX, "at %zu lines %zu next %zu voids %u aside %d end %zu receipt %d", (size_t)at.at,
                   (size_t)at.counts.lines, (size_t)next, verdict.voids, world_checkpoint(w, file.id, 5).set_aside,
                   (size_t)file.closed_end, file.receipted);
}

static char digests[CALLS + 1][DIGEST_MAX];
static uint64_t effects_all;

static void every_call_is_synced_before_it_answers(void **unused) {
    (void)unused;
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 9);
    struct story s = story_of(w);
    disk.effects = 0;
    for (int call = 0; call < CALLS; call++) {
        digest(w, &s, digests[call]);
        uint64_t before = disk.syncs;
        WORLD_OK(w, tell(w, &s, call));
        assert_true(disk.syncs > before);
    }
    digest(w, &s, digests[CALLS]);
    effects_all = disk.effects;
    for (int call = 0; call < CALLS; call++) assert_string_not_equal(digests[call], digests[call + 1]);
    uint64_t before = disk.syncs;
    (void)world_lookup(w, 1);
    assert_int_equal(disk.syncs, before);
    world_free(w);
}

/* One run in which effect `at` fails; then the rest of the story, and everything once more after opening again. */
static void one_fault(uint64_t at, int code, bool stays) {
    struct world *w = world_new(&world_adapters[FILE_ADAPTER], 9);
    struct story s = story_of(w);
    char now[DIGEST_MAX];
    int call = 0;
    disk.effects = 0;
    disk.at = at;
    disk.code = code;
    disk.stays = stays;
    disk.armed = true;
    while (call < CALLS && tell(w, &s, call) == RC_OK) call++;
    if (call < CALLS) {
        enum rc rc = tell(w, &s, call);
        if (stays) {
            assert_true(rc == RC_LIMIT || rc == RC_BROKEN || rc == RC_OK);
            if (code == SQLITE_FULL && rc != RC_OK) assert_int_equal(rc, RC_LIMIT);
        } else {
            assert_int_equal(rc, RC_OK); /* it can be made again */
        }
    }
    if (stays) { /* nothing more gets through; let go of the file as it is */
        ledger_free(w->ledger);
        w->ledger = (struct ledger){0};
    }
    disk.armed = false;
    if (stays)
        WORLD_OK(w, w->adapter->open(w, &w->ledger, &w->why));
    else
        world_reopen(w);
    digest(w, &s, now);
    if (strcmp(now, digests[call]) != 0) {
        assert_true(call < CALLS);
        assert_string_equal(now, digests[call + 1]);
    }
    for (; call < CALLS; call++) WORLD_OK(w, tell(w, &s, call));
    world_reopen(w);
    digest(w, &s, now);
    assert_string_equal(now, digests[CALLS]);
    world_free(w);
}

static void any_one_failing_effect_of_the_disk_is_survived(void **unused) {
    (void)unused;
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE};
    assert_true(effects_all > CALLS);
    for (size_t c = 0; c < 2; c++)
        for (int stays = 0; stays < 2; stays++)
            for (uint64_t at = 0; at < effects_all; at++) one_fault(at, codes[c], stays);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_synced_before_it_answers),
        cmocka_unit_test(any_one_failing_effect_of_the_disk_is_survived),
    };
    return cmocka_run_group_tests(tests, install, NULL);
}
