/* SPDX-License-Identifier: Apache-2.0 */
/* stored: an object that a manifest lists, read from the store frame after frame.
 *
 *   AUTO(stored_done) struct stored s = STORED_INIT;
 *   stored_open(&s, store, &manifest.objects[i], manifest.settings.format, &why);
 *   while (stored_more(&s)) stored_next(&s, &raw, &why);
 *
 * By the footer where there is one; a jsonl.gz that another library has made again has none, and is read member by
 * member. The same struct opens one object after another and keeps its memory.
 *
 * Memory: the footer decoded, one frame compressed and raw, each at most STORED_RAW_MAX. Threads: one at a time. Fails:
 * what the store fails with; RC_BROKEN for an object that is not what its manifest says. */
#ifndef SLUICE_STORED_H
#define SLUICE_STORED_H

#include "arena.h"
#include "manifest.h"
#include "object.h"
#include "store.h"

enum {
    STORED_RAW_MAX = 64 * 1024 * 1024, /* of a frame: the largest that an uploader joins */
    STORED_WINDOW = 4 * 1024 * 1024,   /* read at once where there is no footer */
};

struct stored {
    struct store store;
    struct str key;
    const struct manifest_object *listed;
    enum frame_format format;
    struct frame_decoder *decoders[2]; /* by format */
    struct arena arena;
    struct buf compressed, raw;
    bool has_footer;
    struct object object; /* with a footer */
    size_t next;          /* frame */
    uint64_t at;          /* without one: the offset of the next member */
};

#define STORED_INIT ((struct stored){.compressed = BUF_INIT(STORED_RAW_MAX), .raw = BUF_INIT(STORED_RAW_MAX)})

void stored_done(struct stored *stored);
/* Borrows `listed`. `format` is the manifest's. */
RC stored_open(struct stored *stored, struct store store, const struct manifest_object *listed, struct str format,
               struct why *why);
bool stored_more(const struct stored *stored);
/* What the footer says of the next frame; NULL where there is no footer. */
const struct footer_block *stored_head(const struct stored *stored);
/* Only where stored_head() is not NULL. */
void stored_skip(struct stored *stored);
/* The raw bytes of the next frame, checked; good until the next call. */
RC stored_next(struct stored *stored, struct str *out_raw, struct why *why);
/* XXH3-64 of the whole object; RC_BROKEN when it is another one than listed. */
RC stored_check_sum(struct stored *stored, struct why *why);

#endif
