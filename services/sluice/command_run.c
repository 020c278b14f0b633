/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "buf.h"
#include "log.h"
#include "metric.h"
#include "own.h"
#include "progress.h"
#include "run.h"
#include "signals.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static const char help_run[] =
    "usage: sluice run CONFIG [--once [--patience TIME]] [--quiet] [--metrics FILE]\n"
    "\n"
    "Moves the lines of the files that CONFIG names into partitioned, compressed objects, each line exactly once: all\n"
    "of emitter, worker and uploader in one process.\n"
    "\n"
    "  --once          end when everything that is there now is durable; without it new data is watched for\n"
    "  --patience TIME with --once: how long a full disk is waited for before it ends with 69 (5m); without --once\n"
    "                  it waits for ever and goes on when there is room\n";
static const char help_emitter[] =
    "usage: sluice emitter CONFIG [--once [--patience TIME]] [--quiet] [--metrics FILE]\n"
    "\n"
    "One emitter of a fleet: finds the files that CONFIG names, publishes jobs, writes receipts. Any number may run.\n"
    "\n"
    "  --once          end when everything that is there now is durable; workers and uploaders run elsewhere\n"
    "  --patience TIME with --once: how long a full disk is waited for before it ends with 69 (5m); without --once\n"
    "                  it waits for ever and goes on when there is room\n";
static const char help_worker[] =
    "usage: sluice worker CONFIG [--quiet] [--metrics FILE]\n"
    "\n"
    "One worker of a fleet: takes jobs and converts lines. Any number may run, any may be killed.\n"
    "\n";
static const char help_uploader[] =
    "usage: sluice uploader CONFIG [--quiet] [--metrics FILE]\n"
    "\n"
    "One uploader of a fleet: turns its share of the queue into objects. Any number may run, any may be killed.\n"
    "\n";
static const char help_rest[] =
    "  --quiet         no progress bar\n"
    "  --metrics FILE  at the end, what /metrics would say goes into FILE (for a collector of text files)\n"
    "\n"
    "SIGTERM and SIGINT drain: the attempts under way are finished, the rest goes on at the next start; a second one "
    "ends\n"
    "at once, which loses nothing either. SIGHUP seals and uploads at once.\n"
    "Exit codes: 0 done, 1 --once is done but some files could not be (set aside, unreadable, vanished), 2 wrong use,\n"
    "69 a limit such as a full disk, 74 damaged data, 75 something was not reachable, 78 configuration or "
    "permissions.\n";

struct role {
    const char *name, *help;
    unsigned roles;
};

static int tell_summary(const struct run_summary *s, enum rc rc, const struct why *why,
                        const struct run_options *options) {
    if (rc != RC_OK && rc != RC_BAD) return cli_fail(rc, why);
    char size[PROGRESS_BYTES_TEXT];
    LOG_INFO(options->once ? "done" : "drained", F_U64("files", s->files), F_U64("receipts", s->receipted),
             F_STR("size", str_of(progress_bytes(s->bytes, size))));
    if (rc == RC_OK) return CLI_OK;
    (void)cli_fail(rc, why);
    return CLI_NO;
}

/* What runs alone needs others to talk to. */
static RC check_roles(const struct config *config, const struct run_options *options, struct why *why) {
    if (options->roles == RUN_ALL || !config_broker_is_local(config)) return RC_OK;
    return config_error(
        config, "broker.url", why,
        "the broker is local, where one process does it all: use `sluice run`, or give a kafka:// URL here "
        "and a redis:// URL in ledger.url");
}

