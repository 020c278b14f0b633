/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "fleet.h"
#include "own.h"
#include "time_parse.h"
#include "worker.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice replay CONFIG --jobs|--blocks [--from TIME] [--dry-run] [--wait]\n"
    "\n"
    "Sets the offsets of a fleet's group back, as `kafka-consumer-groups --reset-offsets` does. The fleet's workers "
    "(for\n"
    "--jobs) or uploaders (for --blocks) must be stopped. This by itself changes no data: jobs whose lines are "
    "converted are\n"
    "answered as done, and sealed batches are looked at again, where only objects that are missing are made again.\n"
    "To convert everything anew, raise `generation`.\n"
    "\n"
    "  --jobs       the workers' group, on the topic of jobs\n"
    "  --blocks     the uploaders' group, on the topic of blocks of the configured generation\n"
    "  --from TIME  to the first message of that time (RFC 3339) or later; without it to the start\n"
    "  --dry-run    only say what would be done\n"
    "  --wait       then wait until the fleet, started again, has read up to what is there now, and show how far it "
    "is\n"
    "\n"
    "Exit codes: 0 done, 2 wrong use, 75 Kafka was not reachable, 78 something has to be done first.\n";

struct replay {
    struct broker_kafka_reset reset;
    bool chosen, dry_run, wait;
};

enum { LOOK_MS = 1000 };

/* Until the group has read what was there when it was set back. */
static RC wait_for_group(struct broker_kafka_admin *admin, const struct broker_kafka_reset *reset, struct why *why) {
    uint64_t lag = 0, first = 0;
    bool terminal = isatty(STDOUT_FILENO) == 1;
    for (;;) {
        TRY(broker_kafka_admin_lag(admin, reset->group, reset->topic, &lag, why));
        if (lag > first) first = lag;
        (void)printf(terminal ? "\r%llu of %llu messages to go   " : "%llu of %llu messages to go\n",
                     (unsigned long long)lag, (unsigned long long)first);
        (void)fflush(stdout);
        if (!lag) break;
        (void)usleep(LOOK_MS * 1000);
    }
    if (terminal) (void)putchar('\n');
    return RC_OK;
}

static RC replay(const struct config *config, const struct replay *r, struct why *why) {
    char workers[WORKER_GROUP_MAX];
    worker_group(config->generation, workers);
    struct broker_kafka_reset reset = r->reset;
    reset.group = reset.topic == BROKER_JOBS ? str_of(workers) : STR("uploaders");
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(config, config->generation, &arena);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    struct broker_kafka_plan plan = {0};
    enum rc rc = broker_kafka_admin_plan_reset(admin, &reset, &plan, why);
    bool obstacles = rc == RC_OK && broker_kafka_plan_count(&plan, BROKER_KAFKA_OBSTACLE);
    if (rc == RC_OK && !obstacles && !r->dry_run) rc = broker_kafka_admin_do(admin, &plan, why);
    for (size_t i = 0; rc == RC_OK && i < plan.steps_len; i++)
        (void)printf("%s: %s\n",
                     plan.steps[i].kind == BROKER_KAFKA_OBSTACLE ? "has to be done first"
                     : r->dry_run                                ? "would be done"
                                                                 : "done",
                     plan.steps[i].text);
    if (obstacles) rc = why_set(why, RC_DENIED, "nothing was changed");
    if (rc == RC_OK && r->wait && !r->dry_run) rc = wait_for_group(admin, &reset, why);
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc;
}

static RC parse_from(const char *text, struct broker_kafka_reset *out, struct why *why) {
    struct time_parse format;
    int64_t ns = 0;
    TRY(time_parse_compile(STR("rfc3339"), &format, why));
    TRY(time_parse_ns(&format, str_of(text), &ns));
    out->by_time = true;
    out->time_ms = ns / 1000000;
    return RC_OK;
}

/* Takes the options; CLI_OK: go on, `*out_end` says whether the command ends here with what is returned. */
static int take_options(int argc, char **argv, struct replay *r, bool *out_end) {
    static const struct option options[] = {{"jobs", no_argument, NULL, 'j'},
                                            {"blocks", no_argument, NULL, 'b'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"dry-run", no_argument, NULL, 'n'},
                                            {"wait", no_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct why why = {0};
    *out_end = true;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == '?') return cli_usage("replay", "there is no such option, or its value is missing");
        if (c == 'f' && parse_from(optarg, &r->reset, &why) != RC_OK)
            return cli_usage("replay", "--from %s is no time such as 2026-01-31T00:00:00Z", optarg);
        if ((c == 'j' || c == 'b') && r->chosen) return cli_usage("replay", "either --jobs or --blocks");
        r->dry_run = r->dry_run || c == 'n';
        r->wait = r->wait || c == 'w';
        if (c != 'j' && c != 'b') continue;
        r->chosen = true;
        r->reset.topic = c == 'j' ? BROKER_JOBS : BROKER_BLOCKS;
    }
    if (!r->chosen) return cli_usage("replay", "either --jobs or --blocks is needed");
    if (argc - optind != 1) return cli_usage("replay", "one CONFIG is needed, %d given", argc - optind);
    *out_end = false;
    return CLI_OK;
}

int command_replay(int argc, char **argv) {
    struct replay r = {0};
    struct why why = {0};
    bool end = false;
    int code = take_options(argc, argv, &r, &end);
    if (end) return code;
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    if (config_broker_is_local(config))
        rc = config_error(config, "broker.url", &why,
                          "a local broker has no offsets to set back; raise `generation` to convert everything anew");
    if (rc == RC_OK) rc = replay(config, &r, &why);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}
