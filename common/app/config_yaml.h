/* SPDX-License-Identifier: Apache-2.0 */
/* config_yaml: YAML text to a tree of config_node, by libyaml's events. Aliases, anchors, tags, keys that are no plain
 * scalars and a second document are refused, so that a small file cannot become a large tree.
 * Limits: CONFIG_DEPTH_MAX levels, CONFIG_YAML_NODES_MAX values. Fails: RC_DENIED, `FILE:LINE:COLUMN: ...`. */
#ifndef SLUICE_CONFIG_YAML_H
#define SLUICE_CONFIG_YAML_H

#include "config_node.h"

/* About 100 bytes each; enough for 256 sources with 250 values each. */
enum { CONFIG_YAML_NODES_MAX = 65536 };

/* The nodes go into config->arena; config->file is the name for messages. */
RC config_yaml_read(struct config *config, struct str text, struct config_node **out, struct why *why);

#endif
