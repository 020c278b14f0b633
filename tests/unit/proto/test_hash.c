/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: checksums are XXH3-64 with seed 0 (known values of the algorithm), whole and in pieces alike. */
#include "attempt.h"
#include "hash_stream.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void known_values(void **state) {
    (void)state;
    assert_int_equal(hash_bytes(STR("")), 0x2d06800538d394c2);
    assert_int_equal(hash_bytes(STR("a")), 0xe6c632b61e964e1f);
    assert_int_equal(hash_bytes(STR("abc")), 0x78af5f94892f3950);
}

static void pieces_give_the_same(void **state) {
    (void)state;
    char text[1000];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)(i * 31 % 251);
    struct str all = {text, sizeof text};
    for (size_t cut = 0; cut <= sizeof text; cut += 37) {
        AUTO(hash_stream_done) struct hash_stream *stream = hash_stream_new();
        hash_stream_add(stream, str_sub(all, 0, cut));
        hash_stream_add(stream, (struct str){0});
        hash_stream_add(stream, str_sub(all, cut, sizeof text));
        assert_int_equal(hash_stream_end(stream), hash_bytes(all));
    }
}

static void keys_of_files_compare_what_stays_when_it_grows(void **state) {
    (void)state;
    struct facts a = {.source = STR("s"), .uri = STR("file:///a"), .inode = 1, .birth_ns = 2, .volume = 3};
    struct facts b = a;
    b.uri = STR("file:///renamed");
    b.prefix_len = 7;
    assert_true(facts_same_key(&a, &b));
    b.inode = 9;
    assert_false(facts_same_key(&a, &b));
    b = a;
    b.birth_ns = 9;
    assert_false(facts_same_key(&a, &b));
    b = a;
    b.source = STR("t");
    assert_false(facts_same_key(&a, &b));
    b = a;
    b.volume = 9;
    assert_false(facts_same_key(&a, &b));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(pieces_give_the_same),
        cmocka_unit_test(keys_of_files_compare_what_stays_when_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
