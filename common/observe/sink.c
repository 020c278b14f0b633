/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* A terminal may take a piece in parts, a signal may come between; nothing that works needs more. */
enum { TRIES_MAX = 64 };

/* Asking poll() first keeps a blocking pipe whose reader sleeps from stopping us: a pipe that says POLLOUT takes
 * PIPE_BUF bytes at once. */
static bool takes(struct sink *sink, int wait_ms) {
    struct pollfd out = {.fd = sink->fd, .events = POLLOUT};
    int ready = poll(&out, 1, sink->stalled ? 0 : wait_ms);
    sink->stalled = ready == 0;
    return ready != 0; /* also on an error: write() then tells which */
}

bool sink_put(struct sink *sink, struct str bytes, int wait_ms) {
    for (int tries = 0; bytes.len && tries < TRIES_MAX && takes(sink, wait_ms); tries++) {
        ssize_t n = write(sink->fd, bytes.at, bytes.len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) break;
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return bytes.len == 0;
}
