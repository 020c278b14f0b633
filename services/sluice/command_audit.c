/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include "cli.h"
#include "command.h"
#include "progress.h"
#include "status.h"
#include "own.h"

#include <getopt.h>
#include <inttypes.h>
#include <unistd.h>

static const char help[] =
    "usage: sluice audit --config CONFIG [--deep] [--json] [--generation N]\n"
    "\n"
    "Is every line there, once? Compares the ledger, the seals, the manifests, the objects and the receipts:\n"
    "lines = converted + rejects + filtered + blank for every file, no gap and no overlap in the ranges that\n"
    "objects come from, no object missing, changed or without a manifest. What is converted and not durable\n"
    "yet is in progress, and no error.\n"
    "\n"
    "  --deep           read every object back: checksums, footers, records\n"
    "  --json           one JSON object: files, findings, summary, clean\n"
    "  --generation N   of the data, instead of the configured one\n"
    "  --config CONFIG  the pipeline's configuration\n"
    "\n"
    "Exit code 0: clean. 1: something is wrong, and named. Others: the audit could not be made.\n";

enum { FINDINGS_TEXT_MAX = 16 * 1024 * 1024 }; /* of JSON that is kept for its place in the document */

struct auditing {
    struct command_context *c;
    bool json;
    struct buf text; /* what is printed next */
    struct json_out files;
    struct buf findings; /* JSON, until the files are told */
    struct json_out findings_json;
    uint64_t left_out;
    struct progress *progress;
};

static void print(struct auditing *a, struct buf *text) {
    (void)fwrite(text->at, 1, text->len, a->c->out);
    buf_reset(text);
}

/* ---- findings ---- */

static void finding_json(struct json_out *json, const struct audit_finding *f) {
    char id[ID_TEXT];
    json_open(json, '{');
    json_key_str(json, STR("kind"), str_of(audit_kind_name(f->kind)));
    if (f->has_file) json_key_str(json, STR("file"), str_of(id_format(f->file, id)));
    if (f->uri.len) json_key_str(json, STR("uri"), f->uri);
    if (f->has_range) {
        json_key_u64(json, STR("stripe"), f->stripe);
        json_key_u64(json, STR("from"), f->from);
        json_key_u64(json, STR("to"), f->to);
    }
    if (!id_is_none(f->attempt)) json_key_str(json, STR("attempt"), str_of(id_format(f->attempt, id)));
    if (f->key.len) json_key_str(json, STR("key"), f->key);
    json_key_str(json, STR("words"), f->words);
    json_close(json, '}');
}

static void finding_text(struct buf *out, const struct audit_finding *f) {
    char id[ID_TEXT];
    buf_add_format(out, "%s:", audit_kind_name(f->kind));
    if (f->key.len) {
        buf_add_char(out, ' ');
        report_show(f->key, 0, out);
    }
    if (f->has_file) {
        AUTO(buf_done) struct buf path = BUF_INIT(LEDGER_TEXT_MAX);
        report_path(f->uri, &path);
        buf_add_format(out, " file %s ", id_format(f->file, id));
        report_show(buf_str(&path), 0, out);
    }
    if (f->has_range)
        buf_add_format(out, " stripe %" PRIu64 " bytes [%" PRIu64 ", %" PRIu64 ")", f->stripe, f->from, f->to);
    if (!id_is_none(f->attempt)) buf_add_format(out, " attempt %s", id_format(f->attempt, id));
    buf_add(out, STR(": "));
    report_show(f->words, 0, out);
    buf_add_char(out, '\n');
}

static void found(void *context, const struct audit_finding *f) {
    struct auditing *a = context;
    if (!a->json) {
        finding_text(&a->text, f);
        print(a, &a->text);
        return;
    }
    size_t before = a->findings.len;
    struct json_out json = a->findings_json;
    finding_json(&json, f);
    if (buf_rc(&a->findings) == RC_OK) {
        a->findings_json = json;
        return;
    }
    a->findings.len = before;
    a->left_out++;
}

/* ---- files ---- */

