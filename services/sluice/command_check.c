/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "check_fleet.h"
#include "inputs.h"
#include "own.h"
#include "run.h"
#include "runtime.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: sluice check CONFIG\n"
    "\n"
    "Reads and checks CONFIG as run does, looks at what the sources match, and tries the output location, "
    "without\nrunning anything. Of a fleet it also asks Redis and Kafka whether ledger and topics are as they have to "
    "be;\nwhat is missing there `sluice init` makes. A bucket is tried with an object that is removed again.\n"
    "Exit codes: 0 all is well, 2 wrong use, 75 something was not reachable, 78 something has to be mended.\n";

struct seen {
    struct source from;
    uint64_t files, bytes, problems;
    const char *source;
};

static void count_problem(void *context, struct str uri, enum rc rc, const struct why *why);

/* Of objects the first one: that a bucket can be listed does not say that it can be read. */
static void try_to_read(struct seen *seen, const struct source_entry *entry) {
    struct why why = {0};
    struct source_file *file = NULL;
    char byte = 0;
    size_t got = 0;
    enum rc rc = source_open(seen->from, entry->uri, &entry->stat, &file, &why);
    if (rc == RC_OK) rc = source_read(seen->from, file, 0, &byte, 1, &got, &why);
    source_close(seen->from, file);
    if (rc != RC_OK && rc != RC_ABSENT && rc != RC_STALE) count_problem(seen, entry->uri, rc, &why);
}

static enum rc count_file(void *context, const struct source_entry *entry) {
    struct seen *seen = context;
    if (entry->stat.fixed && !seen->files) try_to_read(seen, entry);
    seen->files++;
    seen->bytes += entry->stat.size;
    return RC_OK;
}

static void count_problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    struct seen *seen = context;
    seen->problems++;
    (void)fprintf(stderr, "sluice: source %s: %.*s: %s\n", seen->source, STR_ARG(uri),
                  why && why->text[0] ? why->text : rc_name(rc));
}

/* What each source matches now: none is no error, files may come. */
static RC look_at_source(struct source source, const struct config_source *s, uint64_t *problems, struct why *why) {
    struct source_pattern pattern = inputs_pattern(s);
    struct seen seen = {.from = source, .source = s->name.at};
    TRY(source_list(source, &pattern, count_file, count_problem, &seen, why));
    (void)printf("source %.*s: %llu files, %llu bytes\n", STR_ARG(s->name), (unsigned long long)seen.files,
                 (unsigned long long)seen.bytes);
    *problems += seen.problems;
    return RC_OK;
}

static RC look_at_sources(const struct config *config, uint64_t *problems, struct why *why) {
    struct source source;
    TRY(inputs_open(config, &source, why));
    enum rc rc = RC_OK;
    for (size_t i = 0; i < config->source_count && rc == RC_OK; i++)
        rc = look_at_source(source, &config->sources[i], problems, why);
    source_free(source);
    return rc;
}

/* What is wrong in one place is no reason not to look at the others. */
static int check(const struct config *config) {
    struct why why = {0};
    uint64_t problems = 0;
    enum rc rc = run_check_sources(config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why); /* run would not even begin */
    rc = look_at_sources(config, &problems, &why);
    int code = rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
    if (problems && code == CLI_OK) code = rc_exit_code(RC_DENIED);
    rc = runtime_try_output(config, &why);
    if (rc == RC_OK) (void)printf("output %.*s: can be written\n", STR_ARG(config->output.url));
    int output = rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
    if (code == CLI_OK) code = output;
    if (config_broker_is_local(config)) return code;
    rc = check_fleet(config);
    return code == CLI_OK ? rc_exit_code(rc) : code;
}

int command_check(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        return cli_usage("check", "there is no such option");
    }
    if (argc - optind != 1) return cli_usage("check", "one CONFIG is needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    int code = check(config);
    if (code == CLI_OK) (void)printf("%s: ok\n", argv[optind]);
    return code;
}
