/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the admin says what it would do, does just that, and finds nothing to do the second time; what would lose
 * lines is found and mended, what stands in the way is told; and a log that was made anew, a wrong password or a
 * missing right never pass for an empty log. */
#include "kafka_home.h"

#include "admin_inside.h"
#include "broker_contract.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

enum { WAIT_MS = 60000 };

struct bed {
    struct kafka_home home;
    struct broker_kafka_admin *admin;
    struct broker_kafka_plan plan;
    struct why why;
};

static void begin(struct bed *bed) {
    *bed = (struct bed){.admin = NULL};
    kafka_home_name(&bed->home);
    OK(broker_kafka_admin_open(&bed->home.settings, &bed->admin, &bed->why));
}

static void end(struct bed *bed) {
    broker_kafka_plan_done(&bed->plan);
    broker_kafka_admin_free(bed->admin);
    kafka_home_remove(&bed->home);
}

static void plan(struct bed *bed, uint32_t jobs, uint32_t blocks) {
    const struct broker_kafka_wanted wanted = {.job_partitions = jobs, .block_partitions = blocks};
    broker_kafka_plan_done(&bed->plan);
    OK(broker_kafka_admin_plan_topics(bed->admin, &wanted, &bed->plan, &bed->why));
}

static size_t planned(const struct bed *bed, enum broker_kafka_step_kind kind) {
    return broker_kafka_plan_count(&bed->plan, kind);
}

static size_t changes(const struct bed *bed) {
    return bed->plan.steps_len - planned(bed, BROKER_KAFKA_RISK) - planned(bed, BROKER_KAFKA_OBSTACLE);
}

static bool plan_says(const struct bed *bed, const char *words) {
    for (size_t i = 0; i < bed->plan.steps_len; i++)
        if (strstr(bed->plan.steps[i].text, words)) return true;
    return false;
}

static void configure(struct bed *bed, const char *topic, const char *key, const char *value) {
    struct broker_kafka_plan one = {0};
    struct broker_kafka_step *step = admin_step(&one, BROKER_KAFKA_CONFIG, "test");
    step->topic = admin_text(topic);
    step->key = admin_text(key);
    step->value = admin_text(value);
    OK(broker_kafka_admin_do(bed->admin, &one, &bed->why));
    broker_kafka_plan_done(&one);
}

static void what_is_made_is_as_wanted_and_made_once(void **state) {
    (void)state;
    struct bed bed;
    begin(&bed);
    plan(&bed, 3, 2);
    assert_int_equal(planned(&bed, BROKER_KAFKA_CREATE), 3);
    assert_true(plan_says(&bed, ".jobs: create it with 3 partitions"));
    assert_true(plan_says(&bed, "retention.ms to -1"));
    struct admin_topic is;
    IS(RC_ABSENT, admin_topic_look(bed.admin, bed.admin->config.topics[BROKER_JOBS], &is, NULL)); /* only planned */
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why)); /* somebody else did it at the same time */
    plan(&bed, 3, 2);
    assert_int_equal(changes(&bed), 0);
    assert_int_equal(planned(&bed, BROKER_KAFKA_RISK), 1); /* the test's cluster has one broker */
    assert_true(plan_says(&bed, "one replica"));
    end(&bed);
}

struct found {
    const char *key;
    char value[64];
};

static void find_config(void *context, const char *key, const char *value, bool own) {
    struct found *found = context;
    if (own && !strcmp(key, found->key)) (void)snprintf(found->value, sizeof found->value, "%s", value);
}