int cli_run(const struct config *config, const struct run_options *options) {
    struct why why = {0};
    AUTO(signals_done) struct signals signals = {.fd = -1};
    enum rc rc = check_roles(config, options, &why);
    if (rc == RC_OK) rc = run_check_sources(config, &why); /* before anything is made */
    if (rc == RC_OK) rc = signals_init(&signals, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    struct run_summary summary = {0};
    rc = run_pipeline(config, options, &signals, &summary, &why);
    int code = tell_summary(&summary, rc, &why, options);
    log_tell_suppressed(true);
    return code;
}

/* Whole or not at all: a collector may read it at any time. */
static RC write_metrics(const char *path, struct why *why) {
    AUTO(buf_done) struct buf text = BUF_INIT(METRIC_TEXT_MAX);
    AUTO(buf_done) struct buf temp = BUF_INIT(PATH_MAX);
    metric_process_update();
    metric_expose(&text);
    buf_add_format(&temp, "%s.new", path);
    FILE *file = fopen(buf_text(&temp), "we");
    if (!file) return why_errno(why, RC_DENIED, errno, "%s", buf_text(&temp));
    bool whole = fwrite(text.at, 1, text.len, file) == text.len;
    whole = fclose(file) == 0 && whole;
    if (!whole || rename(buf_text(&temp), path) != 0) return why_errno(why, RC_LIMIT, errno, "%s", path);
    return RC_OK;
}

/* The worse of the two outcomes: numbers that are missing are a failure, too. */
static int run_and_tell(struct config *config, const struct run_options *options, const char *metrics) {
    int code = cli_run(config, options);
    struct why why = {0};
    enum rc rc = metrics ? write_metrics(metrics, &why) : RC_OK;
    if (rc == RC_OK) return code;
    int told = cli_fail(rc, &why);
    return code == CLI_OK ? told : code;
}

static int run_role(int argc, char **argv, const struct role *role) {
    static const struct option all[] = {
        {"quiet", no_argument, NULL, 'q'}, {"metrics", required_argument, NULL, 'm'},  {"help", no_argument, NULL, 'h'},
        {"once", no_argument, NULL, 'o'},  {"patience", required_argument, NULL, 'p'}, {0}};
    static const struct option without_once[] = {{"quiet", no_argument, NULL, 'q'},
                                                 {"metrics", required_argument, NULL, 'm'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    bool ends = role->roles & RUN_EMITTER;
    struct run_options options = {.roles = role->roles, .progress = true};
    const char *metrics = NULL, *patience = NULL;
    for (int c; (c = getopt_long(argc, argv, "", ends ? all : without_once, NULL)) != -1;) {
        if (c == 'h') return fputs(role->help, stdout), fputs(help_rest, stdout), CLI_OK;
        if (c == '?')
            return cli_usage(role->name, "the options are %s--quiet and --metrics FILE",
                             ends ? "--once, --patience TIME, " : "");
        options.once = options.once || c == 'o';
        options.progress = options.progress && c != 'q';
        if (c == 'm') metrics = optarg;
        if (c == 'p') patience = optarg;
    }
    if (patience && !options.once)
        return cli_usage(role->name, "--patience is for --once; without it a full disk is waited for");
    options.patience_ms = options.once ? RUN_PATIENCE_MS : 0;
    if (patience && (str_parse_duration_ms(str_of(patience), &options.patience_ms) != RC_OK || !options.patience_ms))
        return cli_usage(role->name, "--patience %s: a time such as 30s or 5m is needed", patience);
    if (argc - optind != 1) return cli_usage(role->name, "one CONFIG is needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    return run_and_tell(config, &options, metrics);
}

int command_run(int argc, char **argv) { return run_role(argc, argv, &(struct role){"run", help_run, RUN_ALL}); }

int command_emitter(int argc, char **argv) {
    return run_role(argc, argv, &(struct role){"emitter", help_emitter, RUN_EMITTER});
}

int command_worker(int argc, char **argv) {
    return run_role(argc, argv, &(struct role){"worker", help_worker, RUN_WORKER});
}

int command_uploader(int argc, char **argv) {
    return run_role(argc, argv, &(struct role){"uploader", help_uploader, RUN_UPLOADER});
}
