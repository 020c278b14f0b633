/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: an audit of a pipeline that has done its work finds nothing; each kind of damage to the ranges and the
 * counts of files is found, named with its place, and nothing else is; what is on its way is no finding. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "made_world.h"
#include "own.h"

#include <string.h>

static void world_with(struct made_world *w, bool not_durable) {
    made_world_new(&(struct made_settings){.not_durable = not_durable}, w);
}

/* ---- nothing is wrong ---- */

static void a_pipeline_that_has_done_its_work_is_clean(void **state) {
    (void)state;
    for (int format = FRAME_ZST; format <= FRAME_GZ; format++) {
        AUTO(made_world_done) struct made_world w;
        made_world_new(&(struct made_settings){.format = (enum frame_format)format}, &w);
        made_expect(&w, true, NULL, 0);
        assert_int_equal(w.result.files, 2);
        assert_int_equal(w.result.stripes, 4);
        assert_int_equal(w.result.attempts, 5);
        assert_int_equal(w.result.seals, 3);
        assert_int_equal(w.result.manifests, 3);
        assert_int_equal(w.result.objects, 5);
        assert_int_equal(w.result.deep_objects, 5);
        assert_int_equal(w.result.receipts, 1);
        assert_int_equal(w.result.deep_records, 27);
        assert_int_equal(w.result.ledger.lines, 28);
        assert_memory_equal(&w.result.ledger, &w.result.manifests_counts, sizeof w.result.ledger);
        assert_int_equal(w.result.in_progress, 0);
    }
}

static void a_pipeline_that_never_ran_is_clean(void **state) {
    (void)state;
    struct report nothing = {.generation = 1};
    struct audit_result result;
    assert_int_equal(audit_run(&nothing, &(struct audit_options){.deep = true}, &result, NULL), RC_OK);
    assert_int_equal(result.findings, 0);
}

static void what_is_not_durable_yet_is_in_progress(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, true);
    made_remove(&w, made_manifest_key(&w, 0, 1));
    made_expect(&w, true, NULL, 0);
    assert_int_equal(w.result.in_progress, 2); /* A's stripe 1 and B: at least a message each */
    assert_int_equal(w.result.seals_in_progress, 1);
    assert_int_equal(w.result.objects_in_progress, 1);
    made_remove(&w, made_seal_key(&w, 0, 1));
    made_expect(&w, true, NULL, 0);
    assert_int_equal(w.result.seals_in_progress, 0);
    assert_int_equal(w.result.objects_in_progress, 1); /* parts may go up before the seal */
}

static void what_is_manifested_and_not_told_durable_is_no_finding(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, true);
    made_expect(&w, true, NULL, 0);
    assert_int_equal(w.result.in_progress, 0);
}

static void another_generation_has_its_own_account(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    w.report.generation = w.report.ledger.at.generation = 2;
    made_expect(&w, true, NULL, 0);
    assert_int_equal(w.result.files, 2);
    assert_int_equal(w.result.manifests, 0);
    assert_int_equal(w.result.ledger.lines, 0);
}

/* ---- the ledger against itself ---- */

static const struct ledger_ops *honest;

static enum rc lying_list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                          struct ledger_listing **out, size_t *out_n, struct why *why) {
    enum rc rc = honest->list(self, at, after, max, arena, out, out_n, why);
    for (size_t i = 0; rc == RC_OK && i < *out_n; i++)
        if (str_ends((*out)[i].facts.uri, STR("b.log"))) (*out)[i].counts.blank++;
    return rc;
}

static enum rc lying_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                             struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    enum rc rc = honest->list_stripes(self, at, file, arena, out, out_n, why);
    for (size_t i = 0; rc == RC_OK && i < *out_n; i++)
        if ((*out)[i].at == 300) (*out)[i].counts.blank++;
    return rc;
}

