/* SPDX-License-Identifier: Apache-2.0 */
/* signals: what a person or a supervisor asks of the process, as state that a loop looks at: SIGTERM and SIGINT ask to
 * drain, SIGHUP to seal and upload at once. SIGPIPE is ignored: a closed connection is an error code.
 *
 * Nothing runs in a signal handler: the signals are blocked and read from a signalfd, so a loop can wait for its own
 * events and for these together (signals_fd() with poll), or for these alone with a time-out (signals_wait).
 *
 * Memory: one descriptor. Threads: init before any other thread starts, which then inherits the blocked signals; init,
 * poll, wait and done belong to one thread, signals_draining() to all. Limits: one at a time in a process. A program
 * that is started with fork and exec inherits the blocked signals too. Fails: RC_LIMIT without a descriptor. */
#ifndef SLUICE_SIGNALS_H
#define SLUICE_SIGNALS_H

#include "rc.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

struct signals {
    int fd;
    atomic_uint drains;  /* SIGTERM and SIGINT so far; a person who sends the second means: now */
    atomic_uint flushes; /* SIGHUP not yet taken; several are one */
    sigset_t mask_before;
    struct sigaction pipe_before;
};

RC signals_init(struct signals *signals, struct why *why);
/* Gives the signals back their meaning from before. NULL is fine. */
void signals_done(struct signals *signals);
/* Readable when a signal waits; then call signals_poll(). */
static inline int signals_fd(const struct signals *signals) { return signals->fd; }
/* Takes in what came, without waiting; true if there was something. */
bool signals_poll(struct signals *signals);
/* Waits up to `timeout_ms`, then as signals_poll(). */
bool signals_wait(struct signals *signals, uint64_t timeout_ms);
static inline bool signals_draining(const struct signals *signals) { return atomic_load(&signals->drains) > 0; }
/* True once after SIGHUP. */
bool signals_take_flush(struct signals *signals);

#endif
