/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_client.h"

#include "kafka_error.h"
#include "log.h"
#include "metric.h"
#include "own.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What librdkafka says is for whoever debugs; the loops tell what it means. The call site limits repeats. */
static void take_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
    (void)rk, (void)level;
    LOG_DEBUG("librdkafka", F_STR("facility", facility), F_STR("text", text));
}

/* A certificate that is not trusted is told as _SSL once and as a connection that broke at other times. */
static int meant(int error, const char *reason) {
    return strstr(reason, "certificate verify failed") ? RD_KAFKA_RESP_ERR__SSL : error;
}

static void take_error(rd_kafka_t *rk, int error, const char *reason, void *opaque) {
    (void)rk;
    struct kafka_client *client = opaque;
    metric_add(METRIC_BROKER_ERRORS, 1);
    LOCKED(&client->lock);
    /* "all brokers are down" follows the reason that is worth keeping */
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && client->said) return;
    client->said = meant(error, reason);
    (void)snprintf(client->words, sizeof client->words, "%s", reason);
}

static RC set_property(rd_kafka_conf_t *conf, const char *name, const char *value, struct why *why) {
    char words[256];
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, name, value, words, sizeof words);
    if (res == RD_KAFKA_CONF_OK) return RC_OK;
    if (res == RD_KAFKA_CONF_UNKNOWN)
        return why_set(why, RC_DENIED, "broker: there is no property '%s' in librdkafka %s; see its CONFIGURATION.md",
                       name, rd_kafka_version_str());
    return why_set(why, RC_DENIED, "broker: property '%s' has a value that librdkafka does not take: %s", name, words);
}

static RC set_own(rd_kafka_conf_t *conf, const struct kafka_property *property, struct why *why) {
    char number[32];
    (void)snprintf(number, sizeof number, "%" PRIu64, property->number);
    return set_property(conf, property->name, property->text ? property->text : number, why);
}

static RC check_not_fixed(const struct kafka_property *properties, const char *name, struct why *why) {
    for (const struct kafka_property *p = properties; p->name; p++)
        if (p->fixed && !strcmp(p->name, name))
            return why_set(why, RC_DENIED, "broker: property '%s' cannot be set: sluice relies on its own value", name);
    return RC_OK;
}

/* Every client refuses what any of them relies on, so that a mistake shows at once and not in one role only. */
static const struct kafka_property EVERYWHERE[] = {{"bootstrap.servers", NULL, 0, true},
                                                   {"enable.idempotence", NULL, 0, true},
                                                   {"acks", NULL, 0, true},
                                                   {"request.required.acks", NULL, 0, true},
                                                   {"transactional.id", NULL, 0, true},
                                                   {"enable.gapless.guarantee", NULL, 0, true},
                                                   {"group.id", NULL, 0, true},
                                                   {"group.instance.id", NULL, 0, true},
                                                   {"enable.auto.commit", NULL, 0, true},
                                                   {"auto.commit.enable", NULL, 0, true},
                                                   {"auto.offset.reset", NULL, 0, true},
                                                   {"enable.auto.offset.store", NULL, 0, true},
                                                   {"enable.partition.eof", NULL, 0, true},

                                                   {"isolation.level", NULL, 0, true},
                                                   {"check.crcs", NULL, 0, true},
                                                   {"message.max.bytes", NULL, 0, true},
                                                   {"queue.buffering.max.messages", NULL, 0, true},
                                                   {"queue.buffering.max.kbytes", NULL, 0, true},
                                                   {"metadata.broker.list", NULL, 0, true},
                                                   {NULL, NULL, 0, false}};

static RC set_users(rd_kafka_conf_t *conf, const struct kafka_config *config, const struct kafka_property *own,
                    struct why *why) {
    for (size_t i = 0; i < config->properties_len; i++) {
        const struct kafka_text_property *p = &config->properties[i];
        TRY(check_not_fixed(EVERYWHERE, p->name, why));
        TRY(check_not_fixed(own, p->name, why));
        TRY(set_property(conf, p->name, p->value, why));
    }
    return RC_OK;
}

static RC set_all(rd_kafka_conf_t *conf, const struct kafka_config *config, const struct kafka_property *own,
                  struct why *why) {
    const struct kafka_property common[] = {
        {"bootstrap.servers", config->servers, 0, true}, {"client.id", config->client_id, 0, false},
        {"socket.keepalive.enable", "true", 0, false},   {"reconnect.backoff.ms", NULL, 100, false},
        {"reconnect.backoff.max.ms", NULL, 2000, false}, /* a broker that came back is found within seconds */
    };
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) TRY(set_own(conf, &common[i], why));
    for (const struct kafka_property *p = own; p->name; p++) TRY(set_own(conf, p, why));
    return set_users(conf, config, own, why);
}

