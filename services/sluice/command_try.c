/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "alloc.h"
#include "json_out.h"
#include "num.h"
#include "own.h"
#include "report.h"
#include "run.h"
#include "run_settings.h"
#include "source_uri.h"
#include "tryout.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: sluice try CONFIG FILE [--source S] [--lines N] [--json]\n"
    "\n"
    "Shows what CONFIG makes of the first lines of FILE (- is standard input): the line, then its record behind the\n"
    "partition that it goes to, or why it is a reject, or that it makes no record. Writes nothing and starts nothing.\n"
    "FILE may be compressed, or in another encoding, as CONFIG says.\n"
    "\n"
    "  --source S  the source of CONFIG that FILE is of; needed where none of several matches its path\n"
    "  --lines N   20 where nothing is said\n"
    "  --json      an object a line: line, input, records [{partition, record}], reject {reason, detail}, filtered, "
    "blank\n";

enum { SHOWN = 400 };

struct trying {
    bool json, is_raw;
    struct buf text;
    struct json_out out;
    uint64_t lines, records, rejects, filtered, blank;
};

static enum rc show_record(void *context, struct str path, struct str record) {
    struct trying *t = context;
    t->records++;
    if (t->json) {
        json_open(&t->out, '{');
        json_key_str(&t->out, STR("partition"), path);
        json_key(&t->out, STR("record"));
        if (t->is_raw)
            json_str(&t->out, record);
        else
            json_raw(&t->out, record);
        json_close(&t->out, '}');
        return RC_OK;
    }
    buf_add(&t->text, STR("  -> "));
    report_show(path.len ? path : STR("(one output)"), 0, &t->text);
    buf_add(&t->text, STR("  "));
    report_show(record, 0, &t->text);
    buf_add_char(&t->text, '\n');
    return RC_OK;
}

/* "reason":"…","detail":"…" out of a reject's record; both are JSON strings in it, as they are to be shown. */
static struct str member(struct str record, const char *name) {
    char key[32];
    int len = snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = memmem(record.at, record.len, key, (size_t)len);
    if (!at) return (struct str){0};
    const char *from = at + len, *to = from;
    while (*to != '"') to += *to == '\\' ? 2 : 1;
    return (struct str){from, (size_t)(to - from)};
}

static enum rc show_reject(void *context, struct str path, struct str record) {
    struct trying *t = context;
    (void)path;
    t->rejects++;
    const char *raw = memmem(record.at, record.len, ",\"raw", 5); /* the line may look like a member */
    struct str head = {record.at, raw ? (size_t)(raw - record.at) : record.len};
    struct str reason = member(head, "reason"), detail = member(head, "detail");
    if (t->json) {
        json_key(&t->out, STR("reject"));
        buf_add_format(&t->text, "{\"reason\":\"%.*s\"", STR_ARG(reason));
        if (detail.len) buf_add_format(&t->text, ",\"detail\":\"%.*s\"", STR_ARG(detail));
        buf_add_char(&t->text, '}');
        t->out.need_comma = true;
        return RC_OK;
    }
    buf_add_format(&t->text, "  -> reject: %.*s%s%.*s\n", STR_ARG(reason), detail.len ? ": " : "", STR_ARG(detail));
    return RC_OK;
}

static void show_json(struct trying *t, const struct tryout_line *line) {
    const struct slice_counts *c = &line->result->counts;
    t->out = (struct json_out){.to = &t->text};
    json_open(&t->out, '{');
    json_key_u64(&t->out, STR("line"), line->number);
    json_key_str(&t->out, STR("input"), line->text);
    json_key(&t->out, STR("records"));
    json_open(&t->out, '[');
    (void)tryout_records(line->result, false, show_record, t);
    json_close(&t->out, ']');
    (void)tryout_records(line->result, true, show_reject, t);
    if (c->filtered) json_key_bool(&t->out, STR("filtered"), true);
    if (c->blank) json_key_bool(&t->out, STR("blank"), true);
    json_close(&t->out, '}');
    buf_add_char(&t->text, '\n');
}

static void show_words(struct trying *t, const struct tryout_line *line) {
    const struct slice_counts *c = &line->result->counts;
    buf_add_format(&t->text, "%llu  ", (unsigned long long)line->number);
    report_show(line->text, SHOWN, &t->text);
    buf_add_char(&t->text, '\n');
    (void)tryout_records(line->result, false, show_record, t);
    (void)tryout_records(line->result, true, show_reject, t);
    if (c->filtered) buf_add(&t->text, STR("  -> filtered\n"));
    if (c->blank) buf_add(&t->text, STR("  -> no record (blank, or a header)\n"));
}

static enum rc show(void *context, const struct tryout_line *line, struct why *why) {
    struct trying *t = context;
    buf_reset(&t->text);
    if (t->json)
        show_json(t, line);
    else
        show_words(t, line);
    t->lines++;
    t->filtered += line->result->counts.filtered;
    t->blank += line->result->counts.blank;
    TRY(buf_rc(&t->text));
    return fwrite(t->text.at, 1, t->text.len, stdout) == t->text.len ? RC_OK
                                                                     : why_set(why, RC_LIMIT, "standard output");
}

