/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: status tells of each file what the ledger knows, in pages, however many there are, and their sum. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "alloc.h"
#include "made_world.h"
#include "own.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    size_t len;
    struct status_file a, b;
    char json[4096];
};

static enum rc see(void *context, const struct status_file *file) {
    struct seen *seen = context;
    AUTO(buf_done) struct buf text = BUF_INIT(4095);
    struct json_out json = {.to = &text};
    seen->len++;
    *(str_ends(file->uri, STR("a.log")) ? &seen->a : &seen->b) = *file;
    status_json(file, &json);
    (void)snprintf(seen->json, sizeof seen->json, "%s", buf_text(&text));
    return RC_OK;
}

/* B has 400 bytes now; A is not to be found. */
static enum rc size_of(void *context, const struct ledger_listing *listing, uint64_t *out_bytes) {
    (void)context;
    if (!str_ends(listing->facts.uri, STR("b.log"))) return RC_ABSENT;
    *out_bytes = 400;
    return RC_OK;
}

static struct seen look(struct made_world *w, struct status_ask ask, struct status_total *total) {
    struct seen seen = {0};
    struct why why = {0};
    if (status_each(&w->report, &ask, see, &seen, total, &why) != RC_OK) fail_msg("%s", why.text);
    return seen;
}

static void every_file_is_told_with_its_figures(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct status_total total;
    struct seen seen = look(&w, (struct status_ask){.size = size_of}, &total);
    assert_int_equal(seen.len, 2);
    assert_int_equal(seen.a.state, STATUS_RECEIPTED);
    assert_int_equal(seen.a.size, 2500); /* its closed end; lines that reach into the next stripe count once */
    assert_int_equal(seen.a.done, 2500);
    assert_int_equal(seen.a.durable, 2500);
    assert_int_equal(seen.a.counts.lines, 25);
    assert_int_equal(seen.a.counts.rejects, 2);
    assert_true(status_finished(&seen.a));
    assert_int_equal(seen.b.state, STATUS_OPEN);
    assert_int_equal(seen.b.size, 400);
    assert_int_equal(seen.b.done, 300);
    assert_int_equal(seen.b.durable, 300);
    assert_false(status_finished(&seen.b));
    assert_int_equal(total.files, 2);
    assert_int_equal(total.size, 2900);
    assert_int_equal(total.done, 2800);
    assert_int_equal(total.states[STATUS_RECEIPTED], 1);
    assert_int_equal(total.states[STATUS_OPEN], 1);
    assert_string_equal(seen.json,
                        "{\"file\":\"b0010000000000000000000000000001\",\"source\":\"app\",\"uri\":\"file:///in/"
                        "b.log\",\"state\":\"open\",\"size\":400,\"done\":300,\"durable\":300,\"outstanding\":0,"
                        "\"lines\":3,\"rejects\":0,\"counts\":{\"lines\":3,\"converted\":3,\"rejects\":0,"
                        "\"filtered\":0,\"blank\":0,\"records\":3}}");
}

static void what_is_converted_and_not_durable_is_told_apart(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){.not_durable = true}, &w);
    struct status_total total;
    struct seen seen = look(&w, (struct status_ask){.size = size_of}, &total);
    assert_int_equal(seen.a.state, STATUS_CLOSED);
    assert_int_equal(seen.a.done, 2500);
    assert_int_equal(seen.a.durable, 1500); /* stripe 0 and stripe 2, each in its cell */
    assert_int_equal(seen.a.outstanding, 2);
    assert_int_equal(seen.b.durable, 0);
    assert_int_equal(total.outstanding, 4);
    assert_false(status_finished(&seen.a));
}

static enum rc size_1400(void *context, const struct ledger_listing *listing, uint64_t *out_bytes) {
    (void)context, (void)listing;
    *out_bytes = 1400;
    return RC_OK;
}

static void advance_b(struct made_world *w, struct attempt attempt) {
    struct ledger_advance ask = {.attempt = attempt, .counts = {1, 1, 0, 0, 0, 1}, .messages = 1};
    enum ledger_decision decision = LEDGER_UNDECIDED;
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, NULL), RC_OK);
    assert_int_equal(decision, LEDGER_WON);
}

/* Stripe 0 of B ends with a line that reaches to 1200, stripe 1 is converted up to 1300 of 1400: checkpoints less
 * stripe starts make 1500, more than there is. */
static void a_line_that_reaches_into_the_next_stripe_hides_nothing_there(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct attempt before = made_attempt(&w, 4), first = before, second = before;
    first.from = before.to;
    first.to = 1200;
    first.predecessor = before.id;
    first.id.bytes[1] = second.id.bytes[2] = 0x77;
    second.stripe = 1;
    second.from = 1000;
    second.to = 1300;
    advance_b(&w, first);
    advance_b(&w, second);
    struct status_total total;
    struct seen seen = look(&w, (struct status_ask){.size = size_1400}, &total);
    assert_int_equal(seen.b.size, 1400);
    assert_int_equal(seen.b.done, 1300);
    assert_int_equal(seen.b.durable, 0);
    assert_false(status_finished(&seen.b));
}

