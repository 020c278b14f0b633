/* SPDX-License-Identifier: Apache-2.0 */
/* sim_inner: the state that the files of this folder share. Not for others. */
#ifndef SLUICE_SIM_INNER_H
#define SLUICE_SIM_INNER_H

#include "broker_fault.h"
#include "broker_memory.h"
#include "buf.h"
#include "emitter.h"
#include "lane.h"
#include "ledger_fault.h"
#include "sim.h"
#include "sim_files.h"
#include "sim_lines.h"
#include "sim_watch.h"
#include "source_fault.h"
#include "store_fault.h"
#include "uploader.h"
#include "worker.h"

enum { SIM_PARTITIONS = 3, SIM_GENERATIONS = 2, SIM_PROCESSES = 24, SIM_LANES = 3 };

/* What may happen, drawn once a run. Chances are of a thousand calls or steps. */
struct sim_knobs {
    uint32_t crash; /* of processes at birth: will die after some calls */
    uint32_t fail, lose;
    uint32_t regrow; /* of a worker's reads: the file is cut and grows again before the next one */
    uint32_t pause, jump, change, reboot, rollback, preempt, tail;
    uint32_t job_lost, job_repeated, producer_fails;
    uint32_t wild_steps;
    bool wild_files, generation, many_uploaders, once;
    bool dedupe;      /* of the lines of nd with one d in one window of n the first to win is kept */
    bool no_births;   /* the file system tells no birth times */
    bool one_machine; /* what one process holds open another one can read, deleted or not */
};

/* A program that runs, dies and is started again. */
struct sim_process {
    struct sim *sim;
    enum sim_service service;
    uint32_t number, partition;
    uint64_t generation, life;
    bool alive, crashed;
    bool calm;       /* this life began in the calm part */
    bool busy;       /* in the middle of a step: see sim_preempt() */
    uint64_t due_ms; /* nothing to do before */
    uint64_t paused_until_ms;
    uint64_t calls_left; /* until it dies; 0: it does not */
    struct rng rng;      /* its own chances */
    struct broker_fault *broker;
    struct ledger_fault *ledger_fault;
    struct ledger ledger;
    struct store store;
    struct source source;
    struct store_fault store_control;
    struct source_fault source_control;
    struct emitter *emitter;
    struct worker *worker;
    struct lane *lanes[SIM_LANES];
    size_t lanes_len;
    struct uploader *uploader;
};

/* An input that was deleted or moved away because it was durable. */
struct sim_taken {
    struct id file;
    size_t content;
};

struct sim {
    struct sim_options options;
    struct sim_result *result;
    struct sim_knobs knobs;
    struct rng rng;
    bool failed, wild;
    uint32_t depth;                    /* processes that are in the middle of a step */
    const struct sim_process *running; /* the innermost of them */
    uint64_t now_ms, steps;
    /* the world */
    struct source source;
    struct store store;
    struct ledger ledger; /* of generation 1, at the present epoch */
    struct broker_memory *brokers[SIM_GENERATIONS];
    uint32_t generations, partitions;
    struct sim_files files;
    struct sim_watch watch;
    struct id queue;
    /* the programs */
    struct emitter_source emitter_sources[SIM_SOURCES];
    struct str paths[SIM_SOURCES];
    struct emitter_settings emitter;
    struct worker_source worker_sources[SIM_SOURCES];
    struct str dedupe_key;
    struct worker_settings worker;
    struct uploader_settings uploader;
    struct sim_process processes[SIM_PROCESSES];
    size_t processes_len;
    uint64_t strike_calls;
    uint64_t *heard; /* hashes of the names of receipts that were told */
    size_t heard_len, heard_room;
    uint64_t calm_runs; /* of --once that began and ended in the calm part */
    /* a state of the ledger to go back to */
    void *saved, *empty;
    size_t saved_len, empty_len;
    uint64_t nexts[SIM_PARTITIONS]; /* durable_next before the ledger was emptied, for a mutation */
    struct sim_taken *taken;
    size_t taken_len, taken_room;
};

/* sim.c: notes the first thing that is wrong. Always gives false. */
bool sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_tell(const struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* True `thousandths` times of 1000. */
bool sim_chance(struct rng *rng, uint32_t thousandths);

/* The others go on while this process is about to do an effect. */
void sim_preempt(struct sim_process *process);
/* sim_setup.c: draws settings and knobs, makes the world. */
void sim_setup(struct sim *sim);
struct settings sim_draw_output(struct sim *sim);
/* sim_process.c */
struct sim_process *sim_process_add(struct sim *sim, enum sim_service service, uint32_t partition, uint64_t generation);
/* Starts it; it may die meanwhile. */
void sim_process_start(struct sim_process *process);
/* As kill -9 does. */
void sim_process_end(struct sim_process *process);
void sim_process_step(struct sim_process *process);
/* Tells what it is at. */
void sim_process_show(const struct sim_process *process);
/* What becomes of a call: done; not done and said so; done and the answer lost; the process is dead before or behind
 * it. */
enum sim_fate { SIM_PASS, SIM_FAIL, SIM_LOSE, SIM_DIE, SIM_DIE_BEHIND };
enum sim_fate sim_fate_of(struct sim_process *process, bool effect);
/* sim_notify.c: who hears of receipts. */
struct notify sim_notify(struct sim_process *process);
/* The ledger was told of this receipt: somebody must have heard of it. */
void sim_notify_check(struct sim *sim, uint64_t generation, struct id file, uint64_t end);
/* sim.c: the others go on for some steps, while somebody is in the middle of a call. */
void sim_others(struct sim *sim, uint64_t steps);
/* sim_rollback.c: keeps the first state of the ledger. */
void sim_rollback_init(struct sim *sim);
/* Keeps the state of the ledger, or sets it back, empties or restarts it, and recovers. */
void sim_rollback(struct sim *sim);
/* sim_loss.c: the log of a partition loses its last or first messages while nobody runs; then it is repaired. */
void sim_lose_messages(struct sim *sim);
/* sim_source.c: the same handle; what after_durable takes away is checked and noted. With `shared`, freeing the handle
 * does nothing. */
struct source sim_source(struct sim *sim, struct source source, bool shared);
/* sim_once.c: which lines are kept once */
enum { SIM_WINDOW = 60 }; /* of n */
struct sim_key {
    uint64_t window, d;
    bool kept;
};
struct sim_keys {
    struct sim_key *at;
    size_t len, room;
};
/* Is this line, a record, kept by an attempt with these claims? Where records are not kept once, all are. */
bool sim_once_kept(const struct sim *sim, int source, const struct sim_line *line, struct str claims);
void sim_once_note(const struct sim *sim, int source, const struct sim_line *line, bool kept, struct sim_keys *keys);
/* Each key that any line has is kept, and once. Frees them. */
bool sim_once_check(struct sim *sim, struct sim_keys *keys);
/* sim_check.c: the newest file that the ledger has for a content. */
struct ledger_file sim_look_up(struct sim *sim, uint64_t generation, const struct sim_content *content,
                               struct arena *arena);
/* is all durable and receipted? `why` says what is not. */
bool sim_is_done(struct sim *sim, struct why *why);
/* Compares all that is in the store with all that was in files. */
void sim_check(struct sim *sim);

#endif
