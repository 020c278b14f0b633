/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "janitor.h"
#include "progress.h"
#include "removing.h"
#include "own.h"

#include <getopt.h>
#include <inttypes.h>

static const char help[] =
    "usage: sluice janitor --config CONFIG [--yes]\n"
    "\n"
    "Lists what lies in the output and nobody will ever use: objects of this pipeline that no manifest lists and none\n"
    "can list any more, and objects of removed generations. What is in progress, of another queue, or of a name that "
    "is\n"
    "none of sluice's is counted and never touched. Works beside a running pipeline.\n"
    "\n"
    "  --yes            remove it; without, nothing is changed\n"
    "  --config CONFIG  the pipeline's configuration\n";

struct printing {
    struct command_context *c;
    struct buf text;
};

static enum rc found(void *context, const struct janitor_found *f) {
    struct printing *p = context;
    buf_reset(&p->text);
    report_show(f->key, 0, &p->text);
    TRY(buf_rc(&p->text));
    int n = fprintf(p->c->out, "%s\t%" PRIu64 "\t%s\n", f->removed ? "removed generation" : "listed nowhere", f->bytes,
                    buf_text(&p->text));
    return n < 0 ? RC_STOP : RC_OK;
}

static void line(const struct command_context *c, const char *words, struct upkeep_tally tally) {
    char bytes[PROGRESS_BYTES_TEXT];
    if (tally.count)
        (void)fprintf(c->out, "%s: %" PRIu64 " objects of %s\n", words, tally.count,
                      progress_bytes(tally.bytes, bytes));
}

static int run(struct command_context *c, bool yes) {
    struct upkeep upkeep = {c->store, c->ledger, c->queue, c->config->generation};
    struct printing p = {c, BUF_INIT(STORE_KEY_MAX * (size_t)4 + 1)};
    struct janitor_ask ask = {.yes = yes, .many = removing_many(), .found = found, .context = &p};
    struct janitor_result r = {0};
    struct why why = {0};
    enum rc rc = id_is_none(c->queue) ? RC_OK : janitor_run(&upkeep, &ask, &r, &why);
    buf_done(&p.text);
    if (rc != RC_OK) return cli_fail(rc, &why);
    if (!r.orphans.count) (void)fprintf(c->out, "nothing to remove\n");
    line(c, yes ? "removed" : "would be removed", r.orphans);
    line(c, "in progress", r.in_progress);
    line(c, "left alone, of other queues", r.foreign);
    line(c, "left alone, of other names", r.unknown);
    if (!yes && r.orphans.count) (void)fprintf(c->out, "nothing was changed; --yes does it\n");
    return CLI_OK;
}

int command_janitor(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    bool yes = false;
    struct why why = {0};
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            config = optarg;
        else if (key == 'y')
            yes = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else if (key == ':')
            return cli_usage("janitor", "%s needs a value", argv[optind - 1]);
        else
            return cli_usage("janitor", "there is no option %s", argv[optind - 1]);
    }
    if (!config && optind < argc) config = argv[optind++];
    if (optind < argc) return cli_usage("janitor", "what is %s? It looks at the whole output", argv[optind]);
    enum rc rc = c->open(c, config, &why);
    return rc == RC_OK ? run(c, yes) : cli_fail(rc, &why);
}
