/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the recovery of the services brings a real Redis back: restarted with all that it had, emptied, and while a
 * second recoverer comes in between; what seals prove has won afterwards, once, and nobody of the old epoch is let in.
 */
#include "ledger_world.h"

#include "broker_memory.h"
#include "chain.h"
#include "ledger_redis.h"
#include "recovery.h"
#include "redis_server.h"
#include "store_memory.h"

#include <stdlib.h>

enum { ATTEMPTS = 3 };

static const struct id none = {{0}};

struct bed {
    struct redis_server server;
    struct ledger_redis_settings settings;
    struct ledger_redis_init init;
    struct recovery_ports ports;
    struct recovery_settings recovery;
    struct broker_memory *broker;
    struct arena arena;
    struct rng rng;
    struct why why;
    struct id file;
    struct attempt won[ATTEMPTS];
};

#define BED_OK(call)                                                                                                   \
    do {                                                                                                               \
        enum rc bed_rc_ = (call);                                                                                      \
        if (bed_rc_ != RC_OK) fail_msg("%s: %s: %s", #call, rc_name(bed_rc_), b->why.text);                            \
    } while (0)

/* Attempt i is won, and seal i has it with its trailer. */
static void win_and_seal(struct bed *b, uint64_t i) {
    struct ledger *ledger = &b->ports.ledger;
    b->won[i] = (struct attempt){1, b->file, 0, i * 10, i * 10 + 10, id_make(&b->rng), i ? b->won[i - 1].id : none, 1};
    struct ledger_advance ask = world_advance(b->won[i], 1);
    enum ledger_decision decision = LEDGER_UNDECIDED;
    BED_OK(ledger_advance(*ledger, &ask, 1, NULL, 0, &decision, &b->why));
    assert_int_equal(decision, LEDGER_WON);
    struct facts facts = world_facts(1);
    struct block_trailer trailer = {
        .attempt = b->won[i], .facts = facts, .counts = ask.counts, .tail_hash = ask.tail_hash, .blocks = 0};
    struct seal seal = {.queue = b->recovery.queue,
                        .generation = 1,
                        .index = i,
                        .start = i,
                        .end = i + 1,
                        .epoch = 1,
                        .settings = b->recovery.output,
                        .attempts = &b->won[i],
                        .facts = &facts,
                        .attempts_len = 1,
                        .trailers = &trailer,
                        .trailers_len = 1};
    struct chain chain = {b->ports.store, b->recovery.queue, 1, 0};
    BED_OK(chain_put_seal(&chain, &seal, &b->why));
}

static void bed_start(struct bed *b) {
    bool made = false;
    enum rc answer = RC_BUSY;
    struct broker_memory_options options = {.job_partitions = 1, .block_partitions = 1, .seed = 1};
    *b = (struct bed){.rng = rng_from_seed(5)};
    redis_server_start(&b->server, NULL);
    b->settings = (struct ledger_redis_settings){
        .url = str_of(b->server.url), .pipeline = STR("rebuild"), .generation = 1, .call_ms = 5000};
    b->init = (struct ledger_redis_init){id_make(&b->rng), id_make(&b->rng), false};
    b->broker = broker_memory_new(&options);
    b->ports = (struct recovery_ports){.broker = broker_memory_port(b->broker), .store = store_memory_new()};
    b->recovery = (struct recovery_settings){.queue = b->init.queue,
                                             .partitions = 1,
                                             .output = {.format = STR("jsonl.zst"),
                                                        .level = 3,
                                                        .object_bytes = 1 << 20,
                                                        .block_bytes = 1 << 20,
                                                        .encoder = STR("test")}};
    BED_OK(ledger_redis_init(&b->settings, &b->init, &made, &b->why));
    BED_OK(ledger_redis_open(&b->settings, &b->ports.ledger, &b->why));
    struct ledger_enroll ask = {id_make(&b->rng), world_facts(1), 0};
    BED_OK(ledger_enroll(b->ports.ledger, &ask, 1, &answer, &b->why));
    b->file = ask.id;
    for (uint64_t i = 0; i < ATTEMPTS; i++) win_and_seal(b, i);
}

static void bed_end(struct bed *b) {
    ledger_free(b->ports.ledger);
    store_free(b->ports.store);
    broker_memory_free(b->broker);
    arena_done(&b->arena);
    redis_server_end(&b->server);
}

static void recover_and_look(struct bed *b) {
    struct ledger old = b->ports.ledger;
    struct ledger_stripe ask = {b->file, 0};
    struct ledger_checkpoint at;
    struct why found = {0};
    uint64_t epoch = 0;
    bool needed = false;
    BED_OK(recovery_check(&b->ports, &b->recovery, &needed, &found, &b->why));
    assert_true(needed);
    BED_OK(recovery_run(&b->ports, &b->recovery, &b->rng, &epoch, &b->why));
    assert_true(epoch > old.at.epoch);
    assert_int_equal(ledger_checkpoints(old, &ask, 1, &b->arena, &at, &b->why), RC_STALE);
    b->ports.ledger.at.epoch = epoch;
    BED_OK(recovery_check(&b->ports, &b->recovery, &needed, &found, &b->why));
    assert_false(needed);
    BED_OK(ledger_checkpoints(b->ports.ledger, &ask, 1, &b->arena, &at, &b->why));
    assert_true(at.found);
    assert_int_equal(at.at, 10 * ATTEMPTS);
    assert_int_equal(at.counts.lines, ATTEMPTS);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        struct ledger_verdict verdict;
        BED_OK(ledger_verdicts(b->ports.ledger, &b->won[i], 1, &verdict, &b->why));
        assert_int_equal(verdict.decision, LEDGER_WON);
    }
}

