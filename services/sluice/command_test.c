/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "alloc.h"
#include "json.h"
#include "own.h"
#include "report.h"
#include "run.h"
#include "tryout.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: sluice test CONFIG [CASES]\n"
    "\n"
    "Runs the example cases that are kept beside CONFIG: for web.yaml the file web.tests.jsonl, or CASES. A case is a\n"
    "JSON object on a line of its own:\n"
    "\n"
    "  name        for messages\n"
    "  source      the source of CONFIG; may be left out where there is one\n"
    "  uri         of the file that the lines are of; file:///test where nothing is said\n"
    "  input       the lines from the start of a file: a text, or an array of lines\n"
    "  records     the records that are expected, in the order of the lines; compared as JSON values\n"
    "  partitions  where they go, one each; not compared where it is left out\n"
    "  rejects     the reasons of the lines that are rejects; none where it is left out\n"
    "\n"
    "Exit codes: 0 all is as expected, 1 something is not, 2 wrong use, 65 a case cannot be read.\n";

enum { NOTE_MAX = 4096 };

struct testing {
    const char *file;
    uint64_t case_number;
    struct str name;
    struct json_iter records, partitions, rejects; /* what is expected next */
    bool has_partitions;
    struct json_parser *parser; /* of what was made */
    struct buf made, note;
    uint64_t seen, wrong, cases;
    bool is_raw;
};

