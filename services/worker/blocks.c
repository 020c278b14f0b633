/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include "alloc.h"
#include "hash_stream.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "stopwatch.h"

#include <endian.h>
#include <stdlib.h>

enum {
    BLOCK_RAW = 3 * 1024 * 1024, /* blocks grow to at most so much over block_bytes: they fit a message uncompressed */
    SAMPLE_EVERY = 32,           /* of an output's small blocks one in so many is compressed only to learn the ratio */
    RATIO_ONE = 1024,            /* ratios are kept in 1/1024 */
    RATIO_FIRST = RATIO_ONE / 5, /* access logs at a low level, until something better is known */
    SLOTS = 1024,                /* outputs by hash; two of one slot share what is learned */
    SHARE_MIN = 64 * 1024        /* raw bytes: a frame of less costs more than exact sizes of objects are worth */
};

/* What compressing made of an output's blocks lately. */
struct learned {
    uint32_t ratio; /* compressed / raw in 1/RATIO_ONE; 0: not known */
    uint32_t stored;
};

struct blocks {
    struct blocks_settings settings;
    struct frame_encoder *encoder;
    struct buf frame, head, stored;
    struct str *pieces;
    size_t pieces_room;
    uint32_t next_partition;
    struct learned learned[SLOTS], *of; /* of: the output that is being published */
    /* of the attempt that is being published */
    struct block_trailer *trailer;
    struct hash_stream *digest;
    uint32_t messages;
    struct stopwatch watch;
};

struct blocks *blocks_new(const struct blocks_settings *settings) {
    struct blocks *b = ALLOC(struct blocks);
    b->settings = *settings;
    if (!b->settings.small_bytes) b->settings.small_bytes = BLOCKS_SMALL;
    if (!b->settings.large_bytes) b->settings.large_bytes = BLOCKS_LARGE;
    b->encoder = frame_encoder_new(settings->format, settings->level);
    b->frame = BUF_INIT(BLOCK_MESSAGE_MAX);
    b->head = BUF_INIT(BLOCK_HEAD_MAX);
    b->stored = BUF_INIT(BLOCK_MESSAGE_MAX);
    return b;
}

void blocks_free(struct blocks *b) {
    if (!b) return;
    frame_encoder_free(b->encoder);
    buf_done(&b->frame);
    buf_done(&b->head);
    buf_done(&b->stored);
    free(b->pieces);
    free(b);
}

/* All of publishing that is not compressing counts as appending: heads, checksums, copies and the log's write. */
static void lap(struct blocks *b, unsigned stage) {
    stopwatch_lap(&b->watch, METRIC_LANE_STAGE, METRIC_LANE_CPU, stage);
}

/* How much smaller the bytes of a small block get when it is joined with its like, in percent of what is left, for
 * blocks of 4 KiB and twice as much each. Measured with access logs at levels 1 and 3. */
static uint64_t joined_bytes(uint64_t raw, uint64_t compressed) {
    static const uint64_t percent[] = {46, 57, 68, 78, 86, 91, 95, 97};
    const uint64_t one = RATIO_ONE;
    size_t i = 0;
    for (uint64_t size = 6144; size < raw && i < COUNT_OF(percent); size *= 2) i++;
    uint64_t ratio = MIN(compressed * one / raw, one);
    /* What does not compress does not compress better with its like. */
    uint64_t gain = i < COUNT_OF(percent) ? (100 - percent[i]) * (one * one - ratio * ratio) : 0;
    return compressed - compressed * gain / (100 * one * one);
}

static void learn(struct learned *of, uint64_t raw, uint64_t compressed) {
    if (!raw) return;
    uint64_t now = MAX(joined_bytes(raw, compressed) * RATIO_ONE / raw, (uint64_t)1);
    of->ratio = (uint32_t)(of->ratio ? (of->ratio * (uint64_t)3 + now) / 4 : now);
}

static uint64_t ratio_of(const struct learned *of) { return of->ratio ? of->ratio : RATIO_FIRST; }

static uint32_t partition_of(struct blocks *b, const struct slice_output *o, uint64_t raw_bytes) {
    if (raw_bytes >= b->settings.large_bytes) return b->next_partition++ % b->settings.partitions;
    return (uint32_t)(hash_bytes(o->path) % b->settings.partitions);
}

static RC append(struct blocks *b, uint32_t partition, struct str body, struct why *why) {
    TRY(b->settings.append(b->settings.context, partition, buf_str(&b->head), body, why));
    b->messages++;
    return RC_OK;
}

/* The pieces of one block, gathered: records, raw bytes. */
struct gathered {
    size_t pieces;
    uint64_t raw_bytes, records;
};

static RC compress(struct blocks *b, const struct gathered *g, struct block_header *h, struct str *out,
                   struct why *why) {
    struct frame_facts facts;
    buf_reset(&b->frame);
    lap(b, LABEL_STAGE_APPEND);
    enum rc rc = frame_encode(b->encoder, b->pieces, g->pieces, &b->frame, &facts);
    lap(b, LABEL_STAGE_COMPRESS);
    if (rc != RC_OK)
        return why_set(why, rc, "a block of %llu bytes does not fit a message", (unsigned long long)g->raw_bytes);
    learn(b->of, g->raw_bytes, b->frame.len);
    h->codec = frame_codec(b->settings.format);
    h->expected_bytes = b->frame.len;
    h->raw_checksum = facts.raw_checksum;
    *out = buf_str(&b->frame);
    return RC_OK;
}

