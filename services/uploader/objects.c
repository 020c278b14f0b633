/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include "hash_stream.h"
#include "json_out.h"
#include "names.h"
#include "num.h"
#include "own.h"

#include <string.h>

enum {
    RAW_MAX = 64 * 1024 * 1024, /* of one joined frame: block_bytes is at most 4 MiB, one block more goes over it */
    EXISTING_CHUNK = 1024 * 1024,
    /* Objects that are put together: each is small, and all of them are in memory. What they hold raw is what is known
     * before they are made; compressed it is a fraction of it. */
    SMALL_RAW = 2 * 1024 * 1024,
    GROUP_RAW = 16 * 1024 * 1024,
    GROUP_BYTES_MAX = 64 * 1024 * 1024, /* with the footers of all blocks of a batch */
};

void objects_init(struct objects *o, struct broker broker, const struct chain *chain) {
    *o = (struct objects){.broker = broker,
                          .chain = *chain,
                          .message = BUF_INIT(BLOCK_MESSAGE_MAX),
                          .raw = BUF_INIT(RAW_MAX),
                          .frame = BUF_INIT(RAW_MAX + RAW_MAX / 8),
                          .tail = BUF_INIT(FOOTER_BYTES_MAX),
                          .group = BUF_INIT(GROUP_BYTES_MAX)};
}

void objects_done(struct objects *o) {
    buf_done(&o->message);
    buf_done(&o->raw);
    buf_done(&o->frame);
    buf_done(&o->tail);
    buf_done(&o->group);
    frame_encoder_free(o->encoder);
    frame_decoder_free(o->decoder);
    o->encoder = NULL;
    o->decoder = NULL;
}

/* Encoder and decoder of the seal's settings, kept from object to object. */
static RC settle(struct objects *o, const struct settings *settings, struct why *why) {
    enum frame_format format = FRAME_ZST;
    if (frame_format_parse(settings->format, &format) != RC_OK)
        return why_set(why, RC_BROKEN, "the seal's format %.*s is unknown", STR_ARG(settings->format));
    if (o->encoder && o->format == format && o->level == settings->level) return RC_OK;
    frame_encoder_free(o->encoder);
    frame_decoder_free(o->decoder);
    o->encoder = frame_encoder_new(format, settings->level);
    o->decoder = frame_decoder_new(format);
    o->format = format;
    o->level = settings->level;
    return RC_OK;
}

static RC read_block(struct objects *o, const struct batch_block *block, struct block_message *out, struct why *why) {
    struct broker_message message;
    enum rc rc = broker_read(o->broker, o->chain.partition, block->offset, &o->message, &message, why);
    if (rc == RC_ABSENT) rc = RC_BROKEN; /* a sealed block without a manifest is never trimmed */
    if (rc == RC_OK) rc = block_decode(message.bytes, out, why);
    if (rc == RC_BAD) rc = RC_BROKEN;
    if (rc == RC_OK) rc = block_check(out, why);
    if (rc == RC_OK && (out->kind != BLOCK_RECORDS || !id_equal(out->header.attempt.id, block->attempt->attempt.id)))
        rc = why_set(why, RC_BROKEN, "another message than the one that was sealed");
    if (rc != RC_OK)
        return why_wrap(why, rc, "block at offset %llu of partition %u", (unsigned long long)block->offset,
                        o->chain.partition);
    return RC_OK;
}

static struct footer_part part_of(const struct batch_block *b) {
    const struct attempt *a = &b->attempt->attempt;
    return (struct footer_part){a->file, a->stripe, a->from, a->to, a->id, b->index, b->records, b->raw_bytes};
}

static void widen(struct footer_block *to, const struct batch_block *b) {
    to->records += b->records;
    to->raw_bytes += b->raw_bytes;
    if (!b->has_time) return;
    to->time_min_ns = to->has_time ? MIN(to->time_min_ns, b->time_min_ns) : b->time_min_ns;
    to->time_max_ns = to->has_time ? MAX(to->time_max_ns, b->time_max_ns) : b->time_max_ns;
    to->has_time = true;
}