static void figures_of_the_ledger_that_do_not_add_up_are_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    honest = w.ledger.ops;
    struct ledger_ops lying = *honest;
    lying.list = lying_list;
    w.report.ledger.ops = &lying;
    MADE_EXPECT(&w, false, AUDIT_LEDGER_COUNTS);
    assert_true(id_equal(made_finding(&w, AUDIT_LEDGER_COUNTS)->file, w.b));
    lying.list_stripes = lying_stripes;
    MADE_EXPECT(&w, false, AUDIT_COUNTS_LAW, AUDIT_COUNTS);
    assert_true(id_equal(made_finding(&w, AUDIT_COUNTS_LAW)->file, w.b));
}

/* ---- ranges ---- */

/* Has won and is said to be durable; nothing of it is in the store. */
static void lose_a_range(struct made_world *w) {
    struct attempt lost = made_attempt(w, 4);
    lost.from = 300;
    lost.to = 360;
    lost.predecessor = lost.id;
    lost.id.bytes[2] = 0x77;
    enum ledger_decision decision = LEDGER_LOST;
    struct ledger_advance ask = {.attempt = lost, .counts = {.lines = 1, .blank = 1}, .messages = 1};
    assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, NULL), RC_OK);
    assert_int_equal(decision, LEDGER_WON);
}

static void a_range_that_nobody_holds_is_a_gap(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    lose_a_range(&w);
    made_expect(&w, false, NULL, 0); /* it is on its way */
    assert_int_equal(w.result.in_progress, 1);
    struct id attempt = made_attempt(&w, 4).id;
    attempt.bytes[2] = 0x77;
    struct ledger_durable add = {w.b, 0, attempt, 1};
    assert_int_equal(ledger_durable(w.ledger, (struct ledger_batch){0, 2}, &add, 1, NULL), RC_OK);
    MADE_EXPECT(&w, false, AUDIT_GAP, AUDIT_SEAL_MISSING);
    const struct made_found *gap = made_finding(&w, AUDIT_GAP);
    assert_true(gap->has_file && id_equal(gap->file, w.b));
    assert_string_equal(gap->uri, "file:///in/b.log");
    assert_int_equal(gap->stripe, 0);
    assert_int_equal(gap->from, 300);
    assert_int_equal(gap->to, 360);
    assert_string_equal(made_finding(&w, AUDIT_SEAL_MISSING)->key, made_seal_key(&w, 0, 2).at);
}

/* An attempt more in B's batch, in seal and manifest, without blocks. */
static struct attempt extra;

static void extra_in_seal(struct made_world *w, struct seal *s) {
    s->attempts[s->attempts_len] = extra;
    s->facts[s->attempts_len++] = made_facts(w, extra.file);
    s->trailers[s->trailers_len++] = (struct block_trailer){.attempt = extra, .facts = made_facts(w, extra.file)};
}

static void extra_in_manifest(struct made_world *w, struct manifest *m) {
    struct facts facts = made_facts(w, extra.file);
    m->attempts[m->attempts_len++] =
        (struct manifest_attempt){.attempt = extra, .source = facts.source, .uri = facts.uri};
}

static void add_extra(struct made_world *w, struct id file, uint64_t from, uint64_t to, struct id predecessor) {
    extra = made_attempt(w, 4);
    extra.file = file;
    extra.from = from;
    extra.to = to;
    extra.predecessor = predecessor;
    extra.id.bytes[2] = 0x55;
    made_edit_seal(w, 0, 1, extra_in_seal);
    made_edit_manifest(w, 0, 1, extra_in_manifest);
}

static void two_attempts_on_the_same_bytes_overlap(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    add_extra(&w, w.b, 200, 300, (struct id){{0}});
    MADE_EXPECT(&w, false, AUDIT_OVERLAP);
    const struct made_found *f = made_finding(&w, AUDIT_OVERLAP);
    assert_true(id_equal(f->file, w.b) && id_equal(f->attempt, extra.id));
    assert_int_equal(f->from, 200);
    assert_int_equal(f->to, 300);
}

static void an_attempt_behind_the_checkpoint_has_not_won(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    add_extra(&w, w.b, 300, 360, made_attempt(&w, 4).id);
    MADE_EXPECT(&w, false, AUDIT_NOT_WON);
    assert_int_equal(made_finding(&w, AUDIT_NOT_WON)->from, 300);
    assert_int_equal(made_finding(&w, AUDIT_NOT_WON)->to, 360);
}