static void wait_until_it_answers(struct bed *b) {
    struct ledger_identity who;
    enum rc rc;
    while ((rc = ledger_identity(b->ports.ledger, &who, &b->why)) == RC_BUSY) {
    }
    assert_int_equal(rc, RC_OK);
    assert_true(who.recovering);
}

static void a_restarted_redis_is_recovered(void **unused) {
    (void)unused;
    struct bed b;
    bed_start(&b);
    for (int again = 0; again < 2; again++) {
        redis_server_kill(&b.server);
        redis_server_restart(&b.server, NULL);
        wait_until_it_answers(&b);
        recover_and_look(&b);
    }
    bed_end(&b);
}

static void an_emptied_redis_is_rebuilt_from_the_seals(void **unused) {
    (void)unused;
    struct bed bed, *b = &bed;
    bool made = false;
    bed_start(b);
    free(redis_server_ask(&b->server, "FLUSHALL"));
    b->init.emptied = true;
    BED_OK(ledger_redis_init(&b->settings, &b->init, &made, &b->why));
    assert_true(made);
    wait_until_it_answers(b);
    recover_and_look(b);
    struct ledger_key key = world_key(1);
    struct ledger_file file;
    BED_OK(ledger_lookup(b->ports.ledger, &key, 1, &b->arena, &file, &b->why));
    assert_true(file.found && id_equal(file.id, b->file)); /* the same file, so nothing is converted again */
    bed_end(b);
}

static void a_second_recoverer_in_the_middle_is_harmless(void **unused) {
    (void)unused;
    struct bed bed, *b = &bed;
    struct ledger_identity who;
    uint64_t target = 0, epoch = 0;
    bed_start(b);
    redis_server_kill(&b->server);
    redis_server_restart(&b->server, NULL);
    wait_until_it_answers(b);
    BED_OK(ledger_identity(b->ports.ledger, &who, &b->why));
    struct id first = id_make(&b->rng);
    BED_OK(ledger_recover_begin(b->ports.ledger, (struct ledger_epochs){who.epoch, 1, 1}, first, &target, &b->why));
    recover_and_look(b);
    assert_true(b->ports.ledger.at.epoch > target);
    assert_int_equal(ledger_recover_end(b->ports.ledger, first, &epoch, &b->why), RC_STALE);
    bed_end(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restarted_redis_is_recovered),
        cmocka_unit_test(an_emptied_redis_is_rebuilt_from_the_seals),
        cmocka_unit_test(a_second_recoverer_in_the_middle_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