/* Appends a block's raw bytes to o->raw. */
static RC append_raw(struct objects *o, const struct block_message *m, struct why *why) {
    if (m->header.codec == BLOCK_STORED) {
        buf_add(&o->raw, m->payload);
        return buf_rc(&o->raw);
    }
    if (m->header.codec == frame_codec(o->format)) return frame_decode(o->decoder, m->payload, RAW_MAX, &o->raw, why);
    /* A block of a former setting of the format. */
    AUTO(frame_decoder_done)
    struct frame_decoder *other = frame_decoder_new(o->format == FRAME_ZST ? FRAME_GZ : FRAME_ZST);
    return frame_decode(other, m->payload, RAW_MAX, &o->raw, why);
}

/* One frame of the object in *out_frame (in one of the buffers) and what it holds. */
static RC make_frame(struct objects *o, const struct plan_object *p, const struct join_frame *f,
                     struct footer_block *block, struct str *out_frame, struct why *why) {
    struct block_message m = {0};
    for (size_t i = f->from; i < f->to; i++) {
        const struct batch_block *b = p->blocks[p->join->order[i]];
        block->parts[block->parts_len++] = part_of(b);
        widen(block, b);
    }
    if (f->passes) {
        TRY(read_block(o, p->blocks[p->join->order[f->from]], &m, why));
        block->checksum = m.header.raw_checksum;
        *out_frame = m.payload;
        return RC_OK;
    }
    buf_reset(&o->raw);
    buf_reset(&o->frame);
    for (size_t i = f->from; i < f->to; i++) {
        TRY(read_block(o, p->blocks[p->join->order[i]], &m, why));
        TRY(append_raw(o, &m, why));
    }
    struct str raw = buf_str(&o->raw);
    struct frame_facts facts;
    stopwatch_lap(&o->watch, METRIC_UPLOADER_STAGE, METRIC_UPLOADER_CPU, LABEL_STEP_PUT);
    TRY(frame_encode(o->encoder, &raw, 1, &o->frame, &facts));
    stopwatch_lap(&o->watch, METRIC_UPLOADER_STAGE, METRIC_UPLOADER_CPU, LABEL_STEP_JOIN);
    block->checksum = facts.raw_checksum;
    *out_frame = buf_str(&o->frame);
    return RC_OK;
}

/* Where an object's bytes go: into an upload, or into memory. */
struct sink {
    struct store_upload *upload;
    struct buf *bytes;
};

static RC put_bytes(const struct sink *sink, struct str bytes, struct why *why) {
    if (sink->upload) return store_upload_part(sink->upload, bytes, why);
    buf_add(sink->bytes, bytes);
    return buf_rc(sink->bytes);
}

static RC write_frames(struct objects *o, const struct plan_object *p, struct object_writer *writer,
                       const struct sink *sink, struct arena *arena, struct why *why) {
    for (size_t i = p->frames_from; i < p->frames_to; i++) {
        const struct join_frame *f = &p->join->frames[i];
        struct footer_block block = {.parts = ARENA_ARRAY(arena, struct footer_part, f->to - f->from)};
        struct str frame = {0};
        TRY(make_frame(o, p, f, &block, &frame, why));
        TRY(object_writer_add(writer, frame, &block, why));
        TRY(put_bytes(sink, frame, why));
    }
    return RC_OK;
}

static void sum_part(struct manifest_object *out, const struct footer_part *p) {
    struct manifest_part *last = out->parts_len ? &out->parts[out->parts_len - 1] : NULL;
    if (!last || !id_equal(last->attempt, p->attempt)) {
        last = &out->parts[out->parts_len++];
        *last = (struct manifest_part){
            .file = p->file, .stripe = p->stripe, .from = p->from, .to = p->to, .attempt = p->attempt};
    }
    last->blocks++;
    last->records += p->records;
    last->raw_bytes += p->raw_bytes;
}

