/* SPDX-License-Identifier: Apache-2.0 */
#include "broker_kafka.h"

#include "alloc.h"
#include "kafka_inside.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

/* ---- the port ---- */

static RC port_partitions(void *self, enum broker_topic topic, uint32_t *out, struct why *why) {
    const struct kafka *kafka = self;
    (void)why;
    *out = kafka->partitions[topic];
    return RC_OK;
}

static RC port_producer(void *self, size_t queue_bytes, struct broker_producer *out, struct why *why) {
    return kafka_producer_new(self, queue_bytes, out, why);
}

static RC port_consumer(void *self, struct str group, struct broker_consumer *out, struct why *why) {
    return kafka_consumer_new(self, group, out, why);
}

static RC port_share(void *self, struct str group, struct broker_share *out, struct why *why) {
    return kafka_share_new(self, group, out, why);
}

static RC log_of(struct kafka *kafka, uint32_t partition, struct kafka_log **out, struct why *why) {
    if (partition >= kafka->partitions[BROKER_BLOCKS])
        return why_set(why, RC_BAD, "broker: there is no partition %u of blocks", partition);
    *out = &kafka->logs[partition];
    return RC_OK;
}

static RC port_bounds(void *self, uint32_t partition, uint64_t *out_start, uint64_t *out_end, struct why *why) {
    struct kafka_log *log;
    TRY(log_of(self, partition, &log, why));
    return kafka_log_bounds(log, out_start, out_end, why);
}

static RC port_read(void *self, uint32_t partition, uint64_t offset, struct buf *out_bytes, struct broker_message *out,
                    struct why *why) {
    struct kafka_log *log;
    uint64_t len = 0;
    TRY(log_of(self, partition, &log, why));
    TRY(kafka_log_read(log, offset, SIZE_MAX, out_bytes, &len, why));
    *out = (struct broker_message){offset, partition, buf_str(out_bytes)};
    return RC_OK;
}

static RC port_read_head(void *self, uint32_t partition, uint64_t offset, size_t max, struct buf *out_bytes,
                         uint64_t *out_len, struct why *why) {
    struct kafka_log *log;
    TRY(log_of(self, partition, &log, why));
    return kafka_log_read(log, offset, max, out_bytes, out_len, why);
}

static RC port_trim(void *self, uint32_t partition, uint64_t before, struct why *why) {
    struct kafka_log *log;
    TRY(log_of(self, partition, &log, why));
    return kafka_log_trim(log, before, why);
}

static RC port_skip_to(void *self, uint32_t partition, uint64_t offset, struct why *why) {
    struct kafka_log *log;
    TRY(log_of(self, partition, &log, why));
    return kafka_log_skip_to(log, offset, why);
}

static RC port_backlog_bytes(void *self, uint64_t *out, struct why *why) { return kafka_backlog(self, out, why); }

static RC port_wait(void *self, uint32_t partition, uint64_t offset, uint64_t wait_ms, struct why *why) {
    struct kafka_log *log;
    TRY(log_of(self, partition, &log, why));
    return kafka_log_wait(log, offset, wait_ms, why);
}

static void port_stop(void *self) {
    struct kafka *kafka = self;
    atomic_store(&kafka->stopped, true);
}

static void port_free(void *self) {
    struct kafka *kafka = self;
    MUST(atomic_load(&kafka->handles) == 0);
    kafka_backlog_end(kafka);
    for (uint32_t k = 0; kafka->logs && k < kafka->partitions[BROKER_BLOCKS]; k++) kafka_log_done(&kafka->logs[k]);
    free(kafka->logs);
    if (kafka->blocks) rd_kafka_topic_destroy(kafka->blocks);
    kafka_client_done(&kafka->reader);
    kafka_client_done(&kafka->asker);
    kafka_cache_space_done(&kafka->space);
    kafka_config_done(&kafka->config);
    (void)pthread_mutex_destroy(&kafka->slots.lock);
    (void)pthread_mutex_destroy(&kafka->watch_lock);
    (void)pthread_cond_destroy(&kafka->watch_changed);
    free(kafka);
}

static const struct broker_ops KAFKA_OPS = {.partitions = port_partitions,
                                            .producer = port_producer,
                                            .consumer = port_consumer,
                                            .share = port_share,
                                            .bounds = port_bounds,
                                            .read = port_read,
                                            .read_head = port_read_head,
                                            .trim = port_trim,
                                            .skip_to = port_skip_to,
                                            .backlog_bytes = port_backlog_bytes,
                                            .wait = port_wait,
                                            .stop = port_stop,
                                            .free = port_free};

/* ---- opening ---- */

