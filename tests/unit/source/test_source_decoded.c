/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a compressed file is read as its text at any place, by any number of readers, while it grows; its end and
 * where it stops are told as the file is; a file that was rewritten is noticed. */
#include "num.h"
#include "own.h"
#include "packed.h"
#include "rng.h"
#include "source_decoded.h"
#include "source_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 20 };
#define URI STR("file:///a.gz")

struct world {
    struct source files, decoded, view;
    struct source_file *file;
};

static void world_init(struct world *w, const struct source_view *view) {
    w->files = source_memory_new();
    w->decoded = source_decoded_new(source_memory_again(w->files), 1);
    w->view = source_decoded_view(w->decoded, view);
    w->file = NULL;
}

static void world_done(struct world *w) {
    source_close(w->decoded, w->file);
    source_free(w->decoded);
    source_free(w->files);
}

static void reopen(struct world *w) {
    source_close(w->decoded, TAKE(w->file));
    assert_int_equal(source_open(w->view, URI, NULL, &w->file, NULL), RC_OK);
}

static struct source_stat look(struct world *w) {
    struct source_stat stat = {.pending = true};
    while (stat.pending) {
        assert_int_equal(source_measure(w->decoded, w->file, &stat, NULL), RC_OK);
        if (stat.pending) (void)usleep(1000);
    }
    return stat;
}

static void make_lines(size_t bytes, struct buf *out) {
    struct rng rng = rng_from_seed(bytes);
    while (out->len < bytes) buf_add_format(out, "%llu\n", (unsigned long long)rng_next(&rng));
}

static void expect(struct world *w, struct str text, uint64_t from, size_t len) {
    static char bytes[4 << 20];
    size_t got = 0, there = (size_t)MIN((uint64_t)len, text.len - MIN((uint64_t)text.len, from));
    assert_int_equal(source_read(w->decoded, w->file, from, bytes, len, &got, NULL), RC_OK);
    assert_int_equal(got, there);
    if (there) assert_memory_equal(bytes, text.at + from, there);
}

static void texts_are_read_at_any_place(void **state) {
    (void)state;
    struct world w;
    AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX);
    make_lines(12 << 20, &text);
    packed_add(DECODE_GZIP, str_sub(buf_str(&text), 0, 5 << 20), &file);
    packed_add(DECODE_GZIP, str_sub(buf_str(&text), 5 << 20, text.len), &file);
    world_init(&w, &(struct source_view){.automatic = true});
    source_memory_write(w.files, "/a.gz", buf_str(&file));
    reopen(&w);
    struct source_stat stat = look(&w);
    assert_int_equal(stat.end, text.len);
    assert_int_equal(stat.steady, text.len);
    assert_int_equal(stat.size, file.len);
    assert_true(stat.decoded && stat.packed);
    struct rng rng = rng_from_seed(5);
    for (size_t i = 0; i < 60; i++) {
        if (i % 10 == 0) reopen(&w);
        expect(&w, buf_str(&text), rng_below(&rng, text.len + 10), 1 + (size_t)rng_below(&rng, 1 << (i % 21)));
        expect(&w, buf_str(&text), 0, i % 2 ? 4096 : 300000);
    }
    world_done(&w);
}

static void a_file_that_grows_goes_on(void **state) {
    (void)state;
    struct world w;
    AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX);
    make_lines(300000, &text);
    packed_add(DECODE_GZIP, buf_str(&text), &file);
    world_init(&w, &(struct source_view){.automatic = true});
    uint64_t before = 0;
    for (size_t at = 0; at < file.len; at += 10007) {
        source_memory_append(w.files, "/a.gz", str_sub(buf_str(&file), at, MIN(at + 10007, file.len)));
        reopen(&w);
        struct source_stat stat = look(&w);
        bool all = at + 10007 >= file.len;
        assert_true(stat.end >= before && stat.end <= text.len);
        assert_int_equal(stat.steady, all ? stat.end : stat.end - 1);
        expect(&w, str_sub(buf_str(&text), 0, (size_t)stat.end), before, 1 << 20);
        struct source_stop stop;
        assert_int_equal(source_stop(w.decoded, w.file, stat.end, &stop, NULL), RC_OK);
        assert_int_equal(stop.stopped, !all);
        assert_int_equal(source_stop(w.decoded, w.file, stat.end - 1, &stop, NULL), RC_OK);
        assert_false(stop.stopped);
        before = stat.end;
    }
    assert_int_equal(before, text.len);
    world_done(&w);
}

