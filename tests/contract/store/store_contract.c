/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: what store.h says, sentence by sentence, on whatever adapter it is run. */
#include "store_contract_private.h"

#include "alloc.h"
#include "num.h"
#include "utf8.h"

#include <stdlib.h>

static const struct store_world *the_world; /* cmocka hands a group no argument */

static int set_up(void **state) {
    struct fixture *f = ALLOC(struct fixture);
    f->world = the_world;
    f->context = f->world->begin();
    f->store = f->world->open(f->context);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    store_free(f->store);
    f->world->end(f->context);
    free(f);
    return 0;
}

void contract_expect(enum rc rc, enum rc expected, const struct why *why) {
    if (rc != expected) fail_msg("got %s, expected %s: %s", rc_name(rc), rc_name(expected), why->text);
}
void contract_holds(struct store store, const char *key, struct str bytes) {
    AUTO(buf_done) struct buf got = BUF_INIT(64u << 20);
    uint64_t size = 0;
    OK(store_get(store, str_of(key), 0, UINT64_MAX, &got, &why));
    assert_true(str_equal(buf_str(&got), bytes));
    OK(store_size(store, str_of(key), &size, &why));
    assert_int_equal(size, bytes.len);
}

bool contract_takes(const struct fixture *f, struct str key) {
    bool text = utf8_valid(key);
    for (size_t i = 0; i < key.len; i++) text = text && ((unsigned char)key.at[i] >= ' ' || key.at[i] == '\n');
    return text || !f->world->text_keys;
}

void contract_is_absent(struct store store, const char *key) {
    AUTO(buf_done) struct buf got = BUF_INIT(1024);
    uint64_t size = 77;
    EXPECT(store_get(store, str_of(key), 0, 10, &got, &why), RC_ABSENT);
    EXPECT(store_size(store, str_of(key), &size, &why), RC_ABSENT);
    assert_int_equal(size, 77);
    assert_int_equal(got.len, 0);
}

void listing_done(struct listing *listing) {
    for (size_t i = 0; i < listing->len; i++) buf_done(&listing->keys[i]);
    listing->len = 0;
}

enum rc contract_collect(void *context, struct str key, uint64_t bytes) {
    struct listing *listing = context;
    assert_true(listing->len < LIST_MAX);
    listing->keys[listing->len] = BUF_INIT(STORE_KEY_MAX);
    buf_add(&listing->keys[listing->len], key);
    listing->sizes[listing->len++] = bytes;
    return RC_OK;
}

/* What the listing must be, from all keys in order. */
void contract_list_is(struct store store, struct str prefix, struct str after, const struct listing *all) {
    AUTO(listing_done) struct listing got = {.len = 0};
    OK(store_list(store, prefix, after, contract_collect, &got, &why));
    size_t n = 0;
    for (size_t i = 0; i < all->len; i++) {
        struct str key = buf_str(&all->keys[i]);
        if (!str_starts(key, prefix) || str_compare(key, after) <= 0) continue;
        assert_true(n < got.len);
        assert_true(str_equal(buf_str(&got.keys[n]), key));
        assert_int_equal(got.sizes[n], all->sizes[i]);
        n++;
    }
    assert_int_equal(n, got.len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int store_contract_run(const struct store_world *world) {
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_given_back_whole),
        TEST(put_replaces_by_longer_and_by_shorter),
        TEST(put_absent_leaves_what_is_there_untouched),
        TEST(another_handle_sees_the_same_objects),
        TEST(objects_outlive_their_handle),
        TEST(get_gives_ranges_and_nothing_behind_the_end),
        TEST(get_over_the_cap_of_the_buffer_is_a_limit_and_changes_nothing),
        TEST(of_many_each_has_its_own_outcome),
        TEST(many_are_put_whole_whatever_their_number),
        TEST(many_refuse_what_is_no_key_and_put_the_rest),
        TEST(the_same_key_twice_among_many_is_put_once),
        TEST(of_none_nothing_is_put),
        TEST(what_is_not_there_is_absent),
        TEST(removing_is_idempotent_and_leaves_the_rest),
        TEST(a_key_is_free_once_the_objects_below_it_are_removed),
        TEST(a_key_that_is_a_directory_of_another_harms_none),
        TEST(every_call_refuses_what_is_no_key),
        TEST(unusual_and_longest_keys_work),
        TEST(a_listing_is_in_order_of_bytes_for_every_prefix_and_start),
        TEST(a_prefix_that_no_key_can_have_is_refused),
        TEST(the_visitor_ends_the_listing),
        TEST(the_visitor_may_use_the_store),
        TEST(an_upload_appears_whole_when_it_is_finished),
        TEST(an_upload_of_no_part_is_an_empty_object),
        TEST(of_two_uploads_the_first_to_finish_wins),
        TEST(nothing_appears_of_an_aborted_upload),
        TEST(a_large_upload_in_uneven_parts_is_joined),
        TEST(unfinished_uploads_are_told_and_can_be_removed),
        TEST(of_many_that_put_the_same_key_one_wins),
        TEST(directories_that_come_and_go_lose_no_object),
        TEST(a_reader_never_sees_a_mix),
    };
    the_world = world;
    return _cmocka_run_group_tests(world->name, tests, COUNT_OF(tests), NULL, NULL);
}
