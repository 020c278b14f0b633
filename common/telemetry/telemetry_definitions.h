/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_definitions: what the histograms of one revision of Firefox are: its Histograms.json.
 *
 * Memory: about 100 bytes a histogram, and the buckets of those that were asked for. Threads: one at a time. Limits:
 * TELEMETRY_DEFINITIONS_BYTES of text. Fails: RC_BAD for what is no JSON object. */
#ifndef SLUICE_TELEMETRY_DEFINITIONS_H
#define SLUICE_TELEMETRY_DEFINITIONS_H

#include "buf.h"
#include "telemetry_buckets.h"

enum {
    TELEMETRY_DEFINITIONS_BYTES = 16 * 1024 * 1024,
    TELEMETRY_REVISION_MAX = 64, /* of its hexadecimal digits */
    TELEMETRY_CACHED = 32,       /* revisions of a cache */
};

struct telemetry_definition;
struct telemetry_definitions;

/* Where texts of revisions come from: adds the text to `out`. RC_ABSENT: there is none of this revision. RC_BUSY: it
 * cannot be told now. */
struct telemetry_library {
    RC (*read)(void *self, struct str revision, struct buf *out, struct why *why);
    void *self;
};

RC telemetry_definitions_new(struct str text, struct telemetry_definitions **out, struct why *why);
void telemetry_definitions_free(struct telemetry_definitions *definitions);
static inline void telemetry_definitions_done(struct telemetry_definitions **d) { telemetry_definitions_free(*d); }
/* The definition of this name, or of what is behind STARTUP_ in it; NULL: there is none. `hash` is the name's. */
struct telemetry_definition *telemetry_definitions_find(struct telemetry_definitions *definitions, struct str name,
                                                        uint64_t hash);
/* NULL: the definition gives no buckets. */
const struct telemetry_buckets *telemetry_definition_buckets(struct telemetry_definition *definition);

/* The revisions that were asked for last. */
struct telemetry_cache {
    struct telemetry_library library;
    struct telemetry_cached {
        char revision[TELEMETRY_REVISION_MAX + 1];
        struct telemetry_definitions *definitions;
        uint64_t used;
    } at[TELEMETRY_CACHED];
    size_t count;
    uint64_t clock;
};

/* As the library fails, and RC_BAD for a text that is none. */
RC telemetry_cache_get(struct telemetry_cache *cache, struct str revision, struct telemetry_definitions **out,
                       struct why *why);
void telemetry_cache_done(struct telemetry_cache *cache);

/* The revision of a URL http(s)://HOST/REPOSITORY/rev/HEX, with or without a '/' at its end. RC_BAD: it is none. */
RC telemetry_revision(struct str url, struct str *out);

#endif
