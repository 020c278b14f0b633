/* SPDX-License-Identifier: Apache-2.0 */
/* time_pattern: strptime-like patterns of time_parse, compiled and matched. Inside common/time only; the contract is in
 * time_parse.h. */
#ifndef SLUICE_TIME_PATTERN_H
#define SLUICE_TIME_PATTERN_H

#include "time_parse.h"

/* Fills .op_count and .ops. */
RC time_pattern_compile(struct str text, struct time_parse *out, struct why *why);
RC time_pattern_ns(const struct time_parse *pattern, struct str text, int64_t *out_ns);
/* "+07:00", "-0700", "+07" or "Z" at *at to seconds; RC_BAD for hours over 23 and minutes over 59. */
RC time_pattern_offset(const char **at, const char *end, int32_t *out_s);

#endif