/* The first bytes of a file's text. */
struct beginning {
    char *bytes; /* room for TRYOUT_BYTES_MAX */
    size_t len;
    bool whole;               /* it is all of the text */
    struct decode_state stop; /* where it stops */
};

static void free_decode(struct decode **decode) { decode_free(*decode); }

/* `raw` are the file's next bytes. False: that is enough, or there is no way on. */
static bool decode_some(struct decode *decode, struct str raw, struct beginning *to) {
    struct decode_piece piece = {raw.at, raw.len, to->bytes + to->len, 0};
    for (size_t before = SIZE_MAX; to->len != before;) {
        before = to->len;
        piece.out_room = TRYOUT_BYTES_MAX - to->len;
        if (piece.out_room >= CHARSET_BYTES_MAX) decode_step(decode, &piece);
        to->len = (size_t)(piece.out - to->bytes);
    }
    to->stop = decode_state(decode);
    return !piece.in_len && TRYOUT_BYTES_MAX - to->len >= CHARSET_BYTES_MAX;
}

static RC read_file(const char *path, const struct config_source *source, struct beginning *out, struct why *why) {
    enum { PIECE = 64 * 1024 };
    static char raw[PIECE];
    bool is_stdin = strcmp(path, "-") == 0;
    AUTO(own_fclose) FILE *opened = is_stdin ? NULL : fopen(path, "re");
    FILE *file = is_stdin ? stdin : opened;
    if (!file) return why_errno(why, RC_ABSENT, errno, "%s", path);
    size_t len = fread(raw, 1, PIECE, file);
    struct source_view view = run_view(source);
    if (view.automatic) view.text.decode.kind = decode_kind_of((struct str){raw, MIN(len, (size_t)DECODE_MAGIC_MAX)});
    AUTO(free_decode) struct decode *decode = decode_new(&view.text.decode);
    while (decode_some(decode, (struct str){raw, len}, out) && len) len = fread(raw, 1, PIECE, file);
    struct decode_piece rest = {NULL, 0, out->bytes + out->len, TRYOUT_BYTES_MAX - out->len};
    out->whole = !len;
    if (out->whole) out->len += decode_rest(decode, &rest);
    return ferror(file) ? why_errno(why, RC_DENIED, errno, "%s", path) : RC_OK;
}

static void tell_stop(const struct beginning *b) {
    if (b->stop.status == DECODE_DAMAGED || b->stop.status == DECODE_LIMIT)
        (void)fprintf(stderr, "sluice: the text stops at its byte %zu: %s, in the member that begins at byte %llu\n",
                      b->len, b->stop.words, (unsigned long long)b->stop.member_at);
    else if (b->whole && b->stop.status == DECODE_GOING)
        (void)fprintf(stderr, "sluice: the text stops at its byte %zu: the file is cut off\n", b->len);
}

static RC try_file(const struct config *config, const char *path, struct str source, struct trying *t, uint64_t lines,
                   struct why *why) {
    AUTO(own_free) char *bytes = alloc_zero(TRYOUT_BYTES_MAX + JSON_PADDING, 1);
    AUTO(buf_done) struct buf uri = BUF_INIT(SOURCE_URI_MAX);
    char real[PATH_MAX] = "";
    struct tryout ask = {.config = config, .lines_max = lines, .visit = show, .context = t};
    struct beginning beginning = {.bytes = bytes};
    TRY(run_check_sources(config, why));
    if (!realpath(path, real)) real[0] = '\0';
    TRY(tryout_source(config, source, str_of(real), &ask.source, why));
    TRY(read_file(path, ask.source, &beginning, why));
    TRY(source_uri_encode(str_of(real[0] ? real : "/stdin"), &uri));
    ask.uri = buf_str(&uri);
    t->is_raw = ask.source->converter == CONFIG_RAW;
    ask.bytes = (struct str){bytes, beginning.len};
    ask.closed = beginning.whole;
    TRY(tryout_lines(&ask, why));
    tell_stop(&beginning);
    return RC_OK;
}

int command_try(int argc, char **argv) {
    static const struct option options[] = {{"source", required_argument, NULL, 's'},
                                            {"lines", required_argument, NULL, 'n'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct trying t = {.text = BUF_INIT(64u << 20)};
    struct str source = {0};
    uint64_t lines = 20;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (c == 's')
            source = str_of(optarg);
        else if (c == 'j')
            t.json = true;
        else if (c != 'n')
            return cli_usage("try", "there is no such option, or its value is missing");
        else if (str_parse_u64(str_of(optarg), &lines) != RC_OK)
            return cli_usage("try", "--lines %s is not a number", optarg);
    }
    if (argc - optind != 2) return cli_usage("try", "CONFIG and FILE are needed, %d given", argc - optind);
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    enum rc rc = config_load(argv[optind], &config, &why);
    if (rc == RC_OK) rc = try_file(config, argv[optind + 1], source, &t, lines, &why);
    buf_done(&t.text);
    if (rc != RC_OK) return cli_fail(rc, &why);
    if (!t.json)
        (void)printf("%llu lines: %llu records, %llu rejects, %llu filtered, %llu without a record\n",
                     (unsigned long long)t.lines, (unsigned long long)t.records, (unsigned long long)t.rejects,
                     (unsigned long long)t.filtered, (unsigned long long)t.blank);
    return CLI_OK;
}
