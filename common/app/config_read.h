/* SPDX-License-Identifier: Apache-2.0 */
/* config_read: walks the tree of the file along the table and fills the struct: kinds, bounds, defaults, required keys,
 * unknown and repeated ones. What several keys mean together is config_check. Inside common/app only.
 * Fails: RC_DENIED, `FILE:LINE:COLUMN: KEY: ...`. */
#ifndef SLUICE_CONFIG_READ_H
#define SLUICE_CONFIG_READ_H

#include "config_node.h"

/* All values after ${NAME} was replaced; a value that a variable makes long does not count 1 MiB of times. */
enum { CONFIG_EXPANDED_BYTES_MAX = 4 * CONFIG_BYTES_MAX };

RC config_read(struct config *config, const struct config_node *root, struct why *why);

#endif