/* Provenance for the manifest: one part for each run of blocks of the same attempt. */
static void describe_parts(const struct plan_object *p, struct arena *arena, struct manifest_object *out) {
    size_t n = 0;
    for (size_t i = p->frames_from; i < p->frames_to; i++) n += p->join->frames[i].to - p->join->frames[i].from;
    out->parts = ARENA_ARRAY(arena, struct manifest_part, n);
    for (size_t i = p->frames_from; i < p->frames_to; i++)
        for (size_t k = p->join->frames[i].from; k < p->join->frames[i].to; k++) {
            struct footer_part part = part_of(p->blocks[p->join->order[k]]);
            sum_part(out, &part);
        }
}

static void describe_facts(const struct object_facts *f, struct manifest_object *out) {
    out->bytes = f->bytes;
    out->raw_bytes = f->raw_bytes;
    out->records = f->records;
    out->blocks = f->blocks;
    out->has_time = f->has_time;
    out->time_min_ns = f->time_min_ns;
    out->time_max_ns = f->time_max_ns;
    out->checksum = f->checksum;
}

/* Another one put it, perhaps under another library: size and checksum are those of what is there. The footer of a gz
 * object is good only for the very same bytes; readers then find the members themselves. */
static RC describe_existing(struct objects *o, struct manifest_object *out, struct why *why) {
    uint64_t at = 0, bytes = 0;
    TRY(store_size(o->chain.store, out->key, &bytes, why));
    AUTO(hash_stream_done) struct hash_stream *sum = hash_stream_new();
    while (at < bytes) {
        buf_reset(&o->raw);
        TRY(store_get(o->chain.store, out->key, at, EXISTING_CHUNK, &o->raw, why));
        if (!o->raw.len) return why_set(why, RC_BROKEN, "%.*s shrank while it was read", STR_ARG(out->key));
        hash_stream_add(sum, buf_str(&o->raw));
        at += o->raw.len;
    }
    uint64_t checksum = hash_stream_end(sum);
    if (checksum != out->checksum) out->footer_base64 = (struct str){0};
    out->bytes = bytes;
    out->checksum = checksum;
    return RC_OK;
}

static struct str base64(struct arena *arena, struct str bytes) {
    AUTO(buf_done) struct buf text = BUF_INIT(FOOTER_BYTES_MAX * (size_t)2);
    struct json_out json = {.to = &text};
    json_base64(&json, bytes);
    return arena_str(arena, str_sub(buf_str(&text), 1, text.len - 1)); /* without the quotes */
}

static RC name_of(const struct plan_object *p, const struct seal *seal, struct arena *arena, struct str *out) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    struct name_object name = {.generation = seal->generation,
                               .output = p->output->path,
                               .rejects = p->output->rejects,
                               .queue = seal->queue,
                               .partition = seal->partition,
                               .start = seal->start,
                               .number = p->number,
                               .format = seal->settings.format};
    TRY(name_object(&name, &key));
    *out = arena_str(arena, buf_str(&key));
    return RC_OK;
}

/* Writes the whole object and says what it is; *out is complete but for what may be there already. */
static RC write_object(struct objects *o, const struct plan_object *p, const struct seal *seal, const struct sink *sink,
                       struct arena *arena, struct manifest_object *out, struct why *why) {
    struct footer footer = {.queue = seal->queue,
                            .generation = seal->generation,
                            .partition = seal->partition,
                            .seal = seal->index,
                            .output = p->output->path,
                            .rejects = p->output->rejects,
                            .settings = seal->settings};
    AUTO(object_writer_done) struct object_writer *writer = object_writer_new(o->format, &footer);
    TRY(write_frames(o, p, writer, sink, arena, why));
    struct object_facts facts;
    buf_reset(&o->tail);
    TRY(object_writer_end(writer, &o->tail, &facts, why));
    if (o->tail.len) TRY(put_bytes(sink, buf_str(&o->tail), why));
    describe_facts(&facts, out);
    if (o->format == FRAME_GZ) out->footer_base64 = base64(arena, facts.footer);
    describe_parts(p, arena, out);
    return RC_OK;
}

