/* SPDX-License-Identifier: Apache-2.0 */
/* command: what main gives to a command that looks at a pipeline, or tidies it up, and the commands.
 *
 * A command gets its own arguments, argv[0] being its name and `--config FILE` taken out or left in as main likes (the
 * commands accept and skip it), prints to .out and .err, and gives the exit code: 0, 1 for the answer "no" (audit), 2
 * for wrong use, else rc_exit_code(). Usage is checked before the ports are opened: main calls the command with
 * .open, which it calls once its arguments are in order.
 *
 * Threads: the main one. */
#ifndef SLUICE_COMMAND_H
#define SLUICE_COMMAND_H

#include "config.h"
#include "id.h"
#include "ledger.h"
#include "report.h"
#include "store.h"

#include <stdio.h>

struct command_context {
    FILE *out, *err;
    bool terminal; /* .out is one */
    /* Loads the configuration and opens store and ledger for looking, into the fields below; they stay main's to free.
     * Called once, with the FILE of --config (NULL when there is none on the command line). A pipeline that never ran
     * is no failure: then .store.ops or .ledger.ops is NULL. */
    enum rc (*open)(struct command_context *context, const char *config_path, struct why *why);
    /* Set before .open by a command that changes the ledger: it is opened for writing. */
    bool change;
    /* With .change, after .open: takes the queue of an earlier generation away, if there is one. */
    enum rc (*drop_queue)(struct command_context *context, uint64_t generation, struct why *why);
    void *self; /* main's */

    const struct config *config;
    struct store store;
    struct ledger ledger; /* .at: the ledger's epoch, the configuration's generation */
    struct id queue;      /* from the ledger's identity, or the store's */
};

int command_status(int argc, char **argv, struct command_context *context);
int command_audit(int argc, char **argv, struct command_context *context);
int command_rejects(int argc, char **argv, struct command_context *context);
int command_generations(int argc, char **argv, struct command_context *context);
int command_gc(int argc, char **argv, struct command_context *context);
int command_janitor(int argc, char **argv, struct command_context *context);
int command_cat(int argc, char **argv, struct command_context *context);
int command_totals(int argc, char **argv, struct command_context *context);

#endif