static void complain(struct testing *t, const char *what, struct str got, const char *wanted) {
    t->wrong++;
    buf_reset(&t->note);
    report_show(got, NOTE_MAX / 2, &t->note);
    (void)printf("%s:%llu: %.*s%srecord %llu: %s: %.*s%s\n", t->file, (unsigned long long)t->case_number,
                 STR_ARG(t->name), t->name.len ? ": " : "", (unsigned long long)t->seen, what,
                 STR_ARG(buf_str(&t->note)), wanted);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the JSON parser allows */
static bool same(struct json_node a, struct json_node b);

static bool same_members(struct json_node a, struct json_node b) {
    struct json_iter each = json_each(a);
    struct json_node mine, theirs;
    struct str key;
    if (json_count(a) != json_count(b)) return false;
    while (json_next(&each, &key, &mine))
        if (json_get(b, key, &theirs) != RC_OK || !same(mine, theirs)) return false;
    return true;
}

static bool same_items(struct json_node a, struct json_node b) {
    struct json_iter left = json_each(a), right = json_each(b);
    struct json_node mine, theirs;
    while (json_next(&left, NULL, &mine))
        if (!json_next(&right, NULL, &theirs) || !same(mine, theirs)) return false;
    return !json_next(&right, NULL, &theirs);
}

/* Integers by their digits, other numbers by their value: 1.50 is 1.5. */
static bool same_scalar(struct json_node a, struct json_node b) {
    char digits[2][JSON_NUMBER_MAX];
    struct str mine = {0}, theirs = {0};
    if (json_text(a, digits[0], &mine) != RC_OK || json_text(b, digits[1], &theirs) != RC_OK) return false;
    if (str_equal(mine, theirs)) return true;
    double x = 0, y = 0;
    bool fractions = json_type(a) == JSON_DOUBLE || json_type(b) == JSON_DOUBLE;
    return fractions && json_get_double(a, &x) == RC_OK && json_get_double(b, &y) == RC_OK && x == y;
}

static bool is_number(enum json_type type) { return type == JSON_I64 || type == JSON_U64 || type == JSON_DOUBLE; }

static bool same(struct json_node a, struct json_node b) {
    enum json_type x = json_type(a), y = json_type(b);
    if (x != y && !(is_number(x) && is_number(y))) return false;
    if (x == JSON_OBJECT) return same_members(a, b);
    if (x == JSON_ARRAY) return same_items(a, b);
    return same_scalar(a, b);
}
/* NOLINTEND(misc-no-recursion) */

static bool is_as_expected(struct testing *t, struct str record, struct json_node expected) {
    struct json_node got;
    struct str text;
    if (t->is_raw) return json_get_str(expected, &text) == RC_OK && str_equal(text, record);
    buf_reset(&t->made);
    buf_add(&t->made, record);
    if (buf_reserve(&t->made, JSON_PADDING) != RC_OK) return false;
    return json_parse(t->parser, buf_str(&t->made), &got, NULL) == RC_OK && same(got, expected);
}

static enum rc compare_record(void *context, struct str path, struct str record) {
    struct testing *t = context;
    struct json_node expected, partition;
    struct str wanted;
    t->seen++;
    if (!json_next(&t->records, NULL, &expected)) {
        complain(t, "is not expected", record, "");
        return RC_OK;
    }
    if (!is_as_expected(t, record, expected)) complain(t, "is", record, ", which is not what is expected");
    if (!t->has_partitions) return RC_OK;
    bool there = json_next(&t->partitions, NULL, &partition) && json_get_str(partition, &wanted) == RC_OK;
    if (!there || !str_equal(wanted, path)) complain(t, "goes to", path, ", which is not where it is expected");
    return RC_OK;
}

static void compare_reject(struct testing *t, const struct tryout_line *line) {
    const struct slice_counts *c = &line->result->counts;
    struct json_node expected;
    struct str wanted = {0};
    enum converter_reason reason = REASON_NONE;
    for (enum converter_reason r = REASON_NONE; r < REASON_COUNT; r++)
        if (c->reasons[r]) reason = r;
    const char *name = converter_reason_name(reason);
    bool there = json_next(&t->rejects, NULL, &expected) && json_get_str(expected, &wanted) == RC_OK;
    if (there && str_equal(wanted, str_of(name))) return;
    t->wrong++;
    buf_reset(&t->note);
    report_show(line->text, NOTE_MAX / 2, &t->note);
    (void)printf("%s:%llu: %.*s%sline %llu is a reject, %s: %.*s; expected: %.*s\n", t->file,
                 (unsigned long long)t->case_number, STR_ARG(t->name), t->name.len ? ": " : "",
                 (unsigned long long)line->number, name, STR_ARG(buf_str(&t->note)),
                 STR_ARG(there ? wanted : STR("no reject")));
}

static enum rc compare_line(void *context, const struct tryout_line *line, struct why *why) {
    (void)why;
    struct testing *t = context;
    if (line->result->counts.rejects) compare_reject(t, line);
    return tryout_records(line->result, false, compare_record, t);
}

static void compare_rest(struct testing *t, struct json_iter *rest, const char *what) {
    struct json_node node;
    size_t missing = 0;
    while (json_next(rest, NULL, &node)) missing++;
    if (!missing) return;
    t->wrong++;
    (void)printf("%s:%llu: %.*s%s%zu more %s expected\n", t->file, (unsigned long long)t->case_number, STR_ARG(t->name),
                 t->name.len ? ": " : "", missing, what);
}

/* ---- a case */

static RC input_of(struct json_node root, struct buf *out) {
    struct json_node input, line;
    struct str text;
    TRY(json_get(root, STR("input"), &input));
    if (json_type(input) == JSON_STR) {
        TRY(json_get_str(input, &text));
        buf_add(out, text);
    } else {
        struct json_iter each = json_each(input);
        if (json_type(input) != JSON_ARRAY) return RC_BAD;
        while (json_next(&each, NULL, &line)) {
            TRY(json_get_str(line, &text));
            buf_add(out, text);
            buf_add_char(out, '\n');
        }
    }
    return buf_rc(out);
}

static struct json_iter list_of(struct json_node root, struct str key, bool *out_there) {
    struct json_node node = JSON_NODE_NONE;
    *out_there = json_get(root, key, &node) == RC_OK && json_type(node) == JSON_ARRAY;
    return json_each(node);
}

static struct str text_of(struct json_node root, struct str key) {
    struct json_node node;
    struct str text = {0};
    if (json_get(root, key, &node) != RC_OK || json_get_str(node, &text) != RC_OK) return (struct str){0};
    return text;
}

static RC check_keys(struct json_node root, struct why *why) {
    static const char *const known[] = {"name", "source", "uri", "input", "records", "partitions", "rejects"};
    struct json_iter each = json_each(root);
    struct json_node node;
    struct str key;
    if (json_type(root) != JSON_OBJECT) return why_set(why, RC_BAD, "a case is a JSON object");
    while (json_next(&each, &key, &node)) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) found = found || str_equal(key, str_of(known[i]));
        if (!found)
            return why_set(why, RC_BAD, "\"%.*s\" is not one of name, source, uri, input, records, partitions, rejects",
                           STR_ARG(key));
    }
    return RC_OK;
}

