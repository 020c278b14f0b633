/* SPDX-License-Identifier: Apache-2.0 */
/* source_decoded: a source whose files are read as their texts: decompressed, and in UTF-8. In front of another one.
 *
 * To begin with it gives files as they are. A view of it opens them by its settings; files that are opened through any
 * view may be given to any other. Listings, removals and moves are of the files as they lie there, and so are sizes and
 * times of a source_stat; .decoded and .end tell of the text.
 *
 * Of files whose bytes never change (objects of a bucket) `automatic` looks only into those that are named like
 * compressed ones, as each look is a request.
 *
 * Nobody knows how long a text is before it was decoded. Small files are decoded when they are looked at; for others
 * .pending says that threads are at it, and to ask again soon.
 *
 * Memory: texts (text.h): one for each open file that is being read, a few that wait for the next to read them, one a
 * thread. Threads: as source.h says. Fails: as the inner source, and as text.h. */
#ifndef SLUICE_SOURCE_DECODED_H
#define SLUICE_SOURCE_DECODED_H

#include "text.h"

/* How a source's files are read. */
struct source_view {
    bool automatic; /* the kind is what each file begins with; else text.decode.kind */
    struct text_settings text;
};

/* Takes `inner` over. `threads` measure large files. */
struct source source_decoded_new(struct source inner, unsigned threads);
/* A handle that opens files in that way. It is gone with `decoded`, and is not freed. */
struct source source_decoded_view(struct source decoded, const struct source_view *settings);

#endif
