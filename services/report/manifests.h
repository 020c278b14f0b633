/* SPDX-License-Identifier: Apache-2.0 */
/* manifests: goes through all manifests of a generation, as every reader of the data does.
 *
 * Memory: one manifest, decoded. Threads: one at a time. Fails: with what the store and the visitor fail with;
 * RC_BROKEN for a manifest that is not readable; RC_ABSENT for a generation that was removed, whose manifests list what
 * is no longer there. */
#ifndef SLUICE_MANIFESTS_H
#define SLUICE_MANIFESTS_H

#include "manifest.h"
#include "report.h"

/* Anything but RC_OK ends the walk and is returned; RC_STOP as RC_OK. `manifest` is good during the call. */
typedef enum rc (*manifests_visit)(void *context, const struct manifest *manifest, struct why *why);

/* By partition (in the order of their names as text), then by index. */
RC manifests_each(const struct report *report, manifests_visit visit, void *context, struct why *why);

#endif
