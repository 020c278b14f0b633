/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the janitor removes exactly the objects of ours that nobody lists and nobody can list any more: not what is
 * listed, not what may be listed yet, nothing of others, whatever the size of its window. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gc.h"
#include "janitor.h"
#include "made_world.h"
#include "names.h"
#include "own.h"
#include "survey.h"

#include <string.h>

#define OUTPUT STR("dt=1/k=x")
enum { SEEN_MAX = 16, MADE_OBJECTS = 3, MADE_REJECTS = 2 };

struct seen {
    char keys[SEEN_MAX][NAME_MAX_BYTES + 1];
    size_t len;
};

static enum rc see(void *context, const struct janitor_found *found) {
    struct seen *seen = context;
    assert_true(seen->len < SEEN_MAX);
    (void)snprintf(seen->keys[seen->len++], NAME_MAX_BYTES + 1, "%.*s", STR_ARG(found->key));
    return RC_OK;
}

static struct upkeep upkeep_of(const struct made_world *w) {
    return (struct upkeep){w->store, w->ledger, w->report.queue, 1};
}

/* Puts an object of our queue that starts at `start` in partition `k`. */
static void put_object(struct made_world *w, uint64_t generation, uint32_t k, uint64_t start, uint32_t number,
                       struct buf *key) {
    struct name_object name = {.generation = generation,
                               .output = OUTPUT,
                               .queue = w->report.queue,
                               .partition = k,
                               .start = start,
                               .number = number,
                               .format = STR("jsonl.zst")};
    buf_reset(key);
    assert_int_equal(name_object(&name, key), RC_OK);
    made_put(w, buf_str(key), STR("??"));
}

static bool there(const struct made_world *w, struct str key) {
    uint64_t bytes = 0;
    return store_size(w->store, key, &bytes, NULL) == RC_OK;
}

static struct janitor_result clean(struct made_world *w, bool yes, struct seen *seen) {
    struct upkeep upkeep = upkeep_of(w);
    struct janitor_ask ask = {.yes = yes, .found = see, .context = seen};
    struct janitor_result result;
    seen->len = 0;
    assert_int_equal(janitor_run(&upkeep, &ask, &result, NULL), RC_OK);
    return result;
}

static void a_pipeline_at_rest_has_nothing_to_remove(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    struct seen seen;
    struct janitor_result result = clean(&w, true, &seen);
    assert_int_equal(result.orphans.count + result.in_progress.count + result.foreign.count, 0);
    made_expect(&w, true, NULL, 0);
}

/* Partition 0 is manifested up to 8 in batches that start at 0 and 4, partition 1 up to 5; partition 7 has no chain. */
static void what_can_still_be_listed_decides(void **state) {
    (void)state;
    static const struct {
        uint32_t partition;
        uint64_t start;
        uint32_t number;
        bool orphan;
    } cases[] = {{0, 4, 9, true},                     /* its batch is manifested, and does not list it */
                 {0, 2, 0, true},                     /* no batch begins inside another */
                 {0, 7, 0, true},   {0, 8, 0, false}, /* the next batch may begin here */
                 {0, 90, 0, false}, {1, 4, 0, true},  {1, 5, 0, false}, {7, 0, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO(made_world_done) struct made_world w;
        AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
        struct seen seen;
        made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
        put_object(&w, 1, cases[i].partition, cases[i].start, cases[i].number, &key);
        struct janitor_result dry = clean(&w, false, &seen);
        assert_true(there(&w, buf_str(&key)));
        assert_int_equal(dry.orphans.count, cases[i].orphan);
        assert_int_equal(dry.in_progress.count, !cases[i].orphan);
        assert_int_equal(seen.len, cases[i].orphan);
        if (seen.len) assert_string_equal(seen.keys[0], buf_text(&key));
        struct janitor_result done = clean(&w, true, &seen);
        assert_int_equal(done.orphans.count, dry.orphans.count);
        assert_int_equal(there(&w, buf_str(&key)), !cases[i].orphan);
        made_expect(&w, true, NULL, 0);
    }
}

static void a_sealed_batch_without_its_manifest_is_in_progress(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    struct seen seen;
    made_world_new(&(struct made_settings){.format = FRAME_ZST, .not_durable = true}, &w);
    made_remove(&w, made_manifest_key(&w, 0, 1));
    struct janitor_result result = clean(&w, true, &seen);
    assert_int_equal(result.orphans.count, 0);
    assert_int_equal(result.in_progress.count, 1);
}

static void behind_a_hole_in_the_manifests_nothing_is_judged(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    struct seen seen;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    put_object(&w, 1, 0, 2, 0, &key);
    made_remove(&w, made_manifest_key(&w, 0, 0)); /* damage, and what it listed is precious */
    struct janitor_result result = clean(&w, true, &seen);
    assert_int_equal(result.orphans.count, 0);
    assert_true(there(&w, buf_str(&key)));
}

static void a_manifest_that_is_not_readable_stops_it(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    put_object(&w, 1, 0, 2, 0, &key);
    made_put(&w, made_manifest_key(&w, 1, 0), STR("{}"));
    struct upkeep upkeep = upkeep_of(&w);
    struct janitor_result result;
    struct why why = {0};
    assert_int_equal(janitor_run(&upkeep, &(struct janitor_ask){.yes = true}, &result, &why), RC_BROKEN);
    assert_non_null(strstr(why.text, "_manifests/"));
    assert_true(there(&w, buf_str(&key)));
}

static void of_a_removed_generation_everything_goes_and_of_others_nothing(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), late = BUF_INIT(NAME_MAX_BYTES);
    static const char *const alone[] = {"g1/dt=1/00000000000000000000000000000009-p0-00000000000000000000.jsonl.zst",
                                        "g1/notes.txt",
                                        "_rejects/g1/notes.txt",
                                        "notes.txt",
                                        "g/x",
                                        "g01/x"};
    struct seen seen;
    struct gc_result gone;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    struct upkeep upkeep = upkeep_of(&w);
    upkeep.generation = 2;
    struct gc_ask ask = {.generation = 1, .yes = true};
    assert_int_equal(gc_run(&upkeep, &ask, &gone, NULL), RC_OK);
    put_object(&w, 1, 0, 4, 0, &key);
    put_object(&w, 1, 0, 800, 0, &late); /* also behind the chain's end: no seal of it will come */
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) made_put(&w, str_of(alone[i]), STR("?"));
    struct janitor_result result = clean(&w, true, &seen);
    assert_int_equal(result.orphans.count, 2);
    assert_int_equal(result.foreign.count, 1);
    assert_int_equal(result.unknown.count, 2);
    assert_false(there(&w, buf_str(&key)) || there(&w, buf_str(&late)));
    for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++) assert_true(there(&w, str_of(alone[i])));
}

