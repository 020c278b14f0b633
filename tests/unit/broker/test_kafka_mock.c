/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: errors that pass are waited for and lose nothing; those that a person has to mend are RC_DENIED with words
 * that say what; and what was acknowledged before a producer failed is always handed out first. On librdkafka's own
 * mock cluster, which gives the errors that we ask it for. */
#include "broker_kafka.h"

#include "num.h"
#include "own.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define OK(call) assert_string_equal(rc_name(call), "ok")
#define IS(rc, call) assert_string_equal(rc_name(call), rc_name(rc))

enum { PRODUCE = 0, FETCH = 1, LIST_OFFSETS = 2, METADATA = 3, WAIT_MS = 60000 };

struct bed {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    char dir[128];
    struct broker_kafka_settings settings;
    struct broker broker;
    struct why why;
};

static int begin(void **state) {
    struct bed *bed = calloc(1, sizeof *bed);
    char words[256];
    const char *base = getenv("TMPDIR");
    assert_non_null(bed);
    bed->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), words, sizeof words);
    bed->cluster = rd_kafka_mock_cluster_new(bed->rk, 1);
    assert_int_equal(rd_kafka_mock_topic_create(bed->cluster, "p.jobs", 2, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(bed->cluster, "p.blocks.g3", 2, 1), 0);
    assert_int_equal(rd_kafka_mock_topic_create(bed->cluster, "p.events", 1, 1), 0);
    (void)snprintf(bed->dir, sizeof bed->dir, "%s/sluice-mock-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(bed->dir));
    bed->settings = (struct broker_kafka_settings){.servers = str_of(rd_kafka_mock_cluster_bootstraps(bed->cluster)),
                                                   .pipeline = STR("p"),
                                                   .generation = 3,
                                                   .cache_dir = str_of(bed->dir)};
    OK(broker_kafka_open(&bed->settings, &bed->broker, &bed->why));
    *state = bed;
    return 0;
}

static int end(void **state) {
    struct bed *bed = *state;
    broker_free(bed->broker);
    rd_kafka_mock_cluster_destroy(bed->cluster);
    rd_kafka_destroy(bed->rk);
    assert_int_equal(rmdir(bed->dir), 0);
    free(bed);
    return 0;
}

static void append(struct bed *bed, struct broker_producer producer, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", (int)i);
        OK(broker_append(producer, BROKER_BLOCKS, 0, str_of(text), STR(""), i, &bed->why));
    }
}

/* Polls until `n` are acknowledged, in order, or it fails: then gives the outcome. */
static enum rc collect(struct bed *bed, struct broker_producer producer, uint64_t from, uint64_t n, uint64_t *out_got) {
    struct broker_ack acks[16];
    *out_got = 0;
    while (*out_got < n) {
        size_t got = 0;
        enum rc rc = broker_poll(producer, WAIT_MS, acks, COUNT_OF(acks), &got, &bed->why);
        if (rc != RC_OK) return rc;
        for (size_t i = 0; i < got; i++) assert_int_equal(acks[i].cookie, from + *out_got + i);
        for (size_t i = 0; i < got; i++) assert_int_equal(acks[i].offset, from + *out_got + i);
        *out_got += got;
    }
    return RC_OK;
}

static void errors_that_pass_are_waited_for(void **state) {
    struct bed *bed = *state;
    struct broker_producer producer;
    uint64_t got = 0;
    rd_kafka_mock_push_request_errors(bed->cluster, PRODUCE, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                                      RD_KAFKA_RESP_ERR__TRANSPORT);
    OK(broker_producer_new(bed->broker, 1 << 20, &producer, &bed->why));
    append(bed, producer, 50);
    OK(collect(bed, producer, 0, 50, &got));
    for (uint64_t i = 0; i < 50; i++) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(100);
        struct broker_message message;
        OK(broker_read(bed->broker, 0, i, &bytes, &message, &bed->why));
        assert_int_equal(atoi(buf_text(&bytes)), (int)i);
    }
    broker_producer_free(producer);
}

