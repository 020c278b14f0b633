/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "alloc.h"
#include "fleet.h"
#include "own.h"
#include "repair.h"
#include "run_settings.h"
#include "runtime.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: sluice repair CONFIG [--dry-run] [--accept-loss]\n"
    "\n"
    "For a queue that lost messages which had been acknowledged: a topic of blocks whose records somebody deleted, "
    "whose\n"
    "retention was set, or that lost its tail to an unclean leader election; a state folder that lost segments of its\n"
    "queue. Finds which lines' records are neither in the output nor in the queue any more, converts their ranges of "
    "the\n"
    "inputs again, and puts what is missing into the queue, from where it goes its way. What survives stays as it is.\n"
    "\n"
    "Stop the run, or the whole fleet, before; start it again after. The configuration must convert as it did when "
    "the\n"
    "lines were converted (sources, output.partition, output.block_bytes), and the inputs must still be there: what\n"
    "survives is compared with what comes out now, and if anything differs nothing is changed.\n"
    "It may be killed and run again at any point.\n"
    "\n"
    "  --dry-run      only say what is lost and what would be done\n"
    "  --accept-loss  go on although something cannot be made again: it is told, its files never get a receipt, and\n"
    "                 `sluice audit` tells how many lines and bytes that were\n"
    "\n"
    "Exit codes: 0 all is there or was made again, 2 wrong use, 74 something cannot be made again, 75 something was "
    "not\n"
    "reachable, 78 something has to be done first.\n";

static void tell(void *context, const char *words) {
    (void)context;
    (void)printf("%s\n", words);
    (void)fflush(stdout);
}

/* A worker would convert, an uploader trim, while we count. */
static RC refuse_members(const struct config *config, struct why *why) {
    char workers[WORKER_GROUP_MAX];
    worker_group(config->generation, workers);
    struct broker_kafka_reset groups[] = {{.group = str_of(workers), .topic = BROKER_JOBS},
                                          {.group = STR("uploaders"), .topic = BROKER_BLOCKS}};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(config, config->generation, &arena);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && rc == RC_OK; i++) {
        struct broker_kafka_plan plan = {0};
        rc = broker_kafka_admin_plan_reset(admin, &groups[i], &plan, why);
        for (size_t k = 0; rc == RC_OK && k < plan.steps_len; k++)
            if (plan.steps[k].kind == BROKER_KAFKA_OBSTACLE)
                rc = why_set(why, RC_DENIED, "the fleet has to be stopped first: %s", plan.steps[k].text);
        broker_kafka_plan_done(&plan);
    }
    broker_kafka_admin_free(admin);
    return rc;
}

static void sum_up(const struct repair_result *r, bool dry) {
    if (!r->hurt) {
        (void)printf("nothing is lost\n");
        return;
    }
    (void)printf("%s: %" PRIu32 " partitions, %" PRIu64 " batches given up, %" PRIu64 " messages of %" PRIu64
                 " attempts made again\n",
                 dry ? "would be repaired" : "repaired", r->partitions, r->seals, r->messages, r->attempts);
    if (r->lost) (void)printf("lost for ever: %" PRIu64 " attempts, %" PRIu64 " lines\n", r->lost, r->lost_lines);
}

static RC repair_opened(struct runtime *runtime, struct repair_settings *settings, struct why *why) {
    const struct config *config = runtime->config;
    struct run_settings run;
    struct rng rng = rng_from_kernel();
    struct repair_result result = {0};
    TRY(run_settings_make(runtime, true, &run, why));
    AUTO(own_free) struct source_pattern *patterns = alloc_zero(config->source_count, sizeof *patterns);
    for (size_t i = 0; i < config->source_count; i++) patterns[i] = run.emitter_sources[i].pattern;
    settings->recovery = runtime_recovery_settings(runtime, &run.uploader.output);
    settings->worker = &run.worker;
    settings->patterns = patterns;
    settings->patterns_len = config->source_count;
    struct repair_ports ports = {runtime->broker, runtime->ledger, runtime->store, runtime->source};
    enum rc rc = repair_run(&ports, settings, &rng, &result, why);
    if (rc == RC_OK) sum_up(&result, settings->dry_run);
    run_settings_done(&run);
    return rc;
}

static RC repair(const struct config *config, struct repair_settings *settings, struct why *why) {
    struct runtime runtime = {0};
    if (!config_broker_is_local(config)) TRY(refuse_members(config, why));
    TRY(runtime_open(config, RUNTIME_WRITE, &runtime, why));
    runtime.reads_blocks = true;
    enum rc rc = runtime_open_hurt_broker(&runtime, why);
    if (rc == RC_OK) rc = repair_opened(&runtime, settings, why);
    runtime_close(&runtime);
    return rc;
}

int command_repair(int argc, char **argv) {
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'},
                                            {"accept-loss", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct repair_settings settings = {.tell = tell};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == '?') return cli_usage("repair", "the options are --dry-run and --accept-loss");
        settings.dry_run = settings.dry_run || c == 'n';
        settings.accept_loss = settings.accept_loss || c == 'a';
    }
    if (argc - optind != 1) return cli_usage("repair", "one CONFIG is needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    rc = repair(config, &settings, &why);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}
