/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: on a terminal the bars stay below the log, whole and once, and leave the terminal as they found it; where
 * there is no terminal, a log line now and then tells the same. */
#include "buf.h"
#include "log.h"
#include "num.h"
#include "own.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <cmocka.h>

/* setenv() is safe here: no other thread runs when it is called. */
enum { COLUMNS = 60, LINES = 12, HISTORY = 4096 };

static _Atomic uint64_t now_ms;
static uint64_t fake_clock(void) { return atomic_load(&now_ms); }
static void pass(uint64_t ms) { atomic_fetch_add(&now_ms, ms); }

/* A terminal: what it got, read by a thread of its own so that it never fills up. */
struct screen {
    int master, slave;
    pthread_t reader;
    struct buf got;
};

static void *read_master(void *arg) {
    struct screen *screen = arg;
    for (;;) {
        if (buf_reserve(&screen->got, 4096) != RC_OK) return NULL;
        ssize_t n = read(screen->master, screen->got.at + screen->got.len, 4096);
        if (n <= 0) return NULL; /* EIO: nobody holds the other end any more */
        screen->got.len += (size_t)n;
    }
}

static void screen_open(struct screen *screen) {
    const struct winsize size = {.ws_col = COLUMNS, .ws_row = LINES};
    *screen = (struct screen){.got = BUF_INIT(8 << 20)};
    assert_int_equal(openpty(&screen->master, &screen->slave, NULL, NULL, &size), 0);
    assert_int_equal(pthread_create(&screen->reader, NULL, read_master, screen), 0);
}
/* Everything that was written; the screen's descriptors are gone then. */
static const char *screen_close(struct screen *screen) {
    (void)close(screen->slave);
    assert_int_equal(pthread_join(screen->reader, NULL), 0);
    (void)close(screen->master);
    return buf_text(&screen->got);
}

/* What a person sees: an emulator that knows exactly the sequences that we may use and fails on any other. Lines that
 * scrolled out stay in the picture, which is thus all that was ever left standing. */
struct picture {
    char text[HISTORY][COLUMNS + 1];
    unsigned line, column, last;
};

static unsigned number(const char **p) {
    unsigned n = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++) n = n * 10 + (unsigned)(**p - '0');
    return n;
}

static void put_char(struct picture *picture, char c) {
    assert_in_range(c, ' ', '~');
    if (picture->column == COLUMNS) {
        picture->column = 0;
        picture->line++;
    }
    picture->text[picture->line][picture->column++] = c;
}

static const char *control(struct picture *picture, const char *p) {
    assert_memory_equal(p, "\x1b[", 2);
    p += 2;
    const unsigned n = number(&p);
    if (*p == 'A') {
        assert_true(n > 0 && n <= picture->line && n < LINES);
        picture->line -= n;
    } else if (*p == 'J') {
        assert_int_equal(picture->column, 0);
        memset(picture->text[picture->line], 0, (size_t)(HISTORY - picture->line) * (COLUMNS + 1));
    } else {
        assert_int_equal(*p, 'm');
    }
    return p + 1;
}

static struct picture *look(const char *p) {
    struct picture *picture = calloc(1, sizeof *picture);
    while (*p) {
        assert_true(picture->line < HISTORY - 1);
        if (*p == '\x1b') {
            p = control(picture, p);
            continue;
        }
        if (*p == '\r')
            picture->column = 0;
        else if (*p == '\n')
            picture->line++;
        else
            put_char(picture, *p);
        p++;
    }
    assert_int_equal(picture->column, 0); /* the cursor is at the beginning of a line of its own */
    return picture;
}

static struct progress *open_on(int fd) {
    return progress_open(&(struct progress_options){.fd = fd, .clock_ms = fake_clock});
}

static void ascii_terminal(void) {
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    assert_int_equal(setenv("LC_ALL", "C", 1), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
}
static int begin(void **state) {
    (void)state;
    atomic_store(&now_ms, 1000000);
    log_setup(&(struct log_options){.level = LOG_LEVEL_INFO});
    ascii_terminal();
    return 0;
}
static int end(void **state) {
    (void)state;
    log_set_writer(NULL, NULL);
    return 0;
}

static void bars_are_redrawn_in_place_and_log_lines_stand_above_them(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen);
    struct progress *p = open_on(screen.slave);
    assert_true(progress_is_live(p));
    struct progress_row rows[2] = {{STR("access"), 0, 1000}, {STR("errors"), 0, 3000}};
    for (unsigned i = 0; i < 10; i++) {
        pass(PROGRESS_REDRAW_MS);
        rows[0].done = 100 * i;
        rows[1].done = 300 * i;
        progress_update(p, rows, 2);
        if (i % 3 == 0) LOG_INFO("note", F_U64("i", i));
    }
    rows[0].done = 1000;
    rows[1].done = 3000;
    progress_close(p, rows, 2);
    struct picture *picture = look(screen_close(&screen));
    for (unsigned line = 0; line < 4; line++) {
        char expected[32];
        (void)snprintf(expected, sizeof expected, " level=info msg=note i=%u", 3 * line);
        assert_memory_equal(picture->text[line], "ts=", 3);
        assert_string_equal(picture->text[line] + strlen("ts=2026-11-21T10:06:11.123Z"), expected);
    }
    assert_memory_equal(picture->text[4], "access 100% ####", 16);
    assert_memory_equal(picture->text[5], "errors 100% ####", 16);
    assert_memory_equal(picture->text[6], "total  100% ####", 16);
    assert_int_equal(picture->line, 7);
    assert_string_equal(picture->text[7], "");
    free(picture);
    buf_done(&screen.got);
}

