/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every reject is told with its true line number, or without one while that cannot be known, and as the bytes
 * that stand in the file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_world.h"
#include "own.h"
#include "rejects.h"

#include <stdio.h>
#include <string.h>

struct seen {
    size_t len;
    struct {
        char text[2048]; /* "uri:line reason raw-in-hex" */
        char json[2048];
    } at[4];
};

static enum rc see(void *context, const struct rejects_line *line) {
    struct seen *seen = context;
    AUTO(buf_done) struct buf json = BUF_INIT(2047);
    assert_true(seen->len < 4);
    char *text = seen->at[seen->len].text;
    int n = snprintf(text, 2048, "%.*s:", STR_ARG(line->uri));
    n += line->line_known ? snprintf(text + n, 64, "%d", (int)line->line) : snprintf(text + n, 64, "?");
    n += snprintf(text + n, 256, " %.*s at %d, %d bytes ", STR_ARG(line->reason), (int)line->offset, (int)line->length);
    for (size_t i = 0; i < line->raw.len; i++) n += snprintf(text + n, 3, "%02x", (unsigned char)line->raw.at[i]);
    rejects_json(line, &json);
    (void)snprintf(seen->at[seen->len++].json, 2048, "%s", buf_text(&json));
    return RC_OK;
}

static struct seen rejects_of(struct made_world *w, struct rejects_ask ask) {
    struct seen seen = {0};
    struct why why = {0};
    if (rejects_each(&w->report, &ask, see, &seen, &why) != RC_OK) fail_msg("%s", why.text);
    return seen;
}

static void rejects_have_the_line_number_that_an_editor_shows(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct seen seen = rejects_of(&w, (struct rejects_ask){0});
    assert_int_equal(seen.len, 2);
    assert_string_equal(seen.at[0].text, "file:///in/a.log:8 json at 700, 3 bytes 626164");
    assert_string_equal(seen.at[1].text, "file:///in/a.log:23 utf8 at 2200, 2 bytes fffe"); /* 10 + 10 lines before */
    assert_non_null(strstr(seen.at[0].json, "\"raw\":\"bad\",\"line\":8}\n"));
    assert_non_null(strstr(seen.at[1].json, "\"raw_base64\":\"//4=\",\"line\":23}\n"));
}

static void rejects_can_be_asked_for_by_source_reason_and_file(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){.format = FRAME_GZ}, &w);
    assert_int_equal(rejects_of(&w, (struct rejects_ask){.source = STR("app")}).len, 2);
    assert_int_equal(rejects_of(&w, (struct rejects_ask){.source = STR("ap")}).len, 0);
    assert_int_equal(rejects_of(&w, (struct rejects_ask){.reason = STR("utf8")}).len, 1);
    assert_int_equal(rejects_of(&w, (struct rejects_ask){.file = STR("a.log")}).len, 2);
    assert_int_equal(rejects_of(&w, (struct rejects_ask){.file = STR("b.log")}).len, 0);
}

/* As if a redrive had converted the first reject of a.log's object, or more than it has. */
static struct manifest_attempt redriven_attempt(struct made_world *w, const struct manifest *m, uint64_t lines) {
    AUTO(buf_done) struct buf uri = BUF_INIT(2048);
    const struct manifest_object *o = NULL;
    for (size_t i = 0; i < m->objects_len; i++)
        if (m->objects[i].rejects) o = &m->objects[i];
    assert_non_null(o);
    reject_uri_format(&(struct reject_uri){.key = o->key, .index = m->index, .bytes = o->raw_bytes}, &uri);
    struct manifest_attempt made = m->attempts[0];
    made.attempt.file.bytes[0] ^= 0x55;
    made.attempt.id.bytes[0] ^= 0x55;
    made.attempt.from = 0;
    made.attempt.to = o->raw_bytes;
    made.counts = (struct counts){.lines = lines, .converted = lines};
    made.source = STR("app");
    made.uri = arena_str(&w->arena, buf_str(&uri));
    return made;
}