static void a_file_that_the_ledger_does_not_know_is_named_once(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    struct id unknown = {{0xcc, 9}};
    add_extra(&w, unknown, 0, 10, (struct id){{0}});
    MADE_EXPECT(&w, false, AUDIT_FILE_UNKNOWN);
    assert_true(id_equal(made_finding(&w, AUDIT_FILE_UNKNOWN)->file, unknown));
    assert_string_equal(made_finding(&w, AUDIT_FILE_UNKNOWN)->uri, "");
}

/* ---- attempts ---- */

/* What the trailer of B's attempt says, changed in seal and manifest alike. */
static void (*change)(struct attempt *attempt, struct counts *counts, uint32_t *blocks);

static void change_in_seal(struct made_world *w, struct seal *s) {
    for (size_t i = 0; i < s->trailers_len; i++) {
        struct block_trailer *t = &s->trailers[i];
        if (!id_equal(t->attempt.file, w->b)) continue;
        change(&t->attempt, &t->counts, &t->blocks);
        for (size_t k = 0; k < s->attempts_len; k++)
            if (id_equal(s->attempts[k].id, t->attempt.id)) s->attempts[k] = t->attempt;
    }
}

static void change_in_manifest(struct made_world *w, struct manifest *m) {
    for (size_t i = 0; i < m->attempts_len; i++) {
        struct manifest_attempt *t = &m->attempts[i];
        if (id_equal(t->attempt.file, w->b)) change(&t->attempt, &t->counts, &t->blocks);
    }
}

static void change_both(struct made_world *w, void (*how)(struct attempt *, struct counts *, uint32_t *)) {
    world_with(w, false);
    change = how;
    made_edit_seal(w, 0, 1, change_in_seal);
    made_edit_manifest(w, 0, 1, change_in_manifest);
}

static void other_predecessor(struct attempt *attempt, struct counts *counts, uint32_t *blocks) {
    (void)counts, (void)blocks;
    attempt->predecessor = (struct id){{0x66}};
}

static void one_block_more(struct attempt *attempt, struct counts *counts, uint32_t *blocks) {
    (void)attempt, (void)counts;
    ++*blocks;
}

static void one_block_less(struct attempt *attempt, struct counts *counts, uint32_t *blocks) {
    (void)attempt, (void)counts;
    --*blocks;
}

static void one_record_more(struct attempt *attempt, struct counts *counts, uint32_t *blocks) {
    (void)attempt, (void)blocks;
    counts->records++;
}

static void one_blank_more(struct attempt *attempt, struct counts *counts, uint32_t *blocks) {
    (void)attempt, (void)blocks;
    counts->lines++;
    counts->blank++;
}

static void damage_to_an_attempt_is_named_with_its_range(void **state) {
    (void)state;
    static const struct {
        void (*how)(struct attempt *, struct counts *, uint32_t *);
        enum audit_kind kinds[2];
        size_t count;
    } damages[] = {
        {other_predecessor, {AUDIT_PREDECESSOR}, 1}, {one_block_more, {AUDIT_BLOCKS_MISSING}, 1},
        {one_block_less, {AUDIT_BLOCKS_EXTRA}, 1},   {one_record_more, {AUDIT_COUNTS, AUDIT_RECORDS}, 2},
        {one_blank_more, {AUDIT_COUNTS}, 1},
    };
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        AUTO(made_world_done) struct made_world w;
        change_both(&w, damages[i].how);
        made_expect(&w, false, damages[i].kinds, damages[i].count);
        for (size_t k = 0; k < w.found_len; k++) {
            assert_true(w.found[k].has_range && id_equal(w.found[k].file, w.b));
            assert_int_equal(w.found[k].from, 0);
            assert_int_equal(w.found[k].to, 300);
        }
    }
}

static void drop_trailer_in_seal(struct made_world *w, struct seal *s) {
    size_t kept = 0;
    for (size_t i = 0; i < s->trailers_len; i++)
        if (!id_equal(s->trailers[i].attempt.file, w->b)) s->trailers[kept++] = s->trailers[i];
    s->trailers_len = kept;
}

