/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_error: what an error of librdkafka or of a Kafka broker means for us: one table, used by all of the Kafka
 * adapter. Threads: pure. */
#ifndef SLUICE_KAFKA_ERROR_H
#define SLUICE_KAFKA_ERROR_H

#include "rc.h"

#include <librdkafka/rdkafka.h>

/* RC_BUSY for what passes by itself, and for all that is not in the table: waiting and saying so is never wrong. */
enum rc kafka_error_rc(rd_kafka_resp_err_t error);
/* What a person can do about it; "" when nothing. */
const char *kafka_error_advice(rd_kafka_resp_err_t error);
/* Credentials, certificates: permanent when they never worked, else maybe a broker that is just starting. */
bool kafka_error_is_login(rd_kafka_resp_err_t error);
/* The call did not get an answer. */
bool kafka_error_is_silence(rd_kafka_resp_err_t error);

#endif