/* Before 2.6.1 librdkafka says its nonce twice, which brokers take for a wrong password from Kafka 3.8.1 on. */
static bool is_hurt_scram(const struct kafka_config *config) {
    enum { MENDED = 0x020601ff };
    bool scram = false;
    for (size_t i = 0; i < config->properties_len; i++) {
        const struct kafka_text_property *p = &config->properties[i];
        if (!strcmp(p->name, "sasl.mechanism") || !strcmp(p->name, "sasl.mechanisms"))
            scram = !strncmp(p->value, "SCRAM-", sizeof "SCRAM-" - 1);
    }
    return scram && rd_kafka_version() < (MENDED & ~0xff);
}

static void conf_destroy(rd_kafka_conf_t **conf) {
    if (*conf) rd_kafka_conf_destroy(*conf);
}

enum rc kafka_client_init(struct kafka_client *client, const struct kafka_config *config, rd_kafka_type_t type,
                          const struct kafka_property *properties, const struct kafka_callbacks *callbacks,
                          struct why *why) {
    AUTO(conf_destroy) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    TRY(set_all(conf, config, properties, why));
    rd_kafka_conf_set_log_cb(conf, take_log);
    rd_kafka_conf_set_error_cb(conf, take_error);
    rd_kafka_conf_set_opaque(conf, callbacks && callbacks->opaque ? callbacks->opaque : client);
    if (callbacks && callbacks->delivered) rd_kafka_conf_set_dr_msg_cb(conf, callbacks->delivered);
    if (callbacks && callbacks->rebalance) rd_kafka_conf_set_rebalance_cb(conf, callbacks->rebalance);
    char words[512];
    rd_kafka_t *rk = rd_kafka_new(type, conf, words, sizeof words);
    if (!rk) return why_set(why, RC_DENIED, "broker: librdkafka does not start: %s", words);
    (void)TAKE(conf); /* the handle's now */
    client->rk = rk;
    atomic_store(&client->proven, false);
    client->hurt_scram = is_hurt_scram(config);
    client->grouped = callbacks && callbacks->rebalance;
    client->said = RD_KAFKA_RESP_ERR_NO_ERROR;
    (void)pthread_mutex_init(&client->lock, NULL);
    return RC_OK;
}

void kafka_client_done(struct kafka_client *client) {
    if (!client->rk) return;
    rd_kafka_destroy(client->rk);
    (void)pthread_mutex_destroy(&client->lock);
    client->rk = NULL;
}

void kafka_client_proven(struct kafka_client *client) {
    atomic_store(&client->proven, true);
    LOCKED(&client->lock);
    client->said = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void what_was_said(struct kafka_client *client, rd_kafka_resp_err_t *error, char *out, size_t room) {
    if (!client->grouped) (void)rd_kafka_poll(client->rk, 0); /* a group's queue holds messages too: not ours to take */
    LOCKED(&client->lock);
    *error = client->said;
    (void)snprintf(out, room, "%s", client->said ? client->words : "");
}

enum rc kafka_client_fail(struct kafka_client *client, rd_kafka_resp_err_t error, struct why *why, const char *format,
                          ...) {
    char doing[256], said[256];
    rd_kafka_resp_err_t connection = RD_KAFKA_RESP_ERR_NO_ERROR;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(doing, sizeof doing, format, list);
    va_end(list);
    what_was_said(client, &connection, said, sizeof said);
    enum rc rc = kafka_error_rc(error);
    const char *advice = kafka_error_advice(error);
    bool login = kafka_error_is_login(error) || (kafka_error_is_silence(error) && kafka_error_is_login(connection));
    if (login) rc = rc == RC_BROKEN || !atomic_load(&client->proven) ? RC_DENIED : RC_BUSY;
    if (login && kafka_error_is_silence(error)) advice = kafka_error_advice(connection);
    if (login && client->hurt_scram)
        advice = "with Kafka 3.8.1 and newer SCRAM needs librdkafka 2.6.1 or newer, whatever the password is: see "
                 "docs/FLEET.md; else look at sasl.* and ssl.* in broker.properties";
    return why_set(why, rc, "broker: %s: %s%s%s%s%s%s", doing, rd_kafka_err2str(error), *said ? " (" : "", said,
                   *said ? ")" : "", *advice ? "; " : "", advice);
}