static void redrive_all(struct made_world *w, struct manifest *m) {
    for (size_t i = 0; i < m->objects_len; i++)
        if (m->objects[i].rejects) m->attempts[m->attempts_len++] = redriven_attempt(w, m, m->objects[i].records);
}

static void redrive_more(struct made_world *w, struct manifest *m) {
    m->attempts[m->attempts_len++] = redriven_attempt(w, m, 9);
}

static size_t redriven_findings(const struct made_world *w) {
    size_t found = 0;
    for (size_t i = 0; i < w->found_len; i++) found += w->found[i].kind == AUDIT_REDRIVEN;
    return found;
}

/* The partition and index of the first manifest that lists rejects. */
static bool lists_rejects(struct made_world *w, uint32_t partition, uint64_t index) {
    return memmem(made_get(w, made_manifest_key(w, partition, index)).at,
                  made_get(w, made_manifest_key(w, partition, index)).len, "\"rejects\":true", 14) != NULL;
}

static void what_was_converted_again_is_no_reject_and_the_audit_counts_it(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w, more;
    made_world_new(&(struct made_settings){0}, &w);
    made_world_new(&(struct made_settings){0}, &more);
    uint64_t index = lists_rejects(&w, 0, 0) ? 0 : 1;
    made_edit_manifest(&w, 0, index, redrive_all);
    size_t left = rejects_of(&w, (struct rejects_ask){0}).len;
    assert_true(left < 2);
    made_audit(&w, false, 0);
    assert_int_equal(redriven_findings(&w), 0);
    assert_int_equal(w.result.rejects_live, left);
    assert_int_equal(w.result.rejects_live + w.result.rejects_redriven, 2);
    made_edit_manifest(&more, 0, index, redrive_more);
    made_audit(&more, false, 0);
    assert_int_equal(redriven_findings(&more), 1);
}

static const struct ledger_ops *whole;

/* As if the first stripe were still being converted. */
static enum rc behind(void *self, struct ledger_at at, struct id file, struct arena *arena,
                      struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    enum rc rc = whole->list_stripes(self, at, file, arena, out, out_n, why);
    for (size_t i = 0; rc == RC_OK && i < *out_n; i++)
        if ((*out)[i].stripe == 1) (*out)[i].at = 1999;
    return rc;
}

static void a_line_behind_an_unfinished_stripe_has_no_number_yet(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    whole = w.ledger.ops;
    struct ledger_ops ops = *whole;
    ops.list_stripes = behind;
    w.report.ledger.ops = &ops;
    struct seen seen = rejects_of(&w, (struct rejects_ask){0});
    assert_string_equal(seen.at[0].text, "file:///in/a.log:8 json at 700, 3 bytes 626164");
    assert_string_equal(seen.at[1].text, "file:///in/a.log:? utf8 at 2200, 2 bytes fffe");
    assert_non_null(strstr(seen.at[1].json, ",\"line\":null}\n"));
    w.report.ledger.ops = NULL; /* without any ledger */
    assert_int_equal(rejects_of(&w, (struct rejects_ask){0}).len, 2);
}

static void a_reject_object_that_is_damaged_is_an_error(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct str key = made_object_key(&w, 1, 0, STR("source=app"));
    made_put(&w, key, STR("?"));
    struct seen seen = {0};
    struct why why = {0};
    assert_int_equal(rejects_each(&w.report, &(struct rejects_ask){0}, see, &seen, &why), RC_BROKEN);
    assert_non_null(strstr(why.text, key.at));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_have_the_line_number_that_an_editor_shows),
        cmocka_unit_test(rejects_can_be_asked_for_by_source_reason_and_file),
        cmocka_unit_test(what_was_converted_again_is_no_reject_and_the_audit_counts_it),
        cmocka_unit_test(a_line_behind_an_unfinished_stripe_has_no_number_yet),
        cmocka_unit_test(a_reject_object_that_is_damaged_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
