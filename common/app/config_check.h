/* SPDX-License-Identifier: Apache-2.0 */
/* config_check: what single keys cannot say: values that depend on each other, names that must differ, patterns and
 * paths to compile and resolve. Inside common/app only. Fails: RC_DENIED, `FILE:LINE:COLUMN: KEY: ...`. */
#ifndef SLUICE_CONFIG_CHECK_H
#define SLUICE_CONFIG_CHECK_H

#include "config.h"

RC config_check(struct config *config, struct why *why);

#endif
