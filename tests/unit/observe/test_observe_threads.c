/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: log lines of many threads never mix, none is lost, and metrics lose no addition, while another thread reads
 * them all the time. Run it under the thread sanitizer. */
#include "buf.h"
#include "log.h"
#include "metric.h"
#include "own.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 500 };

static void *count(void *arg) {
    char name[16];
    (void)snprintf(name, sizeof name, "s%u", *(unsigned *)arg % 3);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        metric_add(METRIC_BLOCKS, 2);
        metric_add_at(METRIC_LINES_READ, metric_label(LABEL_SOURCE, str_of(name)), 1);
        metric_observe(METRIC_SCAN, i * 1000000);
        metric_move(METRIC_BACKLOG, i % 2 ? 5 : -4);
        LOG_INFO("round", F_U64("thread", *(unsigned *)arg), F_U64("i", i), F_STR("pad", "xxxxxxxxxxxxxxxxxxxxxxx"));
        LOG_WARN("noise");
    }
    return NULL;
}

static atomic_bool stop;
static void *expose(void *arg) {
    (void)arg;
    while (!atomic_load(&stop)) {
        AUTO(buf_done) struct buf text = BUF_INIT(METRIC_TEXT_MAX);
        metric_expose(&text);
        log_tell_suppressed(false);
        log_set_level(LOG_LEVEL_INFO);
    }
    return NULL;
}

static void run_all(void) {
    pthread_t threads[THREADS], reader;
    unsigned numbers[THREADS];
    atomic_store(&stop, false);
    assert_int_equal(pthread_create(&reader, NULL, expose, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, count, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    atomic_store(&stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
}

static void nothing_is_lost_and_no_line_is_torn(void **state) {
    (void)state;
    AUTO(buf_done) struct buf lines = BUF_INIT(8 << 20);
    metric_reset();
    log_set_writer(log_to_buf, &lines);
    run_all();
    log_set_writer(NULL, NULL);
    assert_int_equal(buf_rc(&lines), RC_OK);
    assert_int_equal(metric_value(METRIC_BLOCKS, 0), 2 * THREADS * ROUNDS);
    assert_int_equal(metric_value(METRIC_SCAN, 0), THREADS * ROUNDS);
    assert_int_equal(metric_value(METRIC_BACKLOG, 0), THREADS * ROUNDS / 2);
    int64_t sum = 0;
    for (unsigned v = 1; v <= 3; v++) sum += metric_value(METRIC_LINES_READ, v);
    assert_int_equal(sum, THREADS * ROUNDS);

    unsigned next[THREADS] = {0}, noise = 0, told = 0;
    struct str rest = {lines.at, lines.len}, line;
    while (str_cut(&rest, '\n', &line)) {
        char text[256];
        unsigned thread = 0, i = 0;
        assert_true(line.len < sizeof text);
        memcpy(text, line.at, line.len);
        text[line.len] = '\0';
        if (line.len == 0) continue; /* behind the last newline */
        if (strstr(text, "msg=noise")) {
            const char *suppressed = strstr(text, "suppressed=");
            told += suppressed ? (unsigned)strtoul(suppressed + strlen("suppressed="), NULL, 10) : 0;
            noise++;
            continue;
        }
        assert_int_equal(
            sscanf(text, "ts=%*s level=info msg=round thread=%u i=%u pad=xxxxxxxxxxxxxxxxxxxxxxx", &thread, &i), 2);
        assert_true(thread < THREADS);
        assert_int_equal(i, next[thread]);
        next[thread]++;
    }
    for (unsigned i = 0; i < THREADS; i++) assert_int_equal(next[i], ROUNDS);
    assert_true(noise >= LOG_BURST && told <= THREADS * ROUNDS - LOG_BURST);
    assert_int_equal(metric_value(METRIC_LOG_SUPPRESSED, 0) + noise >= THREADS * ROUNDS, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_and_no_line_is_torn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
