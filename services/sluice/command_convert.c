/* SPDX-License-Identifier: Apache-2.0 */
/* command_convert: the quick form: files and options on the command line become a configuration text, which is then
 * read and checked like any other. Its state lies beside the objects, so that the same command run again adds nothing.
 */
#include "cli.h"

#include "json_out.h"
#include "own.h"
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice convert --out DIR [options] FILE...\n"
    "\n"
    "Converts FILEs once, without a configuration file. The same command again adds nothing.\n"
    "\n"
    "  --converter KIND      ndjson (default), combined, raw, csv, tsv\n"
    "  --time FIELD          the field with the record's time\n"
    "  --time-format FORMAT  rfc3339 (default), epoch_s, epoch_ms, clf, or a strptime pattern\n"
    "  --partition TEMPLATE  such as 'dt={time:%Y-%m-%d}/status={status}'; default: one output\n"
    "  --format FORMAT       jsonl.zst (default) or jsonl.gz\n"
    "  --level N             compression level, default 1\n"
    "  --out DIR             where the objects go; the state is kept in DIR/_state\n"
    "  --quiet               no progress bar\n"
    "\n"
    "Exit codes: those of `sluice run --once`; 65 and 66 for a FILE that is none or not there.\n";

struct asked {
    const char *converter, *time, *time_format, *partition, *format, *level, *out;
    bool quiet;
};

/* In the configuration a $ begins a variable: a value from the command line is taken as it is. */
static void add_text(struct json_out *json, const char *key, const char *text) {
    AUTO(buf_done) struct buf doubled = BUF_INIT((size_t)64 * 1024);
    for (const char *p = text; *p; p++) {
        buf_add_char(&doubled, *p);
        if (*p == '$') buf_add_char(&doubled, '$');
    }
    json_key(json, str_of(key));
    json_str(json, buf_str(&doubled));
}

/* A name on the command line is a name, not a pattern. */
static RC add_path(struct json_out *json, const char *file, struct why *why) {
    char real[PATH_MAX];
    struct stat is;
    if (!realpath(file, real) || stat(real, &is) != 0) return why_errno(why, RC_ABSENT, errno, "%s", file);
    if (S_ISDIR(is.st_mode))
        return why_set(why, RC_BAD, "%s is a directory; name its files, such as %s/*.log", file, file);
    AUTO(buf_done) struct buf escaped = BUF_INIT(PATH_MAX * (size_t)2);
    for (const char *p = real; *p; p++) {
        if (strchr("*?[]\\", *p)) buf_add_char(&escaped, '\\');
        if (*p == '$') buf_add_char(&escaped, '$');
        buf_add_char(&escaped, *p);
    }
    json_str(json, buf_str(&escaped));
    return RC_OK;
}

static RC add_source(struct json_out *json, const struct asked *a, char **files, struct why *why) {
    json_open(json, '{');
    add_text(json, "name", "files");
    add_text(json, "converter", a->converter);
    json_key(json, STR("paths"));
    json_open(json, '[');
    for (; *files; files++) TRY(add_path(json, *files, why));
    json_close(json, ']');
    if (a->time) {
        json_key(json, STR("time"));
        json_open(json, '{');
        add_text(json, "field", a->time);
        add_text(json, "format", a->time_format);
        json_close(json, '}');
    }
    json_close(json, '}');
    return RC_OK;
}

static RC write_config(const struct asked *a, const char *out, char **files, struct buf *text, struct why *why) {
    struct json_out json = {.to = text};
    AUTO(buf_done) struct buf state = BUF_INIT(PATH_MAX * (size_t)2);
    buf_add_format(&state, "%s/_state", out);
    json_open(&json, '{');
    add_text(&json, "pipeline", "convert");
    json_key(&json, STR("sources"));
    json_open(&json, '[');
    TRY(add_source(&json, a, files, why));
    json_close(&json, ']');
    json_key(&json, STR("output"));
    json_open(&json, '{');
    add_text(&json, "url", out);
    add_text(&json, "partition", a->partition);
    add_text(&json, "format", a->format);
    json_key(&json, STR("level"));
    json_raw(&json, str_of(a->level));
    json_close(&json, '}');
    add_text(&json, "state", buf_text(&state));
    json_close(&json, '}');
    return buf_rc(text);
}

static bool take_option(struct asked *a, int c) {
    switch (c) {
    case 'c': a->converter = optarg; return true;
    case 't': a->time = optarg; return true;
    case 'F': a->time_format = optarg; return true;
    case 'p': a->partition = optarg; return true;
    case 'f': a->format = optarg; return true;
    case 'l': a->level = optarg; return true;
    case 'o': a->out = optarg; return true;
    case 'q': a->quiet = true; return true;
    default: return false;
    }
}

static int convert(const struct asked *a, char **files) {
    struct why why = {0};
    char cwd[PATH_MAX], out[PATH_MAX * 2];
    if (!getcwd(cwd, sizeof cwd)) return cli_fail(why_errno(&why, RC_DENIED, errno, "the working directory"), &why);
    (void)snprintf(out, sizeof out, "%s%s%s", a->out[0] == '/' ? "" : cwd, a->out[0] == '/' ? "" : "/", a->out);
    AUTO(buf_done) struct buf text = BUF_INIT(CONFIG_BYTES_MAX);
    enum rc rc = write_config(a, out, files, &text, &why);
    AUTO(config_done) struct config *config = NULL;
    if (rc == RC_OK) rc = config_from_text(buf_str(&text), "command line", cwd, &config, &why);
    if (rc != RC_OK) return cli_fail(rc, &why);
    cli_log(config);
    return cli_run(config, &(struct run_options){
                               .roles = RUN_ALL, .once = true, .progress = !a->quiet, .patience_ms = RUN_PATIENCE_MS});
}

int command_convert(int argc, char **argv) {
    static const struct option options[] = {{"converter", required_argument, NULL, 'c'},
                                            {"time", required_argument, NULL, 't'},
                                            {"time-format", required_argument, NULL, 'F'},
                                            {"partition", required_argument, NULL, 'p'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"level", required_argument, NULL, 'l'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct asked a = {
        .converter = "ndjson", .time_format = "rfc3339", .partition = "", .format = "jsonl.zst", .level = "1"};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        if (!take_option(&a, c)) return cli_usage("convert", "there is no such option, or its value is missing");
    }
    if (!a.out) return cli_usage("convert", "--out DIR is needed");
    if (optind == argc) return cli_usage("convert", "at least one FILE is needed");
    uint64_t level = 0;
    if (str_parse_u64(str_of(a.level), &level) != RC_OK)
        return cli_usage("convert", "--level %s is not a number", a.level);
    return convert(&a, argv + optind);
}
