/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_quantity: the numbers of Histograms.json: 50, "50", "80 + 1", "16 * 1024 * 1024", and the constants
 * JS::gcreason::NUM_TELEMETRY_REASONS (JS::GCReason:: too) = 101 and mozilla::StartupTimeline::MAX_EVENT_ID = 12.
 * Threads: pure. Fails: RC_BAD for anything else, and for what does not fit int64. */
#ifndef SLUICE_TELEMETRY_QUANTITY_H
#define SLUICE_TELEMETRY_QUANTITY_H

#include "json.h"

/* The value of a number of any size, in double. */
RC telemetry_number(struct json_node node, double *out);
RC telemetry_quantity(struct json_node node, int64_t *out);

#endif
