/* SPDX-License-Identifier: Apache-2.0 */
/* inputs: the source that a configuration's sources read from: files, and a bucket each that paths name. Threads: as
 * source.h. Fails: RC_DENIED with the place in the configuration. */
#ifndef SLUICE_INPUTS_H
#define SLUICE_INPUTS_H

#include "config.h"
#include "source.h"

RC inputs_open(const struct config *config, struct source *out, struct why *why);
/* Can the buckets be listed? RC_DENIED (no such bucket, no access), with the place; a server that is away is no fault
 * of the configuration. */
RC inputs_check(const struct config *config, struct source source, struct why *why);
/* What a source looks for. */
struct source_pattern inputs_pattern(const struct config_source *source);

#endif
