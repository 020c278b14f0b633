/* SPDX-License-Identifier: Apache-2.0 */
/* config_inputs: where a source's files are, how a bucket is reached, and what becomes of inputs that are durable.
 * Inside common/app only. Threads: pure. Fails: RC_DENIED, with the place. */
#ifndef SLUICE_CONFIG_INPUTS_H
#define SLUICE_CONFIG_INPUTS_H

#include "config.h"

/* Checks sources[i] and fills its paths, excludes and what after_durable means in. Sources before it are checked. */
RC config_inputs_check(struct config *config, size_t i, struct why *why);

#endif
