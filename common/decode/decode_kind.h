/* SPDX-License-Identifier: Apache-2.0 */
/* decode_kind: how the bytes of a file are compressed, by what they begin with.
 * Threads, memory: pure. Fails: never. */
#ifndef SLUICE_DECODE_KIND_H
#define SLUICE_DECODE_KIND_H

#include "str.h"

enum decode_kind { DECODE_NONE, DECODE_GZIP, DECODE_ZSTD, DECODE_XZ, DECODE_BZIP2, DECODE_KINDS };

enum { DECODE_MAGIC_MAX = 10 /* bytes that tell the kind */ };

/* "gzip" */
const char *decode_kind_name(enum decode_kind kind);
/* The kind of a file that begins with `head`, its first DECODE_MAGIC_MAX bytes, or all where it has fewer. What is no
 * more than a part of a magic is no compressed file: there is no LF in any magic, so nothing was made of it yet. */
enum decode_kind decode_kind_of(struct str head);
/* May byte number `at` of a member of this kind be `byte`? For those that tell members from garbage; true for all
 * others. `out_known`: one more is looked at. */
bool decode_kind_fits(enum decode_kind kind, size_t at, unsigned char byte, bool *out_known);
/* Does the name end as those of compressed files do: .gz, .zst, .xz, .bz2? */
bool decode_kind_is_named(struct str name);
/* The length of that ending; 0: it has none. */
size_t decode_kind_ending(struct str name);

#endif
