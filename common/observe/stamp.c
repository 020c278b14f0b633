/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include "must.h"

#include <stdio.h>
#include <time.h>

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    MUST(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t stamp_wall_ms(void) { return now_ns(CLOCK_REALTIME) / 1000000u; }
uint64_t stamp_mono_ns(void) { return now_ns(CLOCK_MONOTONIC); }
uint64_t stamp_thread_cpu_ns(void) { return now_ns(CLOCK_THREAD_CPUTIME_ID); }

char *stamp_format(uint64_t wall_ms, char out[STAMP_TEXT]) {
    const uint64_t last = 253402300799999; /* 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for the year */
    if (wall_ms > last) wall_ms = last;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    MUST(gmtime_r(&seconds, &tm) != NULL);
    size_t n = strftime(out, STAMP_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + n, STAMP_TEXT - n, ".%03uZ", (unsigned)(wall_ms % 1000));
    return out;
}
