/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "log.h"
#include "metric.h"
#include "runtime.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice COMMAND ...\n"
    "\n"
    "Moves large text files into partitioned, compressed objects, each line exactly once, and proves it.\n"
    "\n"
    "  run CONFIG [--once]     convert what CONFIG names, once or for as long as it is there\n"
    "  init CONFIG             prepare Kafka, Redis and the output for a fleet\n"
    "  emitter CONFIG          one of a fleet: finds files, publishes jobs, writes receipts\n"
    "  worker CONFIG           one of a fleet: converts lines\n"
    "  uploader CONFIG         one of a fleet: makes objects\n"
    "  replay CONFIG           set the offsets of a fleet's jobs or blocks back\n"
    "  ledger rebuild CONFIG   bring a fleet's ledger back from what is sealed in the output\n"
    "  repair CONFIG           make again what a queue lost\n"
    "  convert --out DIR FILE  the quick form without a configuration file\n"
    "  check CONFIG            check a configuration and its output location, without running\n"
    "  try CONFIG FILE         what becomes of the first lines of FILE: record, partition, or why not\n"
    "  test CONFIG             run the example cases that are kept beside CONFIG\n"
    "  config schema           the JSON Schema of the configuration, for editors\n"
    "  status                  per file: how far it is\n"
    "  audit [--deep]          is every line there, once? exit code 0 or 1\n"
    "  rejects                 the lines that could not be converted, with place and reason\n"
    "  redrive CONFIG          convert rejects again, after a configuration or a script was mended\n"
    "  cat [PARTITION]         the records of the objects\n"
    "  totals CONFIG           what sources with `aggregate` add up to\n"
    "  generations             which conversions of the data are there, and how large\n"
    "  gc --generation N       remove an earlier one\n"
    "  janitor                 objects that nobody will ever use\n"
    "\n"
    "status, audit, rejects, cat and the last three take --config CONFIG. `sluice COMMAND --help` tells more.\n";

int cli_fail(enum rc rc, const struct why *why) {
    (void)fprintf(stderr, "sluice: %s\n", why->text[0] ? why->text : rc_name(rc));
    return rc_exit_code(rc);
}

int cli_usage(const char *command, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)fprintf(stderr, "sluice %s: ", command);
    (void)vfprintf(stderr, format, list);
    va_end(list);
    (void)fprintf(stderr, "; see `sluice %s --help`\n", command);
    return CLI_USAGE;
}

int cli_bad_option(const char *command, int key, char **argv) {
    return cli_usage(command, key == ':' ? "%s needs a value" : "there is no option %s", argv[optind - 1]);
}

int cli_open(const char *command, struct command_context *context, const char *config_path) {
    if (!config_path) return cli_usage(command, "--config CONFIG is needed: which pipeline?");
    struct why why = {0};
    enum rc rc = context->open(context, config_path, &why);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}

void cli_log(const struct config *config) {
    static const enum log_level levels[] = {[CONFIG_LOG_DEBUG] = LOG_LEVEL_DEBUG,
                                            [CONFIG_LOG_INFO] = LOG_LEVEL_INFO,
                                            [CONFIG_LOG_WARN] = LOG_LEVEL_WARN,
                                            [CONFIG_LOG_ERROR] = LOG_LEVEL_ERROR};
    struct log_options options = {.level = levels[config->log.level],
                                  .format =
                                      config->log.format == CONFIG_LOG_JSON ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT};
    log_setup(&options);
}

/* ---- the commands that look ---- */

struct looking {
    struct config *config;
    struct runtime runtime;
};

static enum rc open_for_looking(struct command_context *context, const char *config_path, struct why *why) {
    struct looking *l = context->self;
    TRY(config_load(config_path, &l->config, why));
    TRY(runtime_open(l->config, RUNTIME_LOOK, &l->runtime, why));
    if (context->change && !l->runtime.fresh) { /* one that never ran stays as it is */
        runtime_close(&l->runtime);
        TRY(runtime_open(l->config, RUNTIME_WRITE, &l->runtime, why));
    }
    context->config = l->config;
    context->store = l->runtime.store;
    context->ledger = l->runtime.ledger;
    context->queue = l->runtime.queue;
    return RC_OK;
}

static enum rc drop_queue(struct command_context *context, uint64_t generation, struct why *why) {
    const struct looking *l = context->self;
    return runtime_drop_queue(&l->runtime, generation, why);
}

static int look(int (*command)(int, char **, struct command_context *), int argc, char **argv) {
    struct looking l = {0};
    struct command_context context = {.out = stdout,
                                      .err = stderr,
                                      .terminal = isatty(STDOUT_FILENO) == 1,
                                      .open = open_for_looking,
                                      .drop_queue = drop_queue,
                                      .self = &l};
    int code = command(argc, argv, &context);
    runtime_close(&l.runtime);
    config_free(l.config);
    if (fflush(stdout) != 0 && code == CLI_OK) code = rc_exit_code(RC_LIMIT);
    return code;
}

/* What one batch needed is to go back to the system before the next needs as much: large blocks by mappings of their
 * own, whose threshold would otherwise grow with each that is freed, and few heaps, for memory that one thread freed is
 * not taken by another. */
static void bound_memory(void) {
    enum { HEAPS_MAX = 2, MAPPED_BYTES = 256 * 1024, TRIM_BYTES = 1024 * 1024 };
    (void)mallopt(M_ARENA_MAX, HEAPS_MAX);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

int main(int argc, char **argv) {
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error like a full disk, and no death */
    static const struct {
        const char *name;
        int (*act)(int, char **);
        int (*look)(int, char **, struct command_context *);
    } commands[] = {
        {"run", command_run, NULL},         {"emitter", command_emitter, NULL},
        {"worker", command_worker, NULL},   {"uploader", command_uploader, NULL},
        {"convert", command_convert, NULL}, {"check", command_check, NULL},
        {"init", command_init, NULL},       {"replay", command_replay, NULL},
        {"config", command_config, NULL},   {"status", NULL, command_status},
        {"audit", NULL, command_audit},     {"rejects", NULL, command_rejects},
        {"cat", NULL, command_cat},         {"generations", NULL, command_generations},
        {"gc", NULL, command_gc},           {"janitor", NULL, command_janitor},
        {"try", command_try, NULL},         {"test", command_test, NULL},
        {"ledger", command_ledger, NULL},   {"repair", command_repair, NULL},
        {"totals", NULL, command_totals},   {"redrive", command_redrive, NULL},
    };
    bound_memory();
    metric_set_version(STR(SLUICE_VERSION));
    if (argc < 2) return fputs(help, stderr), CLI_USAGE;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) return fputs(help, stdout), CLI_OK;
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0)
        return puts("sluice " SLUICE_VERSION), CLI_OK;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        if (commands[i].act) return commands[i].act(argc - 1, argv + 1);
        return look(commands[i].look, argc - 1, argv + 1);
    }
    (void)fprintf(stderr, "sluice: there is no command \"%s\"; see `sluice --help`\n", argv[1]);
    return CLI_USAGE;
}
