/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "progress.h"
#include "signals.h"
#include "source_uri.h"
#include "status.h"
#include "own.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sys/stat.h>

static const char help[] =
    "usage: sluice status --config CONFIG [--json] [--once] [FILE...]\n"
    "\n"
    "Per file: how large it is, how much is converted and durable, its lines and rejects, and its state:\n"
    "open, closed, receipted, set aside, gone, or incomplete (gone before all of it was converted).\n"
    "On a terminal the view is live, with bars for what is durable, until all is or Ctrl-C.\n"
    "\n"
    "  FILE...          only these: a uri, a path, or the end of one\n"
    "  --json           one JSON object with all files and the total\n"
    "  --once           one table, on a terminal too\n"
    "  --config CONFIG  the pipeline's configuration\n"
    "\n"
    "Exit codes: 0 told, 2 wrong use, 66 no FILE of these names is known.\n";

enum {
    LIVE_MS = 1000,
    LIVE_ROWS = PROGRESS_ROWS_MAX - 1, /* one more stands for all other files */
};

struct options {
    const char *config;
    bool json, once;
    struct str *files;
    size_t files_len;
};

/* The file is only found where its uri still leads to it. */
static enum rc size_now(void *context, const struct ledger_listing *listing, uint64_t *out_bytes) {
    (void)context;
    AUTO(buf_done) struct buf path = BUF_INIT(SOURCE_PATH_MAX);
    struct stat found;
    if (source_uri_decode(listing->facts.uri, &path, NULL) != RC_OK) return RC_ABSENT;
    if (stat(buf_text(&path), &found) != 0 || (uint64_t)found.st_ino != listing->facts.inode) return RC_ABSENT;
    *out_bytes = (uint64_t)found.st_size;
    return RC_OK;
}

static struct status_ask ask_of(const struct options *o) {
    return (struct status_ask){.files = o->files, .files_len = o->files_len, .size = size_now};
}

static struct report report_of(const struct command_context *c) {
    return (struct report){c->store, c->ledger, c->queue, c->config->generation};
}

/* Who asked for a file is told when there is none of that name. */
static RC check_found(const struct options *o, const struct status_total *t, struct why *why) {
    if (!o->files_len || t->files) return RC_OK;
    return why_set(why, RC_ABSENT, "no file of this pipeline is called %.*s%s; `sluice status --config %s` lists them",
                   STR_ARG(o->files[0]), o->files_len > 1 ? ", nor like the others" : "", o->config);
}

/* ---- JSON ---- */

struct printing {
    FILE *out;
    struct buf text;
    struct json_out json;
};

static RC print(struct printing *p) {
    TRY(buf_rc(&p->text));
    (void)fwrite(p->text.at, 1, p->text.len, p->out); /* main looks at the stream's end */
    buf_reset(&p->text);
    return RC_OK;
}

static enum rc json_file(void *context, const struct status_file *file) {
    struct printing *p = context;
    status_json(file, &p->json);
    return print(p);
}

static RC show_json(struct command_context *c, const struct options *o, struct why *why) {
    struct report report = report_of(c);
    struct status_ask ask = ask_of(o);
    struct status_total total;
    AUTO(buf_done) struct buf text = BUF_INIT((size_t)1024 * 1024);
    struct printing p = {.out = c->out, .text = text};
    p.json.to = &p.text;
    json_open(&p.json, '{');
    json_key_u64(&p.json, STR("generation"), report.generation);
    json_key(&p.json, STR("files"));
    json_open(&p.json, '[');
    enum rc rc = status_each(&report, &ask, json_file, &p, &total, why);
    if (rc == RC_OK) {
        json_close(&p.json, ']');
        json_key(&p.json, STR("total"));
        status_total_json(&total, &p.json);
        json_close(&p.json, '}');
        buf_add_char(&p.text, '\n');
        rc = print(&p);
    }
    text = p.text;
    return rc == RC_OK ? check_found(o, &total, why) : rc;
}

/* ---- the table ---- */

static const char *bytes_text(bool known, uint64_t bytes, char out[PROGRESS_BYTES_TEXT]) {
    return known ? progress_bytes(bytes, out) : "-";
}

static enum rc table_file(void *context, const struct status_file *f) {
    const struct command_context *c = context;
    AUTO(buf_done) struct buf path = BUF_INIT(LEDGER_TEXT_MAX), shown = BUF_INIT(LEDGER_TEXT_MAX * (size_t)4);
    char size[PROGRESS_BYTES_TEXT], done[PROGRESS_BYTES_TEXT], durable[PROGRESS_BYTES_TEXT];
    report_path(f->uri, &path);
    report_show(buf_str(&path), 0, &shown);
    if (f->reason.len) {
        buf_add(&shown, STR("  ("));
        report_show(f->reason, 120, &shown);
        buf_add(&shown, STR(")"));
    }
    (void)fprintf(c->out, "%-10s %10s %10s %10s %12" PRIu64 " %9" PRIu64 "  %s\n", status_state_name(f->state),
                  bytes_text(f->size_known, f->size, size), progress_bytes(f->done, done),
                  progress_bytes(f->durable, durable), f->counts.lines, f->counts.rejects, buf_text(&shown));
    return RC_OK;
}

