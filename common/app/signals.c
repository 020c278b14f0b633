/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include "num.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t wanted(void) {
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

RC signals_init(struct signals *signals, struct why *why) {
    memset(signals, 0, sizeof *signals);
    sigset_t set = wanted();
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0) return why_errno(why, RC_LIMIT, errno, "signalfd");
    (void)pthread_sigmask(SIG_BLOCK, &set, &signals->mask_before);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, &signals->pipe_before);
    return RC_OK;
}

void signals_done(struct signals *signals) {
    if (!signals || signals->fd < 0) return;
    (void)signals_poll(signals); /* what came is ours, not a default action that ends the process */
    (void)close(signals->fd);
    signals->fd = -1;
    (void)sigaction(SIGPIPE, &signals->pipe_before, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &signals->mask_before, NULL);
}

bool signals_poll(struct signals *signals) {
    bool any = false;
    struct signalfd_siginfo info;
    while (read(signals->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        any = true;
        atomic_fetch_add(info.ssi_signo == SIGHUP ? &signals->flushes : &signals->drains, 1);
    }
    return any;
}

bool signals_wait(struct signals *signals, uint64_t timeout_ms) {
    struct pollfd fd = {.fd = signals->fd, .events = POLLIN};
    (void)poll(&fd, 1, (int)MIN(timeout_ms, (uint64_t)INT_MAX));
    return signals_poll(signals);
}

bool signals_take_flush(struct signals *signals) { return atomic_exchange(&signals->flushes, 0) > 0; }