static void a_small_window_finds_the_same(void **state) {
    (void)state;
    for (size_t max = 1; max <= 8; max++) {
        AUTO(made_world_done) struct made_world w;
        AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
        struct survey survey;
        made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
        for (uint32_t i = 1; i <= 20; i++) put_object(&w, 1, 0, 4, i, &key);
        for (uint32_t i = 1; i <= 10; i++) put_object(&w, 1, 0, 8, i, &key);
        made_put(&w, STR("g1/notes.txt"), STR("?"));
        struct upkeep upkeep = upkeep_of(&w);
        struct survey_ask ask = {.generation = 1, .listed_max = max};
        assert_int_equal(survey_run(&upkeep, &ask, &survey, NULL), RC_OK);
        assert_int_equal(survey.stored.count, MADE_OBJECTS + MADE_REJECTS);
        assert_int_equal(survey.orphans.count, 20);
        assert_int_equal(survey.orphans.bytes, 40);
        assert_int_equal(survey.in_progress.count, 10);
        assert_int_equal(survey.unknown.count, 1);
        assert_int_equal(survey.listed.batches, 3);
        assert_int_equal(survey.listed.objects.count, MADE_OBJECTS);
        assert_int_equal(survey.listed.rejects.count, MADE_REJECTS);
        assert_int_equal(survey.listed.records, 25);
        assert_int_equal(survey.listed.reject_lines, 2);
        assert_true(survey.listed.has_time && survey.listed.time_min_ns < survey.listed.time_max_ns);
        assert_int_equal(survey.receipts.count, 1);
    }
}

static void counting_reads_each_manifest_once_and_sees_what_is_new(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MADE_TEXT_MAX);
    struct upkeep_counts counts;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    struct upkeep upkeep = upkeep_of(&w);
    struct upkeep_memory *memory = upkeep_memory_new();
    buf_add(&key, made_manifest_key(&w, 0, 1));
    assert_int_equal(store_get(w.store, buf_str(&key), 0, MADE_TEXT_MAX, &bytes, NULL), RC_OK);
    made_remove(&w, buf_str(&key));
    assert_int_equal(upkeep_count(&upkeep, memory, 0, &counts, NULL), RC_OK);
    assert_int_equal(counts.orphans.count, 0);
    assert_int_equal(counts.generations, 1);
    made_put(&w, buf_str(&key), buf_str(&bytes)); /* it is manifested meanwhile */
    AUTO(buf_done) struct buf orphan = BUF_INIT(NAME_MAX_BYTES);
    put_object(&w, 1, 0, 6, 0, &orphan);
    made_put(&w, made_manifest_key(&w, 0, 0), STR("{}")); /* was read, and is not read again */
    assert_int_equal(upkeep_count(&upkeep, memory, 0, &counts, NULL), RC_OK);
    assert_int_equal(counts.orphans.count, 1);
    assert_int_equal(counts.orphans.bytes, 2);
    upkeep_memory_free(memory);
    memory = upkeep_memory_new();
    assert_int_equal(upkeep_count(&upkeep, memory, 0, &counts, NULL), RC_BROKEN);
    upkeep_memory_free(memory);
    upkeep_memory_free(NULL);
}

