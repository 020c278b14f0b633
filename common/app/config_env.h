/* SPDX-License-Identifier: Apache-2.0 */
/* config_env: ${NAME}, ${NAME:-text}, ${file:/PATH} and $$ in a value. Inside common/app only. Threads: as getenv(3).
 */
#ifndef SLUICE_CONFIG_ENV_H
#define SLUICE_CONFIG_ENV_H

#include "buf.h"

/* Writes `text`, expanded, behind what is in `out`. RC_DENIED with the reason alone in `why`; over the cap of `out` see
 * buf_rc(). */
RC config_env_expand(struct str text, struct buf *out, struct why *why);

#endif
