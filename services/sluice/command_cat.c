/* SPDX-License-Identifier: Apache-2.0 */
#include "cat.h"

#include "cli.h"
#include "command.h"
#include "json.h"
#include "time_parse.h"
#include "own.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice cat --config CONFIG [--from TIME] [--to TIME] [--where KEY=VALUE]... [PARTITION]\n"
    "\n"
    "The records of the objects, one a line, as readers of the data get them: by manifests.\n"
    "\n"
    "  PARTITION          only below this path of partitions, such as dt=2026-11-21 or dt=2026-11-21/status=200\n"
    "  --where KEY=VALUE  only of partitions that have this component; several: all of them\n"
    "  --from TIME        only records of this time or later: 2026-11-21T10:00:00Z or 2026-11-21 (UTC)\n"
    "  --to TIME          only records before this time\n"
    "  --config CONFIG    the pipeline's configuration\n";

enum { WHERE_MAX = 32, RECORD_MAX = 64 * 1024 * 1024 };

/* How a source's records tell their time. */
struct source_time {
    struct str source;
    struct json_path path;
    const struct time_parse *format;
};

struct catting {
    struct command_context *c;
    struct json_parser *json;
    struct buf record; /* with the parser's padding */
    struct source_time *times;
    size_t times_len;
    struct time_parse rfc3339;
};

/* ---- the time of a record ---- */

static RC time_at(const struct source_time *t, struct json_node root, int64_t *out_ns) {
    char digits[JSON_NUMBER_MAX];
    struct json_node node;
    struct str text;
    TRY(json_find(root, &t->path, &node));
    TRY(json_text(node, digits, &text));
    return time_parse_ns(t->format, text, out_ns);
}

static enum rc time_of(void *context, struct str source, struct str record, int64_t *out_ns) {
    struct catting *k = context;
    struct json_node root;
    buf_reset(&k->record);
    buf_add(&k->record, record);
    if (buf_reserve(&k->record, JSON_PADDING) != RC_OK) return RC_BAD;
    memset(k->record.at + k->record.len, 0, JSON_PADDING);
    if (json_parse(k->json, buf_str(&k->record), &root, NULL) != RC_OK) return RC_BAD;
    for (size_t i = 0; i < k->times_len; i++) { /* of an unknown source: the first that fits */
        if (source.len && !str_equal(source, k->times[i].source)) continue;
        if (time_at(&k->times[i], root, out_ns) == RC_OK) return RC_OK;
    }
    return RC_BAD;
}

/* Those of combined, syslog and cri have theirs as RFC 3339, at "time"; raw ones have none; the others' is in a field.
 */
static RC collect_times(struct catting *k, const struct config *config, struct arena *arena, struct why *why) {
    TRY(time_parse_compile(STR("rfc3339"), &k->rfc3339, why));
    k->times = ARENA_ARRAY(arena, struct source_time, config->source_count);
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *s = &config->sources[i];
        bool own = s->converter == CONFIG_COMBINED || s->converter == CONFIG_SYSLOG || s->converter == CONFIG_CRI;
        if (!s->time.given) continue;
        struct source_time *t = &k->times[k->times_len++];
        t->source = s->name;
        t->format = own ? &k->rfc3339 : &s->time.format;
        TRY(json_path_compile(own ? STR("time") : s->time.field, &t->path, why));
    }
    return RC_OK;
}

/* ---- writing ---- */

/* Straight to the descriptor: what a reader that went away did not take is not kept for later. */
static enum rc put(void *context, struct str records, struct why *why) {
    const struct catting *k = context;
    while (records.len) {
        ssize_t n = write(fileno(k->c->out), records.at, records.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EPIPE) return RC_STOP;
        if (n < 0) return why_errno(why, RC_LIMIT, errno, "writing the records");
        records = str_sub(records, (size_t)n, records.len);
    }
    return RC_OK;
}

static RC cat(struct catting *k, struct cat_ask *ask, struct why *why) {
    struct command_context *c = k->c;
    struct report report = {c->store, c->ledger, c->queue, c->config->generation};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    TRY(collect_times(k, c->config, &arena, why));
    ask->time = time_of;
    ask->write = put;
    ask->context = k;
    (void)fflush(c->out);
    return cat_records(&report, ask, NULL, why);
}

static int run(struct command_context *c, const char *config, struct cat_ask *ask) {
    struct why why = {0};
    int code = cli_open("cat", c, config);
    if (code != CLI_OK) return code;
    (void)signal(SIGPIPE, SIG_IGN);
    struct catting k = {.c = c,
                        .json =
                            json_parser_new((struct json_parser_limits){.bytes_max = RECORD_MAX, .any_number = true}),
                        .record = BUF_INIT(RECORD_MAX + JSON_PADDING)};
    enum rc rc = cat(&k, ask, &why);
    json_parser_free(k.json);
    buf_done(&k.record);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}

/* ---- arguments ---- */

static RC parse_time(const char *text, int64_t *out_ns) {
    struct time_parse day;
    if (time_parse_rfc3339(str_of(text), out_ns) == RC_OK) return RC_OK;
    TRY(time_parse_compile(STR("%Y-%m-%d"), &day, NULL));
    return time_parse_ns(&day, str_of(text), out_ns);
}

static RC parse_where(const char *text, struct cat_ask *ask, struct cat_where *where) {
    struct str rest = str_of(text), key;
    if (ask->where_len == WHERE_MAX || !strchr(text, '=') || !str_cut(&rest, '=', &key) || !key.len) return RC_BAD;
    where[ask->where_len++] = (struct cat_where){key, rest.at ? rest : STR("")};
    return RC_OK;
}

int command_cat(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},     {"where", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct cat_where where[WHERE_MAX];
    struct cat_ask ask = {.where = where};
    const char *config = NULL;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        enum rc rc = RC_OK;
        if (key == 'c')
            config = optarg;
        else if (key == 'f')
            ask.has_from = true, rc = parse_time(optarg, &ask.from_ns);
        else if (key == 't')
            ask.has_to = true, rc = parse_time(optarg, &ask.to_ns);
        else if (key == 'w')
            rc = parse_where(optarg, &ask, where);
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else
            return cli_bad_option("cat", key, argv);
        if (rc != RC_OK && key == 'w')
            return cli_usage("cat", "--where takes KEY=VALUE, at most %d times, not %s", WHERE_MAX, optarg);
        if (rc != RC_OK) return cli_usage("cat", "%s is no time such as 2026-11-21T10:00:00Z or 2026-11-21", optarg);
    }
    if (optind + 1 < argc) return cli_usage("cat", "one PARTITION, not %s too", argv[optind + 1]);
    if (optind < argc) ask.partition = str_of(argv[optind]);
    return run(c, config, &ask);
}