static void what_would_lose_lines_is_found_and_mended(void **state) {
    (void)state;
    struct bed bed;
    begin(&bed);
    const char *blocks = bed.admin->config.topics[BROKER_BLOCKS];
    plan(&bed, 1, 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    configure(&bed, blocks, "segment.ms", "7200000"); /* a person's own: has to stay */
    configure(&bed, blocks, "retention.ms", "60000");
    configure(&bed, blocks, "cleanup.policy", "compact");
    configure(&bed, blocks, "max.message.bytes", "1000000");
    configure(&bed, blocks, "unclean.leader.election.enable", "true");
    plan(&bed, 1, 1);
    assert_int_equal(changes(&bed), 4);
    assert_true(plan_says(&bed, "set retention.ms to -1 (it is 60000)"));
    assert_true(plan_says(&bed, "set cleanup.policy to delete (it is compact)"));
    assert_true(plan_says(&bed, "(it is 1000000)"));
    assert_true(plan_says(&bed, "unclean.leader.election.enable to false"));
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    plan(&bed, 1, 1);
    assert_int_equal(changes(&bed), 0);
    struct found found = {"segment.ms", ""};
    OK(admin_topic_configs(bed.admin, blocks, find_config, &found, &bed.why));
    assert_string_equal(found.value, "7200000");
    end(&bed);
}

static void jobs_can_get_more_partitions_and_blocks_cannot(void **state) {
    (void)state;
    struct bed bed;
    struct broker broker;
    uint32_t n = 0;
    begin(&bed);
    plan(&bed, 2, 2);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    plan(&bed, 5, 2);
    assert_int_equal(changes(&bed), 1);
    assert_true(plan_says(&bed, "from 2 to 5"));
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    OK(broker_kafka_open(&bed.home.settings, &broker, &bed.why));
    OK(broker_partitions(broker, BROKER_JOBS, &n, &bed.why));
    assert_int_equal(n, 5);
    broker_free(broker);
    plan(&bed, 1, 3);
    assert_int_equal(planned(&bed, BROKER_KAFKA_OBSTACLE), 2);
    assert_true(plan_says(&bed, "raise `generation`"));
    IS(RC_DENIED, broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    end(&bed);
}

/* Takes `n` jobs as a new consumer, commits and leaves. */
static void take_jobs(struct bed *bed, struct broker broker, size_t n) {
    struct broker_consumer consumer;
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    OK(broker_consumer_new(broker, STR("workers"), &consumer, &bed->why));
    for (size_t i = 0; i < n; i++) OK(broker_next(consumer, WAIT_MS, &bytes, &message, &bed->why));
    OK(broker_commit(consumer, &bed->why));
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, &bed->why));
    broker_consumer_free(consumer);
}

static void put_jobs(struct bed *bed, struct broker broker, uint64_t n) {
    struct broker_producer producer;
    struct broker_ack ack;
    size_t got = 0;
    OK(broker_producer_new(broker, 1 << 20, &producer, &bed->why));
    for (uint32_t i = 0; i < n; i++) OK(broker_append(producer, BROKER_JOBS, i, STR("job"), STR(""), i, &bed->why));
    for (uint64_t i = 0; i < n; i += got) OK(broker_poll(producer, WAIT_MS, &ack, 1, &got, &bed->why));
    broker_producer_free(producer);
}

static void plan_reset(struct bed *bed, bool by_time, int64_t time_ms) {
    const struct broker_kafka_reset reset = {
        .group = STR("workers"), .topic = BROKER_JOBS, .by_time = by_time, .time_ms = time_ms};
    broker_kafka_plan_done(&bed->plan);
    OK(broker_kafka_admin_plan_reset(bed->admin, &reset, &bed->plan, &bed->why));
}

