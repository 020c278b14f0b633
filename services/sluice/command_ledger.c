/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "clock.h"
#include "own.h"
#include "run_settings.h"
#include "runtime_inner.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice ledger rebuild CONFIG [--full]\n"
    "\n"
    "Brings the ledger of a fleet back from what is sealed in the output and what waits in Kafka: for a Redis that "
    "was\n"
    "emptied, replaced or set back to a copy. A running fleet's uploaders do the same by themselves; it may run "
    "beside\n"
    "them and beside another rebuild. Lines that were converted and not sealed are converted again, nothing twice. "
    "Where\n"
    "the ledger agrees with the output already, nothing is done.\n"
    "\n"
    "  --full  Redis holds something that may be no earlier state of itself (keys were edited or are missing): read "
    "all\n"
    "          seals from the first, whatever it says that it knows\n"
    "\n"
    "Exit codes: 0 the ledger is open, 2 wrong use, 74 something is lost that a seal needs, 75 something was not\n"
    "reachable, or others recover it all the time, 78 something has to be mended first.\n";

enum { TELL_MS = 1000, TRIES_MAX = 5, PAUSE_MS = 2000 };

struct rebuild {
    struct runtime runtime;
    struct run_settings settings;
    bool full, terminal;
    uint64_t told_ms;
    struct recovery_progress last;
};

static void show(const struct rebuild *b, const struct recovery_progress *p) {
    if (b->terminal) (void)fputs("\r", stdout);
    (void)printf("%llu messages behind the seals read; %llu of %llu chains, %llu seals, %llu attempts%s",
                 (unsigned long long)p->messages, (unsigned long long)p->chains, (unsigned long long)p->chains_total,
                 (unsigned long long)p->seals, (unsigned long long)p->winners,
                 p->uniting ? "; the ledger puts them together" : "");
    (void)fputs(b->terminal ? "   " : "\n", stdout);
    (void)fflush(stdout);
}

static void tell(void *context, const struct recovery_progress *progress) {
    struct rebuild *b = context;
    uint64_t now_ms = clock_ms(clock_real());
    b->last = *progress;
    if (now_ms - b->told_ms < TELL_MS && !progress->uniting) return;
    b->told_ms = now_ms;
    show(b, progress);
}

static RC open_all(struct rebuild *b, struct why *why) {
    struct runtime *r = &b->runtime;
    bool made = false;
    struct ledger_identity who;
    TRY(runtime_open_store(r, why));
    enum rc rc = runtime_remake_ledger(r, &made, why);
    if (rc == RC_ABSENT)
        return why_set(why, RC_DENIED,
                       "%.*s: nothing was ever written there, so there is nothing to rebuild a ledger from; `sluice "
                       "init` makes a new one",
                       STR_ARG(r->config->output.url));
    if (rc != RC_OK) return rc;
    (void)puts(made ? "ledger: Redis held none; made anew as the output remembers it" : "ledger: is in Redis");
    TRY(runtime_fleet_ledger(r, false, why));
    TRY(ledger_identity(r->ledger, &who, why));
    r->queue = who.queue;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity mark;
    enum rc marked = runtime_read_identity(r->store, &arena, &mark, why);
    if (marked != RC_OK && marked != RC_ABSENT) return marked;
    r->partitions_most = marked == RC_OK ? mark.partitions : 0;
    r->ledger.at.epoch = who.epoch;
    TRY(run_settings_make(r, false, &b->settings, why));
    return runtime_open_broker(r, why);
}

/* One try: is it needed, and if so the whole recovery. *out_epoch is 0 where it was not. */
static RC rebuild_once(struct rebuild *b, struct rng *rng, uint64_t *out_epoch, struct why *why) {
    struct runtime *r = &b->runtime;
    struct recovery_ports ports = runtime_recovery_ports(r);
    struct recovery_settings settings = runtime_recovery_settings(r, &b->settings.uploader.output);
    settings.full = b->full;
    settings.tell = tell;
    settings.tell_context = b;
    struct ledger_identity who;
    struct why found = {0};
    bool needed = b->full;
    TRY(ledger_identity(r->ledger, &who, why));
    ports.ledger.at.epoch = who.epoch;
    if (!needed) TRY(recovery_check(&ports, &settings, &needed, &found, why));
    *out_epoch = 0;
    if (!needed) return RC_OK;
    (void)printf("ledger: %s; closing it, and reading what is sealed\n", b->full ? "it is not trusted" : found.text);
    TRY(runtime_check_newest(r, why));
    TRY(recovery_run(&ports, &settings, rng, out_epoch, why));
    if (b->terminal) (void)putchar('\n');
    return RC_OK;
}

/* Another recoverer may take over, an uploader of the fleet or another rebuild: whoever began last goes through. */
static RC rebuild(struct rebuild *b, struct why *why) {
    struct rng rng = rng_from_kernel();
    uint64_t epoch = 0;
    enum rc rc = RC_STALE;
    TRY(open_all(b, why));
    for (int tries = 0; rc == RC_STALE && tries < TRIES_MAX; tries++) {
        if (tries) (void)printf("ledger: %s; looking again\n", why->text);
        if (tries) (void)usleep(PAUSE_MS * 1000);
        rc = rebuild_once(b, &rng, &epoch, why);
    }
    if (rc == RC_STALE) rc = RC_BUSY;
    if (rc != RC_OK) return rc;
    if (epoch)
        (void)printf("ledger: open again at epoch %llu, with %llu attempts of %llu seals\n", (unsigned long long)epoch,
                     (unsigned long long)b->last.winners, (unsigned long long)b->last.seals);
    else
        (void)puts("ledger: agrees with the output, nothing to do");
    return RC_OK;
}

int command_ledger(int argc, char **argv) {
    static const struct option options[] = {{"full", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct rebuild b = {.terminal = isatty(STDOUT_FILENO) == 1};
    struct why why = {0};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == '?') return cli_usage("ledger", "there is no such option");
        b.full = true;
    }
    if (argc - optind < 1 || strcmp(argv[optind], "rebuild") != 0)
        return cli_usage("ledger", "it has one command: rebuild CONFIG");
    if (argc - optind != 2) return cli_usage("ledger", "one CONFIG is needed, %d given", argc - optind - 1);
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind + 1], &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    if (config_broker_is_local(config))
        rc = config_error(config, "ledger.url", &why,
                          "a local ledger is brought to agree with the output at each start of `sluice run`");
    b.runtime = (struct runtime){.config = config, .fleet = true, .reads_blocks = true};
    if (rc == RC_OK) rc = rebuild(&b, &why);
    run_settings_done(&b.settings);
    runtime_close(&b.runtime);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}
