/* SPDX-License-Identifier: Apache-2.0 */
/* source_route: several sources as one: what a path or URI begins with says which. So a pattern may name files and
 * buckets side by side.
 *
 * A pattern is split: each source gets the paths and excludes that are its own, and all excludes that are names alone.
 * Waiting is the default's matter; what the others' files do is found by rescans.
 * Memory: a few words a route and an open file. Threads and Fails: as source.h says, and those of the sources. */
#ifndef SLUICE_SOURCE_ROUTE_H
#define SLUICE_SOURCE_ROUTE_H

#include "source.h"

struct source_route {
    struct str prefix; /* "s3://bucket/" of a path and of a URI; outlives the handle */
    struct source source;
};

/* Takes the sources over; copies `routes`. What no route's prefix fits is the default's. */
struct source source_route_new(struct source fallback, const struct source_route *routes, size_t routes_len);

#endif