static void what_comes_too_early_to_be_seen_is_not_drawn(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen);
    struct progress *p = open_on(screen.slave);
    const struct progress_row row = {STR("access"), 1, 2};
    for (int i = 0; i < 1000; i++) progress_update(p, &row, 1);
    pass(PROGRESS_REDRAW_MS);
    for (int i = 0; i < 1000; i++) progress_update(p, &row, 1);
    progress_close(p, &row, 1);
    const char *text = screen_close(&screen);
    size_t draws = 0;
    for (const char *at = text; (at = strstr(at, "access")); at++) draws++;
    assert_int_equal(draws, 2); /* the one that was due, and the last */
    buf_done(&screen.got);
}

static void more_rows_than_the_screen_has_lines_are_told_by_their_number(void **state) {
    (void)state;
    static struct progress_row rows[500];
    struct screen screen;
    screen_open(&screen);
    for (size_t i = 0; i < COUNT_OF(rows); i++) rows[i] = (struct progress_row){STR("part"), 1, 2};
    struct progress *p = open_on(screen.slave);
    for (int i = 0; i < 5; i++) {
        pass(PROGRESS_REDRAW_MS);
        progress_update(p, rows, COUNT_OF(rows));
        LOG_INFO("x");
    }
    progress_close(p, rows, COUNT_OF(rows));
    struct picture *picture = look(screen_close(&screen));
    assert_int_equal(picture->line, 5 + LINES - 3 + 1);
    assert_memory_equal(picture->text[picture->line - 1], "total, 491 more  50%", 20);
    assert_memory_equal(picture->text[4], "ts=", 3);
    assert_memory_equal(picture->text[5], "part", 4);
    free(picture);
    buf_done(&screen.got);
}

static void closing_without_rows_takes_the_bars_away(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen);
    struct progress *p = open_on(screen.slave);
    const struct progress_row row = {STR("access"), 1, 2};
    pass(PROGRESS_REDRAW_MS);
    progress_update(p, &row, 1);
    LOG_INFO("stays");
    progress_close(p, NULL, 0);
    struct picture *picture = look(screen_close(&screen));
    assert_non_null(strstr(picture->text[0], "msg=stays"));
    assert_string_equal(picture->text[1], "");
    assert_int_equal(picture->line, 1);
    free(picture);
    buf_done(&screen.got);
}

static void after_the_terminal_became_narrower_folded_bars_are_cleared(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen);
    struct progress *p = open_on(screen.slave);
    const struct progress_row row = {STR("access"), 1, 2};
    pass(PROGRESS_REDRAW_MS);
    progress_update(p, &row, 1);
    const struct winsize narrow = {.ws_col = 20, .ws_row = LINES};
    assert_int_equal(ioctl(screen.slave, TIOCSWINSZ, &narrow), 0);
    pass(PROGRESS_REDRAW_MS);
    progress_update(p, &row, 1);
    const struct winsize none = {.ws_col = 1, .ws_row = 1};
    assert_int_equal(ioctl(screen.slave, TIOCSWINSZ, &none), 0);
    LOG_INFO("narrow");
    progress_close(p, &row, 1);
    const char *text = screen_close(&screen);
    assert_non_null(strstr(text, "\x1b[3A\x1b[J")); /* 59 columns folded into 20 */
    assert_non_null(strstr(text, "access  50%\r\n"));
    assert_non_null(strstr(text, "\x1b[11A\x1b[J")); /* 11 columns folded into 1 */
    assert_non_null(strstr(text, "msg=narrow\r\n"));
    buf_done(&screen.got);
}

