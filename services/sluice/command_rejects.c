/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"
#include "command.h"
#include "converter.h"
#include "rejects.h"
#include "own.h"

#include <getopt.h>
#include <inttypes.h>

static const char help[] =
    "usage: sluice rejects --config CONFIG [--source S] [--reason R] [--file F] [--json | --raw]\n"
    "\n"
    "The lines that could not be converted: file and line number (as an editor counts; in a file that is not\n"
    "converted up to there yet, the stripe and the line in it), place, reason, and the line itself.\n"
    "\n"
    "  --source S       only of this source\n"
    "  --reason R       only of this reason: json, utf8, time, format, …; INTERFACES.md has all\n"
    "  --file F         only of this file: a uri, a path, or the end of one\n"
    "  --json           one JSON object a line\n"
    "  --raw            nothing but the lines, as they are in the file (long ones cut, as they are stored)\n"
    "  --config CONFIG  the pipeline's configuration\n";

enum { SHOWN_ON_TERMINAL = 120 }; /* bytes of a line that help to recognise it */

struct printing {
    struct command_context *c;
    bool json, raw;
    struct buf text;
};

static void in_words(struct printing *p, const struct rejects_line *line) {
    AUTO(buf_done) struct buf path = BUF_INIT(LEDGER_TEXT_MAX);
    report_path(line->uri, &path);
    report_show(buf_str(&path), 0, &p->text);
    if (line->line_known)
        buf_add_format(&p->text, ":%" PRIu64 ":", line->line);
    else
        buf_add_format(&p->text, ":stripe %" PRIu64 " line %" PRIu64 ":", line->stripe, line->line_in_stripe + 1);
    buf_add_format(&p->text, " %.*s", STR_ARG(line->reason));
    if (line->detail.len) {
        buf_add(&p->text, STR(": "));
        report_show(line->detail, 0, &p->text);
    }
    buf_add_format(&p->text, " (source %.*s, offset %" PRIu64 ", %" PRIu64 " bytes): ", STR_ARG(line->source),
                   line->offset, line->length);
    report_show(line->raw, p->c->terminal ? SHOWN_ON_TERMINAL : 0, &p->text);
    if (line->truncated) buf_add(&p->text, STR(" [cut]"));
    buf_add_char(&p->text, '\n');
}

static enum rc print(void *context, const struct rejects_line *line) {
    struct printing *p = context;
    buf_reset(&p->text);
    if (p->json) {
        rejects_json(line, &p->text);
    } else if (p->raw) {
        buf_add(&p->text, line->raw);
        buf_add_char(&p->text, '\n');
    } else {
        in_words(p, line);
    }
    TRY(buf_rc(&p->text));
    return fwrite(p->text.at, 1, p->text.len, p->c->out) == p->text.len ? RC_OK : RC_STOP;
}

static int run(struct command_context *c, const struct rejects_ask *ask, bool json, bool raw) {
    struct report report = {c->store, c->ledger, c->queue, c->config->generation};
    struct printing p = {.c = c, .json = json, .raw = raw, .text = BUF_INIT((size_t)8 * 1024 * 1024)};
    struct why why = {0};
    enum rc rc = rejects_each(&report, ask, print, &p, &why);
    buf_done(&p.text);
    return rc == RC_OK ? CLI_OK : cli_fail(rc, &why);
}

static bool is_reason(struct str name) {
    for (int i = 1; i < REASON_COUNT; i++)
        if (str_equal(name, str_of(converter_reason_name((enum converter_reason)i)))) return true;
    return false;
}

int command_rejects(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"source", required_argument, NULL, 's'},
        {"reason", required_argument, NULL, 'r'}, {"file", required_argument, NULL, 'f'},
        {"json", no_argument, NULL, 'j'},         {"raw", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *config = NULL;
    struct rejects_ask ask = {0};
    bool json = false, raw = false;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            config = optarg;
        else if (key == 's')
            ask.source = str_of(optarg);
        else if (key == 'r')
            ask.reason = str_of(optarg);
        else if (key == 'f')
            ask.file = str_of(optarg);
        else if (key == 'j')
            json = true;
        else if (key == 'w')
            raw = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else
            return cli_bad_option("rejects", key, argv);
    }
    if (json && raw) return cli_usage("rejects", "--json and --raw are two ways to show a reject");
    if (ask.reason.len && !is_reason(ask.reason))
        return cli_usage("rejects", "there is no reason \"%.*s\"", STR_ARG(ask.reason));
    if (optind < argc) return cli_usage("rejects", "what is %s? A file is given by --file", argv[optind]);
    int code = cli_open("rejects", c, config);
    return code == CLI_OK ? run(c, &ask, json, raw) : code;
}
