/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "generations.h"
#include "json_out.h"
#include "progress.h"
#include "survey.h"
#include "time_format.h"
#include "own.h"

#include <getopt.h>
#include <inttypes.h>

static const char help[] =
    "usage: sluice generations --config CONFIG [--json]\n"
    "\n"
    "Every generation that the output or the ledger knows: its objects, bytes, records and rejects as its manifests\n"
    "list them, batches, receipts, the time range of its records, and what is there that no manifest lists.\n"
    "\n"
    "  --json           one JSON object\n"
    "  --config CONFIG  the pipeline's configuration\n";

struct printing {
    struct command_context *c;
    bool json;
    struct json_out to;
    struct buf text;
};

static const char *state_of(const struct printing *p, const struct generations_one *g, const struct survey *s) {
    if (s->removed) return "removed";
    if (g->generation == p->c->config->generation) return "configured";
    return g->generation > p->c->config->generation ? "higher" : "earlier";
}

static void tally_json(struct json_out *json, const char *name, struct upkeep_tally tally) {
    json_key(json, str_of(name));
    json_open(json, '{');
    json_key_u64(json, STR("objects"), tally.count);
    json_key_u64(json, STR("bytes"), tally.bytes);
    json_close(json, '}');
}

static void times_json(struct json_out *json, const struct listed_figures *f) {
    char text[TIME_FORMAT_RFC3339_MAX];
    if (!f->has_time) return;
    json_key_str(json, STR("from"), str_of(time_format_rfc3339(f->time_min_ns, 9, text)));
    json_key_str(json, STR("to"), str_of(time_format_rfc3339(f->time_max_ns, 9, text)));
}

static void one_json(struct printing *p, const struct generations_one *g, const struct survey *s) {
    struct json_out *json = &p->to;
    char when[TIME_FORMAT_RFC3339_MAX];
    json_open(json, '{');
    json_key_u64(json, STR("generation"), g->generation);
    json_key_str(json, STR("state"), str_of(state_of(p, g, s)));
    if (s->removed) json_key_str(json, STR("removed_at"), str_of(time_format_rfc3339(s->removed_ns, 0, when)));
    json_key_bool(json, STR("in_ledger"), g->in_ledger && !g->forgotten);
    json_key_u64(json, STR("batches"), s->listed.batches);
    tally_json(json, "objects", s->listed.objects);
    tally_json(json, "rejects", s->listed.rejects);
    json_key_u64(json, STR("records"), s->listed.records);
    json_key_u64(json, STR("reject_lines"), s->listed.reject_lines);
    times_json(json, &s->listed);
    json_key_u64(json, STR("receipts"), s->receipts.count);
    tally_json(json, "stored", s->stored);
    tally_json(json, "in_progress", s->in_progress);
    tally_json(json, "orphans", s->orphans);
    tally_json(json, "foreign", s->foreign);
    tally_json(json, "unknown", s->unknown);
    json_close(json, '}');
}

static void left_over(FILE *out, const char *words, struct upkeep_tally tally) {
    char bytes[PROGRESS_BYTES_TEXT];
    if (tally.count)
        (void)fprintf(out, "; %s: %" PRIu64 " of %s", words, tally.count, progress_bytes(tally.bytes, bytes));
}

static void one_text(const struct printing *p, const struct generations_one *g, const struct survey *s) {
    FILE *out = p->c->out;
    const struct listed_figures *f = &s->listed;
    char bytes[PROGRESS_BYTES_TEXT], from[TIME_FORMAT_RFC3339_MAX] = "-", to[TIME_FORMAT_RFC3339_MAX] = "-";
    if (f->has_time) {
        (void)time_format_rfc3339(f->time_min_ns, 0, from);
        (void)time_format_rfc3339(f->time_max_ns, 0, to);
    }
    (void)fprintf(
        out, "%10" PRIu64 " %-10s %9" PRIu64 " %10s %12" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 "  %s to %s",
        g->generation, state_of(p, g, s), f->objects.count + f->rejects.count,
        progress_bytes(f->objects.bytes + f->rejects.bytes, bytes), f->records, f->reject_lines, f->batches,
        s->receipts.count, from, to);
    left_over(out, "in progress", s->in_progress);
    left_over(out, s->removed ? "left of it" : "orphans", s->orphans);
    left_over(out, "of other queues", s->foreign);
    left_over(out, "of other names", s->unknown);
    if (s->removed && g->in_ledger && !g->forgotten) (void)fprintf(out, "; the ledger still has it: run gc again");
    (void)fputc('\n', out);
}

static RC show(struct printing *p, const struct upkeep *upkeep, struct why *why) {
    AUTO(own_free) struct generations_one *all = NULL;
    size_t n = 0;
    TRY(generations_find(upkeep, &all, &n, why));
    for (size_t i = 0; i < n; i++) {
        struct survey_ask ask = {.generation = all[i].generation};
        struct survey survey = {0};
        if (upkeep->store.ops) TRY(survey_run(upkeep, &ask, &survey, why));
        if (p->json)
            one_json(p, &all[i], &survey);
        else
            one_text(p, &all[i], &survey);
    }
    return RC_OK;
}

static int run(struct command_context *c, bool json) {
    struct upkeep upkeep = {c->store, c->ledger, c->queue, c->config->generation};
    struct printing p = {.c = c, .json = json, .text = BUF_INIT((size_t)64 * 1024 * 1024)};
    struct why why = {0};
    p.to.to = &p.text;
    if (json) {
        json_open(&p.to, '{');
        json_key(&p.to, STR("generations"));
        json_open(&p.to, '[');
    } else {
        (void)fprintf(c->out, "%10s %-10s %9s %10s %12s %9s %8s %8s  %s\n", "GENERATION", "STATE", "OBJECTS", "SIZE",
                      "RECORDS", "REJECTS", "BATCHES", "RECEIPTS", "TIMES");
    }
    enum rc rc = show(&p, &upkeep, &why);
    if (rc == RC_OK && json) {
        json_close(&p.to, ']');
        json_close(&p.to, '}');
        (void)fprintf(c->out, "%s\n", buf_text(&p.text)); /* main looks at the stream's end */
    }
    buf_done(&p.text);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}

int command_generations(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    bool json = false;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            config = optarg;
        else if (key == 'j')
            json = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else
            return cli_bad_option("generations", key, argv);
    }
    if (optind < argc) return cli_usage("generations", "it takes no %s: all are listed", argv[optind]);
    int code = cli_open("generations", c, config);
    return code == CLI_OK ? run(c, json) : code;
}
