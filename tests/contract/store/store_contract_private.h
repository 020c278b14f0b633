/* SPDX-License-Identifier: Apache-2.0 */
/* store_contract_private: what the parts of the suite share. */
#ifndef SLUICE_STORE_CONTRACT_PRIVATE_H
#define SLUICE_STORE_CONTRACT_PRIVATE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_contract.h"

#include "own.h"

struct fixture {
    const struct store_world *world;
    void *context;
    struct store store;
};

enum { LIST_MAX = 600 };

struct listing {
    struct buf keys[LIST_MAX];
    uint64_t sizes[LIST_MAX];
    size_t len;
};

/* EXPECT(store_put(…, &why), RC_STALE): the call's outcome, or the test fails with its words. */
#define EXPECT(call, expected)                                                                                         \
    do {                                                                                                               \
        struct why why = {0};                                                                                          \
        contract_expect((call), (expected), &why);                                                                     \
    } while (0)
#define OK(call) EXPECT(call, RC_OK)

void contract_expect(enum rc rc, enum rc expected, const struct why *why);
void contract_holds(struct store store, const char *key, struct str bytes);
void contract_is_absent(struct store store, const char *key);
/* A store_visit that adds to the `struct listing` that is its context. */
enum rc contract_collect(void *context, struct str key, uint64_t bytes);
void listing_done(struct listing *listing);
/* The store's listing is those of `all` (in order) with this prefix and above `after`. */
void contract_list_is(struct store store, struct str prefix, struct str after, const struct listing *all);

/* Whether the world's store takes a key of these bytes. */
bool contract_takes(const struct fixture *f, struct str key);

/* The tests. */
void what_was_put_is_given_back_whole(void **state);
void put_replaces_by_longer_and_by_shorter(void **state);
void put_absent_leaves_what_is_there_untouched(void **state);
void another_handle_sees_the_same_objects(void **state);
void objects_outlive_their_handle(void **state);
void get_gives_ranges_and_nothing_behind_the_end(void **state);
void get_over_the_cap_of_the_buffer_is_a_limit_and_changes_nothing(void **state);
void of_many_each_has_its_own_outcome(void **state);
void many_are_put_whole_whatever_their_number(void **state);
void many_refuse_what_is_no_key_and_put_the_rest(void **state);
void the_same_key_twice_among_many_is_put_once(void **state);
void of_none_nothing_is_put(void **state);
void what_is_not_there_is_absent(void **state);
void removing_is_idempotent_and_leaves_the_rest(void **state);
void a_key_is_free_once_the_objects_below_it_are_removed(void **state);
void a_key_that_is_a_directory_of_another_harms_none(void **state);
void every_call_refuses_what_is_no_key(void **state);
void unusual_and_longest_keys_work(void **state);
void a_listing_is_in_order_of_bytes_for_every_prefix_and_start(void **state);
void a_prefix_that_no_key_can_have_is_refused(void **state);
void the_visitor_ends_the_listing(void **state);
void the_visitor_may_use_the_store(void **state);
void an_upload_appears_whole_when_it_is_finished(void **state);
void an_upload_of_no_part_is_an_empty_object(void **state);
void of_two_uploads_the_first_to_finish_wins(void **state);
void nothing_appears_of_an_aborted_upload(void **state);
void a_large_upload_in_uneven_parts_is_joined(void **state);
void unfinished_uploads_are_told_and_can_be_removed(void **state);
void of_many_that_put_the_same_key_one_wins(void **state);
void directories_that_come_and_go_lose_no_object(void **state);
void a_reader_never_sees_a_mix(void **state);

#endif
