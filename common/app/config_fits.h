/* SPDX-License-Identifier: Apache-2.0 */
/* config_fits: may this text be the value of its key? For the rows of config_table.c, which say in words what is
 * allowed. Threads, memory: pure. Fails: never. */
#ifndef SLUICE_CONFIG_FITS_H
#define SLUICE_CONFIG_FITS_H

#include "str.h"

bool config_fits_pipeline(struct str text);
bool config_fits_source_name(struct str text);
bool config_fits_broker(struct str text);
bool config_fits_ledger(struct str text);
bool config_fits_http(struct str text);
bool config_fits_some_text(struct str text);

#endif
