/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "converter.h"
#include "own.h"
#include "run.h"
#include "utf8.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: sluice redrive CONFIG [--source S] [--reason R] [--file F] [--quiet]\n"
    "\n"
    "Converts rejects again, after CONFIG, a script or a condition was mended. What converts now is in the objects "
    "once,\n"
    "and no reject any more; all else stays a reject. Killed at any moment it goes on when it is run again. On one\n"
    "machine `sluice run` must not be running; in a fleet workers and uploaders do the work, and workers need the\n"
    "mended configuration before.\n"
    "\n"
    "  --source S  only rejects of this source\n"
    "  --reason R  only of this reason: json, utf8, time, format, …; INTERFACES.md has all\n"
    "  --file F    only of this file: a uri, a path, or the end of one\n"
    "  --quiet     no progress bar\n"
    "\n"
    "What cannot be converted again: lines of which a reject holds only the first 64 KiB, parts of records of several\n"
    "lines, and lines of sources whose lines mean nothing alone (header in the file, quoted_newlines, record.start, "
    "cri).\n"
    "They stay rejects; a raised generation converts their files anew.\n";

static bool is_reason(struct str name) {
    for (enum converter_reason r = REASON_NONE + 1; r < REASON_COUNT; r++)
        if (str_equal(name, str_of(converter_reason_name(r)))) return true;
    return false;
}

static bool is_source(const struct config *config, struct str name) {
    for (size_t i = 0; i < config->source_count; i++)
        if (str_equal(config->sources[i].name, name)) return true;
    return false;
}

static int redrive(const char *path, const struct run_redrive *asked, bool progress) {
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(path, &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    if (asked->source.len && !is_source(config, asked->source))
        return cli_usage("redrive", "%s has no source %s", path, asked->source.at);
    cli_log(config);
    struct run_options options = {.roles = config_broker_is_local(config) ? RUN_ALL : RUN_EMITTER,
                                  .once = true,
                                  .progress = progress,
                                  .patience_ms = RUN_PATIENCE_MS,
                                  .redrive = asked};
    return cli_run(config, &options);
}

int command_redrive(int argc, char **argv) {
    static const struct option longs[] = {
        {"source", required_argument, NULL, 's'}, {"reason", required_argument, NULL, 'r'},
        {"file", required_argument, NULL, 'f'},   {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct run_redrive asked = {0};
    bool progress = true;
    opterr = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 's')
            asked.source = str_of(optarg);
        else if (key == 'r')
            asked.reason = str_of(optarg);
        else if (key == 'f')
            asked.file = str_of(optarg);
        else if (key == 'q')
            progress = false;
        else if (key == 'h')
            return fputs(help, stdout), CLI_OK;
        else
            return cli_bad_option("redrive", key, argv);
    }
    if (asked.reason.len && !is_reason(asked.reason))
        return cli_usage("redrive", "there is no reason \"%s\"", asked.reason.at);
    if (!utf8_valid(asked.file)) return cli_usage("redrive", "--file takes UTF-8");
    if (argc - optind != 1) return cli_usage("redrive", "one CONFIG is needed, %d given", argc - optind);
    return redrive(argv[optind], &asked, progress);
}
