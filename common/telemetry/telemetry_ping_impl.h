/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_ping_impl: what the files of telemetry_ping share: the ping (telemetry_ping.c), infos that are made
 * (telemetry_unified.c), and histograms (telemetry_histogram.c). */
#ifndef SLUICE_TELEMETRY_PING_IMPL_H
#define SLUICE_TELEMETRY_PING_IMPL_H

#include "telemetry_ping.h"

enum telemetry_outcome telemetry_reject(struct telemetry_ping *ping, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void telemetry_put_key(struct json_out *json, struct str quoted);
void telemetry_put_value(struct json_out *json, struct str raw);
/* The object "histograms", converted by ping->definitions. */
enum telemetry_outcome telemetry_histograms(struct telemetry_ping *ping, const struct telemetry_member *member,
                                            struct json_out *json);
/* "info":{…} of a ping of ver 3 or version 4, without a comma behind it. */
void telemetry_put_info(struct telemetry_ping *ping, struct json_out *json);

#endif
