/* SPDX-License-Identifier: Apache-2.0 */
/* sink: a descriptor for text that a person may read, whose reader may be slow or gone. What it does not take in time
 * is given up, because nobody's lines are worth stopping the work for. Inside of log and progress. Threads: one at a
 * time (the owner locks). Limits: pieces up to 4096 bytes (PIPE_BUF) go out in one write(2). */
#ifndef SLUICE_SINK_H
#define SLUICE_SINK_H

#include "str.h"

struct sink {
    int fd;
    bool stalled; /* did not take the last piece: the next one does not wait */
};

/* Writes all of `bytes`; false when the reader did not take them within `wait_ms`, or is gone. */
bool sink_put(struct sink *sink, struct str bytes, int wait_ms);

#endif
