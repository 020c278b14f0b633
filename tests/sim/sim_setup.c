/* SPDX-License-Identifier: Apache-2.0 */
/* sim_setup: what a run is made of: sizes so small that everything that can be split is, and chances by class. */
#include "sim_inner.h"

#include "ledger_sqlite.h"
#include "must.h"
#include "source_memory.h"
#include "store_memory.h"

static uint64_t between(struct sim *sim, uint64_t from, uint64_t to) {
    return from + rng_below(&sim->rng, to - from + 1);
}
static bool often(struct sim *sim, uint32_t percent) { return rng_below(&sim->rng, 100) < percent; }

static void draw_knobs(struct sim *sim) {
    struct sim_knobs *k = &sim->knobs;
    enum sim_class class = sim->options.class;
    *k = (struct sim_knobs){.change = 60, .wild_steps = (uint32_t)between(sim, 200, 1500)};
    k->dedupe = sim->options.seed * 0x9e3779b97f4a7c15u >> 63; /* half of each class */
    if (class == SIM_CALM) return;
    k->one_machine = often(sim, 50);
    k->fail = (uint32_t)between(sim, 0, 25);
    k->lose = (uint32_t)between(sim, 0, 25);
    k->job_lost = (uint32_t)between(sim, 0, 100);
    k->job_repeated = (uint32_t)between(sim, 0, 300);
    k->producer_fails = (uint32_t)between(sim, 0, 20);
    k->many_uploaders = often(sim, 40);
    k->preempt = often(sim, 50) ? (uint32_t)between(sim, 1, 30) : 0;
    if (class == SIM_FAULTS) return;
    k->crash = (uint32_t)between(sim, 300, 1000);
    if (class == SIM_FILES || class == SIM_ALL) {
        k->wild_files = true;
        k->change = (uint32_t)between(sim, 30, 150);
        k->regrow = sim->options.seed % 4 ? 0 : 10;
        k->reboot = often(sim, 50) ? 4 : 0;
    }
    if (class == SIM_ZOMBIES || class == SIM_ALL) {
        k->pause = (uint32_t)between(sim, 2, 20);
        k->jump = (uint32_t)between(sim, 2, 20);
        k->many_uploaders = often(sim, 75);
    }
    k->generation = class == SIM_GENERATION || (class == SIM_ALL && often(sim, 20));
    if (class == SIM_FILES || class == SIM_ALL || class == SIM_ONCE) k->no_births = often(sim, 30);
    k->once = class == SIM_ONCE;
    k->one_machine = k->one_machine || k->once; /* there is no other --once */
    if (class == SIM_ONCE) k->wild_files = often(sim, 50);
    if (class == SIM_TAIL) k->tail = (uint32_t)between(sim, 1, 6);
    if (class == SIM_ROLLBACK || (class == SIM_GENERATION && often(sim, 50)))
        k->rollback = (uint32_t)between(sim, 2, 12);
}

struct settings sim_draw_output(struct sim *sim) {
    bool gz = often(sim, 30);
    return (struct settings){.format = gz ? STR("jsonl.gz") : STR("jsonl.zst"),
                             .level = (int)between(sim, 1, 3),
                             .object_bytes = between(sim, 40, 1500),
                             .block_bytes = between(sim, 64, 2000),
                             .encoder = STR("sim")};
}

static void draw_emitter(struct sim *sim) {
    uint64_t stripe_bytes = between(sim, 64, 512);
    static const char *const patterns[SIM_SOURCES] = {"/in/raw*", "/in/nd*"};
    bool takes = !sim->knobs.generation && often(sim, sim->knobs.once ? 70 : 20);
    enum emitter_after after = !takes ? EMITTER_KEEP : often(sim, 50) ? EMITTER_DELETE : EMITTER_MOVE;
    for (size_t i = 0; i < SIM_SOURCES; i++) {
        sim->paths[i] = str_of(patterns[i]);
        sim->emitter_sources[i] = (struct emitter_source){.name = i == SIM_RAW ? STR("raw") : STR("nd"),
                                                          .pattern = {.paths = &sim->paths[i], .paths_len = 1},
                                                          .stripe_bytes = stripe_bytes,
                                                          .close_after_ms = between(sim, 3000, 20000),
                                                          .rotated_after_ms = between(sim, 1000, 5000),
                                                          .after = after,
                                                          .move_to = STR("/done")};
    }
    sim->emitter = (struct emitter_settings){.sources = sim->emitter_sources,
                                             .sources_len = SIM_SOURCES,
                                             .once = sim->knobs.once,
                                             .rescan_ms = between(sim, 200, 2000),
                                             .poll_ms = between(sim, 50, 500),
                                             .republish_ms = between(sim, 500, 3000),
                                             .shared = often(sim, 50),
                                             .window = often(sim, 50) ? 0 : (size_t)between(sim, 1, 8),
                                             .held_max = often(sim, 50) ? 0 : 1};
}

