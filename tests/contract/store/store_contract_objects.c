/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: put, put_absent, get, size and remove do what store.h says, and every call refuses what is no key. */
#include "store_contract_private.h"

#include "num.h"

/* ---- put, put_absent, get, size, remove ---- */

void what_was_put_is_given_back_whole(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("g1/dt=2026-01-01/a.jsonl"), STR("x\0y\n\xff"), &why));
    contract_holds(f->store, "g1/dt=2026-01-01/a.jsonl", STR("x\0y\n\xff"));
    OK(store_put(f->store, STR("empty"), STR(""), &why));
    contract_holds(f->store, "empty", STR(""));
}

void put_replaces_by_longer_and_by_shorter(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("a/b"), STR("first"), &why));
    OK(store_put(f->store, STR("a/b"), STR("second, longer"), &why));
    contract_holds(f->store, "a/b", STR("second, longer"));
    OK(store_put(f->store, STR("a/b"), STR(""), &why));
    contract_holds(f->store, "a/b", STR(""));
}

void put_absent_leaves_what_is_there_untouched(void **state) {
    struct fixture *f = *state;
    OK(store_put_absent(f->store, STR("_seals/q/0"), STR("mine"), &why));
    EXPECT(store_put_absent(f->store, STR("_seals/q/0"), STR("other"), &why), RC_STALE);
    contract_holds(f->store, "_seals/q/0", STR("mine"));
    OK(store_put(f->store, STR("_seals/q/1"), STR(""), &why));
    EXPECT(store_put_absent(f->store, STR("_seals/q/1"), STR("other"), &why), RC_STALE);
    contract_holds(f->store, "_seals/q/1", STR(""));
    OK(store_remove(f->store, STR("_seals/q/0"), &why));
    OK(store_put_absent(f->store, STR("_seals/q/0"), STR("other"), &why));
    contract_holds(f->store, "_seals/q/0", STR("other"));
}

void another_handle_sees_the_same_objects(void **state) {
    struct fixture *f = *state;
    struct store other = f->world->open(f->context);
    OK(store_put(f->store, STR("a/b"), STR("one"), &why));
    contract_holds(other, "a/b", STR("one"));
    EXPECT(store_put_absent(other, STR("a/b"), STR("two"), &why), RC_STALE);
    OK(store_remove(other, STR("a/b"), &why));
    contract_is_absent(f->store, "a/b");
    store_free(other);
}

void objects_outlive_their_handle(void **state) {
    struct fixture *f = *state;
    struct store first = f->world->open(f->context);
    OK(store_put(first, STR("a/b"), STR("one"), &why));
    store_free(first);
    struct store second = f->world->open(f->context);
    contract_holds(second, "a/b", STR("one"));
    store_free(second);
}

void get_gives_ranges_and_nothing_behind_the_end(void **state) {
    struct fixture *f = *state;
    static const struct {
        uint64_t from, len;
        const char *expected;
    } rows[] = {
        {0, 10, "0123456789"},
        {0, 11, "0123456789"},
        {0, UINT64_MAX, "0123456789"},
        {3, 4, "3456"},
        {9, 1, "9"},
        {9, UINT64_MAX, "9"},
        {10, 1, ""},
        {11, 5, ""},
        {UINT64_MAX, 1, ""},
        {3, 0, ""},
        {UINT64_MAX - 3, UINT64_MAX, ""},
    };
    OK(store_put(f->store, STR("k"), STR("0123456789"), &why));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buf_done) struct buf got = BUF_INIT(100);
        buf_add(&got, STR("before:"));
        OK(store_get(f->store, STR("k"), rows[i].from, rows[i].len, &got, &why));
        assert_true(str_starts(buf_str(&got), STR("before:")));
        assert_string_equal(buf_text(&got) + 7, rows[i].expected);
    }
}

void get_over_the_cap_of_the_buffer_is_a_limit_and_changes_nothing(void **state) {
    struct fixture *f = *state;
    AUTO(buf_done) struct buf got = BUF_INIT(9);
    OK(store_put(f->store, STR("k"), STR("0123456789"), &why));
    EXPECT(store_get(f->store, STR("k"), 0, 10, &got, &why), RC_LIMIT);
    assert_int_equal(got.len, 0);
    buf_reset(&got);
    OK(store_get(f->store, STR("k"), 0, 9, &got, &why));
    assert_int_equal(got.len, 9);
}

void what_is_not_there_is_absent(void **state) {
    struct fixture *f = *state;
    contract_is_absent(f->store, "a");
    contract_is_absent(f->store, "a/b/c");
    OK(store_put(f->store, STR("a/b/c"), STR("x"), &why));
    contract_is_absent(f->store, "a"); /* a directory of keys is no object */
    contract_is_absent(f->store, "a/b");
    contract_is_absent(f->store, "a/b/c/d");
    contract_is_absent(f->store, "a/b/c2");
}

void removing_is_idempotent_and_leaves_the_rest(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("a/b"), STR("x"), &why));
    OK(store_put(f->store, STR("a/c"), STR("y"), &why));
    OK(store_remove(f->store, STR("a/b"), &why));
    contract_is_absent(f->store, "a/b");
    OK(store_remove(f->store, STR("a/b"), &why));
    OK(store_remove(f->store, STR("never/was"), &why));
    OK(store_remove(f->store, STR("a"), &why));     /* a directory of keys is no object */
    OK(store_remove(f->store, STR("a/c/d"), &why)); /* nor is what would be below one */
    contract_holds(f->store, "a/c", STR("y"));
}

