/* SPDX-License-Identifier: Apache-2.0 */
/* walk_world: emitter, two lanes, their committer and an uploader, as `sluice run` has them in one process, stepped by
 * hand. Threads: one. */
#ifndef SLUICE_WALK_WORLD_H
#define SLUICE_WALK_WORLD_H

#include "broker_memory.h"
#include "emitter.h"
#include "lane.h"
#include "source_fault.h"
#include "uploader.h"
#include "walk.h"
#include "worker.h"

enum { WALK_LANES = 2, WALK_MASKS = 256 };

/* For a file of WALK_NAMES_ARE_IDS and the like: what was told of an opened file. */
struct walk_told {
    const struct source_file *file;
    uint64_t mask, size;
};

struct walk_world {
    struct rng rng;
    char ledger_path[256];
    struct str pattern;
    char pattern_text[256];
    uint64_t now_ms;
    struct id queue;
    enum walk_break broken;
    struct broker_memory *broker;
    struct store store; /* of the world, which outlives the services */
    struct emitter_source emitter_source;
    struct emitter_settings emitter_settings;
    struct worker_source worker_source;
    struct worker_settings worker_settings;
    struct uploader_settings uploader_settings;
    /* one life */
    struct source source;
    struct source_fault fault;
    struct source_ops broken_ops;
    const struct source_ops *sound_ops;
    struct walk_told told[WALK_MASKS];
    size_t told_len;
    struct store store_again;
    struct ledger ledger;
    struct emitter *emitter;
    struct worker *worker;
    struct lane *lanes[WALK_LANES];
    struct uploader *uploader;
    uint64_t emitter_due, uploader_due;
    bool idle[WALK_LANES];
    /* between two calls of the source */
    void (*meanwhile)(void *context);
    void *context;
};

RC walk_world_init(struct walk_world *world, const char *folder, bool closes, struct rng rng, struct why *why);
void walk_world_done(struct walk_world *world);
/* A life of the services begins, ends as by kill -9. */
RC walk_world_start(struct walk_world *world, bool once, struct why *why);
void walk_world_kill(struct walk_world *world);
/* One step of one of them, drawn. */
RC walk_world_step(struct walk_world *world, struct why *why);
/* Until there is nothing to do, for as long as it takes to look at everything several times. */
RC walk_world_rest(struct walk_world *world, struct why *why);
/* A life of --once, to its end. */
RC walk_world_finish(struct walk_world *world, struct why *why);
/* walk_break.c: the source of a life, with what is wrong on purpose in front. */
struct source walk_broken_source(struct walk_world *world, struct source source);

#endif
