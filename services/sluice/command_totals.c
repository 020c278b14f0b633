/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "json_out.h"
#include "own.h"
#include "totals.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

static const char help[] =
    "usage: sluice totals CONFIG [--source S] [--generation N] [--format text|csv|json]\n"
    "\n"
    "Adds up what a source with `aggregate` has in the objects that are complete: a row for each group, with the sums\n"
    "and how many records are in them. Exact: no line is missing and none is in it twice, whatever died meanwhile.\n"
    "Ends with 1 when the rows hold another number of lines than were converted: a pipeline is at work, ask again.\n"
    "\n"
    "  --source S      one of several sources that are added up by different fields\n"
    "  --generation N  of this conversion of the data instead of the configuration's\n"
    "  --format F      text (columns between tabs, as they stand where nothing is said), csv (RFC 4180), or json (an\n"
    "                  object a line)\n";

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON };

struct arguments {
    const char *config, *source;
    uint64_t generation; /* 0: the configuration's */
    enum format format;
};

struct totalling {
    FILE *out;
    enum format format;
    const struct totals_ask *ask;
    struct buf line;
};

/* ---- printing ---- */

static void put_cell(struct totalling *t, struct str text, bool first) {
    bool quoted = t->format == FORMAT_CSV;
    if (!first) buf_add_char(&t->line, quoted ? ',' : '\t');
    if (!quoted) {
        report_show(text, 0, &t->line);
        return;
    }
    bool special = false;
    for (size_t i = 0; i < text.len; i++) special = special || memchr(",\"\r\n", text.at[i], 4);
    if (special) buf_add_char(&t->line, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') buf_add_char(&t->line, '"');
        buf_add_char(&t->line, text.at[i]);
    }
    if (special) buf_add_char(&t->line, '"');
}

static void end_line(struct totalling *t) {
    buf_add(&t->line, t->format == FORMAT_CSV ? STR("\r\n") : STR("\n"));
    (void)fwrite(t->line.at, 1, t->line.len, t->out); /* main looks at the stream's end */
    buf_reset(&t->line);
}

static void put_names(struct totalling *t) {
    if (t->format == FORMAT_JSON) return;
    for (size_t i = 0; i < t->ask->group_by_len; i++) put_cell(t, t->ask->group_by[i], i == 0);
    for (size_t i = 0; i < t->ask->sum_len; i++) put_cell(t, t->ask->sum[i], false);
    put_cell(t, STR("count"), false);
    end_line(t);
}

static void put_row_json(struct totalling *t, const struct totals_row *row) {
    struct json_out json = {.to = &t->line};
    json_open(&json, '{');
    for (size_t i = 0; i < t->ask->group_by_len; i++) {
        json_key(&json, t->ask->group_by[i]);
        if (row->values[i].is_text)
            json_str(&json, row->values[i].text);
        else
            json_raw(&json, row->values[i].text);
    }
    for (size_t i = 0; i < t->ask->sum_len; i++) {
        char text[DECIMAL_MAX];
        json_key(&json, t->ask->sum[i]);
        json_raw(&json, (struct str){text, decimal_format(row->sums[i], text)});
    }
    json_key_u64(&json, STR("count"), row->count);
    json_close(&json, '}');
    end_line(t);
}

static void put_row(void *context, const struct totals_row *row) {
    struct totalling *t = context;
    char text[DECIMAL_MAX];
    if (t->format == FORMAT_JSON) {
        put_row_json(t, row);
        return;
    }
    for (size_t i = 0; i < t->ask->group_by_len; i++) put_cell(t, row->values[i].text, i == 0);
    for (size_t i = 0; i < t->ask->sum_len; i++)
        put_cell(t, (struct str){text, decimal_format(row->sums[i], text)}, false);
    int len = snprintf(text, sizeof text, "%" PRIu64, row->count);
    put_cell(t, (struct str){text, (size_t)len}, false);
    end_line(t);
}

/* ---- which sources ---- */

static bool same_names(const struct config_strs *a, const struct config_strs *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) same = str_equal(a->at[i], b->at[i]);
    return same;
}

static bool is_wanted(const struct config_source *s, const char *name) {
    return s->aggregate.sum.count && (!name || str_equal(s->name, str_of(name)));
}

