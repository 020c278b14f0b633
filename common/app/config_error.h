/* SPDX-License-Identifier: Apache-2.0 */
/* config_error: the one form of a message about the configuration, `FILE:LINE:COLUMN: KEY: words`, and where each value
 * stands. Inside common/app only; config_error(), config_key() and config_place() are in config.h. Threads: pure. */
#ifndef SLUICE_CONFIG_ERROR_H
#define SLUICE_CONFIG_ERROR_H

#include "config.h"

/* Without a place when place.line is 0, without a key when `key` is "". Gives RC_DENIED. */
enum rc config_error_at(const struct config *config, struct config_place place, const char *key, struct why *why,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Hostile text for a message: at most 100 bytes, control bytes as '?'. */
struct config_shown {
    char text[104];
};
struct config_shown config_show(struct str text);

/* `; did you mean "..."?` for the nearest name, or "" when none is near. */
struct config_hint {
    char text[96];
    size_t distance; /* of the name in `text`; internal */
};
#define CONFIG_HINT_INIT ((struct config_hint){.distance = SIZE_MAX})
/* Offers one more name. */
void config_hint_offer(struct config_hint *hint, struct str wrong, struct str name);

/* The mark of exactly this key, or NULL: then its value is a default. */
const struct config_mark *config_mark_find(const struct config *config, const char *key);

#endif