static enum rc close_b(struct made_world *w, uint64_t end) {
    enum rc rc = RC_OK, told = RC_OK;
    struct ledger_close close = {.file = w->b, .end = end, .gone = true};
    rc = ledger_close_files(w->ledger, &close, 1, &told, NULL);
    return rc == RC_OK ? told : rc;
}

static void a_file_that_went_is_gone_or_incomplete(void **state) {
    (void)state;
    static const struct {
        uint64_t end;
        enum status_state state;
    } ends[] = {{300, STATUS_GONE}, {350, STATUS_INCOMPLETE}};
    for (size_t i = 0; i < 2; i++) {
        AUTO(made_world_done) struct made_world w;
        made_world_new(&(struct made_settings){0}, &w);
        struct status_total total;
        assert_int_equal(close_b(&w, ends[i].end), RC_OK);
        struct seen seen = look(&w, (struct status_ask){.size = size_of}, &total);
        assert_int_equal(seen.b.state, ends[i].state);
        assert_int_equal(seen.b.size, ends[i].end); /* what is there now is another one */
        assert_true(status_finished(&seen.b));
    }
}

static void a_stripe_that_was_set_aside_is_told_with_its_reason(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    uint32_t failures = 0;
    struct ledger_stripe stripe = {w.b, 0};
    assert_int_equal(ledger_job_failed(w.ledger, stripe, STR("no permission"), 1, &failures, NULL), RC_OK);
    struct status_total total;
    struct seen seen = look(&w, (struct status_ask){.size = size_of}, &total);
    assert_int_equal(seen.b.state, STATUS_SET_ASIDE);
    assert_non_null(strstr(seen.json, "\"state\":\"set aside\""));
    assert_non_null(strstr(seen.json, "\"reason\":\"no permission\""));
}

static void files_are_chosen_by_uri_path_or_the_end_of_a_path(void **state) {
    (void)state;
    static const struct {
        struct str asked;
        size_t found;
    } asks[] = {{{"file:///in/a.log", 16}, 1}, {{"/in/a.log", 9}, 1}, {{"a.log", 5}, 1},
                {{"in/b.log", 8}, 1},          {{".log", 4}, 0},      {{"c.log", 5}, 0}};
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    struct status_total total;
    for (size_t i = 0; i < sizeof asks / sizeof asks[0]; i++) {
        assert_int_equal(look(&w, (struct status_ask){.files = &asks[i].asked, .files_len = 1}, &total).len,
                         asks[i].found);
        assert_int_equal(total.files, asks[i].found);
    }
    struct str both[] = {STR("a.log"), STR("b.log")};
    assert_int_equal(look(&w, (struct status_ask){.files = both, .files_len = 2}, &total).len, 2);
}

static void many_files_come_in_pages(void **state) {
    (void)state;
    enum { MORE = 2 * STATUS_PAGE + 5 };
    AUTO(made_world_done) struct made_world w;
    made_world_new(&(struct made_settings){0}, &w);
    AUTO(own_free) struct ledger_enroll *asks = alloc_zero(MORE, sizeof *asks);
    AUTO(own_free) enum rc *told = alloc_zero(MORE, sizeof *told);
    for (size_t i = 0; i < MORE; i++) {
        asks[i] = (struct ledger_enroll){{{1, (uint8_t)(i >> 8), (uint8_t)i}}, made_facts(&w, w.b), 0};
        asks[i].facts.inode = 100 + i;
    }
    assert_int_equal(ledger_enroll(w.ledger, asks, MORE, told, NULL), RC_OK);
    struct status_total total;
    assert_int_equal(look(&w, (struct status_ask){0}, &total).len, MORE + 2);
    assert_int_equal(total.files, MORE + 2);
    made_expect(&w, false, NULL, 0);
    assert_int_equal(w.result.files, MORE + 2);
    made_audit(&w, false, 300); /* in windows */
    assert_int_equal(w.found_len, 0);
    assert_int_equal(w.result.files, MORE + 2);
    assert_true(w.result.passes > 4);
}

static void a_pipeline_that_never_ran_has_no_files(void **state) {
    (void)state;
    struct report nothing = {.generation = 1};
    struct status_total total;
    assert_int_equal(status_each(&nothing, &(struct status_ask){0}, NULL, NULL, &total, NULL), RC_OK);
    assert_int_equal(total.files, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_told_with_its_figures),
        cmocka_unit_test(what_is_converted_and_not_durable_is_told_apart),
        cmocka_unit_test(a_line_that_reaches_into_the_next_stripe_hides_nothing_there),
        cmocka_unit_test(a_file_that_went_is_gone_or_incomplete),
        cmocka_unit_test(a_stripe_that_was_set_aside_is_told_with_its_reason),
        cmocka_unit_test(files_are_chosen_by_uri_path_or_the_end_of_a_path),
        cmocka_unit_test(many_files_come_in_pages),
        cmocka_unit_test(a_pipeline_that_never_ran_has_no_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
