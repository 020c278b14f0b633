/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include "log.h"
#include "must.h"
#include "walk_check.h"
#include "walk_files.h"
#include "walk_world.h"

#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEANWHILE = 6 /* of a thousand calls of the source */ };

static const char *const names[WALK_BREAKS] = {"sound", "cuts-unseen", "names-are-ids"};

const char *walk_break_name(enum walk_break broken) { return names[broken]; }

enum walk_break walk_break_parse(const char *name) {
    size_t i = 0;
    while (i < WALK_BREAKS && strcmp(names[i], name) != 0) i++;
    return (enum walk_break)i;
}

struct walk {
    struct walk_options options;
    struct walk_result *result;
    struct walk_files files;
    struct walk_world world;
    struct rng rng;
    uint32_t meanwhile;
};

static bool chance(struct walk *w, uint32_t thousandths) { return rng_below(&w->rng, 1000) < thousandths; }

static void tell(const struct walk *w, const char *what) {
    if (w->options.verbose) (void)printf("%9" PRIu64 " %s\n", w->world.now_ms, what);
}

static void act(struct walk *w) {
    walk_act(&w->files);
    tell(w, w->files.told);
}

static void act_meanwhile(void *context) {
    struct walk *w = context;
    if (chance(w, w->meanwhile)) act(w);
}

static RC begin_life(struct walk *w, struct why *why) {
    TRY(walk_world_start(&w->world, false, why));
    w->world.meanwhile = act_meanwhile;
    w->world.context = w;
    w->result->lives++;
    return RC_OK;
}

/* The files stay as they are until all that can be read of them is converted. */
static RC rest(struct walk *w, struct why *why) {
    if (w->files.closes && chance(w, 500)) {
        walk_act_begin_line(&w->files);
        tell(w, w->files.told);
    }
    w->world.meanwhile = NULL;
    TRY(walk_world_rest(&w->world, why));
    w->world.meanwhile = act_meanwhile;
    walk_files_rest(&w->files, false);
    tell(w, "all is converted that can be read");
    return RC_OK;
}

static RC some_steps(struct walk *w, struct why *why) {
    for (uint64_t n = rng_below(&w->rng, chance(w, 300) ? 200 : 20); n > 0; n--) TRY(walk_world_step(&w->world, why));
    return RC_OK;
}

static RC walk(struct walk *w, struct why *why) {
    TRY(begin_life(w, why));
    for (uint64_t n = 10 + rng_below(&w->rng, 60); n > 0; n--) {
        act(w);
        TRY(some_steps(w, why));
        if (chance(w, 60)) TRY(rest(w, why));
        if (!chance(w, 60)) continue;
        bool stopped = chance(w, 300);
        if (stopped) TRY(rest(w, why));
        walk_world_kill(&w->world);
        tell(w, stopped ? "restarted" : "killed");
        TRY(begin_life(w, why));
    }
    TRY(walk_world_finish(&w->world, why));
    walk_files_rest(&w->files, true);
    return walk_check(&w->files, &w->world, w->result, why);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *ftw) {
    (void)stat, (void)kind, (void)ftw;
    return remove(path);
}

static void swallow(void *self, struct str line) {
    const struct walk *w = self;
    if (w->options.verbose) (void)printf("          %.*s", STR_ARG(line));
}

static uint64_t running;

static void on_abort(int signal) {
    (void)signal;
    (void)printf("aborted: tools/walk --seed %" PRIu64 " --verbose\n", running);
    (void)fflush(stdout);
    _exit(1);
}

void walk_run(const struct walk_options *options, struct walk_result *out) {
    static struct walk w; /* large */
    struct why why = {0};
    running = options->seed;
    (void)signal(SIGABRT, on_abort);
    const char *parent = getenv("TMPDIR");
    char folder[128];
    (void)snprintf(folder, sizeof folder, "%s/sluice-walk-XXXXXX", parent ? parent : "/dev/shm");
    MUST(mkdtemp(folder));
    *out = (struct walk_result){0};
    w = (struct walk){.options = *options, .result = out, .rng = rng_from_seed(options->seed)};
    log_set_writer(swallow, &w);
    log_set_level(options->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    w.meanwhile = chance(&w, 500) ? MEANWHILE : 0;
    bool closes = chance(&w, 400);
    MUST(walk_files_init(&w.files, folder, rng_from_seed(rng_next(&w.rng))) == RC_OK);
    w.files.closes = closes;
    MUST(walk_world_init(&w.world, folder, closes, rng_from_seed(rng_next(&w.rng)), NULL) == RC_OK);
    w.world.broken = options->broken;
    out->ok = walk(&w, &why) == RC_OK;
    (void)snprintf(out->text, sizeof out->text, "%s", why.text);
    out->actions = w.files.actions;
    out->lines = w.files.lines;
    walk_world_done(&w.world);
    walk_files_done(&w.files);
    log_set_writer(NULL, NULL);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
