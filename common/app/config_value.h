/* SPDX-License-Identifier: Apache-2.0 */
/* config_value: the text of one value to the field that it sets, by its row of the table. Inside common/app only.
 * Fails: RC_DENIED with the reason alone, without place and key. Threads: pure. */
#ifndef SLUICE_CONFIG_VALUE_H
#define SLUICE_CONFIG_VALUE_H

#include "config_table.h"

/* Stores `text` (in the arena) at `field`. */
RC config_value_store(const struct config_row *row, struct str text, void *field, struct why *why);
/* A number as one writes it: 1MiB, 5m, 3. */
struct config_number {
    char text[32];
};
struct config_number config_value_format(enum config_kind kind, uint64_t value);

#endif