static void drop_trailer_in_manifest(struct made_world *w, struct manifest *m) {
    size_t kept = 0;
    for (size_t i = 0; i < m->attempts_len; i++)
        if (!id_equal(m->attempts[i].attempt.file, w->b)) m->attempts[kept++] = m->attempts[i];
    m->attempts_len = kept;
}

static void blocks_without_their_trailer_are_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    made_edit_seal(&w, 0, 1, drop_trailer_in_seal);
    made_edit_manifest(&w, 0, 1, drop_trailer_in_manifest);
    MADE_EXPECT(&w, false, AUDIT_TRAILER_MISSING);
    assert_true(id_equal(made_finding(&w, AUDIT_TRAILER_MISSING)->attempt, made_attempt(&w, 4).id));
}

static void b_again_in_seal(struct made_world *w, struct seal *s) {
    s->attempts[s->attempts_len] = made_attempt(w, 4);
    s->facts[s->attempts_len++] = made_facts(w, w->b);
    s->trailers[s->trailers_len++] = (struct block_trailer){
        .attempt = made_attempt(w, 4), .facts = made_facts(w, w->b), .counts = {3, 3, 0, 0, 0, 3}, .blocks = 1};
}

static void b_again_in_manifest(struct made_world *w, struct manifest *m) {
    struct facts facts = made_facts(w, w->b);
    m->attempts[m->attempts_len++] =
        (struct manifest_attempt){made_attempt(w, 4), {3, 3, 0, 0, 0, 3}, 1, facts.source, facts.uri};
}

static void a_trailer_in_two_batches_is_named(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    made_edit_seal(&w, 1, 0, b_again_in_seal);
    made_edit_manifest(&w, 1, 0, b_again_in_manifest);
    MADE_EXPECT(&w, false, AUDIT_TRAILER_TWICE);
    assert_true(id_equal(made_finding(&w, AUDIT_TRAILER_TWICE)->file, w.b));
}

static void counts_one_line_less(struct made_world *w, struct receipt *r) {
    (void)w;
    r->counts.lines--;
    r->counts.blank--;
}

/* ---- the bound of the memory ---- */

static void small_windows_find_the_same_once(void **state) {
    (void)state;
    AUTO(made_world_done) struct made_world w;
    world_with(&w, false);
    add_extra(&w, w.b, 200, 300, (struct id){{0}});
    made_edit_receipt(&w, counts_one_line_less);
    made_remove(&w, made_object_key(&w, 0, 0, STR("source=app")));
    for (size_t rows = 1; rows <= 6; rows++) {
        made_audit(&w, true, rows);
        assert_int_equal(w.found_len, 3);
        (void)made_finding(&w, AUDIT_OVERLAP);
        (void)made_finding(&w, AUDIT_RECEIPT_COUNTS);
        (void)made_finding(&w, AUDIT_OBJECT_MISSING);
        assert_int_equal(w.result.files, 2);
        assert_int_equal(w.result.manifests, 3);
        assert_int_equal(w.result.objects, 5);
        assert_int_equal(w.result.ledger.lines, 28);
        assert_true(rows > 5 || w.result.passes > 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_that_has_done_its_work_is_clean),
        cmocka_unit_test(a_pipeline_that_never_ran_is_clean),
        cmocka_unit_test(what_is_not_durable_yet_is_in_progress),
        cmocka_unit_test(what_is_manifested_and_not_told_durable_is_no_finding),
        cmocka_unit_test(another_generation_has_its_own_account),
        cmocka_unit_test(figures_of_the_ledger_that_do_not_add_up_are_named),
        cmocka_unit_test(a_range_that_nobody_holds_is_a_gap),
        cmocka_unit_test(two_attempts_on_the_same_bytes_overlap),
        cmocka_unit_test(an_attempt_behind_the_checkpoint_has_not_won),
        cmocka_unit_test(a_file_that_the_ledger_does_not_know_is_named_once),
        cmocka_unit_test(damage_to_an_attempt_is_named_with_its_range),
        cmocka_unit_test(blocks_without_their_trailer_are_named),
        cmocka_unit_test(a_trailer_in_two_batches_is_named),
        cmocka_unit_test(small_windows_find_the_same_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