static RC run_case(struct testing *t, const struct config *config, struct json_node root, struct why *why) {
    AUTO(buf_done) struct buf input = BUF_INIT(TRYOUT_BYTES_MAX);
    bool has_records = false, has_rejects = false;
    TRY(check_keys(root, why));
    t->name = text_of(root, STR("name"));
    t->records = list_of(root, STR("records"), &has_records);
    t->partitions = list_of(root, STR("partitions"), &t->has_partitions);
    t->rejects = list_of(root, STR("rejects"), &has_rejects);
    t->seen = 0;
    if (input_of(root, &input) != RC_OK || !has_records)
        return why_set(why, RC_BAD, "a case needs \"input\", a text or an array of lines, and the array \"records\"");
    size_t len = input.len;
    TRY(buf_reserve(&input, JSON_PADDING));
    memset(input.at + len, 0, JSON_PADDING);
    struct str uri = text_of(root, STR("uri"));
    struct tryout ask = {.config = config,
                         .uri = uri.at ? uri : STR("file:///test"),
                         .bytes = {input.at, len},
                         .closed = true,
                         .lines_max = UINT64_MAX,
                         .visit = compare_line,
                         .context = t};
    TRY(tryout_source(config, text_of(root, STR("source")), STR(""), &ask.source, why));
    t->is_raw = ask.source->converter == CONFIG_RAW;
    TRY(tryout_lines(&ask, why));
    compare_rest(t, &t->records, "records are");
    compare_rest(t, &t->rejects, "rejects are");
    t->cases++;
    return RC_OK;
}

static RC run_cases(struct testing *t, const struct config *config, struct str text, struct why *why) {
    AUTO(json_parser_done)
    struct json_parser *parser =
        json_parser_new((struct json_parser_limits){.bytes_max = TRYOUT_BYTES_MAX, .any_number = true});
    struct str line;
    while (str_cut(&text, '\n', &line)) {
        struct json_node root;
        t->case_number++;
        if (!str_trim(line).len) continue;
        enum rc rc = json_parse(parser, line, &root, why);
        if (rc == RC_OK) rc = run_case(t, config, root, why);
        if (rc != RC_OK)
            return why_wrap(why, rc == RC_LIMIT ? RC_BAD : rc, "%s:%llu", t->file, (unsigned long long)t->case_number);
    }
    return RC_OK;
}

static RC read_cases(const char *path, char *to, size_t *out_len, struct why *why) {
    AUTO(own_fclose) FILE *file = fopen(path, "re");
    if (!file) return why_errno(why, RC_ABSENT, errno, "%s: the cases cannot be read", path);
    *out_len = fread(to, 1, TRYOUT_BYTES_MAX, file);
    if (ferror(file)) return why_errno(why, RC_DENIED, errno, "%s", path);
    return *out_len < TRYOUT_BYTES_MAX ? RC_OK : why_set(why, RC_BAD, "%s: larger than 8 MiB", path);
}

/* web.yaml: web.tests.jsonl */
static void beside(const char *config, char out[PATH_MAX]) {
    const char *slash = strrchr(config, '/'), *dot = strrchr(config, '.');
    size_t len = dot && (!slash || dot > slash + 1) ? (size_t)(dot - config) : strlen(config);
    (void)snprintf(out, PATH_MAX, "%.*s.tests.jsonl", (int)len, config);
}

static int test(const char *config_path, const char *cases) {
    struct why why = {0};
    AUTO(config_done) struct config *config = NULL;
    AUTO(own_free) char *text = alloc_zero(TRYOUT_BYTES_MAX + JSON_PADDING, 1);
    size_t len = 0;
    struct testing t = {.file = cases, .made = BUF_INIT(TRYOUT_BYTES_MAX), .note = BUF_INIT(NOTE_MAX * (size_t)4)};
    t.parser = json_parser_new((struct json_parser_limits){.bytes_max = TRYOUT_BYTES_MAX, .any_number = true});
    enum rc rc = config_load(config_path, &config, &why);
    if (rc == RC_OK) rc = run_check_sources(config, &why);
    if (rc == RC_OK) rc = read_cases(cases, text, &len, &why);
    if (rc == RC_OK) rc = run_cases(&t, config, (struct str){text, len}, &why);
    json_parser_free(t.parser);
    buf_done(&t.made);
    buf_done(&t.note);
    if (rc != RC_OK) return cli_fail(rc, &why);
    (void)printf("%llu cases, %llu differences\n", (unsigned long long)t.cases, (unsigned long long)t.wrong);
    return t.wrong ? CLI_NO : CLI_OK;
}

int command_test(int argc, char **argv) {
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h') return fputs(help, stdout), CLI_OK;
        return cli_usage("test", "there is no such option");
    }
    int given = argc - optind;
    if (given < 1 || given > 2) return cli_usage("test", "CONFIG is needed, and CASES may follow");
    char path[PATH_MAX];
    beside(argv[optind], path);
    return test(argv[optind], given == 2 ? argv[optind + 1] : path);
}