static void draw_worker(struct sim *sim) {
    size_t line_bytes_max = (size_t)between(sim, 60, 140);
    for (size_t i = 0; i < SIM_SOURCES; i++)
        sim->worker_sources[i] =
            (struct worker_source){.name = sim->emitter_sources[i].name,
                                   .converter = {.kind = i == SIM_RAW ? CONVERTER_RAW : CONVERTER_NDJSON,
                                                 .source = sim->emitter_sources[i].name,
                                                 .partition = i == SIM_RAW ? STR("s={source}") : STR("k={k}"),
                                                 .line_bytes_max = line_bytes_max},
                                   .max_line_bytes = line_bytes_max};
    if (sim->knobs.dedupe) {
        struct converter_settings *c = &sim->worker_sources[SIM_NDJSON].converter;
        sim->dedupe_key = STR("d");
        c->time_given = true;
        c->time_field = STR("n");
        c->time_format = (struct time_parse){.kind = TIME_PARSE_EPOCH_S};
        c->shape.once = (struct converter_once){&sim->dedupe_key, 1, STR(""), SIM_WINDOW * (int64_t)1000000000};
    }
    sim->worker = (struct worker_settings){.sources = sim->worker_sources,
                                           .sources_len = SIM_SOURCES,
                                           .format = often(sim, 70) ? FRAME_ZST : FRAME_GZ,
                                           .level = 1,
                                           .block_bytes = between(sim, 64, 600),
                                           .lane_bytes = between(sim, 2000, 20000),
                                           .slice_bytes_min = between(sim, 32, 600),
                                           .piece_bytes = sim->options.seed % 2 ? 0 : 16 + sim->options.seed % 50,
                                           .block_small_bytes = often(sim, 50) ? between(sim, 1, 400) : 0,
                                           .block_large_bytes = often(sim, 50) ? between(sim, 100, 400) : 0,
                                           .jobs_attempts_max = 1000,
                                           .backlog_bytes_max = often(sim, 20) ? 8000 : 1 << 30};
}

static void draw_uploader(struct sim *sim) {
    sim->uploader = (struct uploader_settings){.queue = sim->queue,
                                               .output = sim_draw_output(sim),
                                               .flush_ms = between(sim, 200, 4000),
                                               .seal_bytes_max = between(sim, 200, 6000),
                                               .void_after_ms = between(sim, 3000, 8000),
                                               .messages_max = between(sim, 3, 60)};
}

static void make_world(struct sim *sim) {
    struct rng ids = rng_from_seed(rng_next(&sim->rng));
    struct ledger_sqlite_settings ledger = {.path = ":memory:", .generation = 1, .create = true};
    sim->queue = id_make(&ids);
    ledger.ledger = id_make(&ids);
    ledger.queue = sim->queue;
    MUST(ledger_sqlite_open(&ledger, &sim->ledger, NULL) == RC_OK);
    sim->source = source_memory_new();
    source_memory_births(sim->source, !sim->knobs.no_births);
    sim->store = store_memory_new();
    sim_files_init(&sim->files, sim->source, rng_from_seed(rng_next(&sim->rng)));
    sim->files.line_bytes_max = sim->worker_sources[0].max_line_bytes;
    sim->files.stripe_bytes = (size_t)sim->emitter_sources[0].stripe_bytes;
    sim->files.now_ms = &sim->now_ms;
    sim->files.wild = sim->knobs.wild_files;
    sim->generations = 1;
    sim->partitions = (uint32_t)between(sim, 1, SIM_PARTITIONS);
}

void sim_setup(struct sim *sim) {
    sim->rng = rng_from_seed(sim->options.seed);
    sim->now_ms = 1000000;
    draw_knobs(sim);
    draw_emitter(sim);
    draw_worker(sim);
    make_world(sim);
    draw_uploader(sim);
    sim_watch_init(&sim->watch, sim);
}
