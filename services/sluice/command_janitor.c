/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "clock.h"
#include "command.h"
#include "janitor.h"
#include "progress.h"
#include "removing.h"
#include "own.h"

#include <getopt.h>
#include <inttypes.h>

static const char help[] =
    "usage: sluice janitor --config CONFIG [--older 1d] [--yes]\n"
    "\n"
    "Lists what lies in the output and nobody will ever use: objects of this pipeline that no manifest lists and none\n"
    "can list any more, objects of removed generations, pages of snapshots of the ledger that were never finished,\n"
    "and uploads that were begun long ago and never finished. What is in progress, of another queue, or of a name\n"
    "that is none of sluice's is counted and never touched. Works beside a running pipeline.\n"
    "\n"
    "  --older TIME     uploads begun so long ago are nobody's: 12h, 1d (the default), ...\n"
    "  --yes            remove it; without, nothing is changed\n"
    "  --config CONFIG  the pipeline's configuration\n";

#define DAY_MS UINT64_C(86400000)
#define YEARS_MS (3650 * DAY_MS)
#define MS_NS INT64_C(1000000)

struct printing {
    struct command_context *c;
    struct buf text;
};

static enum rc found(void *context, const struct janitor_found *f) {
    struct printing *p = context;
    buf_reset(&p->text);
    report_show(f->key, 0, &p->text);
    TRY(buf_rc(&p->text));
    static const char *const kinds[] = {[JANITOR_UNLISTED] = "listed nowhere",
                                        [JANITOR_REMOVED] = "removed generation",
                                        [JANITOR_UPLOAD] = "unfinished upload",
                                        [JANITOR_CUT_OFF] = "unfinished snapshot"};
    int n = fprintf(p->c->out, "%s\t%" PRIu64 "\t%s\n", kinds[f->kind], f->bytes, buf_text(&p->text));
    return n < 0 ? RC_STOP : RC_OK;
}

static void line(const struct command_context *c, const char *words, struct upkeep_tally tally) {
    char bytes[PROGRESS_BYTES_TEXT];
    if (tally.count)
        (void)fprintf(c->out, "%s: %" PRIu64 " objects of %s\n", words, tally.count,
                      progress_bytes(tally.bytes, bytes));
}

static void tell(const struct command_context *c, bool yes, const struct janitor_result *r) {
    const char *words = yes ? "removed" : "would be removed";
    bool any = r->orphans.count || r->uploads.old;
    if (!any) (void)fprintf(c->out, "nothing to remove\n");
    line(c, words, r->orphans);
    if (r->uploads.old) (void)fprintf(c->out, "%s: %" PRIu64 " unfinished uploads\n", words, r->uploads.old);
    line(c, "in progress", r->in_progress);
    if (r->uploads.fresh) (void)fprintf(c->out, "in progress: %" PRIu64 " uploads\n", r->uploads.fresh);
    line(c, "left alone, of other queues", r->foreign);
    line(c, "left alone, of other names", r->unknown);
    if (r->uploads.foreign)
        (void)fprintf(c->out, "left alone, of others: %" PRIu64 " unfinished uploads\n", r->uploads.foreign);
    if (!yes && any) (void)fprintf(c->out, "nothing was changed; --yes does it\n");
}

static int run(struct command_context *c, uint64_t older_ms, bool yes) {
    struct upkeep upkeep = {c->store, c->ledger, c->queue, c->config->generation};
    struct printing p = {c, BUF_INIT(STORE_KEY_MAX * (size_t)4 + 1)};
    struct janitor_ask ask = {.yes = yes,
                              .now_ns = clock_wall_ns(clock_real()),
                              .older_ns = (int64_t)older_ms * MS_NS,
                              .many = removing_many(),
                              .found = found,
                              .context = &p};
    struct janitor_result r = {0};
    struct why why = {0};
    enum rc rc = id_is_none(c->queue) ? RC_OK : janitor_run(&upkeep, &ask, &r, &why);
    buf_done(&p.text);
    if (rc != RC_OK) return cli_fail(rc, &why);
    tell(c, yes, &r);
    return CLI_OK;
}

int command_janitor(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"yes", no_argument, NULL, 'y'},
                                          {"older", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    uint64_t older_ms = DAY_MS;
    bool yes = false;
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
        else if (key != 'o')
            return cli_bad_option("janitor", key, argv);
        else if (str_parse_duration_ms(str_of(optarg), &older_ms) != RC_OK || older_ms > YEARS_MS)
            return cli_usage("janitor", "--older takes a time such as 12h or 1d, at most 10 years, not %s", optarg);
    }
    if (!config && optind < argc) config = argv[optind++];
    if (optind < argc) return cli_usage("janitor", "what is %s? It looks at the whole output", argv[optind]);
    int code = cli_open("janitor", c, config);
    return code == CLI_OK ? run(c, older_ms, yes) : code;
}
