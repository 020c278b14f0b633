/* SPDX-License-Identifier: Apache-2.0 */
/* cli: the commands that act, beside those of command.h that look, and what they share: exit codes and how an error is
 * told.
 *
 * A command gets its own arguments, argv[0] being its name, and gives the exit code. Threads: the main one. */
#ifndef SLUICE_CLI_H
#define SLUICE_CLI_H

#include "config.h"

struct command_context;

enum { CLI_OK = 0, CLI_NO = 1, CLI_USAGE = 2 };

int command_run(int argc, char **argv);
int command_emitter(int argc, char **argv);
int command_worker(int argc, char **argv);
int command_uploader(int argc, char **argv);
int command_convert(int argc, char **argv);
int command_init(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_ledger(int argc, char **argv);
int command_repair(int argc, char **argv);
int command_redrive(int argc, char **argv);
int command_check(int argc, char **argv);
int command_try(int argc, char **argv);
int command_test(int argc, char **argv);
int command_config(int argc, char **argv);

/* "sluice: <words>" on stderr; gives the exit code of rc. */
int cli_fail(enum rc rc, const struct why *why);
/* "sluice: <words>" and where to read more; gives CLI_USAGE. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What getopt_long() gave as `key` and the command does not know, ':' for a value that is missing; gives CLI_USAGE. */
int cli_bad_option(const char *command, int key, char **argv);
/* Opens what a command looks at; says what is wrong and gives its exit code. */
int cli_open(const char *command, struct command_context *context, const char *config_path);
/* The configuration's settings of the log are in force from now on. */
void cli_log(const struct config *config);
struct run_options;
/* Runs the pipeline of an already loaded configuration; for run, convert and the roles of a fleet. */
int cli_run(const struct config *config, const struct run_options *options);

#endif
