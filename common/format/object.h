/* SPDX-License-Identifier: Apache-2.0 */
/* object: the layout of an object: frames back to back, then (jsonl.zst) the footer in a skippable frame and the seek
 * table of zstd's seekable format, last. A jsonl.gz ends behind its last member; its footer goes to the manifest.
 * INTERFACES.md gives every byte.
 *
 * Writing: the caller puts the frames where they belong itself and tells the writer of each, in order; at the end the
 * writer gives the bytes to put behind them.
 *
 *   w = object_writer_new(FRAME_ZST, &footer);        the footer without blocks
 *   object_writer_add(w, frame, &block, &why);        for each frame, after or before appending it
 *   object_writer_end(w, &tail, &facts, &why);        append tail (empty for gz); facts go to the manifest
 *
 * Reading: object_open() reads the end of the object by the caller's `get`, or takes the footer from the manifest;
 * object_read() gives the raw bytes of one frame, checked. Nothing in an object is trusted: sizes are checked against
 * the object's, and against each other, before memory is taken for them.
 *
 * Memory: the writer about 100 bytes a frame and 88 a part; the reader the footer, its decoded form in the arena, and
 * the buffers that the caller gives. Threads: one at a time. Limits: OBJECT_FRAMES_MAX, FOOTER_BYTES_MAX. Fails:
 * RC_LIMIT over a limit; reading: RC_BROKEN for an object that is not what it should be, and what `get` fails with. */
#ifndef SLUICE_OBJECT_H
#define SLUICE_OBJECT_H

#include "arena.h"
#include "footer.h"
#include "frame.h"

enum {
    OBJECT_FRAMES_MAX = 1024 * 1024,  /* 1 TiB of frames of 1 MiB */
    OBJECT_FRAME_BYTES_MAX = 1 << 30, /* compressed; a block on the queue has at most 4 MiB */
};

/* What the manifest says of an object. */
struct object_facts {
    uint64_t bytes, raw_bytes, records, blocks;
    bool has_time;
    int64_t time_min_ns, time_max_ns;
    uint64_t checksum; /* XXH3-64 of the whole object */
    struct str footer; /* encoded; the writer's until object_writer_done() */
};

struct object_writer;

/* `footer` is copied (its texts too); its .blocks are ignored. */
struct object_writer *object_writer_new(enum frame_format format, const struct footer *footer);
void object_writer_free(struct object_writer *writer);
static inline void object_writer_done(struct object_writer **writer) { object_writer_free(*writer); }
/* The next frame and what it holds; .offset and .bytes are set by the writer, .parts are copied. The records and raw
 * bytes of the parts are those of the block together. For zst the frame is one of frame_encode(): content size and
 * checksum are read from it; RC_BROKEN when it has none, or another size than block->raw_bytes. */
RC object_writer_add(struct object_writer *writer, struct str frame, const struct footer_block *block, struct why *why);
/* Appends what comes behind the last frame to `out_tail`. Nothing can be added afterwards. */
RC object_writer_end(struct object_writer *writer, struct buf *out_tail, struct object_facts *out_facts,
                     struct why *why);

/* Where an object's bytes come from. get: appends exactly `len` bytes from offset `from`; the reader never asks beyond
 * `bytes`. */
struct object_source {
    enum rc (*get)(void *context, uint64_t from, uint64_t len, struct buf *out, struct why *why);
    void *context;
    uint64_t bytes; /* of the whole object */
};

struct object {
    struct object_source source;
    enum frame_format format;
    struct footer footer; /* in the arena given to object_open */
    uint64_t data_bytes;  /* of the frames; what follows is footer and seek table */
    uint64_t raw_bytes, records;
};

/* Reads footer and seek table (two or three calls of get, the last OBJECT_TAIL_GUESS bytes first) and checks that they
 * agree with each other and with the size. `footer` is the encoded one from the manifest for FRAME_GZ, and ignored for
 * FRAME_ZST. */
enum { OBJECT_TAIL_GUESS = 64 * 1024 };
RC object_open(struct object_source source, enum frame_format format, struct str footer, struct arena *arena,
               struct object *out, struct why *why);
/* Puts the raw bytes of frame `index` into `out` (emptied first), checked: frame checksum, size, XXH3, number of
 * records. `compressed` is working memory. Caps of both bound what is read. */
RC object_read(const struct object *object, struct frame_decoder *decoder, size_t index, struct buf *compressed,
               struct buf *out, struct why *why);
/* Every frame as object_read() does, and XXH3-64 of the whole object against `checksum` (the manifest's). For audit
 * --deep. */
RC object_check(const struct object *object, uint64_t checksum, struct frame_decoder *decoder, struct buf *compressed,
                struct buf *raw, struct why *why);
/* Goes through the records of raw bytes: *out_record is without its LF; false at the end. */
static inline bool object_next_record(struct str *rest, struct str *out_record) {
    return rest->len != 0 && str_cut(rest, '\n', out_record);
}

#endif
