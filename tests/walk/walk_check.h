/* SPDX-License-Identifier: Apache-2.0 */
/* walk_check: how often each line may be in the output, and how often it is. Threads: one. */
#ifndef SLUICE_WALK_CHECK_H
#define SLUICE_WALK_CHECK_H

#include "walk_files.h"
#include "walk_world.h"

/* RC_BROKEN with the first line that is there too often or not often enough. */
RC walk_check(const struct walk_files *files, const struct walk_world *world, struct walk_result *result,
              struct why *why);

#endif
