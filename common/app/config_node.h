/* SPDX-License-Identifier: Apache-2.0 */
/* config_node: the configuration file as a tree, before anything in it has a meaning. Inside common/app only.
 * Memory: the arena it was read into. */
#ifndef SLUICE_CONFIG_NODE_H
#define SLUICE_CONFIG_NODE_H

#include "config.h"

enum config_node_kind { CONFIG_NODE_SCALAR, CONFIG_NODE_LIST, CONFIG_NODE_MAP };

struct config_node {
    enum config_node_kind kind;
    bool plain;      /* a scalar without quotes */
    struct str text; /* of a scalar */
    struct str key;  /* when it stands in a map */
    struct config_place place, key_place;
    struct config_node *first, *last, *next; /* children and the next sibling */
    size_t count;                            /* of children */
};

#endif
