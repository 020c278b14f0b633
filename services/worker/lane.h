/* SPDX-License-Identifier: Apache-2.0 */
/* lane: one line of work: takes jobs, converts slice after slice, publishes, and goes on with the next while the
 * attempts before are on their way to a decision. DESIGN.md beside this file has the invariants.
 *
 * Memory: one window (up to WORKER_SLICE_MAX, or max_line_bytes if that is more) with the slice's index, one block, at
 * most WORKER_FLIGHTS_MAX attempts under way. Threads: one at a time. Fails: RC_BUSY, RC_LIMIT: call again later;
 * RC_STALE: the epoch is over, the lane has forgotten its work; RC_BROKEN, RC_DENIED: for people. What is wrong with
 * one file is told in the log and ends that job only. */
#ifndef SLUICE_LANE_H
#define SLUICE_LANE_H

#include "rng.h"
#include "worker.h"

struct lane;

struct lane_view {
    uint64_t flights;   /* attempts published and not decided */
    uint64_t bytes_won; /* input bytes in won attempts, since the start */
    bool working;
};

RC lane_new(struct worker *worker, struct rng rng, struct lane **out, struct why *why);
/* Forgets what is under way. The committer must not be stepped any more. */
void lane_free(struct lane *lane);
/* Does the next thing; waits at most `wait_ms` for a job or an acknowledgement where there is nothing else to do.
 * *out_idle: it had nothing to do. */
RC lane_step(struct lane *lane, uint64_t wait_ms, bool *out_idle, struct why *why);
/* Take no more jobs; lane_view.flights and .working tell when the rest is decided. */
void lane_drain(struct lane *lane);
void lane_look(const struct lane *lane, struct lane_view *out);

#endif