static void a_text_without_a_byte_is_one_empty_line(void **state) {
    (void)state;
    struct world w;
    AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX);
    packed_add(DECODE_GZIP, STR("text\n"), &file);
    world_init(&w, &(struct source_view){.automatic = true});
    source_memory_write(w.files, "/a.gz", str_sub(buf_str(&file), 0, 10));
    reopen(&w);
    struct source_stat stat = look(&w);
    assert_int_equal(stat.end, 1);
    assert_int_equal(stat.steady, 0);
    expect(&w, STR("\n"), 0, 10);
    struct source_stop stop;
    assert_int_equal(source_stop(w.decoded, w.file, 1, &stop, NULL), RC_OK);
    assert_true(stop.stopped && stop.at == 0);
    world_done(&w);
}

static void a_file_that_was_rewritten_is_noticed(void **state) {
    (void)state;
    struct world w;
    AUTO(buf_done) struct buf one = BUF_INIT(TEXT_MAX), other = BUF_INIT(TEXT_MAX);
    packed_add(DECODE_GZIP, STR("1111111111\n"), &one);
    packed_add(DECODE_GZIP, STR("2222222222\n"), &other);
    assert_int_equal(one.len, other.len);
    world_init(&w, &(struct source_view){.automatic = true});
    source_memory_write(w.files, "/a.gz", buf_str(&one));
    reopen(&w);
    expect(&w, STR("1111111111\n"), 0, 100);
    source_memory_write(w.files, "/a.gz", buf_str(&other));
    char bytes[8];
    size_t got = 0;
    assert_int_equal(source_read(w.decoded, w.file, 2, bytes, sizeof bytes, &got, NULL), RC_STALE);
    source_memory_truncate(w.files, "/a.gz", 3);
    reopen(&w);
    assert_int_equal(source_read(w.decoded, w.file, 2, bytes, sizeof bytes, &got, NULL), RC_OK);
    world_done(&w);
}

static void limits_end_a_text_and_raised_ones_let_it_go_on(void **state) {
    (void)state;
    struct world w;
    AUTO(buf_done) struct buf file = BUF_INIT(TEXT_MAX);
    packed_add(DECODE_ZSTD, STR("0123456789\n"), &file);
    world_init(&w, &(struct source_view){.automatic = true, .text.bytes_max = 4});
    source_memory_write(w.files, "/a.gz", buf_str(&file));
    reopen(&w);
    assert_int_equal(look(&w).end, 4);
    struct source_stop stop;
    assert_int_equal(source_stop(w.decoded, w.file, 4, &stop, NULL), RC_OK);
    assert_true(stop.stopped);
    w.view = source_decoded_view(w.decoded, &(struct source_view){.automatic = true, .text.bytes_max = 100});
    reopen(&w);
    assert_int_equal(look(&w).end, 11);
    world_done(&w);
}

static void what_is_not_compressed_is_as_it_is(void **state) {
    (void)state;
    struct world w;
    world_init(&w, &(struct source_view){.automatic = true});
    source_memory_write(w.files, "/a.gz", STR("plain\n"));
    reopen(&w);
    struct source_stat stat = look(&w);
    assert_false(stat.decoded);
    assert_int_equal(source_end(&stat), 6);
    expect(&w, STR("plain\n"), 0, 100);
    world_done(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_at_any_place),
        cmocka_unit_test(a_file_that_grows_goes_on),
        cmocka_unit_test(a_text_without_a_byte_is_one_empty_line),
        cmocka_unit_test(a_file_that_was_rewritten_is_noticed),
        cmocka_unit_test(limits_end_a_text_and_raised_ones_let_it_go_on),
        cmocka_unit_test(what_is_not_compressed_is_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
