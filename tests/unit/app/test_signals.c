/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the asked-for signals become state and end nothing; a wait ends when one comes; afterwards all is as before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <errno.h>
#include <cmocka.h>

#include "signals.h"

static struct signals started(void) {
    struct signals s;
    struct why why = {0};
    if (signals_init(&s, &why) != RC_OK) fail_msg("%s", why.text);
    return s;
}

static void without_a_signal_nothing_is_asked(void **state) {
    (void)state;
    struct signals s = started();
    assert_false(signals_poll(&s));
    assert_false(signals_wait(&s, 0));
    assert_false(signals_draining(&s));
    assert_false(signals_take_flush(&s));
    signals_done(&s);
}

static void term_and_int_ask_to_drain_and_are_counted(void **state) {
    (void)state;
    const int both[] = {SIGTERM, SIGINT};
    struct signals s = started();
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(kill(getpid(), both[i]), 0);
        assert_true(signals_wait(&s, 10000));
        assert_true(signals_draining(&s));
        assert_int_equal(atomic_load(&s.drains), i + 1);
    }
    assert_false(signals_take_flush(&s));
    signals_done(&s);
}

static void hup_asks_once_to_flush(void **state) {
    (void)state;
    struct signals s = started();
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_true(signals_poll(&s));
    assert_true(signals_take_flush(&s));
    assert_false(signals_take_flush(&s));
    assert_false(signals_draining(&s));
    signals_done(&s);
}

static void the_descriptor_can_be_polled_with_others(void **state) {
    (void)state;
    struct signals s = started();
    struct pollfd fd = {.fd = signals_fd(&s), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_true(signals_poll(&s));
    assert_int_equal(poll(&fd, 1, 0), 0);
    signals_done(&s);
}

static void a_closed_pipe_is_an_error_code(void **state) {
    (void)state;
    struct signals s = started();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    close(ends[1]);
    signals_done(&s);
}

static void afterwards_all_is_as_before(void **state) {
    (void)state;
    sigset_t before, after;
    struct sigaction pipe_before, pipe_after;
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &before), 0);
    assert_int_equal(sigaction(SIGPIPE, NULL, &pipe_before), 0);
    struct signals s = started();
    assert_int_equal(kill(getpid(), SIGTERM), 0); /* not taken: must not end the process after done */
    signals_done(&s);
    signals_done(&s);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &after), 0);
    assert_int_equal(sigaction(SIGPIPE, NULL, &pipe_after), 0);
    for (int n = 1; n < 32; n++) assert_int_equal(sigismember(&before, n), sigismember(&after, n));
    assert_true(pipe_before.sa_handler == pipe_after.sa_handler);
    signals_done(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_signal_nothing_is_asked),
        cmocka_unit_test(term_and_int_ask_to_drain_and_are_counted),
        cmocka_unit_test(hup_asks_once_to_flush),
        cmocka_unit_test(the_descriptor_can_be_polled_with_others),
        cmocka_unit_test(a_closed_pipe_is_an_error_code),
        cmocka_unit_test(afterwards_all_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