static void a_group_is_set_back_once_it_is_empty(void **state) {
    (void)state;
    struct bed bed;
    struct broker broker;
    struct broker_consumer consumer;
    AUTO(buf_done) struct buf bytes = BUF_INIT(100);
    struct broker_message message;
    begin(&bed);
    plan(&bed, 2, 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    OK(broker_kafka_open(&bed.home.settings, &broker, &bed.why));
    put_jobs(&bed, broker, 10);
    take_jobs(&bed, broker, 10);
    put_jobs(&bed, broker, 1);
    OK(broker_consumer_new(broker, STR("workers"), &consumer, &bed.why));
    OK(broker_next(consumer, WAIT_MS, &bytes, &message, &bed.why)); /* the eleventh: the ten were committed */
    IS(RC_ABSENT, broker_next(consumer, 0, &bytes, &message, &bed.why));
    plan_reset(&bed, false, 0);
    assert_int_equal(planned(&bed, BROKER_KAFKA_OBSTACLE), 1);
    assert_true(plan_says(&bed, "has 1 members: stop them first"));
    IS(RC_DENIED, broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    broker_consumer_free(consumer);
    plan_reset(&bed, false, 0);
    assert_int_equal(planned(&bed, BROKER_KAFKA_OFFSET), 2);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    take_jobs(&bed, broker, 11);
    plan_reset(&bed, true, INT64_MAX / 2); /* later than every message: nothing comes again */
    assert_true(plan_says(&bed, ", 0 messages before the end"));
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    put_jobs(&bed, broker, 2);
    take_jobs(&bed, broker, 2);
    plan_reset(&bed, true, 1000); /* 1970: all of it */
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    take_jobs(&bed, broker, 13);
    broker_free(broker);
    end(&bed);
}

/* Appends one block and gives where it is. */
static void put_block(struct bed *bed, struct broker broker) {
    struct broker_producer producer;
    struct broker_ack ack;
    size_t n = 0;
    OK(broker_producer_new(broker, 1 << 20, &producer, &bed->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("block"), STR(""), 1, &bed->why));
    OK(broker_poll(producer, WAIT_MS, &ack, 1, &n, &bed->why));
    broker_producer_free(producer);
}

static void a_generation_is_removed_and_a_log_made_anew_is_broken(void **state) {
    (void)state;
    struct bed bed;
    struct broker broker;
    struct admin_topic is;
    uint64_t start, last;
    begin(&bed);
    plan(&bed, 1, 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    bed.home.settings.fall_patience_ms = 1;
    OK(broker_kafka_open(&bed.home.settings, &broker, &bed.why));
    put_block(&bed, broker);
    broker_kafka_plan_done(&bed.plan);
    uint64_t newest = 9;
    OK(broker_kafka_admin_newest(bed.admin, &newest, &bed.why));
    assert_int_equal(newest, 1);
    OK(broker_kafka_admin_plan_delete(bed.admin, 1, &bed.plan, &bed.why));
    assert_int_equal(planned(&bed, BROKER_KAFKA_DELETE), 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    enum rc rc = RC_OK;
    for (int i = 0; i < 500 && rc != RC_ABSENT; i++)
        rc = admin_topic_look(bed.admin, bed.admin->config.topics[BROKER_BLOCKS], &is, NULL);
    IS(RC_ABSENT, rc);
    broker_kafka_plan_done(&bed.plan);
    OK(broker_kafka_admin_plan_delete(bed.admin, 1, &bed.plan, &bed.why));
    assert_int_equal(bed.plan.steps_len, 0);
    plan(&bed, 1, 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    for (int i = 0; i < 500 && rc != RC_BROKEN; i++) rc = broker_bounds(broker, 0, &start, &last, &bed.why);
    IS(RC_BROKEN, rc);
    assert_non_null(strstr(bed.why.text, "lost its tail"));
    broker_free(broker);
    end(&bed);
}

static enum rc open_as(struct bed *bed, const char *user, const char *password) {
    const struct broker_kafka_property properties[] = {
        {STR("security.protocol"), STR("SASL_PLAINTEXT")},
        {STR("sasl.mechanism"), STR("PLAIN")},
        {STR("sasl.username"), str_of(user)},
        {STR("sasl.password"), str_of(password)},
    };
    struct broker_kafka_settings settings = bed->home.settings;
    struct broker broker;
    settings.servers = str_of(kafka_home_server("SLUICE_TEST_KAFKA_SASL"));
    settings.properties = properties;
    settings.properties_len = COUNT_OF(properties);
    settings.request_timeout_ms = 4000;
    enum rc rc = broker_kafka_open(&settings, &broker, &bed->why);
    if (rc != RC_OK) return rc;
    put_block(bed, broker);
    broker_free(broker);
    return RC_OK;
}

static void logins_are_checked_and_secrets_are_not_told(void **state) {
    (void)state;
    struct bed bed;
    begin(&bed);
    plan(&bed, 1, 1);
    OK(broker_kafka_admin_do(bed.admin, &bed.plan, &bed.why));
    OK(open_as(&bed, kafka_home_server("SLUICE_TEST_KAFKA_USER"), kafka_home_server("SLUICE_TEST_KAFKA_PASSWORD")));
    IS(RC_DENIED, open_as(&bed, kafka_home_server("SLUICE_TEST_KAFKA_USER"), "wrong-password"));
    assert_non_null(strstr(bed.why.text, "sasl.*"));
    assert_null(strstr(bed.why.text, "wrong-password"));
    IS(RC_DENIED, open_as(&bed, "nobody", kafka_home_server("SLUICE_TEST_KAFKA_NOBODY")));
    assert_non_null(strstr(bed.why.text, "the user needs"));
    end(&bed);
}

static void missing_topics_are_told_by_name(void **state) {
    (void)state;
    struct bed bed;
    struct broker broker;
    begin(&bed);
    IS(RC_DENIED, broker_kafka_open(&bed.home.settings, &broker, &bed.why));
    assert_non_null(strstr(bed.why.text, bed.admin->config.topics[BROKER_BLOCKS]));
    assert_non_null(strstr(bed.why.text, "sluice init"));
    end(&bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_as_wanted_and_made_once),
        cmocka_unit_test(what_would_lose_lines_is_found_and_mended),
        cmocka_unit_test(jobs_can_get_more_partitions_and_blocks_cannot),
        cmocka_unit_test(a_group_is_set_back_once_it_is_empty),
        cmocka_unit_test(a_generation_is_removed_and_a_log_made_anew_is_broken),
        cmocka_unit_test(logins_are_checked_and_secrets_are_not_told),
        cmocka_unit_test(missing_topics_are_told_by_name),
    };
    return cmocka_run_group_tests_name("kafka's admin", tests, NULL, NULL);
}