static RC begin_clients(struct kafka *kafka, struct why *why) {
    const struct broker_kafka_settings *n = &kafka->config.numbers;
    const struct kafka_property properties[] = {
        {"auto.offset.reset", "error", 0, true},
        {"enable.partition.eof", "true", 0, true},
        {"isolation.level", "read_uncommitted", 0, true}, /* nobody writes transactions; who does shows as a gap */
        {"check.crcs", "true", 0, true},
        {"queued.max.messages.kbytes", NULL, 4096, false}, /* a log; one answer more may be on its way */
        {"fetch.message.max.bytes", NULL, 2 << 20, false}, /* a log in one answer; a larger message comes alone */
        {"fetch.max.bytes", NULL, MAX(n->message_bytes_max + 4096, (size_t)8 << 20), false},
        {"message.max.bytes", NULL, n->message_bytes_max + 4096, true},
        {"fetch.wait.max.ms", NULL, 500, false},
        {"fetch.error.backoff.ms", NULL, 50, false},
        {NULL, NULL, 0, false}};
    static const struct kafka_property none[] = {{NULL, NULL, 0, false}};
    TRY(kafka_client_init(&kafka->asker, &kafka->config, RD_KAFKA_CONSUMER, none, NULL, why));
    TRY(kafka_client_init(&kafka->reader, &kafka->config, RD_KAFKA_CONSUMER, properties, NULL, why));
    kafka->blocks = rd_kafka_topic_new(kafka->reader.rk, kafka->config.topics[BROKER_BLOCKS], NULL);
    return RC_OK;
}

static void metadata_free(const struct rd_kafka_metadata **metadata) {
    if (*metadata) rd_kafka_metadata_destroy(*metadata);
}

/* How many partitions a topic has; checks that it is as configured. */
static RC look_at_topic(struct kafka *kafka, enum broker_topic which, uint32_t expected, struct why *why) {
    const char *name = kafka->config.topics[which];
    AUTO(metadata_free) const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka->asker.rk, name, NULL);
    rd_kafka_resp_err_t error =
        rd_kafka_metadata(kafka->asker.rk, 0, topic, &metadata, kafka_ms(kafka->config.numbers.request_timeout_ms));
    rd_kafka_topic_destroy(topic);
    if (error) return kafka_client_fail(&kafka->asker, error, why, "connecting to %s", kafka->config.servers);
    kafka_client_proven(&kafka->asker);
    MUST(metadata->topic_cnt == 1);
    error = metadata->topics[0].err;
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) error = RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    if (error) return kafka_client_fail(&kafka->asker, error, why, "topic %s", name);
    int n = metadata->topics[0].partition_cnt;
    if (n < 1) return why_set(why, RC_BUSY, "broker: topic %s has no partitions yet", name);
    if (expected && (uint32_t)n != expected)
        return why_set(why, RC_DENIED, "broker: topic %s has %d partitions, the configuration says %" PRIu32, name, n,
                       expected);
    kafka->partitions[which] = (uint32_t)n;
    return RC_OK;
}

static RC check_cluster(struct kafka *kafka, struct why *why) {
    if (!*kafka->config.cluster_id) return RC_OK;
    char *id = rd_kafka_clusterid(kafka->asker.rk, kafka_ms(kafka->config.numbers.request_timeout_ms));
    if (!id) return why_set(why, RC_BUSY, "broker: %s does not tell its cluster's id", kafka->config.servers);
    enum rc rc = RC_OK;
    if (strcmp(id, kafka->config.cluster_id) != 0)
        rc = why_set(why, RC_DENIED, "broker: %s is the cluster %s, but this pipeline's queue is in %s",
                     kafka->config.servers, id, kafka->config.cluster_id);
    rd_kafka_mem_free(kafka->asker.rk, id);
    return rc;
}

static RC open_all(struct kafka *kafka, const struct broker_kafka_settings *settings, struct why *why) {
    TRY(kafka_config_init(&kafka->config, settings, why));
    if (*kafka->config.cache_dir)
        TRY(kafka_cache_space_init(&kafka->space, kafka->config.cache_dir, kafka->config.numbers.cache_bytes_max, why));
    TRY(begin_clients(kafka, why));
    TRY(look_at_topic(kafka, BROKER_BLOCKS, settings->block_partitions, why));
    TRY(look_at_topic(kafka, BROKER_JOBS, settings->job_partitions, why));
    TRY(look_at_topic(kafka, BROKER_EVENTS, 0, why));
    TRY(check_cluster(kafka, why));
    kafka->logs = alloc_zero(kafka->partitions[BROKER_BLOCKS], sizeof *kafka->logs);
    for (uint32_t k = 0; k < kafka->partitions[BROKER_BLOCKS]; k++) kafka_log_init(&kafka->logs[k], kafka, k);
    return RC_OK;
}

enum rc broker_kafka_open(const struct broker_kafka_settings *settings, struct broker *out, struct why *why) {
    struct kafka *kafka = ALLOC(struct kafka);
    pthread_condattr_t monotonic;
    (void)pthread_mutex_init(&kafka->slots.lock, NULL);
    (void)pthread_mutex_init(&kafka->watch_lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&kafka->watch_changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    enum rc rc = open_all(kafka, settings, why);
    if (rc != RC_OK) {
        port_free(kafka);
        return rc;
    }
    *out = (struct broker){&KAFKA_OPS, kafka};
    return RC_OK;
}
