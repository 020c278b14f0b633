/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a batch seals what is decided, in the log's order, and a redo that follows the seal has the same blocks and
 * plans the same objects, or says that log and seal differ. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "batch.h"
#include "must.h"
#include "own.h"
#include "plan.h"

#include <stdlib.h>

static struct attempt attempt_of(uint8_t n) {
    return (struct attempt){
        .generation = 1, .file = {{9}}, .stripe = n, .from = n * 10u, .to = n * 10u + 10u, .id = {{n}}, .epoch = 1};
}

static struct block_message block_of(uint8_t attempt, uint32_t index, const char *output, uint64_t bytes) {
    return (struct block_message){.kind = BLOCK_RECORDS,
                                  .header = {.attempt = attempt_of(attempt),
                                             .index = index,
                                             .output = str_of(output),
                                             .codec = BLOCK_STORED,
                                             .raw_bytes = bytes,
                                             .expected_bytes = bytes,
                                             .records = 1}};
}

static struct block_message trailer_of(uint8_t attempt, uint32_t blocks) {
    return (struct block_message){.kind = BLOCK_TRAILER, .trailer = {.attempt = attempt_of(attempt), .blocks = blocks}};
}

/* Offsets: 0 a1 x, 1 a2 x, 2 a1 y, 3 a1's trailer, 4 a2's trailer, 5 a3 x. */
static void fill(struct batch *b, uint64_t below) {
    const struct block_message messages[] = {block_of(1, 0, "x", 100), block_of(2, 0, "x", 70),
                                             block_of(1, 1, "y", 50),  trailer_of(1, 2),
                                             trailer_of(2, 1),         block_of(3, 0, "x", 30)};
    for (uint64_t i = b->position; i < below; i++) MUST(batch_add(b, i, &messages[i], 1000 + i, NULL) == RC_OK);
}

static struct batch *make(uint64_t below) {
    struct batch *b = calloc(1, sizeof *b);
    MUST(b);
    batch_reset(b, 0);
    fill(b, below);
    return b;
}

static void drop(struct batch *b) {
    batch_done(b);
    free(b);
}

static void what_is_undecided_ends_the_batch(void **state) {
    (void)state;
    struct batch *b = make(6);
    struct batch_attempt *open[8];
    assert_int_equal(batch_undecided(b, open, 8), 3);
    assert_int_equal(batch_undecided(b, open, 2), 2);
    assert_int_equal(batch_decided_end(b), 0);
    batch_decide(b, open[0], LEDGER_WON); /* a1 */
    assert_int_equal(batch_decided_end(b), 1);
    batch_decide(b, open[1], LEDGER_LOST); /* a2 */
    assert_int_equal(batch_decided_end(b), 5);
    assert_int_equal(b->bytes, 180); /* without a2 */
    assert_int_equal(batch_undecided(b, open, 8), 1);
    batch_decide(b, open[0], LEDGER_WON);
    assert_int_equal(batch_decided_end(b), 6);
    drop(b);
}

static void decide(struct batch *b) {
    struct batch_attempt *open[8];
    size_t n = batch_undecided(b, open, 8);
    for (size_t i = 0; i < n; i++)
        batch_decide(b, open[i], open[i]->attempt.id.bytes[0] == 2 ? LEDGER_LOST : LEDGER_WON);
}

static void a_redo_of_a_seal_has_its_blocks_and_plans_its_objects(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct settings settings = {.format = STR("jsonl.zst"), .object_bytes = 1000, .block_bytes = 1000};
    struct batch *first = make(6), *redo = make(5);
    struct seal seal;
    struct plan a, b;
    decide(first);
    batch_seal(first, 5, &arena, &seal);
    assert_int_equal(seal.start, 0);
    assert_int_equal(seal.end, 5);
    assert_int_equal(seal.attempts_len, 1);
    assert_int_equal(seal.blocks_len, 2);
    assert_int_equal(seal.blocks[1].offset, 2);
    assert_int_equal(seal.trailers_len, 1);
    assert_int_equal(batch_obey(redo, &seal, NULL), RC_OK);
    plan_make(first, 5, &settings, BLOCK_ZSTD, &arena, &a);
    plan_make(redo, 5, &settings, BLOCK_ZSTD, &arena, &b);
    assert_int_equal(a.objects_len, 2);
    assert_int_equal(b.objects_len, 2);
    for (size_t i = 0; i < a.objects_len; i++) {
        assert_true(str_equal(a.objects[i].output->path, b.objects[i].output->path));
        assert_int_equal(a.objects[i].blocks[0]->offset, b.objects[i].blocks[0]->offset);
        assert_int_equal(a.objects[i].frames_to, b.objects[i].frames_to);
    }
    drop(first);
    drop(redo);
}

static void a_seal_that_does_not_fit_the_log_is_broken(void **state) {
    (void)state;
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct batch *first = make(6);
    struct seal seal;
    decide(first);
    batch_seal(first, 6, &arena, &seal);
    for (int what = 0; what < 6; what++) {
        struct batch *redo = make(what == 0 ? 5 : 6); /* 0: a message is missing */
        struct seal wrong = seal;
        struct seal_block blocks[8];
        struct attempt attempts[8];
        for (size_t i = 0; i < seal.blocks_len; i++) blocks[i] = seal.blocks[i];
        for (size_t i = 0; i < seal.attempts_len; i++) attempts[i] = seal.attempts[i];
        wrong.blocks = blocks;
        wrong.attempts = attempts;
        if (what == 1) blocks[0].index = 7;
        if (what == 2) blocks[0].offset = 1;
        if (what == 3) attempts[0].to++;
        if (what == 4) wrong.blocks_len--;
        if (what == 5) wrong.trailers_len--;
        assert_int_equal(batch_obey(redo, &wrong, NULL), RC_BROKEN);
        drop(redo);
    }
    drop(first);
}

static void two_messages_that_contradict_each_other_are_broken(void **state) {
    (void)state;
    struct batch *b = make(1);
    struct block_message other = block_of(1, 1, "x", 10);
    other.header.attempt.to++;
    assert_int_equal(batch_add(b, 1, &other, 0, NULL), RC_BROKEN);
    drop(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_undecided_ends_the_batch),
        cmocka_unit_test(a_redo_of_a_seal_has_its_blocks_and_plans_its_objects),
        cmocka_unit_test(a_seal_that_does_not_fit_the_log_is_broken),
        cmocka_unit_test(two_messages_that_contradict_each_other_are_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