static void expect_end_of_producer(struct bed *bed, rd_kafka_resp_err_t error, enum rc outcome, const char *words) {
    struct broker_producer producer;
    uint64_t got = 0;
    uint64_t start = 0, end = 0;
    OK(broker_bounds(bed->broker, 0, &start, &end, &bed->why));
    OK(broker_producer_new(bed->broker, 1 << 20, &producer, &bed->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), end, &bed->why));
    OK(collect(bed, producer, end, 1, &got));
    rd_kafka_mock_push_request_errors(bed->cluster, PRODUCE, 1, error);
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 7, &bed->why));
    IS(outcome, collect(bed, producer, end + 1, 1, &got));
    assert_int_equal(got, 0);
    assert_non_null(strstr(bed->why.text, words));
    IS(outcome, broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), 8, &bed->why));
    IS(outcome, collect(bed, producer, end + 1, 1, &got));
    broker_producer_free(producer);
    OK(broker_producer_new(bed->broker, 1 << 20, &producer, &bed->why)); /* a new one works */
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("x"), STR(""), end + 1, &bed->why));
    OK(collect(bed, producer, end + 1, 1, &got));
    broker_producer_free(producer);
}

static void errors_for_a_person_are_denied_with_advice(void **state) {
    struct bed *bed = *state;
    expect_end_of_producer(bed, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RC_DENIED, "needs Read, Write");
    expect_end_of_producer(bed, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RC_DENIED, "max.message.bytes");
    expect_end_of_producer(bed, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, RC_DENIED, "p.blocks.g3");
}

static void a_fatal_error_breaks_the_producer(void **state) {
    struct bed *bed = *state;
    expect_end_of_producer(bed, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RC_BROKEN, "p.blocks.g3");
}

static void what_was_acknowledged_before_is_handed_out_first(void **state) {
    struct bed *bed = *state;
    struct broker_producer producer;
    struct broker_ack ack;
    OK(broker_producer_new(bed->broker, 1 << 20, &producer, &bed->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("a"), STR(""), 1, &bed->why));
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("b"), STR(""), 2, &bed->why));
    uint64_t start = 0, last = 0;
    while (last < 2) OK(broker_bounds(bed->broker, 0, &start, &last, &bed->why)); /* both are in the log */
    size_t n = 0;
    OK(broker_poll(producer, WAIT_MS, &ack, 1, &n, &bed->why)); /* one of them; the other stays inside */
    assert_int_equal(n, 1);
    assert_int_equal(ack.cookie, 1);
    rd_kafka_mock_push_request_errors(bed->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    OK(broker_append(producer, BROKER_BLOCKS, 0, STR("c"), STR(""), 3, &bed->why));
    bool other = false;
    enum rc rc = RC_OK;
    while ((rc = broker_poll(producer, WAIT_MS, &ack, 1, &n, &bed->why)) == RC_OK)
        other = other || (n == 1 && ack.cookie == 2);
    IS(RC_DENIED, rc);
    assert_true(other);
    broker_producer_free(producer);
}

static void a_message_that_nobody_takes_ends_the_producer(void **state) {
    struct bed *bed = *state;
    struct broker_producer producer;
    struct broker impatient;
    uint64_t got = 0;
    bed->settings.message_timeout_ms = 1000;
    OK(broker_kafka_open(&bed->settings, &impatient, &bed->why));
    OK(broker_producer_new(impatient, 1 << 20, &producer, &bed->why));
    append(bed, producer, 3);
    OK(collect(bed, producer, 0, 3, &got));
    rd_kafka_mock_broker_set_down(bed->cluster, 1);
    append(bed, producer, 3);
    IS(RC_BROKEN, collect(bed, producer, 3, 3, &got));
    assert_int_equal(got, 0);
    rd_kafka_mock_broker_set_up(bed->cluster, 1);
    broker_producer_free(producer);
    broker_free(impatient);
}

