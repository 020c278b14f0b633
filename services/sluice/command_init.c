/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "fleet.h"
#include "identity.h"
#include "own.h"
#include "runtime_inner.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: sluice init CONFIG [--dry-run]\n"
    "\n"
    "Prepares what a fleet needs: the ledger in Redis, the topics in Kafka, and the mark in the output that says "
    "which\n"
    "ledger writes there. Checks the output (are writes really conditional?) and the servers' settings. Says what it\n"
    "does; what is there already stays as it is, so it may be run again at any time, and has to be after\n"
    "`generation` was raised.\n"
    "\n"
    "  --dry-run  only say what would be done\n"
    "\n"
    "Exit codes: 0 all is ready, 2 wrong use, 75 something was not reachable, 78 something has to be mended first.\n";

struct init {
    struct runtime runtime;
    bool dry_run;
    bool marked; /* the output has a mark */
    struct identity mark;
    struct arena arena;
};

static const char *would(const struct init *i, const char *doing, const char *done) {
    return i->dry_run ? doing : done;
}

static RC init_output(struct init *i, struct why *why) {
    const struct config *config = i->runtime.config;
    TRY(runtime_open_store(&i->runtime, why));
    if (config->output.bucket.len) TRY(store_s3_check(i->runtime.store, why));
    enum rc rc = runtime_read_identity(i->runtime.store, &i->arena, &i->mark, why);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    i->marked = rc == RC_OK;
    (void)printf("output %.*s: can be written%s\n", STR_ARG(config->output.url),
                 i->marked ? ", belongs to a pipeline already" : "");
    return RC_OK;
}

static RC know(struct init *i, struct ledger_identity *out, struct why *why) {
    TRY(runtime_fleet_ledger(&i->runtime, false, why));
    return ledger_identity(i->runtime.ledger, out, why);
}

/* The ledger that the output remembers, or a new one. */
static RC init_ledger(struct init *i, struct why *why) {
    struct ledger_redis_settings settings = fleet_redis(i->runtime.config);
    struct ledger_redis_init init = {.emptied = i->marked};
    if (i->marked) {
        init.ledger = i->mark.ledger;
        init.queue = i->mark.queue;
    }
    struct ledger there = {0};
    enum rc rc = ledger_redis_open(&settings, &there, why);
    if (rc == RC_OK) ledger_free(there);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    bool made = rc == RC_ABSENT;
    if (!i->dry_run) TRY(ledger_redis_init(&settings, &init, &made, why));
    (void)printf("ledger: %s\n", made ? would(i, "would be made", "made") : "is there");
    if (made && i->marked)
        (void)printf(
            "ledger: the output remembers it, so Redis lost it; %s from the output by the first uploader, or now "
            "by `sluice ledger rebuild`\n",
            would(i, "it would be rebuilt", "it will be rebuilt"));
    return RC_OK;
}

static RC init_mark(struct init *i, struct why *why) {
    struct ledger_identity who;
    if (i->dry_run && !i->marked) {
        (void)printf("output: would be marked as this pipeline's\n");
        return RC_OK;
    }
    if (i->dry_run) return RC_OK;
    TRY(know(i, &who, why));
    TRY(runtime_claim_output(&i->runtime, &who, why));
    TRY(runtime_raise_partitions(&i->runtime, &who, why));
    if (!i->marked) (void)printf("output: marked as this pipeline's\n");
    return RC_OK;
}

static void tell_step(const struct init *i, const struct broker_kafka_step *step) {
    const char *kind = step->kind == BROKER_KAFKA_RISK       ? "at risk"
                       : step->kind == BROKER_KAFKA_OBSTACLE ? "has to be mended"
                                                             : would(i, "would be done", "done");
    (void)printf("broker: %s: %s\n", kind, step->text);
}

static RC init_topics(struct init *i, struct why *why) {
    const struct config *config = i->runtime.config;
    struct broker_kafka_settings settings = fleet_kafka(config, config->generation, &i->arena);
    struct broker_kafka_wanted wanted = fleet_topics(config);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    struct broker_kafka_plan plan = {0};
    enum rc rc = broker_kafka_admin_plan_topics(admin, &wanted, &plan, why);
    bool obstacles = rc == RC_OK && broker_kafka_plan_count(&plan, BROKER_KAFKA_OBSTACLE);
    if (rc == RC_OK && !obstacles && !i->dry_run) rc = broker_kafka_admin_do(admin, &plan, why);
    for (size_t k = 0; rc == RC_OK && k < plan.steps_len; k++) tell_step(i, &plan.steps[k]);
    bool nothing = plan.steps_len == broker_kafka_plan_count(&plan, BROKER_KAFKA_RISK);
    if (rc == RC_OK && nothing) (void)printf("broker: the topics are there\n");
    if (obstacles) rc = why_set(why, RC_DENIED, "the broker is not as it has to be; nothing was changed there");
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc;
}

/* Risks are told, not refused: one Redis without a disk may be what somebody wants to try this with. */
static RC check_ledger(struct init *i, struct why *why) {
    struct ledger_redis_settings settings = fleet_redis(i->runtime.config);
    struct ledger_redis_finding *found = NULL;
    size_t n = 0;
    TRY(ledger_redis_check(&settings, &i->arena, &found, &n, why));
    for (size_t k = 0; k < n; k++)
        (void)printf("ledger: %s: %.*s\n", found[k].weight == LEDGER_REDIS_RISK ? "at risk" : "not known",
                     STR_ARG(found[k].text));
    return RC_OK;
}

static RC init_fleet(struct init *i, struct why *why) {
    TRY(init_output(i, why));
    TRY(init_ledger(i, why));
    TRY(check_ledger(i, why));
    TRY(init_topics(i, why));
    return init_mark(i, why);
}

int command_init(int argc, char **argv) {
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct init i = {0};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == '?') return cli_usage("init", "the only option is --dry-run");
        i.dry_run = true;
    }
    if (argc - optind != 1) return cli_usage("init", "one CONFIG is needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    if (config_broker_is_local(config))
        return puts("broker and ledger are local: nothing has to be prepared, `sluice run` makes its state folder"),
               CLI_OK;
    i.runtime.config = config;
    i.runtime.fleet = true;
    rc = init_fleet(&i, &why);
    runtime_close(&i.runtime);
    arena_done(&i.arena);
    if (rc != RC_OK) return cli_fail(rc, &why);
    return puts(i.dry_run ? "nothing was changed" : "ready"), CLI_OK;
}