void a_key_is_free_once_the_objects_below_it_are_removed(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("a/b/c/d"), STR("x"), &why));
    OK(store_remove(f->store, STR("a/b/c/d"), &why));
    OK(store_put_absent(f->store, STR("a"), STR("y"), &why));
    contract_holds(f->store, "a", STR("y"));
    OK(store_remove(f->store, STR("a"), &why));
    OK(store_put(f->store, STR("a/b/c/d"), STR("z"), &why));
    contract_holds(f->store, "a/b/c/d", STR("z"));
}

/* Refused, or put where the store takes such keys. */
static void directory_key(const struct fixture *f, const char *key, bool absent) {
    struct why why = {0};
    enum rc rc = absent ? store_put_absent(f->store, str_of(key), STR("y"), &why)
                        : store_put(f->store, str_of(key), STR("y"), &why);
    if (rc == RC_OK && f->world->takes_directories)
        contract_holds(f->store, key, STR("y"));
    else
        contract_expect(rc, RC_DENIED, &why);
}

void a_key_that_is_a_directory_of_another_harms_none(void **state) {
    struct fixture *f = *state;
    OK(store_put(f->store, STR("a/b/c"), STR("x"), &why));
    directory_key(f, "a/b", false);
    directory_key(f, "a", true);
    directory_key(f, "a/b/c/d", false);
    directory_key(f, "a/b/c/d/e/f", true);
    contract_holds(f->store, "a/b/c", STR("x"));
}

/* ---- keys ---- */

static void every_call_refuses(struct store store, struct str key, enum rc rc) {
    AUTO(buf_done) struct buf got = BUF_INIT(10);
    struct store_upload upload = {0};
    uint64_t size = 0;
    EXPECT(store_key_check(key, &why), rc);
    EXPECT(store_put(store, key, STR("x"), &why), rc);
    EXPECT(store_put_absent(store, key, STR("x"), &why), rc);
    EXPECT(store_get(store, key, 0, 1, &got, &why), rc);
    EXPECT(store_size(store, key, &size, &why), rc);
    EXPECT(store_remove(store, key, &why), rc);
    EXPECT(store_upload_begin(store, key, &upload, &why), rc);
    assert_null(upload.ops);
}

void every_call_refuses_what_is_no_key(void **state) {
    struct fixture *f = *state;
    static const struct str bad[] = {
        STR(""),     STR("/"),      STR("/a"),  STR("a/"),  STR("a//b"), STR("."),  STR(".."),   STR("../a"),
        STR("a/.."), STR("a/../b"), STR("a/."), STR("./a"), STR("a\0b"), STR("\0"), STR(".tmp"), STR(".tmp/a"),
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) every_call_refuses(f->store, bad[i], RC_BAD);
    char text[STORE_KEY_MAX + 1];
    for (size_t i = 0; i < sizeof text; i++) text[i] = i % 2 ? '/' : 'k';
    every_call_refuses(f->store, (struct str){text, sizeof text}, RC_LIMIT);
    memset(text, 'k', sizeof text);
    every_call_refuses(f->store, (struct str){text, STORE_NAME_MAX + 1}, RC_LIMIT);
    text[2] = '/';
    every_call_refuses(f->store, (struct str){text, STORE_NAME_MAX + 4}, RC_LIMIT);
}

void unusual_and_longest_keys_work(void **state) {
    struct fixture *f = *state;
    static const char *const keys[] = {"...",      ".hidden/x", "a/.tmp",   ".tmp2",         "a b/c\nd",
                                       "dt=%2F/e", "\xff\xfe",  "-rf/--x",  "caf\xc3\xa9/x", "a/..b/c..",
                                       "tmp/lock", "~",         "$(x)/`y`", "\x01/\x7f"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (!contract_takes(f, str_of(keys[i]))) {
            EXPECT(store_put_absent(f->store, str_of(keys[i]), str_of(keys[i]), &why), RC_BAD);
            continue;
        }
        OK(store_put_absent(f->store, str_of(keys[i]), str_of(keys[i]), &why));
        contract_holds(f->store, keys[i], str_of(keys[i]));
    }
    char text[STORE_KEY_MAX + 1] = {0};
    for (size_t i = 0; i < STORE_KEY_MAX; i++) text[i] = i % 2 ? '/' : 'k';
    text[STORE_KEY_MAX - 1] = 'k'; /* as deep as it goes */
    OK(store_put(f->store, str_of(text), STR("deep"), &why));
    contract_holds(f->store, text, STR("deep"));
    memset(text, 'z', STORE_KEY_MAX);
    for (size_t i = STORE_NAME_MAX; i < STORE_KEY_MAX; i += STORE_NAME_MAX + 1) text[i] = '/';
    text[STORE_KEY_MAX - 1] = 'z';
    text[STORE_KEY_MAX - 2] = '/';
    OK(store_put(f->store, str_of(text), STR("long"), &why));
    contract_holds(f->store, text, STR("long"));
}