static enum rc file_json(void *context, const struct audit_file *f) {
    struct auditing *a = context;
    const struct ledger_listing *l = &f->listing;
    static const char *const states[] = {[LEDGER_OPEN] = "open",
                                         [LEDGER_CLOSED] = "closed",
                                         [LEDGER_RECEIPTED] = "receipted",
                                         [LEDGER_SET_ASIDE] = "set aside"};
    char id[ID_TEXT];
    struct json_out *json = &a->files;
    json_open(json, '{');
    json_key_str(json, STR("file"), str_of(id_format(l->file, id)));
    json_key_str(json, STR("source"), l->facts.source);
    json_key_str(json, STR("uri"), l->facts.uri);
    json_key_str(json, STR("state"), str_of(states[l->state]));
    json_key_u64(json, STR("outstanding"), l->outstanding);
    json_key(json, STR("counts"));
    status_counts_json(&l->counts, json);
    json_key(json, STR("manifests"));
    status_counts_json(&f->manifests, json);
    json_key_u64(json, STR("findings"), f->findings);
    json_close(json, '}');
    print(a, &a->text);
    return RC_OK;
}

static enum rc deep_progress(void *context, uint64_t done, uint64_t total) {
    struct auditing *a = context;
    struct progress_row row = {STR("objects read back"), done, total};
    if (a->progress) progress_update(a->progress, &row, 1);
    return RC_OK;
}

/* ---- the end ---- */

static void summary_json(struct auditing *a, const struct audit_result *r, bool deep, uint64_t generation) {
    struct json_out *json = &a->files;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"findings", r->findings},
                   {"findings_left_out", a->left_out},
                   {"files", r->files},
                   {"stripes", r->stripes},
                   {"attempts", r->attempts},
                   {"seals", r->seals},
                   {"manifests", r->manifests},
                   {"objects", r->objects},
                   {"object_bytes", r->object_bytes},
                   {"receipts", r->receipts},
                   {"deep_objects", r->deep_objects},
                   {"deep_bytes", r->deep_bytes},
                   {"deep_records", r->deep_records},
                   {"in_progress", r->in_progress},
                   {"seals_in_progress", r->seals_in_progress},
                   {"objects_in_progress", r->objects_in_progress},
                   {"objects_foreign", r->objects_foreign},
                   {"lost_attempts", r->lost_attempts},
                   {"lost_lines", r->lost_lines},
                   {"lost_bytes", r->lost_bytes},
                   {"rejects_live", r->rejects_live},
                   {"rejects_redriven", r->rejects_redriven},
                   {"passes", r->passes}};
    json_close(json, ']');
    json_key(json, STR("findings"));
    json_raw(json, STR("["));
    buf_add(&a->text, buf_str(&a->findings));
    buf_add(&a->text, STR("]"));
    json_key(json, STR("summary"));
    json_open(json, '{');
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_key_u64(json, str_of(numbers[i].key), numbers[i].value);
    json_key(json, STR("ledger"));
    status_counts_json(&r->ledger, json);
    json_key(json, STR("manifest_counts"));
    status_counts_json(&r->manifests_counts, json);
    json_close(json, '}');
    json_key_u64(json, STR("generation"), generation);
    json_key_bool(json, STR("deep"), deep);
    json_key_bool(json, STR("removed"), r->removed);
    json_key_bool(json, STR("clean"), r->findings == 0);
    json_close(json, '}');
    buf_add_char(&a->text, '\n');
    print(a, &a->text);
}

