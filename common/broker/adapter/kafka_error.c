/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka_error.h"

#include "num.h"

#define ERR(name) RD_KAFKA_RESP_ERR_##name

static const struct row {
    rd_kafka_resp_err_t error;
    enum rc rc;
    const char *advice;
} rows[] = {
    {ERR(NO_ERROR), RC_OK, ""},
    /* a person has to act */
    {ERR(_AUTHENTICATION), RC_DENIED, "look at sasl.* in broker.properties"},
    {ERR(SASL_AUTHENTICATION_FAILED), RC_DENIED, "look at sasl.* in broker.properties"},
    {ERR(UNSUPPORTED_SASL_MECHANISM), RC_DENIED, "look at sasl.mechanism in broker.properties"},
    {ERR(ILLEGAL_SASL_STATE), RC_DENIED, "look at security.protocol in broker.properties"},
    {ERR(SECURITY_DISABLED), RC_DENIED, "the cluster has no authorizer"},
    {ERR(_SSL), RC_DENIED, "look at ssl.* in broker.properties"},
    {ERR(TOPIC_AUTHORIZATION_FAILED), RC_DENIED, "the user needs Read, Write, Describe and Delete on the topics"},
    {ERR(GROUP_AUTHORIZATION_FAILED), RC_DENIED, "the user needs Read on the groups"},
    {ERR(CLUSTER_AUTHORIZATION_FAILED), RC_DENIED, "the user needs IdempotentWrite on the cluster"},
    {ERR(TRANSACTIONAL_ID_AUTHORIZATION_FAILED), RC_DENIED, ""},
    {ERR(_UNKNOWN_TOPIC), RC_DENIED, "`sluice init` makes the topics"},
    {ERR(_UNKNOWN_PARTITION), RC_DENIED, "`sluice init` makes the topics"},
    {ERR(TOPIC_EXCEPTION), RC_DENIED, "a topic's name has letters, digits, '.', '_' and '-', at most 249"},
    {ERR(MSG_SIZE_TOO_LARGE), RC_DENIED, "raise the topic's max.message.bytes; `sluice init` does"},
    {ERR(RECORD_LIST_TOO_LARGE), RC_DENIED, "the topic's segment.bytes is too small"},
    {ERR(INVALID_REQUIRED_ACKS), RC_DENIED, ""},
    {ERR(INVALID_CONFIG), RC_DENIED, ""},
    {ERR(INVALID_REPLICATION_FACTOR), RC_DENIED, "there are fewer brokers than replicas asked for"},
    {ERR(INVALID_PARTITIONS), RC_DENIED, "partitions can only be added"},
    {ERR(POLICY_VIOLATION), RC_DENIED, "the cluster's policy does not allow it"},
    {ERR(INVALID_GROUP_ID), RC_DENIED, ""},
    {ERR(INVALID_SESSION_TIMEOUT), RC_DENIED, "see group.min.session.timeout.ms and group.max… of the brokers"},
    {ERR(INCONSISTENT_GROUP_PROTOCOL), RC_DENIED, "another program is a member of this group"},
    {ERR(GROUP_MAX_SIZE_REACHED), RC_DENIED, "see group.max.size of the brokers"},
    {ERR(FENCED_INSTANCE_ID), RC_DENIED, "another process runs with the same instance id"},
    {ERR(_FENCED), RC_DENIED, "another process runs with the same instance id"},
    {ERR(NON_EMPTY_GROUP), RC_DENIED, "stop all members of the group first"},
    {ERR(UNKNOWN_MEMBER_ID), RC_BUSY, ""},
    {ERR(UNSUPPORTED_VERSION), RC_DENIED, "the brokers are too old"},
    {ERR(_UNSUPPORTED_FEATURE), RC_DENIED, "the brokers are too old"},
    {ERR(_INVALID_ARG), RC_DENIED, "look at broker.properties"},
    {ERR(TOPIC_DELETION_DISABLED), RC_DENIED, "delete.topic.enable of the brokers is false"},
    {ERR(_NOT_IMPLEMENTED), RC_DENIED, "librdkafka was built without it"},
    /* what was believed does not hold */
    {ERR(_FATAL), RC_BROKEN, ""},
    {ERR(_GAPLESS_GUARANTEE), RC_BROKEN, ""},
    {ERR(_MSG_TIMED_OUT), RC_BROKEN, ""},
    {ERR(_PURGE_QUEUE), RC_BROKEN, ""},
    {ERR(_PURGE_INFLIGHT), RC_BROKEN, ""},
    {ERR(_INCONSISTENT), RC_BROKEN, ""},
    {ERR(OUT_OF_ORDER_SEQUENCE_NUMBER), RC_BROKEN, ""},
    {ERR(DUPLICATE_SEQUENCE_NUMBER), RC_BROKEN, ""},
    {ERR(UNKNOWN_PRODUCER_ID), RC_BROKEN, ""},
    {ERR(INVALID_PRODUCER_EPOCH), RC_BROKEN, ""},
    {ERR(PRODUCER_FENCED), RC_BROKEN, ""},
    {ERR(INVALID_MSG), RC_BROKEN, ""},
    {ERR(INVALID_RECORD), RC_BROKEN, ""},
    {ERR(_BAD_MSG), RC_BROKEN, "a message's checksum does not match"},
    {ERR(_BAD_COMPRESSION), RC_BROKEN, ""},
    /* not there */
    {ERR(OFFSET_OUT_OF_RANGE), RC_ABSENT, ""},
    {ERR(_AUTO_OFFSET_RESET), RC_ABSENT, ""},
    {ERR(_NO_OFFSET), RC_ABSENT, ""},
    {ERR(_PARTITION_EOF), RC_ABSENT, ""},
    {ERR(GROUP_ID_NOT_FOUND), RC_ABSENT, ""},
    /* passes: named because they are common, and so that the table says it was thought of */
    {ERR(_TRANSPORT), RC_BUSY, ""},
    {ERR(_ALL_BROKERS_DOWN), RC_BUSY, ""},
    {ERR(_RESOLVE), RC_BUSY, "is the name in broker.url right?"},
    {ERR(_TIMED_OUT), RC_BUSY, ""},
    {ERR(_QUEUE_FULL), RC_BUSY, ""},
    {ERR(UNKNOWN_TOPIC_OR_PART), RC_BUSY, "`sluice init` makes the topics"},
    {ERR(LEADER_NOT_AVAILABLE), RC_BUSY, ""},
    {ERR(NOT_LEADER_FOR_PARTITION), RC_BUSY, ""},
    {ERR(NOT_ENOUGH_REPLICAS), RC_BUSY, "fewer replicas are in sync than min.insync.replicas"},
    {ERR(NOT_ENOUGH_REPLICAS_AFTER_APPEND), RC_BUSY, "fewer replicas are in sync than min.insync.replicas"},
    {ERR(OFFSET_NOT_AVAILABLE), RC_BUSY, ""},
    {ERR(KAFKA_STORAGE_ERROR), RC_BUSY, "a broker's disk fails"},
    {ERR(THROTTLING_QUOTA_EXCEEDED), RC_BUSY, "the user's quota is used up"},
};

static const struct row *row_of(rd_kafka_resp_err_t error) {
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].error == error) return &rows[i];
    return NULL;
}

enum rc kafka_error_rc(rd_kafka_resp_err_t error) {
    const struct row *row = row_of(error);
    return row ? row->rc : RC_BUSY;
}

const char *kafka_error_advice(rd_kafka_resp_err_t error) {
    const struct row *row = row_of(error);
    return row ? row->advice : "";
}

bool kafka_error_is_login(rd_kafka_resp_err_t error) {
    return error == ERR(_AUTHENTICATION) || error == ERR(_SSL) || error == ERR(SASL_AUTHENTICATION_FAILED) ||
           error == ERR(UNSUPPORTED_SASL_MECHANISM) || error == ERR(ILLEGAL_SASL_STATE);
}

bool kafka_error_is_silence(rd_kafka_resp_err_t error) {
    return error == ERR(_TRANSPORT) || error == ERR(_ALL_BROKERS_DOWN) || error == ERR(_TIMED_OUT) ||
           error == ERR(_RESOLVE) || error == ERR(_MSG_TIMED_OUT) || error == ERR(_TIMED_OUT_QUEUE) ||
           error == ERR(_WAIT_COORD);
}
