/* SPDX-License-Identifier: Apache-2.0 */
/* lane_inner: the state that the files of one lane share. Not for others. */
#ifndef SLUICE_LANE_INNER_H
#define SLUICE_LANE_INNER_H

#include "arena.h"
#include "blocks.h"
#include "committer.h"
#include "job.h"
#include "lane.h"
#include "noted.h"
#include "reader.h"
#include "records.h"
#include "slice.h"
#include "stopwatch.h"

enum {
    LANE_LINE_WORK = 256 * 1024, /* piece in which line ends are looked for beyond the window */
    LANE_PIECE = 256 * 1024,     /* piece in which the window is read and converted: two batches of slice.c, in most
                                  * processors' second-level cache */
};

/* A job that is being converted, or whose attempts are under way. */
struct work {
    struct worker_key key;
    uint32_t refs; /* the lane's, and one for each flight */
    bool lost;     /* an attempt of it lost: what comes behind it will too */
    bool again;    /* one that had claims: another place has one of them, most likely. The lane does the job again */
    struct work *next;
    size_t job_len;
    char job[]; /* the message */
};

/* An attempt that is published. */
struct flight {
    struct submission submission;
    struct work *work;
    struct flight *next;
    uint64_t number;
    uint32_t unacked;
    uint64_t unacked_bytes;
    bool submitted, published;
    const struct worker_source *source;
    struct slice_counts counts;
    char *claims; /* what .submission.ask.claims is */
};

/* Where the current job stands. */
struct task {
    struct work *work; /* NULL: no task */
    struct job job;    /* strings in the lane's job arena */
    const struct worker_source *source;
    size_t source_index;
    struct reader reader;
    uint64_t epoch;        /* in which the checkpoint was read: attempts that go on from it are of no later one */
    uint64_t at;           /* where the next attempt begins */
    struct id predecessor; /* the attempt that ends there */
    uint64_t tail_hash;    /* of the bytes before `at`, where there is a predecessor */
    uint64_t lines;        /* of the stripe before `at` */
    uint64_t *ends;
    size_t ends_len;
    uint32_t ends_total;
    bool located; /* .start is in front of the next segment, where lines go together */
    struct records_start start;
    bool headed; /* the converter has the first line of this file, if it wants it */
    bool moving; /* the file changed while it was read */
};

struct lane {
    struct worker *worker;
    struct broker_consumer consumer;
    struct broker_producer producer;
    bool producer_broken, draining;
    bool job_taken; /* the consumer does not know yet that the last job is done with */
    struct rng rng;
    struct converter **converters; /* one a source, made when first needed */
    struct slice *slice;
    struct kept *kept; /* of the task's attempts; NULL: no source keeps records once */
    struct blocks *blocks;
    char *window;
    size_t window_room; /* without the padding */
    size_t slice_bytes; /* of the next window */
    char *line_work;
    struct noted noted; /* of the slice that is made */
    struct buf message;
    struct arena job_arena;
    struct task task;
    struct flight *first, **last;
    uint64_t flights, next_number, unacked_bytes, bytes_won;
    struct work *again;        /* jobs to be done again */
    struct flight *publishing; /* whose messages are being appended */
};

/* lane_flights.c: attempts that are published */
/* The next attempt of the task, from where it stands to `to`. */
struct flight *lane_flight_new(struct lane *l, uint64_t to);
/* It could not be published whole: it goes, and the task with it. */
void lane_flight_abandon(struct lane *l, struct flight *f);
/* Forgets an attempt that is not with the committer. */
void lane_flight_forget(struct lane *l, struct flight *f);
/* Appends one message of the attempt that is being published; waits for room where the producer is full. */
enum rc lane_append(void *context, uint32_t partition, struct str head, struct str body, struct why *why);
/* Acknowledgements in, complete attempts to the committer. */
RC lane_take_acks(struct lane *l, uint64_t wait_ms, struct why *why);
/* Attempts that were decided leave the list. */
void lane_retire_decided(struct lane *l);
/* After a failure: what was not submitted is forgotten, and a new producer made. */
RC lane_renew_producer(struct lane *l, struct why *why);
/* One reference less; with the last one the stripe is given back. */
void lane_work_release(struct lane *l, struct work *work);
/* lane_job.c: the task */
/* Takes a job, if one comes within wait_ms. */
RC lane_next_job(struct lane *l, uint64_t wait_ms, bool *out_idle, struct why *why);
void lane_task_end(struct lane *l);
/* How a job ends that cannot be done now. Nothing is lost: the emitter says it again. */
RC lane_job_failed(struct lane *l, enum rc rc, const struct why *why);
/* True where the outcome is about this one file and not about us or our servers. */
bool lane_is_of_the_file(enum rc rc);
/* The converter of the task's source, told what it wants to know of the file. */
RC lane_converter(struct lane *l, struct converter **out, struct why *why);
/* Can a record of the task's file be more than one line? Rejects are lines, whatever they hold. */
bool lane_spans_lines(const struct lane *l, const struct converter *converter);
/* What was found for the next attempt. */
struct lane_found {
    uint64_t to;
    bool closed;
    uint64_t first_end;                /* block_trailer.first_end */
    const struct slice_result *result; /* NULL: a range without lines */
    bool told;                         /* that the text stops there, if it does */
};
/* lane_record.c: where lines go together */
/* NULL: a record is a line. */
RC lane_segments(struct lane *l, struct segments **out, struct why *why);
/* As first_line() and convert_lines() of lane_slice.c. */
RC lane_first_record(struct lane *l, struct segments *segments, uint64_t *out_at, bool *out_none, struct why *why);
RC lane_convert_records(struct lane *l, struct segments *segments, struct lane_found *out, struct why *why);
/* lane_slice.c: one slice of the task, converted and published */
void lane_window_fit(struct lane *l, size_t bytes);
void lane_slice_start(struct lane *l, struct converter *converter);
/* A line at `at` that is longer than the window of `window` bytes: finds its end without keeping it. RC_ABSENT: it has
 * none yet. */
RC lane_skip_long_line(struct lane *l, uint64_t at, size_t window, struct lane_found *out, struct why *why);
/* How much of the window is read at a time. */
size_t lane_piece(const struct lane *l);
/* The bytes [at + from, at + from + len) of the file, into the window's place for them. */
RC lane_read_piece(struct lane *l, uint64_t at, size_t from, size_t len, struct stopwatch *watch, struct why *why);
RC lane_convert_step(struct lane *l, struct why *why);

#endif
