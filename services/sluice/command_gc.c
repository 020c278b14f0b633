/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "clock.h"
#include "command.h"
#include "gc.h"
#include "progress.h"
#include "removing.h"

#include <getopt.h>
#include <inttypes.h>

static const char help[] =
    "usage: sluice gc --config CONFIG --generation N [--yes]\n"
    "\n"
    "Removes an earlier generation: its objects, rejects and receipts, what the ledger has of it, and its queue. "
    "Without\n"
    "--yes nothing is changed, and it says what would go. Never the configured generation. It may be stopped at any\n"
    "moment and run again; what a process of that generation puts later is found by `sluice janitor`.\n"
    "Seals and manifests stay: they keep such a process from making the generation again.\n"
    "\n"
    "  --generation N   which; see `sluice generations`\n"
    "  --yes            do it; on one machine no `sluice run` may be under way\n"
    "  --config CONFIG  the pipeline's configuration\n";

static void tell(const struct command_context *c, const struct gc_ask *ask, const struct gc_result *r) {
    char objects[PROGRESS_BYTES_TEXT], rejects[PROGRESS_BYTES_TEXT], receipts[PROGRESS_BYTES_TEXT];
    (void)fprintf(c->out,
                  "generation %" PRIu64 ": %s%" PRIu64 " objects of %s, %" PRIu64 " objects of rejects of %s, %" PRIu64
                  " receipts of %s\n",
                  ask->generation, ask->yes ? "removed " : "would remove ", r->objects.count,
                  progress_bytes(r->objects.bytes, objects), r->rejects.count,
                  progress_bytes(r->rejects.bytes, rejects), r->receipts.count,
                  progress_bytes(r->receipts.bytes, receipts));
    if (r->foreign.count) (void)fprintf(c->out, "left alone: %" PRIu64 " objects of other queues\n", r->foreign.count);
    if (r->unknown.count)
        (void)fprintf(c->out, "left alone: %" PRIu64 " objects whose names are none of sluice's\n", r->unknown.count);
    if (!ask->yes) (void)fprintf(c->out, "nothing was changed; --yes does it\n");
}

static int run(struct command_context *c, uint64_t generation, bool yes) {
    struct upkeep upkeep = {c->store, c->ledger, c->queue, c->config->generation};
    struct gc_ask ask = {
        .generation = generation, .yes = yes, .now_ns = clock_wall_ns(clock_real()), .many = removing_many()};
    struct gc_result result;
    struct why why = {0};
    enum rc rc = id_is_none(c->queue) ? why_set(&why, RC_ABSENT, "this pipeline never ran: there is nothing to remove")
                                      : gc_run(&upkeep, &ask, &result, &why);
    if (rc == RC_OK && yes) rc = c->drop_queue(c, generation, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    tell(c, &ask, &result);
    return CLI_OK;
}

int command_gc(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"generation", required_argument, NULL, 'g'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    uint64_t generation = 0;
    bool yes = false;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            config = optarg;
        else if (key == 'y')
            yes = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else if (key != 'g')
            return cli_bad_option("gc", key, argv);
        else if (str_parse_u64(str_of(optarg), &generation) != RC_OK || !generation)
            return cli_usage("gc", "--generation takes a number from 1, not %s", optarg);
    }
    if (optind < argc) return cli_usage("gc", "what is %s? A generation is given by --generation", argv[optind]);
    if (!generation) return cli_usage("gc", "--generation N is needed: which one?");
    c->change = yes;
    int code = cli_open("gc", c, config);
    return code == CLI_OK ? run(c, generation, yes) : code;
}
