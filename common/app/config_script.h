/* SPDX-License-Identifier: Apache-2.0 */
/* config_script: reads the script that a configuration names into the configuration. Inside common/app only. */
#ifndef SLUICE_CONFIG_SCRIPT_H
#define SLUICE_CONFIG_SCRIPT_H

#include "config.h"

/* `path` is absolute. RC_DENIED: not there, no ordinary file, or larger than CONFIG_SCRIPT_MAX. */
RC config_script_read(struct config *config, struct str path, struct str *out, struct why *why);

#endif
