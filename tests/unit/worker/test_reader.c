/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a reader finds line starts and line ends where a byte-by-byte look does, however small its pieces are, and
 * does not take a file that was cut, rewritten or replaced for the one that it was told of. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "must.h"
#include "noted.h"
#include "num.h"
#include "reader.h"
#include "source_memory.h"

#define URI "file:///in/a"
#define PATH "/in/a"

static struct job job_of(struct source source) {
    struct source_file *file = NULL;
    struct source_stat stat;
    char bytes[64];
    size_t len = 0;
    MUST(source_open(source, STR(URI), NULL, &file, NULL) == RC_OK);
    MUST(source_stat(source, file, &stat, NULL) == RC_OK);
    MUST(source_read(source, file, 0, bytes, sizeof bytes, &len, NULL) == RC_OK);
    source_close(source, file);
    return (struct job){.facts = {.uri = STR(URI),
                                  .inode = stat.inode,
                                  .birth_ns = stat.birth_ns,
                                  .prefix_len = (uint32_t)len,
                                  .prefix_hash = hash_bytes((struct str){bytes, len})}};
}

static bool starts_at(const char *bytes, uint64_t at, uint64_t end) {
    return at == 0 || bytes[at - 1] == '\n' || at == end;
}

static void line_starts_and_ends_are_where_they_are(void **state) {
    (void)state;
    static const char *const texts[] = {"", "x", "\n", "ab\ncd\n\nefgh\n", "abcdefgh", "\n\n\n", "a\nbcdefghijk\nl"};
    char work[8];
    for (size_t t = 0; t < COUNT_OF(texts); t++) {
        struct source source = source_memory_new();
        struct reader reader = {0};
        uint64_t len = strlen(texts[t]);
        source_memory_append(source, PATH, str_of(texts[t]));
        struct job job = job_of(source);
        assert_int_equal(reader_open(&reader, source, &job, NULL), RC_OK);
        for (uint64_t from = 0; from <= len; from++)
            for (uint64_t below = from; below <= len; below++)
                for (uint64_t end = 0; end <= len; end++)
                    for (size_t piece = 1; piece <= 3; piece++) {
                        struct reader_lines ask = {from, below, &end, end ? 1 : 0, work, piece};
                        uint64_t want = from, got = UINT64_MAX;
                        while (want < below && !starts_at(texts[t], want, end)) want++;
                        enum rc rc = from < below ? reader_line_start(&reader, &ask, &got, NULL) : RC_ABSENT;
                        assert_int_equal(rc, want < below ? RC_OK : RC_ABSENT);
                        if (rc == RC_OK) assert_int_equal(got, want);
                        for (want = from; want < below && texts[t][want] != '\n';) want++;
                        rc = reader_line_end(&reader, &ask, &got, NULL);
                        assert_int_equal(rc, want < below ? RC_OK : RC_ABSENT);
                        if (rc == RC_OK) assert_int_equal(got, want + 1);
                    }
        reader_close(&reader);
        source_free(source);
    }
}

static void another_file_is_not_taken_for_it(void **state) {
    (void)state;
    struct source source = source_memory_new();
    struct reader reader = {0};
    char bytes[16];
    uint64_t tail = 0;
    source_memory_append(source, PATH, STR("one\ntwo\nthree\n"));
    struct job job = job_of(source);
    assert_int_equal(reader_open(&reader, source, &job, NULL), RC_OK);
    assert_int_equal(reader_tail(&reader, 8, &tail, NULL), RC_OK);
    assert_int_equal(reader_check(&reader, &job, 8, true, tail, NULL), RC_OK);
    assert_int_equal(reader_check(&reader, &job, 8, true, tail + 1, NULL), RC_STALE);
    source_memory_append(source, PATH, STR("four\n"));
    assert_int_equal(reader_check(&reader, &job, 8, true, tail, NULL), RC_OK);
    source_memory_truncate(source, PATH, 6); /* shorter than its prefix */
    assert_int_equal(reader_check(&reader, &job, 4, false, 0, NULL), RC_STALE);
    assert_int_equal(reader_read(&reader, 0, bytes, 8, NULL), RC_STALE);
    source_memory_write(source, PATH, STR("ONE\nTWO\nTHREE\n")); /* as long, other bytes */
    assert_int_equal(reader_check(&reader, &job, 8, true, tail, NULL), RC_STALE);
    reader_close(&reader);
    source_memory_unlink(source, PATH);
    source_memory_append(source, PATH, STR("one\ntwo\nthree\n")); /* the same bytes, another file */
    assert_int_equal(reader_open(&reader, source, &job, NULL), RC_STALE);
    source_free(source);
}

static enum noted_answer ask(struct noted *noted, struct reader *reader) {
    char work[4];
    enum noted_answer is = NOTED_OTHER;
    assert_int_equal(noted_ask(noted, reader, (struct str){work, sizeof work}, &is, NULL), RC_OK);
    return is;
}

/* What happens between two reads of five bytes each, and what is to be said of both. */
static void expect_noted(bool keeps, const char *then, uint64_t cut, enum noted_answer is) {
    struct source source = source_memory_new();
    struct reader reader = {0};
    struct noted noted = {0};
    char bytes[5];
    source_memory_append(source, PATH, STR("one\ntwo\nthree\n"));
    struct job job = job_of(source);
    assert_int_equal(reader_open(&reader, source, &job, NULL), RC_OK);
    assert_int_equal(noted_begin(&noted, &reader, keeps, NULL), RC_OK);
    assert_int_equal(reader_read(&reader, 0, bytes, 5, NULL), RC_OK);
    if (cut) source_memory_truncate(source, PATH, cut);
    if (then) source_memory_append(source, PATH, str_of(then));
    assert_int_equal(reader_read(&reader, 5, bytes, 5, NULL), RC_OK);
    assert_int_equal(reader_read(&reader, 0, bytes, 1, NULL), RC_OK);
    assert_int_equal(ask(&noted, &reader), is);
    assert_int_equal(reader_read(&reader, 0, bytes, 5, NULL), RC_OK); /* is not noted any more */
    noted_done(&noted);
    reader_close(&reader);
    source_free(source);
}

static void bytes_of_two_contents_are_told_from_those_of_one(void **state) {
    (void)state;
    expect_noted(false, NULL, 0, NOTED_SAME);
    expect_noted(true, NULL, 0, NOTED_SAME);
    expect_noted(false, "more", 0, NOTED_UNKNOWN);
    expect_noted(true, "more", 0, NOTED_SAME);
    expect_noted(false, "and other bytes", 4, NOTED_UNKNOWN);
    expect_noted(true, "and other bytes", 4, NOTED_OTHER);
    expect_noted(true, "two\nthree\n", 4, NOTED_SAME); /* the same again */
    expect_noted(true, "changed behind it", 10, NOTED_SAME);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_starts_and_ends_are_where_they_are),
        cmocka_unit_test(another_file_is_not_taken_for_it),
        cmocka_unit_test(bytes_of_two_contents_are_told_from_those_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