/* A line is one record: what is counted can be compared with the lines that were converted. */
static bool counts_lines(const struct config_source *s) {
    return s->converter != CONFIG_LUA && s->converter != CONFIG_CRI && !s->record.start.len;
}

static RC choose(const struct config *config, const char *name, struct arena *arena, struct totals_ask *ask,
                 bool *out_comparable, struct why *why) {
    const struct config_aggregate *by = NULL;
    struct str *names = ARENA_ARRAY(arena, struct str, config->source_count);
    *out_comparable = true;
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *s = &config->sources[i];
        if (!is_wanted(s, name)) continue;
        if (by && (!same_names(&by->group_by, &s->aggregate.group_by) || !same_names(&by->sum, &s->aggregate.sum)))
            return why_set(why, RC_DENIED, "%.*s and %.*s are added up by different fields; say --source",
                           STR_ARG(names[0]), STR_ARG(s->name));
        by = &s->aggregate;
        names[ask->sources_len++] = s->name;
        *out_comparable = *out_comparable && counts_lines(s);
    }
    if (!by)
        return why_set(why, RC_DENIED, "%s: no source %s%shas the key \"aggregate\"; add it and raise the generation",
                       config->file.at, name ? name : "", name ? " that " : "");
    ask->sources = names;
    ask->all_sources = ask->sources_len == config->source_count;
    ask->group_by = by->group_by.at;
    ask->group_by_len = by->group_by.count;
    ask->sum = by->sum.at;
    ask->sum_len = by->sum.count;
    return RC_OK;
}

static RC total(struct command_context *c, const struct arguments *a, bool *out_whole, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(totals_done) struct totals *totals = NULL;
    struct report report = {c->store, c->ledger, c->queue, a->generation ? a->generation : c->config->generation};
    struct totals_ask ask = {0};
    bool comparable = false;
    TRY(choose(c->config, a->source, &arena, &ask, &comparable, why));
    TRY(totals_read(&report, &ask, &totals, why));
    struct totalling t = {c->out, a->format, &ask, BUF_INIT((size_t)16 * 1024 * 1024)};
    const struct totals_result *r = totals_result(totals);
    put_names(&t);
    totals_each(totals, put_row, &t);
    buf_done(&t.line);
    *out_whole = !comparable || r->counted == r->converted;
    if (!*out_whole)
        (void)fprintf(c->err,
                      "sluice: %" PRIu64 " lines are in these totals, %" PRIu64
                      " were converted: a pipeline is at work, ask again; or `sluice audit --deep`\n",
                      r->counted, r->converted);
    return RC_OK;
}

/* ---- arguments ---- */

static RC parse_format(const char *text, enum format *out) {
    static const char *const names[] = {[FORMAT_TEXT] = "text", [FORMAT_CSV] = "csv", [FORMAT_JSON] = "json"};
    for (enum format f = FORMAT_TEXT; f <= FORMAT_JSON; f++)
        if (strcmp(text, names[f]) == 0) return *out = f, RC_OK;
    return RC_BAD;
}

static int run(struct command_context *c, const struct arguments *a) {
    struct why why = {0};
    bool whole = false;
    int code = cli_open("totals", c, a->config);
    if (code != CLI_OK) return code;
    enum rc rc = total(c, a, &whole, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    return whole ? CLI_OK : CLI_NO;
}

int command_totals(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"source", required_argument, NULL, 's'},
                                          {"generation", required_argument, NULL, 'g'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct arguments a = {0};
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            a.config = optarg;
        else if (key == 's')
            a.source = optarg;
        else if (key == 'g' && str_parse_u64(str_of(optarg), &a.generation) == RC_OK && a.generation)
            continue;
        else if (key == 'g')
            return cli_usage("totals", "%s is no generation", optarg);
        else if (key == 'f' && parse_format(optarg, &a.format) != RC_OK)
            return cli_usage("totals", "%s is not one of text, csv, json", optarg);
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else if (key != 'f')
            return cli_bad_option("totals", key, argv);
    }
    if (optind < argc && !a.config) a.config = argv[optind++];
    if (optind < argc) return cli_usage("totals", "one CONFIG, not %s too", argv[optind]);
    return run(c, &a);
}
