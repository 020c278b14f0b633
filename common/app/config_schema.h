/* SPDX-License-Identifier: Apache-2.0 */
/* config_schema: the JSON Schema (draft 2020-12) of the configuration file, for editors: keys, descriptions, defaults,
 * names and patterns out of the table. Where a value is no text, a text with ${NAME} fits too. It says less than the
 * program checks: bounds of bytes and times, and keys that depend on each other, are only described.
 * Threads: pure. Fails: see buf_rc(). */
#ifndef SLUICE_CONFIG_SCHEMA_H
#define SLUICE_CONFIG_SCHEMA_H

#include "buf.h"

/* One JSON object; about 14 KiB. */
void config_schema_json(struct buf *out);

#endif