static void a_broker_that_is_away_is_busy_and_comes_back(void **state) {
    struct bed *bed = *state;
    struct broker patient;
    uint64_t start, end;
    bed->settings.request_timeout_ms = 500;
    OK(broker_kafka_open(&bed->settings, &patient, &bed->why));
    rd_kafka_mock_broker_set_down(bed->cluster, 1);
    IS(RC_BUSY, broker_bounds(patient, 0, &start, &end, &bed->why));
    IS(RC_BUSY, broker_wait(patient, 0, 0, WAIT_MS, &bed->why));
    struct broker never;
    IS(RC_BUSY, broker_kafka_open(&bed->settings, &never, &bed->why));
    rd_kafka_mock_broker_set_up(bed->cluster, 1);
    enum rc rc = RC_BUSY;
    for (int i = 0; i < 200 && rc == RC_BUSY; i++) rc = broker_bounds(patient, 0, &start, &end, &bed->why);
    OK(rc);
    broker_free(patient);
}

static void properties_are_checked_by_name_and_value(void **state) {
    struct bed *bed = *state;
    struct broker broker;
    static const struct {
        struct broker_kafka_property property;
        const char *words;
    } rows[] = {
        {{STR("linger.mss"), STR("5")}, "no property 'linger.mss'"},
        {{STR("linger.ms"), STR("soon")}, "property 'linger.ms'"},
        {{STR("acks"), STR("1")}, "'acks' cannot be set"},
        {{STR("group.id"), STR("x")}, "'group.id' cannot be set"},
        {{STR("enable.idempotence"), STR("false")}, "'enable.idempotence' cannot be set"},
        {{STR("ssl.ca.location"), STR("/nonexistent.pem")}, ""},
        {{STR("security.protocol"), STR("secret")}, "property 'security.protocol'"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bed->settings.properties = &rows[i].property;
        bed->settings.properties_len = 1;
        enum rc rc = broker_kafka_open(&bed->settings, &broker, &bed->why);
        if (!*rows[i].words) { /* only read when TLS is on: here it is not */
            OK(rc);
            broker_free(broker);
            continue;
        }
        IS(RC_DENIED, rc);
        assert_non_null(strstr(bed->why.text, rows[i].words));
    }
    bed->settings.properties_len = 0;
    bed->settings.servers = STR("");
    IS(RC_DENIED, broker_kafka_open(&bed->settings, &broker, &bed->why));
}

static void what_the_broker_has_must_be_what_is_expected(void **state) {
    struct bed *bed = *state;
    struct broker broker;
    bed->settings.block_partitions = 3;
    IS(RC_DENIED, broker_kafka_open(&bed->settings, &broker, &bed->why));
    assert_non_null(strstr(bed->why.text, "p.blocks.g3 has 2 partitions"));
    bed->settings.block_partitions = 2;
    bed->settings.cluster_id = STR("another");
    IS(RC_DENIED, broker_kafka_open(&bed->settings, &broker, &bed->why));
    assert_non_null(strstr(bed->why.text, "another"));
    bed->settings.cluster_id = STR("");
    bed->settings.pipeline = STR("a name with blanks");
    IS(RC_DENIED, broker_kafka_open(&bed->settings, &broker, &bed->why));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(errors_that_pass_are_waited_for),
        TEST(errors_for_a_person_are_denied_with_advice),
        TEST(a_fatal_error_breaks_the_producer),
        TEST(what_was_acknowledged_before_is_handed_out_first),
        TEST(a_message_that_nobody_takes_ends_the_producer),
        TEST(a_broker_that_is_away_is_busy_and_comes_back),
        TEST(properties_are_checked_by_name_and_value),
        TEST(what_the_broker_has_must_be_what_is_expected),
    };
    return cmocka_run_group_tests_name("kafka, errors", tests, NULL, NULL);
}
