/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: where lines go together, workers that begin anywhere in a file, see it while it grows, stop anywhere and are
 * begun again, take each byte exactly once, and cut it into the same segments as one that reads it from its start, for
 * any size of stripes: whatever the text, with lines that are too long and closed ends in the middle of lines, also
 * when ends that nobody tells of are forgotten in between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "attempt.h"
#include "cut.h"
#include "must.h"
#include "num.h"
#include "records.h"
#include "rng.h"
#include "source_memory.h"

#define URI "file:///in/a"
#define PATH "/in/a"

enum { TEXT_MAX = 6000, LINE_MAX = 40, RECORD_MAX = 150, ENDS_MAX = 12, STRIPES_MAX = TEXT_MAX };

struct file {
    struct source source;
    struct reader reader;
    struct segments *segments;
    char text[TEXT_MAX];
    uint64_t len, known; /* all, and what workers have seen */
    uint64_t ends[ENDS_MAX];
    size_t ends_len;
    bool told[ENDS_MAX];      /* some range's trailer has it */
    uint8_t owners[TEXT_MAX]; /* how often each byte was taken */
    bool starts[TEXT_MAX + 1];
};

struct stripe {
    uint64_t at;
    bool any; /* a range of it was taken */
};

static void add(struct file *f, const char *text, size_t len) {
    len = MIN(len, (size_t)(TEXT_MAX - f->len));
    memcpy(f->text + f->len, text, len);
    f->len += len;
}

/* Lines of a kind that it has rules for, with some that are none, long ones and empty ones. */
static void make_text(struct file *f, struct rng *rng, bool cri, uint64_t size, uint64_t heads) {
    static const char *const cris[] = {"t stdout P a", "t stderr P bb", "t stdout F c", "t stderr F d\r", "junk"};
    static const char *const starts[] = {"  more", "", "\tat x\r", "Head no", " H"};
    f->len = 0;
    while (f->len < size) {
        char line[4 * RECORD_MAX];
        size_t len = 0;
        const char *from = cri ? cris[rng_below(rng, 100) < heads ? 2 + rng_below(rng, 2) : rng_below(rng, 5)]
                           : rng_below(rng, 100) < heads ? "H x"
                                                         : starts[rng_below(rng, 5)];
        len = strlen(from);
        memcpy(line, from, len);
        if (rng_below(rng, 12) == 0) {
            size_t more = (size_t)rng_below(rng, rng_below(rng, 8) ? LINE_MAX + 4 : 3 * RECORD_MAX);
            memset(line + len, 'y', more);
            len += more;
        }
        line[len++] = '\n';
        add(f, line, len);
    }
    f->len -= rng_below(rng, 2) ? 0 : 1 + rng_below(rng, 5); /* maybe without its last LF */
}

static size_t known_ends(const struct file *f, uint64_t from, uint64_t *out) {
    size_t n = 0;
    for (size_t i = 0; i < f->ends_len; i++)
        if (f->ends[i] >= from) out[n++] = f->ends[i];
    return n;
}

static void tell(struct file *f, uint64_t end) {
    for (size_t i = 0; i < f->ends_len; i++) f->told[i] = f->told[i] || f->ends[i] == end;
}

static void take(struct file *f, uint64_t from, uint64_t to) {
    f->starts[from] = true;
    for (uint64_t i = from; i < to; i++) {
        if (f->owners[i]++) fail_msg("byte %llu is taken twice", (unsigned long long)i);
    }
}

/* Segments from the start on, `some` of them; returns where it came to. */
static uint64_t take_some(struct file *f, const struct records_ask *ask, struct records_start start, uint64_t some,
                          bool *out_closed) {
    uint64_t at = start.at;
    *out_closed = false;
    while (some-- && at < ask->stripe_end && !*out_closed) {
        size_t bytes = 0;
        struct segments_ask next = {.window = {f->text + at, (size_t)(f->known - at)},
                                    .at = at,
                                    .in_line = start.in_line,
                                    .end = cut_next_end(ask->ends, ask->ends_len, at + 1),
                                    .ready = f->known};
        enum segments_found found = segments_next(f->segments, &start.state, &next, &bytes, out_closed);
        if (found == SEGMENTS_LONG_LINE) {
            const char *lf = memchr(next.window.at, '\n', next.window.len);
            assert_null(next.end == UINT64_MAX ? lf : NULL);
            return at;
        }
        assert_int_not_equal(found, SEGMENTS_LONGER);
        if (found == SEGMENTS_WAIT) return at;
        const char *lf = memchr(next.window.at, '\n', bytes);
        bool one_line = !lf || lf == next.window.at + bytes - 1;
        assert_true(one_line || bytes <= segments_window(f->segments));
        take(f, at, at + bytes);
        at += bytes;
        start.in_line = false;
    }
    return at;
}

/* One attempt of a worker that sees `known` bytes. */
static void attempt(struct file *f, uint64_t number, uint64_t size, struct stripe *s, bool closed, uint64_t some) {
    uint64_t end = (number + 1) * size, ends[ENDS_MAX];
    if (s->at >= MIN(end, f->known)) return;
    size_t n = known_ends(f, s->at, ends);
    struct records_ask ask = {s->at, s->any, end, f->known, ends, n};
    struct records_start start;
    bool none = false, at_end = false;
    enum rc rc = records_start(&f->reader, f->segments, &ask, &start, &none, NULL);
    if (rc == RC_ABSENT) {
        bool whole = f->known >= end;
        if (!none || (!whole && !closed)) return;
        s->at = whole ? end : f->known;
        s->any = true;
        if (!whole) tell(f, s->at);
        if (start.cut_end) tell(f, start.cut_end);
        return;
    }
    assert_int_equal(rc, RC_OK);
    uint64_t to = take_some(f, &ask, start, some, &at_end);
    if (to == start.at) return;
    if (!s->any && cut_next_end(ends, n, start.at) == start.at) tell(f, start.at);
    if (at_end) tell(f, to);
    s->at = to;
    s->any = true;
}

