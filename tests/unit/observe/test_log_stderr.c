/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the default writer gives stderr one whole line a write, and a reader of stderr that sleeps or is gone
 * neither stops nor ends the program. */
#include "log.h"
#include "metric.h"
#include "own.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Puts one end of a pipe in the place of stderr, for one test. */
struct swap {
    int kept, reader;
};
static struct swap swap_begin(void) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct swap swap = {.kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10), .reader = ends[0]};
    assert_true(swap.kept >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
    return swap;
}
static void swap_end(struct swap *swap) {
    assert_true(dup2(swap->kept, STDERR_FILENO) >= 0);
    (void)close(swap->kept);
    if (swap->reader >= 0) (void)close(swap->reader);
}

static void a_line_arrives_whole(void **state) {
    (void)state;
    struct swap swap = swap_begin();
    LOG_INFO("hello", F_U64("n", 1));
    char text[LOG_LINE_MAX + 1];
    ssize_t n = read(swap.reader, text, sizeof text - 1);
    swap_end(&swap);
    assert_true(n > 0);
    text[n] = '\0';
    assert_memory_equal(text, "ts=20", 5);
    assert_non_null(strstr(text, "level=info msg=hello n=1\n"));
}

/* Fills the pipe that stderr is now; it stays blocking for the log. */
static void fill_stderr(void) {
    char bytes[4096] = {0};
    int flags = fcntl(STDERR_FILENO, F_GETFL);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK), 0);
    while (write(STDERR_FILENO, bytes, sizeof bytes) > 0) continue;
    assert_int_equal(fcntl(STDERR_FILENO, F_SETFL, flags), 0);
}

static void a_reader_that_sleeps_costs_lines_not_the_program(void **state) {
    (void)state;
    struct swap swap = swap_begin();
    metric_reset();
    fill_stderr();
    for (int i = 0; i < 20; i++) LOG_INFO("nobody reads this");
    int64_t dropped = metric_value(METRIC_LOG_DROPPED, 0);
    char bytes[65536];
    while (dropped > 0 && read(swap.reader, bytes, sizeof bytes) == (ssize_t)sizeof bytes) break;
    LOG_INFO("awake again");
    ssize_t n = read(swap.reader, bytes, sizeof bytes - 1);
    swap_end(&swap);
    assert_int_equal(dropped, 20);
    assert_true(n > 0);
    bytes[n] = '\0';
    assert_non_null(strstr(bytes, "msg=\"awake again\"\n"));
    assert_int_equal(metric_value(METRIC_LOG_DROPPED, 0), 20);
}

static void a_reader_that_is_gone_is_counted(void **state) {
    (void)state;
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    struct swap swap = swap_begin();
    metric_reset();
    own_close(&swap.reader);
    swap.reader = -1;
    LOG_INFO("nobody is there");
    swap_end(&swap);
    assert_int_equal(metric_value(METRIC_LOG_DROPPED, 0), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_arrives_whole),
        cmocka_unit_test(a_reader_that_sleeps_costs_lines_not_the_program),
        cmocka_unit_test(a_reader_that_is_gone_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
