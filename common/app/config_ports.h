/* SPDX-License-Identifier: Apache-2.0 */
/* config_ports: what the keys of broker, ledger, output and events say of each other: keys of Kafka beside a local
 * broker, half a pair of keys, one part local and the other not. Inside common/app only. Threads: reads the
 * environment. Fails: RC_DENIED, with the place. */
#ifndef SLUICE_CONFIG_PORTS_H
#define SLUICE_CONFIG_PORTS_H

#include "config.h"

/* Also fills broker.servers and broker.cache; config->state is absolute already. */
RC config_ports_check(struct config *config, struct why *why);

#endif
