/* SPDX-License-Identifier: Apache-2.0 */
/* text: the text of one file, read at any place: decoded from its start on, and kept for a while behind where it is.
 *
 * What was read once is not read again, so whoever asks for bytes that are still here would not see that the file was
 * rewritten. So each such answer first looks whether the file's first bytes and the last ones that were decoded are
 * what they were.
 *
 * Memory: the decoder's, 256 KiB of the text's beginning, and 2 to 128 MiB behind where it is: twice as much as anybody
 * went back. Threads: one at a time. Fails: RC_STALE: the file is not what it was; what the source fails with. */
#ifndef SLUICE_SOURCE_TEXT_H
#define SLUICE_SOURCE_TEXT_H

#include "decode.h"
#include "source.h"

struct text_settings {
    struct decode_settings decode;
    uint64_t bytes_max; /* of the text; 0: no bound */
    uint64_t ratio_max; /* how many times as large as the file the text may be, beyond TEXT_RATIO_FREE; 0: no bound */
};

enum { TEXT_RATIO_FREE = 64 << 20, TEXT_HEAD = 256 * 1024 };

struct text;

/* Of a file that is `raw_size` bytes long. */
struct text_end {
    uint64_t at;     /* so long is its text, if nothing comes any more */
    uint64_t steady; /* so much of it stays, whatever comes */
    struct source_stop stop;
};

struct text *text_new(const struct text_settings *settings);
void text_free(struct text *text);
/* Whose bytes follow: the inner source's file, which is borrowed until the next call. */
void text_of(struct text *text, struct source inner, struct source_file *file);
/* How far it is. */
uint64_t text_at(const struct text *text);
/* Can it be read from there on without beginning again? Has it the first bytes? */
bool text_is_near(const struct text *text, uint64_t from);
bool text_begins_with(const struct text *text, size_t len);
/* As source_read(). Begins again where it has to. */
RC text_read(struct text *text, uint64_t from, char *out, size_t len, size_t *out_len, struct why *why);
/* Decodes all of the file, as if it ended at raw_size. RC_BUSY: so many bytes of text have come, and it is to be called
 * again. */
RC text_measure(struct text *text, uint64_t raw_size, uint64_t budget, struct text_end *out, struct why *why);
/* Does the text end at `at`, as the file is now, and not at the end of a member? */
RC text_stop_at(struct text *text, uint64_t at, struct source_stop *out, struct why *why);

#endif