static RC put_large(struct objects *o, const struct plan_object *p, const struct seal *seal, struct arena *arena,
                    struct manifest_object *out, struct why *why) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(o->chain.store, out->key, &upload, why));
    struct sink sink = {.upload = &upload};
    TRY(write_object(o, p, seal, &sink, arena, out, why));
    enum rc rc = store_upload_finish_absent(&upload, why);
    return rc == RC_STALE ? describe_existing(o, out, why) : rc;
}

static uint64_t raw_bytes_of(const struct plan_object *p) {
    uint64_t sum = 0;
    for (size_t i = p->frames_from; i < p->frames_to; i++) sum = num_add(sum, p->join->frames[i].raw_bytes);
    return sum;
}

/* How many objects from the first on are small enough to be put together; 0: the first is large. */
static size_t group_of(const struct plan_object *planned, size_t len) {
    uint64_t sum = 0;
    size_t n = 0;
    for (; n < len && n < OBJECTS_GROUP; n++) {
        uint64_t raw = raw_bytes_of(&planned[n]);
        if (raw > SMALL_RAW || num_add(sum, raw) > GROUP_RAW) break;
        sum += raw;
    }
    return n;
}

static RC put_group(struct objects *o, const struct plan_object *planned, size_t n, const struct seal *seal,
                    struct arena *arena, struct manifest_object *out, struct why *why) {
    struct store_item items[OBJECTS_GROUP];
    size_t ends[OBJECTS_GROUP];
    enum rc rcs[OBJECTS_GROUP];
    struct sink sink = {.bytes = &o->group};
    buf_reset(&o->group);
    for (size_t i = 0; i < n; i++) {
        enum rc rc = write_object(o, &planned[i], seal, &sink, arena, &out[i], why);
        if (rc != RC_OK) return why_wrap(why, rc, "object %.*s", STR_ARG(out[i].key));
        ends[i] = o->group.len;
    }
    for (size_t i = 0; i < n; i++)
        items[i] = (struct store_item){out[i].key, str_sub(buf_str(&o->group), i ? ends[i - 1] : 0, ends[i])};
    TRY(store_put_absent_many(o->chain.store, items, n, rcs, why));
    for (size_t i = 0; i < n; i++)
        if (rcs[i] == RC_STALE) TRY(describe_existing(o, &out[i], why));
    return RC_OK;
}

static void count_made(const struct manifest_object *made, size_t n) {
    metric_add(METRIC_OBJECTS, n);
    for (size_t i = 0; i < n; i++) {
        metric_add(METRIC_OBJECT_BYTES, made[i].bytes);
        metric_observe(METRIC_OBJECT_SIZE, made[i].bytes);
    }
}

RC objects_put(struct objects *o, const struct plan_object *planned, size_t len, const struct seal *seal,
               struct arena *arena, struct manifest_object *out, size_t *out_n, struct why *why) {
    TRY(settle(o, &seal->settings, why));
    size_t n = group_of(planned, len), made = MAX(n, (size_t)1);
    for (size_t i = 0; i < made; i++) {
        out[i] = (struct manifest_object){.output = planned[i].output->path, .rejects = planned[i].output->rejects};
        TRY(name_of(&planned[i], seal, arena, &out[i].key));
    }
    if (n > 1) {
        TRY(put_group(o, planned, n, seal, arena, out, why));
    } else {
        enum rc rc = put_large(o, planned, seal, arena, out, why);
        if (rc != RC_OK) return why_wrap(why, rc, "object %.*s", STR_ARG(out->key));
        made = 1;
    }
    count_made(out, made);
    *out_n = made;
    return RC_OK;
}
