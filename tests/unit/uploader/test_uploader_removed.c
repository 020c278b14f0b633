/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an uploader of a generation that was removed makes nothing: it is denied where it begins, and where it looks
 * for missing objects of finished batches it does not take a removed one for a lost one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "broker_memory.h"
#include "made_world.h"
#include "own.h"
#include "tombstone.h"
#include "uploader.h"

#include <string.h>

enum { STEPS_MAX = 50 };

struct bed {
    struct made_world w;
    struct broker_memory *log;
    struct uploader *uploader;
};

static void bed_done(struct bed *bed) {
    uploader_free(bed->uploader);
    broker_memory_free(bed->log);
    made_world_done(&bed->w);
}

/* Partition 0 of the made pipeline, whose two batches are finished; the group's offset was set back to 0. */
static void bed_new(struct bed *bed, bool check) {
    made_world_new(&(struct made_settings){.format = FRAME_ZST}, &bed->w);
    bed->log = broker_memory_new(&(struct broker_memory_options){.job_partitions = 1, .block_partitions = 2});
    struct uploader_settings settings = {.queue = bed->w.report.queue, .check = check};
    struct uploader_ports ports = {broker_memory_port(bed->log), bed->w.ledger, bed->w.store};
    bed->uploader = uploader_new(&settings, &ports);
}

static void bury(struct bed *bed) {
    struct removed removed = {bed->w.report.queue, 1, 0};
    assert_int_equal(tombstone_put(bed->w.store, &removed, NULL), RC_OK);
}

static enum rc step(struct bed *bed, struct why *why) {
    uint64_t wait_ms = 0;
    return uploader_step(bed->uploader, 1000, &wait_ms, why);
}

static bool there(struct bed *bed, struct str key) {
    uint64_t bytes = 0;
    return store_size(bed->w.store, key, &bytes, NULL) == RC_OK;
}

static void it_is_denied_where_it_begins(void **state) {
    (void)state;
    AUTO(bed_done) struct bed bed;
    struct why why = {0};
    bed_new(&bed, false);
    bury(&bed);
    assert_int_equal(step(&bed, &why), RC_DENIED);
    assert_non_null(strstr(why.text, "generation 1 was removed"));
    assert_int_equal(step(&bed, NULL), RC_DENIED); /* and each time it is asked */
}

/* Steps until it is denied, or STEPS_MAX; the tombstone is put before step number `when`. */
static enum rc check_with_tombstone(struct bed *bed, int when) {
    bed_new(bed, true);
    struct str key = made_object_key(&bed->w, 0, 1, STR("dt=1/k=x"));
    enum rc rc = RC_OK;
    for (int i = 0; i < STEPS_MAX && rc == RC_OK; i++) {
        if (i == when) {
            bury(bed);
            made_remove(&bed->w, key);
        }
        rc = step(bed, NULL);
    }
    assert_true(when < 0 || !there(bed, key));
    return rc;
}

static void it_takes_no_removed_object_for_a_lost_one(void **state) {
    (void)state;
    int denied = 0;
    for (int when = 0; when < 4; when++) { /* FIND, FIND, CHECK the batch, CHECK its objects */
        AUTO(bed_done) struct bed bed;
        denied += check_with_tombstone(&bed, when) == RC_DENIED;
    }
    assert_int_equal(denied, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_denied_where_it_begins),
        cmocka_unit_test(it_takes_no_removed_object_for_a_lost_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
