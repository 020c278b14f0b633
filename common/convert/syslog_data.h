/* SPDX-License-Identifier: Apache-2.0 */
/* syslog_data: the structured data of RFC 5424, [id name="value" …][id …], as JSON: {"id":{"name":"value"}}. A name
 * that stands twice in an element, which the RFC allows, is name and name_2; an id that stands twice is an error.
 * Memory: the caller's. Threads: one at a time for each struct names. */
#ifndef SLUICE_SYSLOG_DATA_H
#define SLUICE_SYSLOG_DATA_H

#include "converter_impl.h"
#include "names.h"

/* For what `bytes` of structured data become, and its values decoded. */
#define SYSLOG_DATA_BYTES(bytes) ((bytes)*8 + 64)

struct syslog_data {
    struct names ids, params;                /* work */
    struct str json;                         /* .at NULL: '-' */
    struct str wanted[PARTITION_FIELDS_MAX]; /* the partition's fields data, id, name */
};

/* Reads from the start of *rest, which then begins behind it. `memory` has SYSLOG_DATA_BYTES(rest->len). False: it is
 * none. */
bool syslog_data_read(const struct converter *c, struct str *rest, char *memory, struct syslog_data *out);
/* Is it a field of the partition that can be found here? */
bool syslog_data_path(const struct json_path *path);

#endif
