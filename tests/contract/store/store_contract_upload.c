/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an upload appears whole when it is finished, only if absent, and not at all otherwise. */
#include "store_contract_private.h"

#include "rng.h"

/* ---- uploads ---- */

void an_upload_appears_whole_when_it_is_finished(void **state) {
    struct fixture *f = *state;
    struct store_upload upload = {0};
    AUTO(listing_done) struct listing none = {.len = 0};
    OK(store_upload_begin(f->store, STR("g1/x"), &upload, &why));
    OK(store_upload_part(&upload, STR("one,"), &why));
    OK(store_upload_part(&upload, STR(""), &why));
    OK(store_upload_part(&upload, STR("two"), &why));
    contract_is_absent(f->store, "g1/x");
    contract_list_is(f->store, STR(""), STR(""), &none);
    OK(store_upload_finish_absent(&upload, &why));
    assert_null(upload.ops);
    store_upload_abort(&upload);
    contract_holds(f->store, "g1/x", STR("one,two"));
}

void an_upload_of_no_part_is_an_empty_object(void **state) {
    struct fixture *f = *state;
    struct store_upload upload = {0};
    OK(store_upload_begin(f->store, STR("x"), &upload, &why));
    OK(store_upload_finish_absent(&upload, &why));
    contract_holds(f->store, "x", STR(""));
}

void of_two_uploads_the_first_to_finish_wins(void **state) {
    struct fixture *f = *state;
    struct store_upload one = {0}, two = {0};
    OK(store_upload_begin(f->store, STR("x"), &one, &why));
    OK(store_upload_begin(f->store, STR("x"), &two, &why));
    OK(store_upload_part(&one, STR("one"), &why));
    OK(store_upload_part(&two, STR("two"), &why));
    OK(store_upload_finish_absent(&two, &why));
    EXPECT(store_upload_finish_absent(&one, &why), RC_STALE);
    assert_null(one.ops);
    contract_holds(f->store, "x", STR("two"));
}

void nothing_appears_of_an_aborted_upload(void **state) {
    struct fixture *f = *state;
    AUTO(listing_done) struct listing none = {.len = 0};
    {
        AUTO(store_upload_abort) struct store_upload upload = {0};
        OK(store_upload_begin(f->store, STR("x"), &upload, &why));
        OK(store_upload_part(&upload, STR("one"), &why));
    }
    contract_is_absent(f->store, "x");
    contract_list_is(f->store, STR(""), STR(""), &none);
    store_upload_abort(NULL);
}

void a_large_upload_in_uneven_parts_is_joined(void **state) {
    struct fixture *f = *state;
    struct rng rng = rng_from_seed(3);
    AUTO(buf_done) struct buf all = BUF_INIT(64u << 20);
    struct store_upload upload = {0};
    OK(store_upload_begin(f->store, STR("g1/large"), &upload, &why));
    while (all.len < (20u << 20)) {
        size_t from = all.len, len = rng_below(&rng, 3u << 20);
        assert_int_equal(buf_reserve(&all, len), RC_OK);
        for (size_t i = 0; i < len; i++) all.at[from + i] = (char)(i * 31 + len);
        all.len += len;
        OK(store_upload_part(&upload, str_sub(buf_str(&all), from, all.len), &why));
    }
    OK(store_upload_finish_absent(&upload, &why));
    contract_holds(f->store, "g1/large", buf_str(&all));
}