static void forget_untold(struct file *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->ends_len; i++)
        if (f->told[i]) {
            f->ends[n] = f->ends[i];
            f->told[n++] = true;
        }
    f->ends_len = n;
}

/* An end is refused below any checkpoint. */
static void close_here(struct file *f, const struct stripe *stripes, uint64_t count) {
    for (uint64_t i = 0; i < count; i++)
        if (stripes[i].any && stripes[i].at > f->known) return;
    if (f->ends_len == ENDS_MAX || (f->ends_len && f->ends[f->ends_len - 1] >= f->known)) return;
    f->told[f->ends_len] = false;
    f->ends[f->ends_len++] = f->known;
}

static void set_known(struct file *f, uint64_t known) {
    source_memory_append(f->source, PATH, (struct str){f->text + f->known, (size_t)(known - f->known)});
    f->known = known;
}

/* Workers at random stripes, while the file grows and is closed now and then. */
static void work(struct file *f, struct rng *rng, uint64_t size, uint64_t ends, bool forget) {
    struct stripe *stripes = calloc(STRIPES_MAX, sizeof *stripes);
    assert_non_null(stripes);
    uint64_t count = stripe_count(f->len, size);
    for (uint64_t i = 0; i < count; i++) stripes[i].at = i * size;
    memset(f->owners, 0, sizeof f->owners);
    memset(f->starts, 0, sizeof f->starts);
    f->ends_len = 0;
    f->known = 0;
    f->source = source_memory_new();
    source_memory_append(f->source, PATH, STR(""));
    struct job job = {.facts = {.uri = STR(URI)}};
    struct source_file *file = NULL;
    assert_int_equal(source_open(f->source, STR(URI), NULL, &file, NULL), RC_OK);
    f->reader = (struct reader){.source = f->source, .file = file, .uri = job.facts.uri};
    while (f->known < f->len) {
        set_known(f, rng_below(rng, 4) ? f->known + 1 + rng_below(rng, MIN(f->len - f->known, (uint64_t)600)) : f->len);
        bool closed = rng_below(rng, 100) < ends || f->known == f->len;
        if (closed) close_here(f, stripes, count);
        closed = f->ends_len && f->ends[f->ends_len - 1] == f->known;
        uint64_t seen = stripe_count(f->known, size);
        for (uint64_t n = 0; n < 2 * seen; n++) {
            uint64_t i = rng_below(rng, seen);
            attempt(f, i, size, &stripes[i], closed, 1 + rng_below(rng, 4));
        }
        if (forget && rng_below(rng, 3) == 0) forget_untold(f);
    }
    if (!f->ends_len || f->ends[f->ends_len - 1] != f->known) close_here(f, stripes, count);
    for (uint64_t i = 0; i < count; i++) /* nobody waits for anybody now */
        for (uint64_t at = UINT64_MAX; at != stripes[i].at;) {
            at = stripes[i].at;
            attempt(f, i, size, &stripes[i], true, UINT64_MAX);
        }
    for (uint64_t i = 0; i < f->len; i++)
        if (f->owners[i] != 1)
            fail_msg("byte %llu of %llu is nobody's", (unsigned long long)i, (unsigned long long)f->len);
    reader_close(&f->reader);
    source_free(f->source);
    free(stripes);
}

static void all_sizes(struct file *f, struct rng *rng) {
    static const uint64_t sizes[] = {1, 7, 64, 150, 151, 400, 1000, 100000};
    static bool reference[TEXT_MAX + 1];
    work(f, rng, 1000000, 0, false);
    memcpy(reference, f->starts, sizeof reference);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        work(f, rng, sizes[i], 0, false); /* closed at its end alone */
        assert_memory_equal(reference, f->starts, sizeof reference);
        work(f, rng, sizes[i], 20, false);
        work(f, rng, sizes[i], 20, true);
    }
}

static void random_texts(enum segments_kind kind, uint64_t seeds) {
    struct file *f = calloc(1, sizeof *f);
    assert_non_null(f);
    struct segments_settings settings = {
        .kind = kind, .start = STR("^H"), .bytes_max = RECORD_MAX, .line_bytes_max = LINE_MAX};
    assert_int_equal(segments_new(&settings, &f->segments, NULL), RC_OK);
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct rng rng = rng_from_seed(seed);
        print_message("kind %d, seed %llu\n", (int)kind, (unsigned long long)seed);
        make_text(f, &rng, kind == SEGMENTS_CRI, 50 + rng_below(&rng, TEXT_MAX - 700), rng_below(&rng, 4) * 25);
        all_sizes(f, &rng);
    }
    segments_free(f->segments);
    free(f);
}

static void records_with_a_start(void **state) {
    (void)state;
    random_texts(SEGMENTS_START, 12);
}

static void parts_of_containers_lines(void **state) {
    (void)state;
    random_texts(SEGMENTS_CRI, 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_with_a_start),
        cmocka_unit_test(parts_of_containers_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
