/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_ping: one ping to its compact form, by the rule that is called strict.
 *
 *   ver 1       histograms converted by the definitions of info.revision, ver 2
 *   ver 2, 5    as they are (they need info)
 *   ver 3       (FirefoxOS) info out of deviceinfo.*, without pingID, ver 2
 *   version 4   (unified) info out of application, version 5; the histograms of the payload of main and saved-session
 * pings by the rule of ver 1 version 5   as it is A histogram becomes the array of its counts and sum, log_sum,
 * log_sum_squares, sum_squares_lo, sum_squares_hi (-1 where one is missing or no number). One without a definition is
 * dropped and counted. Any violation rejects the ping. All other values, the order of keys and the text of numbers stay
 * as they are; blanks between them do not.
 *
 * Memory: some 100 bytes a member of the largest object. Threads: one at a time. */
#ifndef SLUICE_TELEMETRY_PING_H
#define SLUICE_TELEMETRY_PING_H

#include "json_out.h"
#include "telemetry_definitions.h"
#include "telemetry_members.h"
#include "telemetry_schema.h"

enum telemetry_outcome {
    TELEMETRY_DONE,
    TELEMETRY_REJECT,    /* .why says what is wrong with it */
    TELEMETRY_UNDEFINED, /* there are no definitions of its revision */
    TELEMETRY_LATER,     /* the definitions cannot be had now */
};

enum telemetry_info { TELEMETRY_INFO_OWN, TELEMETRY_INFO_DEVICE, TELEMETRY_INFO_APPLICATION };

struct telemetry_ping {
    struct telemetry_cache cache;
    bool has_uuid; /* a key of that name would stand twice in the output, and becomes uuid_2 */
    uint64_t dropped;
    struct why why;
    /* Inside. */
    struct telemetry_members top, payload, histograms, values;
    struct telemetry_definitions *definitions; /* of this ping; NULL: nothing is converted */
    struct str *counts;                        /* work: of a histogram */
    size_t counts_room;
    enum telemetry_info info;
    struct json_node root, own; /* the info, for OWN */
};

/* `raw` is the text that `root` was parsed of. Adds the object's members to `json`, whose bracket is open, and closes
 * it. Unless it is DONE, what was added means nothing. */
enum telemetry_outcome telemetry_ping_convert(struct telemetry_ping *ping, struct json_node root, struct str raw,
                                              struct json_out *json);
/* A value of the info that the ping has now. */
struct telemetry_value telemetry_ping_info(const struct telemetry_ping *ping, struct str name);
void telemetry_ping_done(struct telemetry_ping *ping);

#endif