static RC store(struct blocks *b, const struct gathered *g, struct block_header *h, struct str *out, struct why *why) {
    if (b->of->stored++ % SAMPLE_EVERY == 0) TRY(compress(b, g, h, out, why));
    buf_reset(&b->stored);
    TRY(buf_reserve(&b->stored, g->raw_bytes));
    frame_gather(b->pieces, g->pieces, b->stored.at);
    b->stored.len = g->raw_bytes;
    h->codec = BLOCK_STORED;
    h->expected_bytes = MAX(g->raw_bytes * ratio_of(b->of) / RATIO_ONE, (uint64_t)1);
    h->raw_checksum = hash_bytes(buf_str(&b->stored));
    *out = buf_str(&b->stored);
    return RC_OK;
}

static RC publish_block(struct blocks *b, const struct slice_output *o, const struct gathered *g, struct why *why) {
    struct block_header h = {.attempt = b->trailer->attempt,
                             .facts = b->trailer->facts,
                             .index = b->trailer->blocks,
                             .output = o->path,
                             .rejects = o->is_reject,
                             .raw_bytes = g->raw_bytes,
                             .records = g->records,
                             .has_time = o->has_time,
                             .time_min_ns = o->time_min,
                             .time_max_ns = o->time_max};
    struct str body = {0};
    TRY(o->bytes < b->settings.small_bytes ? store(b, g, &h, &body, why) : compress(b, g, &h, &body, why));
    h.checksum = h.codec == BLOCK_STORED ? h.raw_checksum : hash_bytes(body);
    buf_reset(&b->head);
    TRY(block_encode_header(&h, &b->head));
    TRY(append(b, partition_of(b, o, g->raw_bytes), body, why));
    uint64_t little = htole64(h.checksum);
    hash_stream_add(b->digest, (struct str){(const char *)&little, sizeof little});
    b->trailer->blocks++;
    metric_add(METRIC_BLOCKS, 1);
    metric_add(METRIC_BLOCK_RAW, g->raw_bytes);
    metric_add(METRIC_BLOCK_COMPRESSED, body.len);
    return RC_OK;
}

/* Blocks of even size, about block_bytes: the last one of an output is not a small rest, and what is a little over one
 * block stays one, for two halves compress 2% worse. */
static uint64_t share_of(const struct blocks *b, uint64_t bytes) {
    uint64_t block_bytes = b->settings.block_bytes;
    if (b->settings.frame_bytes)
        block_bytes = MIN(block_bytes, MAX(b->settings.frame_bytes * RATIO_ONE / ratio_of(b->of), (uint64_t)SHARE_MIN));
    uint64_t most = MAX(block_bytes, MIN(block_bytes + block_bytes / 2, (uint64_t)BLOCK_RAW));
    uint64_t blocks = MAX((bytes + block_bytes / 2) / block_bytes, num_ceil_div(bytes, most));
    return num_ceil_div(bytes, MAX(blocks, (uint64_t)1));
}

static RC publish_output(struct blocks *b, const struct slice_output *o, struct why *why) {
    b->of = &b->learned[hash_bytes(o->path) % SLOTS];
    uint64_t share = share_of(b, o->bytes);
    struct gathered g = {0};
    for (const struct slice_pieces *list = o->pieces; list; list = list->next)
        for (uint32_t i = 0; i < list->count; i++) {
            const struct slice_piece *p = &list->at[i];
            if (g.pieces && g.raw_bytes + p->bytes > share + SLICE_PIECE_MAX / 2) {
                TRY(publish_block(b, o, &g, why));
                g = (struct gathered){0};
            }
            alloc_grow(&b->pieces, &b->pieces_room, g.pieces + 1, sizeof *b->pieces);
            b->pieces[g.pieces++] = (struct str){p->at, p->bytes};
            g.raw_bytes += p->bytes;
            g.records += p->records;
        }
    return g.pieces ? publish_block(b, o, &g, why) : RC_OK;
}

static RC publish_trailer(struct blocks *b, struct why *why) {
    b->trailer->digest = hash_stream_end(b->digest);
    buf_reset(&b->head);
    TRY(block_encode_trailer(b->trailer, &b->head));
    uint32_t partition = (uint32_t)(hash_bytes((struct str){(const char *)b->trailer->attempt.id.bytes, ID_BYTES}) %
                                    b->settings.partitions);
    return append(b, partition, STR(""), why);
}

RC blocks_publish(struct blocks *b, const struct slice_result *result, struct block_trailer *trailer,
                  uint32_t *out_messages, struct why *why) {
    AUTO(hash_stream_done) struct hash_stream *digest = hash_stream_new();
    b->trailer = trailer;
    b->digest = digest;
    b->messages = 0;
    trailer->blocks = 0;
    stopwatch_start(&b->watch);
    for (size_t i = 0; result && i < result->output_count; i++) TRY(publish_output(b, &result->outputs[i], why));
    TRY(publish_trailer(b, why));
    lap(b, LABEL_STAGE_APPEND);
    *out_messages = b->messages;
    return RC_OK;
}
