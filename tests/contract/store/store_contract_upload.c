/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an upload appears whole when it is finished, only if absent, and not at all otherwise. */
#include "store_contract_private.h"

#include "clock.h"
#include "rng.h"

#include <stdio.h>

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

/* ---- what nobody finishes ---- */

enum { UPLOADS_MAX = 16 };
struct uploads {
    size_t len;
    struct {
        char key[64], id[1024];
        int64_t started_ns;
    } each[UPLOADS_MAX];
};

static enum rc collect_upload(void *context, struct str key, struct str id, int64_t started_ns) {
    struct uploads *uploads = context;
    assert_in_range(uploads->len, 0, UPLOADS_MAX - 1);
    (void)snprintf(uploads->each[uploads->len].key, sizeof uploads->each->key, "%.*s", STR_ARG(key));
    (void)snprintf(uploads->each[uploads->len].id, sizeof uploads->each->id, "%.*s", STR_ARG(id));
    uploads->each[uploads->len++].started_ns = started_ns;
    return RC_OK;
}

static size_t count_uploads(const struct fixture *f, const char *prefix) {
    struct uploads found = {.len = 0};
    OK(store_uploads(f->store, str_of(prefix), collect_upload, &found, &why));
    return found.len;
}

/* Begun as far as the store gets to know of it. */
static void begin_for_sure(const struct fixture *f, const char *key, struct store_upload *out) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(f->world->upload_begins + 1);
    while (bytes.len <= f->world->upload_begins) buf_add_char(&bytes, 'u');
    OK(store_upload_begin(f->store, str_of(key), out, &why));
    OK(store_upload_part(out, buf_str(&bytes), &why));
}

static void remove_found(const struct fixture *f, const char *key, int64_t from_ns) {
    const char *prefix = f->world->uploads_by_key ? key : f->world->upload_keys ? "u/" : "";
    int64_t slack_ns = 2000000000; /* the store's clock, told to a second */
    struct uploads found = {.len = 0};
    OK(store_uploads(f->store, str_of(prefix), collect_upload, &found, &why));
    assert_int_equal(found.len, 1);
    if (f->world->upload_keys) assert_string_equal(found.each[0].key, key);
    assert_in_range(found.each[0].started_ns, from_ns - slack_ns, clock_wall_ns(clock_real()) + slack_ns);
    struct str told = str_of(found.each[0].key), id = str_of(found.each[0].id);
    size_t left = 1; /* a part that was on its way may bring it back at a server: asked again, as the janitor does */
    for (int tries = f->world->upload_begins ? 10 : 1; left && tries; tries--) {
        OK(store_upload_remove(f->store, told, id, &why));
        left = count_uploads(f, prefix);
    }
    assert_int_equal(left, 0);
    OK(store_upload_remove(f->store, told, id, &why));
}

static void came_back_whole(const struct fixture *f, const char *key) {
    uint64_t size = 0;
    if (f->world->upload_begins == 0) fail_msg("a removed upload was finished");
    OK(store_size(f->store, str_of(key), &size, &why));
    assert_int_equal(size, f->world->upload_begins + 1);
    OK(store_remove(f->store, str_of(key), &why));
}

void unfinished_uploads_are_told_and_can_be_removed(void **state) {
    struct fixture *f = *state;
    int64_t from_ns = clock_wall_ns(clock_real());
    AUTO(store_upload_abort) struct store_upload upload = {0};
    begin_for_sure(f, "u/x", &upload);
    assert_int_equal(count_uploads(f, "other/"), 0);
    remove_found(f, "u/x", from_ns);
    /* a part that was on its way may bring it back to life at a server, but then it is whole */
    if (store_upload_finish_absent(&upload, NULL) != RC_OK)
        contract_is_absent(f->store, "u/x");
    else
        came_back_whole(f, "u/x");
    begin_for_sure(f, "u/x", &upload);
    OK(store_upload_finish_absent(&upload, &why));
    assert_int_equal(count_uploads(f, ""), 0);
    begin_for_sure(f, "u/y", &upload);
    store_upload_abort(&upload);
    assert_int_equal(count_uploads(f, f->world->uploads_by_key ? "u/y" : ""), 0);
}
