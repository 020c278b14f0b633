/* SPDX-License-Identifier: Apache-2.0 */
/* stamp: what the clocks say, for log lines and stage timers; the one place of this module that asks the kernel.
 * Threads: any. Fails: never (the two clocks always exist on Linux). */
#ifndef SLUICE_STAMP_H
#define SLUICE_STAMP_H

#include <stdint.h>

enum { STAMP_TEXT = 32 };

/* Milliseconds since 1970 UTC; may jump when somebody sets the clock. */
uint64_t stamp_wall_ms(void);
/* Nanoseconds since some point in the past; never goes back. For durations. */
uint64_t stamp_mono_ns(void);
/* CPU nanoseconds that the calling thread has used. */
uint64_t stamp_thread_cpu_ns(void);
/* "2026-11-21T09:56:11.123Z" (RFC 3339, UTC); gives `out` back. Years after 9999 are written as 9999-12-31. */
char *stamp_format(uint64_t wall_ms, char out[STAMP_TEXT]);

#endif