static void colours_and_blocks_follow_the_environment(void **state) {
    (void)state;
    static const struct {
        const char *term, *lc_all, *no_color;
        bool live, blocks, color;
    } rows[] = {
        {"xterm", "C", NULL, true, false, true},        {"xterm", "de_DE.UTF-8", NULL, true, true, true},
        {"xterm", "C.utf8", "1", true, true, false},    {"xterm", "C", "", true, false, true},
        {"dumb", "C.UTF-8", NULL, false, false, false}, {"", "C.UTF-8", NULL, false, false, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct screen screen;
        AUTO(buf_done) struct buf logged = BUF_INIT(1 << 16);
        log_set_writer(log_to_buf, &logged);
        assert_int_equal(setenv("TERM", rows[i].term, 1), 0);
        assert_int_equal(setenv("LC_ALL", rows[i].lc_all, 1), 0);
        assert_int_equal(rows[i].no_color ? setenv("NO_COLOR", rows[i].no_color, 1) : unsetenv("NO_COLOR"), 0);
        screen_open(&screen);
        struct progress *p = open_on(screen.slave);
        assert_int_equal(progress_is_live(p), rows[i].live);
        const struct progress_row row = {STR("access"), 1, 2};
        progress_close(p, &row, 1);
        const char *text = screen_close(&screen);
        assert_int_equal(strstr(text, "access") != NULL, rows[i].live);
        assert_int_equal(strstr(text, "█") != NULL, rows[i].blocks);
        assert_int_equal(strstr(text, "\x1b[36m") != NULL, rows[i].color);
        buf_done(&screen.got);
    }
}

static void without_a_terminal_a_log_line_tells_the_sums_now_and_then(void **state) {
    (void)state;
    AUTO(buf_done) struct buf logged = BUF_INIT(1 << 16);
    AUTO(own_close) int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_set_writer(log_to_buf, &logged);
    struct progress *p = open_on(fd);
    assert_false(progress_is_live(p));
    struct progress_row rows[2] = {{STR("access"), 0, 1000}, {STR("errors"), 0, 3000}};
    for (int i = 0; i < 200; i++) {
        progress_update(p, rows, 2);
        assert_int_equal(logged.len == 0, i < 100);
        rows[1].done = 1000;
        pass(PROGRESS_PLAIN_MS / 100);
    }
    assert_non_null(strstr(buf_text(&logged), "level=info msg=progress inputs=2 done_bytes=1000 total_bytes=4000 "
                                              "percent=25 bytes_per_s=0 left=--:--\n"));
    buf_reset(&logged);
    rows[1].done = 2000;
    progress_update(p, rows, 2);
    assert_non_null(strstr(buf_text(&logged), "percent=50 bytes_per_s=100 left=0:20\n"));
    buf_reset(&logged);
    rows[0].total = PROGRESS_UNKNOWN;
    progress_close(p, rows, 2);
    assert_non_null(strstr(buf_text(&logged), "msg=progress inputs=2 done_bytes=2000 bytes_per_s="));
    assert_null(strstr(buf_text(&logged), "percent"));
}

static void a_rate_belongs_to_its_row_even_when_rows_move(void **state) {
    (void)state;
    struct screen screen;
    screen_open(&screen);
    const struct winsize wide = {.ws_col = 100, .ws_row = LINES};
    assert_int_equal(ioctl(screen.slave, TIOCSWINSZ, &wide), 0);
    struct progress *p = open_on(screen.slave);
    struct progress_row fast = {STR("fast"), 0, 1 << 30}, slow = {STR("slow"), 0, 1 << 20};
    for (int i = 0; i < 20; i++) {
        pass(1000);
        fast.done += 10 << 20;
        slow.done += 10 << 10;
        const struct progress_row rows[2] = {i % 2 ? fast : slow, i % 2 ? slow : fast};
        progress_update(p, rows, 2);
    }
    progress_close(p, NULL, 0);
    const char *text = screen_close(&screen);
    size_t told = 0;
    for (const char *at = text; (at = strstr(at, "MiB/s")); at++) told++;
    assert_int_equal(told, 2 * 19); /* of "fast" and of the sum, never of "slow" */
    for (const char *at = text; (at = strstr(at, "MiB/s")); at++) assert_memory_equal(at - 5, "10.0 ", 5);
    buf_done(&screen.got);
}

static void *log_much(void *arg) {
    (void)arg;
    for (unsigned i = 0; i < 200; i++) LOG_INFO("line", F_U64("i", i));
    return NULL;
}

static void many_threads_may_log_and_update_at_once(void **state) {
    (void)state;
    struct screen screen;
    pthread_t threads[4];
    screen_open(&screen);
    struct progress *p = open_on(screen.slave);
    struct progress_row row = {STR("access"), 0, 1000};
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, NULL), 0);
    for (unsigned i = 0; i < 200; i++) {
        pass(PROGRESS_REDRAW_MS);
        row.done = i;
        progress_update(p, &row, 1);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    progress_close(p, &row, 1);
    struct picture *picture = look(screen_close(&screen));
    unsigned bars = 0, lines = 0;
    for (unsigned i = 0; i < picture->line; i++) {
        bars += strncmp(picture->text[i], "access", 6) == 0;
        lines += strncmp(picture->text[i], "ts=", 3) == 0;
    }
    assert_int_equal(bars, 1);
    assert_int_equal(lines, 4 * 200);
    free(picture);
    buf_done(&screen.got);
}

static void closing_nothing_is_fine(void **state) {
    (void)state;
    progress_close(NULL, NULL, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bars_are_redrawn_in_place_and_log_lines_stand_above_them),
        TEST(what_comes_too_early_to_be_seen_is_not_drawn),
        TEST(more_rows_than_the_screen_has_lines_are_told_by_their_number),
        TEST(closing_without_rows_takes_the_bars_away),
        TEST(after_the_terminal_became_narrower_folded_bars_are_cleared),
        TEST(colours_and_blocks_follow_the_environment),
        TEST(without_a_terminal_a_log_line_tells_the_sums_now_and_then),
        TEST(a_rate_belongs_to_its_row_even_when_rows_move),
        TEST(many_threads_may_log_and_update_at_once),
        TEST(closing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
