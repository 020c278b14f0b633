/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc.h"
#include "frame_zst.h"
#include "hash_stream.h"
#include "must.h"
#include "num.h"
#include "object.h"
#include "object_layout.h"

#include <stdlib.h>

struct object_writer {
    enum frame_format format;
    struct arena arena; /* texts and parts of the footer */
    struct footer footer;
    size_t blocks_room;
    uint32_t *checksums; /* zst: of the frames, for the seek table */
    size_t checksums_room;
    struct object_facts facts; /* so far */
    struct hash_stream *sum;
    struct buf encoded;
    bool ended;
};

struct object_writer *object_writer_new(enum frame_format format, const struct footer *footer) {
    struct object_writer *w = ALLOC(struct object_writer);
    w->format = format;
    w->footer = *footer;
    w->footer.output = arena_str(&w->arena, footer->output);
    w->footer.settings.format = arena_str(&w->arena, footer->settings.format);
    w->footer.settings.encoder = arena_str(&w->arena, footer->settings.encoder);
    w->footer.blocks = NULL;
    w->footer.blocks_len = 0;
    w->sum = hash_stream_new();
    w->encoded = BUF_INIT(FOOTER_BYTES_MAX);
    return w;
}

void object_writer_free(struct object_writer *w) {
    if (!w) return;
    arena_done(&w->arena);
    free(w->footer.blocks);
    free(w->checksums);
    hash_stream_free(w->sum);
    buf_done(&w->encoded);
    free(w);
}

static RC look_at_frame(const struct object_writer *w, struct str frame, uint64_t raw_bytes, uint32_t *out_checksum,
                        struct why *why) {
    if (!frame.len || frame.len > OBJECT_FRAME_BYTES_MAX || raw_bytes > FRAME_RAW_MAX)
        return why_set(why, RC_LIMIT, "a frame of %zu bytes, %llu inflated", frame.len, (unsigned long long)raw_bytes);
    if (w->format != FRAME_ZST) return RC_OK;
    uint64_t holds = 0;
    TRY(frame_zst_look(frame, &holds, out_checksum, why));
    if (holds != raw_bytes)
        return why_set(why, RC_BROKEN, "a frame that holds %llu bytes instead of %llu", (unsigned long long)holds,
                       (unsigned long long)raw_bytes);
    return RC_OK;
}

static void count(struct object_facts *facts, const struct footer_block *b) {
    facts->bytes += b->bytes;
    facts->raw_bytes += b->raw_bytes;
    facts->records += b->records;
    facts->blocks++;
    if (!b->has_time) return;
    facts->time_min_ns = facts->has_time ? MIN(facts->time_min_ns, b->time_min_ns) : b->time_min_ns;
    facts->time_max_ns = facts->has_time ? MAX(facts->time_max_ns, b->time_max_ns) : b->time_max_ns;
    facts->has_time = true;
}

RC object_writer_add(struct object_writer *w, struct str frame, const struct footer_block *block, struct why *why) {
    MUST(!w->ended);
    size_t n = w->footer.blocks_len;
    if (n >= OBJECT_FRAMES_MAX) return why_set(why, RC_LIMIT, "an object of over %d frames", OBJECT_FRAMES_MAX);
    uint32_t checksum = 0;
    TRY(look_at_frame(w, frame, block->raw_bytes, &checksum, why));
    alloc_grow(&w->footer.blocks, &w->blocks_room, n + 1, sizeof *w->footer.blocks);
    alloc_grow(&w->checksums, &w->checksums_room, n + 1, sizeof *w->checksums);
    struct footer_block *b = &w->footer.blocks[n];
    *b = *block;
    b->offset = w->facts.bytes;
    b->bytes = frame.len;
    b->parts = ARENA_ARRAY(&w->arena, struct footer_part, block->parts_len);
    if (block->parts_len) memcpy(b->parts, block->parts, block->parts_len * sizeof *b->parts);
    w->checksums[n] = checksum;
    w->footer.blocks_len = n + 1;
    count(&w->facts, b);
    hash_stream_add(w->sum, frame);
    return RC_OK;
}

static void put_footer(const struct object_writer *w, struct buf *out) {
    struct str footer = buf_str(&w->encoded);
    layout_put(out, LAYOUT_FOOTER_MAGIC, 4);
    layout_put(out, LAYOUT_FOOTER_EXTRA - LAYOUT_SKIPPABLE_BYTES + footer.len, 4);
    buf_add(out, STR(LAYOUT_FOOTER_NAME));
    layout_put(out, LAYOUT_VERSION, 4);
    buf_add(out, footer);
    layout_put(out, hash_bytes(footer), 8);
}

static void put_entry(struct buf *out, uint64_t bytes, uint64_t raw_bytes, uint32_t checksum) {
    layout_put(out, bytes, 4);
    layout_put(out, raw_bytes, 4);
    layout_put(out, checksum, 4);
}

static void put_seek_table(const struct object_writer *w, uint64_t footer_bytes, struct buf *out) {
    size_t entries = w->footer.blocks_len + 1;
    layout_put(out, LAYOUT_TABLE_MAGIC, 4);
    layout_put(out, entries * LAYOUT_ENTRY_BYTES + LAYOUT_TABLE_END_BYTES, 4);
    for (size_t i = 0; i < w->footer.blocks_len; i++)
        put_entry(out, w->footer.blocks[i].bytes, w->footer.blocks[i].raw_bytes, w->checksums[i]);
    put_entry(out, footer_bytes, 0, LAYOUT_CHECKSUM_OF_NOTHING);
    layout_put(out, entries, 4);
    layout_put(out, LAYOUT_CHECKSUMS, 1);
    layout_put(out, LAYOUT_SEEKABLE_MAGIC, 4);
}

RC object_writer_end(struct object_writer *w, struct buf *out_tail, struct object_facts *out_facts, struct why *why) {
    MUST(!w->ended);
    enum rc rc = footer_encode(&w->footer, &w->encoded);
    if (rc != RC_OK) return why_set(why, rc, "a footer of %zu blocks cannot be written", w->footer.blocks_len);
    size_t from = out_tail->len;
    if (w->format == FRAME_ZST) {
        put_footer(w, out_tail);
        put_seek_table(w, out_tail->len - from, out_tail);
        rc = buf_rc(out_tail);
        if (rc != RC_OK) {
            out_tail->len = from;
            return why_set(why, rc, "no room for a footer of %zu blocks", w->footer.blocks_len);
        }
    }
    struct str tail = str_sub(buf_str(out_tail), from, out_tail->len);
    if (tail.len) hash_stream_add(w->sum, tail);
    w->ended = true;
    *out_facts = w->facts;
    out_facts->bytes += tail.len;
    out_facts->checksum = hash_stream_end(w->sum);
    out_facts->footer = buf_str(&w->encoded);
    return RC_OK;
}