static void table_total(const struct command_context *c, const struct status_total *t) {
    char size[PROGRESS_BYTES_TEXT], done[PROGRESS_BYTES_TEXT], durable[PROGRESS_BYTES_TEXT];
    (void)fprintf(c->out, "%-10s %10s %10s %10s %12" PRIu64 " %9" PRIu64 "  %" PRIu64 " files", "total",
                  progress_bytes(t->size, size), progress_bytes(t->done, done), progress_bytes(t->durable, durable),
                  t->counts.lines, t->counts.rejects, t->files);
    for (int i = 0; i < STATUS_STATES; i++)
        if (t->states[i])
            (void)fprintf(c->out, ", %" PRIu64 " %s", t->states[i], status_state_name((enum status_state)i));
    (void)fputc('\n', c->out);
}

static RC show_table(struct command_context *c, const struct options *o, struct why *why) {
    struct report report = report_of(c);
    struct status_ask ask = ask_of(o);
    struct status_total total;
    (void)fprintf(c->out, "%-10s %10s %10s %10s %12s %9s  %s\n", "STATE", "SIZE", "CONVERTED", "DURABLE", "LINES",
                  "REJECTS", "FILE");
    TRY(status_each(&report, &ask, table_file, c, &total, why));
    table_total(c, &total);
    return check_found(o, &total, why);
}

/* ---- live ---- */

/* Files that are under way, and all others as one row. */
struct live {
    struct arena arena;
    struct progress_row rows[LIVE_ROWS + 1];
    size_t rows_len;
    uint64_t others;
    struct progress_row rest;
    bool finished;
};

static enum rc live_file(void *context, const struct status_file *f) {
    struct live *l = context;
    bool finished = status_finished(f);
    l->finished &= finished;
    if (finished || l->rows_len == LIVE_ROWS) {
        l->others++;
        l->rest.done += f->durable;
        l->rest.total += f->size;
        return RC_OK;
    }
    AUTO(buf_done) struct buf path = BUF_INIT(LEDGER_TEXT_MAX);
    report_path(f->uri, &path);
    l->rows[l->rows_len++] = (struct progress_row){arena_str(&l->arena, buf_str(&path)), f->durable, f->size};
    return RC_OK;
}

static RC live_look(struct command_context *c, const struct options *o, struct live *l, struct why *why) {
    struct report report = report_of(c);
    struct status_ask ask = ask_of(o);
    struct status_total total;
    arena_reset(&l->arena);
    l->rows_len = 0;
    l->others = 0;
    l->rest = (struct progress_row){0};
    l->finished = true;
    TRY(status_each(&report, &ask, live_file, l, &total, why));
    if (!l->others) return RC_OK;
    AUTO(buf_done) struct buf label = BUF_INIT(64);
    buf_add_format(&label, "%" PRIu64 " %sfiles", l->others, l->rows_len ? "other " : "");
    l->rest.label = arena_str(&l->arena, buf_str(&label));
    l->rows[l->rows_len++] = l->rest;
    return RC_OK;
}

static RC show_live(struct command_context *c, const struct options *o, struct why *why) {
    struct live live = {0};
    struct signals signals;
    TRY(signals_init(&signals, why));
    struct progress *progress = progress_open(&(struct progress_options){.fd = fileno(c->out)});
    enum rc rc = live_look(c, o, &live, why);
    while (rc == RC_OK && !live.finished && !signals_draining(&signals)) {
        progress_update(progress, live.rows, live.rows_len);
        (void)signals_wait(&signals, LIVE_MS);
        rc = live_look(c, o, &live, why);
    }
    progress_close(progress, NULL, 0);
    signals_done(&signals);
    arena_done(&live.arena);
    return rc == RC_OK ? show_table(c, o, why) : rc;
}

int command_status(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    struct options o = {0};
    struct why why = {0};
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            o.config = optarg;
        else if (key == 'j')
            o.json = true;
        else if (key == 'o')
            o.once = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else
            return cli_bad_option("status", key, argv);
    }
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    o.files_len = (size_t)(argc - optind);
    o.files = ARENA_ARRAY(&arena, struct str, o.files_len);
    for (size_t i = 0; i < o.files_len; i++) o.files[i] = str_of(argv[optind + (int)i]);
    int code = cli_open("status", c, o.config);
    if (code != CLI_OK) return code;
    enum rc rc = RC_OK;
    if (o.json)
        rc = show_json(c, &o, &why);
    else
        rc = c->terminal && !o.once ? show_live(c, &o, &why) : show_table(c, &o, &why);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}
