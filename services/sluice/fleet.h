/* SPDX-License-Identifier: Apache-2.0 */
/* fleet: the settings of a fleet's adapters, out of the configuration: what the runtime opens, and what the commands
 * that prepare and mend a fleet ask. Threads: pure. Memory: the arena given; texts borrow from the configuration. */
#ifndef SLUICE_FLEET_H
#define SLUICE_FLEET_H

#include "broker_kafka_admin.h"
#include "config.h"
#include "ledger_redis.h"
#include "store_s3.h"

/* `generation` names the topic of blocks. */
struct broker_kafka_settings fleet_kafka(const struct config *config, uint64_t generation, struct arena *arena);
struct broker_kafka_wanted fleet_topics(const struct config *config);
struct ledger_redis_settings fleet_redis(const struct config *config);
/* Texts stay the configuration's. */
struct s3_settings fleet_bucket(const struct config_s3 *s3);
struct store_s3_settings fleet_s3(const struct config *config);

#endif
