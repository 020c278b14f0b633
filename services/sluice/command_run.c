/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "log.h"
#include "own.h"
#include "progress.h"
#include "run.h"
#include "signals.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice run CONFIG [--once] [--quiet]\n"
    "\n"
    "Moves the lines of the files that CONFIG names into partitioned, compressed objects, each line exactly once.\n"
    "\n"
    "  --once   end when everything that is there now is durable; without it new data is watched for\n"
    "  --quiet  no progress bar\n"
    "\n"
    "SIGTERM and SIGINT drain: the attempts under way are finished, the rest goes on at the next start; a second one "
    "ends\n"
    "at once, which loses nothing either. SIGHUP seals and uploads at once.\n"
    "Exit codes: 0 done, 1 --once is done but some files could not be (set aside, unreadable, vanished), 2 wrong use,\n"
    "69 a limit such as a full disk, 74 damaged data, 75 something was not reachable, 78 configuration or "
    "permissions.\n";

static int tell_summary(const struct run_summary *s, enum rc rc, const struct why *why, bool once) {
    if (rc != RC_OK && rc != RC_BAD) return cli_fail(rc, why);
    char size[PROGRESS_BYTES_TEXT];
    LOG_INFO(once ? "done" : "drained", F_U64("files", s->files), F_U64("receipts", s->receipted),
             F_STR("size", str_of(progress_bytes(s->bytes, size))));
    if (rc == RC_OK) return CLI_OK;
    (void)cli_fail(rc, why);
    return CLI_NO;
}

int cli_run(const struct config *config, bool once, bool quiet) {
    struct why why = {0};
    AUTO(signals_done) struct signals signals = {.fd = -1};
    enum rc rc = signals_init(&signals, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    struct runtime runtime = {0};
    rc = runtime_open(config, RUNTIME_WRITE, &runtime, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    struct run_options options = {.once = once, .progress = !quiet};
    struct run_summary summary = {0};
    rc = run_pipeline(&runtime, &options, &signals, &summary, &why);
    int code = tell_summary(&summary, rc, &why, once);
    runtime_close(&runtime);
    log_tell_suppressed(true);
    return code;
}

int command_run(int argc, char **argv) {
    static const struct option options[] = {
        {"once", no_argument, NULL, 'o'}, {"quiet", no_argument, NULL, 'q'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool once = false, quiet = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == '?') return cli_usage("run", "the options are --once and --quiet");
        once = once || c == 'o';
        quiet = quiet || c == 'q';
    }
    if (argc - optind != 1) return cli_usage("run", "one CONFIG is needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    return cli_run(config, once, quiet);
}
