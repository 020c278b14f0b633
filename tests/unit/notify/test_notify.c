/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: with two who want to hear, an item counts as told only when both have heard it, and none is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "notify.h"

enum { ITEMS = 5 };

/* Hears `takes` items of each send, then fails with `rc`. */
struct ear {
    size_t takes, heard;
    enum rc rc;
    bool freed;
};

static enum rc ear_send(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why) {
    struct ear *ear = self;
    (void)items;
    *out_sent = n < ear->takes ? n : ear->takes;
    ear->heard += *out_sent;
    return ear->rc == RC_OK ? RC_OK : why_set(why, ear->rc, "deaf");
}

static void ear_free(void *self) { ((struct ear *)self)->freed = true; }

static struct notify of(struct ear *ear) {
    static const struct notify_ops ops = {ear_send, ear_free};
    return (struct notify){&ops, ear};
}

static enum rc send(struct notify notify, size_t *out_sent) {
    static const struct notify_item items[ITEMS];
    struct why why = {0};
    return notify_send(notify, items, ITEMS, out_sent, &why);
}

static void nobody_is_told_where_nobody_wants_to_hear(void **state) {
    (void)state;
    size_t sent = 0;
    assert_int_equal(send((struct notify){0}, &sent), RC_OK);
    assert_int_equal(sent, ITEMS);
    notify_free((struct notify){0});
}

static void both_hear_everything(void **state) {
    (void)state;
    struct ear a = {.takes = ITEMS}, b = {.takes = ITEMS};
    struct notify both = notify_both(of(&a), of(&b));
    size_t sent = 0;
    assert_int_equal(send(both, &sent), RC_OK);
    assert_int_equal(sent, ITEMS);
    assert_int_equal(a.heard, ITEMS);
    assert_int_equal(b.heard, ITEMS);
    notify_free(both);
    assert_true(a.freed && b.freed);
}

static void what_only_the_first_heard_does_not_count(void **state) {
    (void)state;
    struct ear a = {.takes = ITEMS}, b = {.takes = 2, .rc = RC_BUSY};
    struct notify both = notify_both(of(&a), of(&b));
    size_t sent = 0;
    assert_int_equal(send(both, &sent), RC_BUSY);
    assert_int_equal(sent, 2);
    notify_free(both);
}

static void the_second_hears_no_more_than_the_first(void **state) {
    (void)state;
    struct ear a = {.takes = 3, .rc = RC_BUSY}, b = {.takes = ITEMS};
    struct notify both = notify_both(of(&a), of(&b));
    size_t sent = 0;
    assert_int_equal(send(both, &sent), RC_BUSY);
    assert_int_equal(sent, 3);
    assert_int_equal(b.heard, 3);
    notify_free(both);
}

static void one_alone_is_itself(void **state) {
    (void)state;
    struct ear a = {.takes = 1};
    assert_ptr_equal(notify_both(of(&a), (struct notify){0}).self, &a);
    assert_ptr_equal(notify_both((struct notify){0}, of(&a)).self, &a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told_where_nobody_wants_to_hear), cmocka_unit_test(both_hear_everything),
        cmocka_unit_test(what_only_the_first_heard_does_not_count),
        cmocka_unit_test(the_second_hears_no_more_than_the_first), cmocka_unit_test(one_alone_is_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