static void summary_text(const struct auditing *a, const struct audit_result *r, bool deep) {
    FILE *out = a->c->out;
    char bytes[PROGRESS_BYTES_TEXT];
    const struct counts *n = &r->ledger;
    if (r->removed) {
        (void)fprintf(out, "the generation was removed: there is nothing to audit\nclean\n");
        return;
    }
    (void)fprintf(out,
                  "%" PRIu64 " files, %" PRIu64 " lines = %" PRIu64 " converted + %" PRIu64 " rejects + %" PRIu64
                  " filtered + %" PRIu64 " blank\n",
                  r->files, n->lines, n->converted, n->rejects, n->filtered, n->blank);
    (void)fprintf(out, "%" PRIu64 " attempts, %" PRIu64 " manifests, %" PRIu64 " objects of %s, %" PRIu64 " receipts\n",
                  r->attempts, r->manifests, r->objects, progress_bytes(r->object_bytes, bytes), r->receipts);
    if (r->rejects_redriven)
        (void)fprintf(out,
                      "%" PRIu64 " rejects = %" PRIu64 " live + %" PRIu64
                      " converted again (these lines are counted twice above)\n",
                      r->rejects_live + r->rejects_redriven, r->rejects_live, r->rejects_redriven);
    if (deep)
        (void)fprintf(out, "%" PRIu64 " objects of %s read back, %" PRIu64 " records and rejects counted\n",
                      r->deep_objects, progress_bytes(r->deep_bytes, bytes), r->deep_records);
    if (r->in_progress || r->seals_in_progress || r->objects_in_progress)
        (void)fprintf(out,
                      "in progress: %" PRIu64 " messages, %" PRIu64 " sealed batches, %" PRIu64
                      " objects without a manifest\n",
                      r->in_progress, r->seals_in_progress, r->objects_in_progress);
    if (r->lost_attempts)
        (void)fprintf(out,
                      "accepted as lost by `sluice repair`: %" PRIu64 " of these lines, %s of input in %" PRIu64
                      " attempts\n",
                      r->lost_lines, progress_bytes(r->lost_bytes, bytes), r->lost_attempts);
    if (r->findings)
        (void)fprintf(out, "NOT CLEAN: %" PRIu64 " findings\n", r->findings);
    else
        (void)fprintf(out, "clean\n");
}

static RC audit(struct auditing *a, const struct report *report, bool deep, struct audit_result *out, struct why *why) {
    struct audit_options options = {.deep = deep,
                                    .found = found,
                                    .file = a->json ? file_json : NULL,
                                    .progress = deep ? deep_progress : NULL,
                                    .context = a};
    if (a->json) {
        json_open(&a->files, '{');
        json_key(&a->files, STR("files"));
        json_open(&a->files, '[');
    } else if (deep && isatty(fileno(a->c->err)) == 1) {
        a->progress = progress_open(&(struct progress_options){.fd = fileno(a->c->err)});
    }
    enum rc rc = audit_run(report, &options, out, why);
    progress_close(a->progress, NULL, 0);
    return rc;
}

static int run(struct command_context *c, bool json, bool deep, uint64_t generation) {
    struct report report = {c->store, c->ledger, c->queue, generation};
    struct audit_result result;
    struct why why = {0};
    struct auditing a = {.c = c,
                         .json = json,
                         .text = BUF_INIT(FINDINGS_TEXT_MAX + (size_t)1024 * 1024),
                         .findings = BUF_INIT(FINDINGS_TEXT_MAX)};
    a.files.to = &a.text;
    a.findings_json.to = &a.findings;
    report.ledger.at.generation = generation;
    enum rc rc = audit(&a, &report, deep, &result, &why);
    if (rc == RC_OK && json)
        summary_json(&a, &result, deep, generation);
    else if (rc == RC_OK)
        summary_text(&a, &result, deep);
    buf_done(&a.text);
    buf_done(&a.findings);
    if (rc != RC_OK) return cli_fail(rc, &why);
    return result.findings ? CLI_NO : CLI_OK;
}

int command_audit(int argc, char **argv, struct command_context *c) {
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"deep", no_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'j'},         {"generation", required_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *config = NULL;
    bool json = false, deep = false;
    uint64_t generation = 0;
    opterr = 0;
    optind = 0; /* GNU: begin anew */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the main thread, before there is any other */
    for (int key; (key = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        if (key == 'c')
            config = optarg;
        else if (key == 'd')
            deep = true;
        else if (key == 'j')
            json = true;
        else if (key == 'h')
            return fputs(help, c->out), CLI_OK;
        else if (key != 'g')
            return cli_bad_option("audit", key, argv);
        else if (str_parse_u64(str_of(optarg), &generation) != RC_OK || !generation)
            return cli_usage("audit", "--generation takes a number from 1, not %s", optarg);
    }
    if (optind < argc) return cli_usage("audit", "it takes no %s: the whole pipeline is audited", argv[optind]);
    int code = cli_open("audit", c, config);
    if (code != CLI_OK) return code;
    return run(c, json, deep, generation ? generation : c->config->generation);
}
