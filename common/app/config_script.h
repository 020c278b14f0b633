/* SPDX-License-Identifier: Apache-2.0 */
/* config_script: what a configuration names beside it: scripts and schemas, which are read into
 * the configuration, and folders, which have to be there. Inside common/app only. */
#ifndef SLUICE_CONFIG_SCRIPT_H
#define SLUICE_CONFIG_SCRIPT_H

#include "config.h"

/* `path` is absolute. RC_DENIED: not there, no ordinary file, or larger than CONFIG_SCRIPT_MAX. */
RC config_script_read(struct config *config, struct str path, struct str *out, struct why *why);
/* `path` is absolute. RC_DENIED: not there, or no folder. */
RC config_script_folder(struct str path, struct why *why);

#endif