/* Names rise with what was told durable, so the folder in the middle is the newest complete one. */
static void pages_of_snapshots_that_were_cut_off_go_where_a_newer_one_is_complete(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    static const char *const keys[] = {"_ledger/snapshots/1-1-a/p00000000", "_ledger/snapshots/1-1-a/p00000001",
                                       "_ledger/snapshots/1-2-b/index", "_ledger/snapshots/1-2-b/p00000000",
                                       "_ledger/snapshots/1-3-c/p00000000"};
    struct seen seen;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    for (size_t i = 0; i < 2; i++) made_put(&w, str_of(keys[i]), STR("??"));
    struct janitor_result result = clean(&w, true, &seen); /* the first one of all may be under way */
    assert_int_equal(result.orphans.count, 0);
    assert_int_equal(result.in_progress.count, 2);
    for (size_t i = 2; i < 5; i++) made_put(&w, str_of(keys[i]), STR("??"));
    for (int yes = 0; yes < 2; yes++) {
        result = clean(&w, yes, &seen);
        assert_int_equal(result.orphans.count, 2);
        assert_int_equal(result.orphans.bytes, 4);
        assert_int_equal(result.in_progress.count, 1);
        assert_int_equal(seen.len, 2);
        assert_string_equal(seen.keys[1], keys[1]);
        for (size_t i = 0; i < 5; i++) assert_int_equal(there(&w, str_of(keys[i])), !yes || i >= 2);
    }
}

static enum rc newest(void *context, struct str key, struct str upload, int64_t started_ns) {
    (void)key, (void)upload;
    *(int64_t *)context = started_ns;
    return RC_OK;
}

static void only_old_uploads_of_ours_are_removed(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &w);
    struct str ours = made_object_key(&w, 0, 1, OUTPUT);
    static const char *const keys[] = {"", "g1/dt=1/00000000000000000000000000000009-p0-00000000000000000000.jsonl.zst",
                                       "notes.txt"};
    struct store_upload uploads[3];
    int64_t begun_ns = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_upload_begin(w.store, i ? str_of(keys[i]) : ours, &uploads[i], NULL), RC_OK);
        assert_int_equal(store_upload_part(&uploads[i], STR("??"), NULL), RC_OK);
    }
    assert_int_equal(store_uploads(w.store, STR(""), newest, &begun_ns, NULL), RC_OK);
    struct upkeep upkeep = upkeep_of(&w);
    struct seen seen = {.len = 0};
    struct janitor_ask ask = {.yes = true, .now_ns = begun_ns, .older_ns = 60, .found = see, .context = &seen};
    struct janitor_result result;
    assert_int_equal(janitor_run(&upkeep, &ask, &result, NULL), RC_OK);
    assert_true(result.uploads.old == 0 && result.uploads.fresh == 1 && result.uploads.foreign == 2);
    ask.now_ns += INT64_C(3600000000000);
    ask.yes = false;
    for (int i = 0; i < 2; i++, ask.yes = true) { /* the dry run first */
        seen.len = 0;
        assert_int_equal(janitor_run(&upkeep, &ask, &result, NULL), RC_OK);
        assert_true(result.uploads.old == 1 && result.uploads.fresh == 0 && result.uploads.foreign == 2);
        assert_int_equal(seen.len, 1);
        assert_string_equal(seen.keys[0], ours.at);
    }
    assert_int_equal(janitor_run(&upkeep, &ask, &result, NULL), RC_OK);
    assert_true(result.uploads.old == 0 && result.uploads.foreign == 2);
    assert_int_not_equal(store_upload_finish_absent(&uploads[0], NULL), RC_OK);
    for (int i = 1; i < 3; i++) assert_int_equal(store_upload_finish_absent(&uploads[i], NULL), RC_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_at_rest_has_nothing_to_remove),
        cmocka_unit_test(what_can_still_be_listed_decides),
        cmocka_unit_test(a_sealed_batch_without_its_manifest_is_in_progress),
        cmocka_unit_test(behind_a_hole_in_the_manifests_nothing_is_judged),
        cmocka_unit_test(a_manifest_that_is_not_readable_stops_it),
        cmocka_unit_test(of_a_removed_generation_everything_goes_and_of_others_nothing),
        cmocka_unit_test(a_small_window_finds_the_same),
        cmocka_unit_test(pages_of_snapshots_that_were_cut_off_go_where_a_newer_one_is_complete),
        cmocka_unit_test(only_old_uploads_of_ours_are_removed),
        cmocka_unit_test(counting_reads_each_manifest_once_and_sees_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
