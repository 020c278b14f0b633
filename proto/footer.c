/* SPDX-License-Identifier: Apache-2.0 */
#include "footer.h"

#include "own.h"
#include "squeeze.h"
#include "wire.h"
#include "wire_parts.h"

static RC check_part(const struct footer_part *p, struct why *why) {
    if (id_is_none(p->file) || id_is_none(p->attempt)) return why_set(why, RC_BAD, "a part without an id");
    if (p->from >= p->to) return why_set(why, RC_BAD, "a part without a range");
    return p->records ? RC_OK : why_set(why, RC_BAD, "a part without records");
}

static RC check_block(const struct footer_block *b, struct why *why) {
    uint64_t records = 0, raw = 0;
    for (size_t i = 0; i < b->parts_len; i++) {
        TRY(check_part(&b->parts[i], why));
        if (__builtin_add_overflow(records, b->parts[i].records, &records) ||
            __builtin_add_overflow(raw, b->parts[i].raw_bytes, &raw))
            return why_set(why, RC_BAD, "numbers that cannot be");
    }
    if (!b->bytes || !b->records || b->records > b->raw_bytes) return why_set(why, RC_BAD, "an empty block");
    if (records != b->records || raw != b->raw_bytes)
        return why_set(why, RC_BAD, "the parts are not the sum of the block");
    return check_time(b->has_time, b->time_min_ns, b->time_max_ns, why);
}

static RC check_footer(const struct footer *f, struct why *why) {
    if (id_is_none(f->queue)) return why_set(why, RC_BAD, "no queue");
    TRY(check_output(f->output, f->rejects, why));
    TRY(check_settings(&f->settings, why));
    uint64_t end = 0;
    for (size_t i = 0; i < f->blocks_len; i++) {
        const struct footer_block *b = &f->blocks[i];
        enum rc rc = check_block(b, why);
        if (rc != RC_OK) return why_wrap(why, rc, "block %zu", i);
        if (b->offset != end || __builtin_add_overflow(end, b->bytes, &end))
            return why_set(why, RC_BAD, "block %zu: offset %llu", i, (unsigned long long)b->offset);
    }
    return RC_OK;
}

static Sluice__FooterPart from_part(const struct footer_part *p) {
    Sluice__FooterPart out = SLUICE__FOOTER_PART__INIT;
    out.file = wire_from_id(&p->file);
    out.stripe = p->stripe;
    out.from = p->from;
    out.to = p->to;
    out.attempt = wire_from_id(&p->attempt);
    out.index = p->index;
    out.records = p->records;
    out.raw_bytes = p->raw_bytes;
    return out;
}

static Sluice__FooterBlock from_block(const struct footer_block *b, struct arena *arena) {
    Sluice__FooterBlock out = SLUICE__FOOTER_BLOCK__INIT;
    out.offset = b->offset;
    out.bytes = b->bytes;
    out.raw_bytes = b->raw_bytes;
    out.records = b->records;
    out.has_time = b->has_time;
    out.time_min_ns = b->time_min_ns;
    out.time_max_ns = b->time_max_ns;
    out.checksum = b->checksum;
    out.n_parts = b->parts_len;
    out.parts = ARENA_ARRAY(arena, Sluice__FooterPart *, b->parts_len);
    for (size_t i = 0; i < b->parts_len; i++) {
        out.parts[i] = ARENA_NEW(arena, Sluice__FooterPart);
        *out.parts[i] = from_part(&b->parts[i]);
    }
    return out;
}

RC footer_encode(const struct footer *footer, struct buf *out) {
    TRY(check_footer(footer, NULL));
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    Sluice__Settings settings = wire_from_settings(&footer->settings);
    Sluice__Footer wire = SLUICE__FOOTER__INIT;
    wire.version = FOOTER_VERSION;
    wire.queue = wire_from_id(&footer->queue);
    wire.generation = footer->generation;
    wire.partition = footer->partition;
    wire.seal = footer->seal;
    wire.output = wire_from_str(footer->output);
    wire.rejects = footer->rejects;
    wire.settings = &settings;
    wire.n_blocks = footer->blocks_len;
    wire.blocks = ARENA_ARRAY(&arena, Sluice__FooterBlock *, footer->blocks_len);
    for (size_t i = 0; i < footer->blocks_len; i++) {
        wire.blocks[i] = ARENA_NEW(&arena, Sluice__FooterBlock);
        *wire.blocks[i] = from_block(&footer->blocks[i], &arena);
    }
    if (protobuf_c_message_get_packed_size(&wire.base) > FOOTER_BYTES_MAX) return RC_LIMIT;
    AUTO(buf_done) struct buf packed = BUF_INIT(FOOTER_BYTES_MAX);
    TRY(wire_pack(&wire.base, &packed));
    return squeeze(buf_str(&packed), out);
}

static RC to_part(const Sluice__FooterPart *from, struct footer_part *out, struct why *why) {
    *out = (struct footer_part){.stripe = from->stripe,
                                .from = from->from,
                                .to = from->to,
                                .index = from->index,
                                .records = from->records,
                                .raw_bytes = from->raw_bytes};
    TRY(wire_to_id(from->file, "file", &out->file, why));
    return wire_to_id(from->attempt, "attempt", &out->attempt, why);
}

static RC to_block(const Sluice__FooterBlock *from, struct arena *arena, struct footer_block *out, struct why *why) {
    *out = (struct footer_block){.offset = from->offset,
                                 .bytes = from->bytes,
                                 .raw_bytes = from->raw_bytes,
                                 .records = from->records,
                                 .has_time = from->has_time,
                                 .time_min_ns = from->time_min_ns,
                                 .time_max_ns = from->time_max_ns,
                                 .checksum = from->checksum,
                                 .parts = ARENA_ARRAY(arena, struct footer_part, from->n_parts),
                                 .parts_len = from->n_parts};
    for (size_t i = 0; i < from->n_parts; i++) TRY(to_part(from->parts[i], &out->parts[i], why));
    return RC_OK;
}

static RC to_footer(const Sluice__Footer *from, struct arena *arena, struct footer *out, struct why *why) {
    if (from->version != FOOTER_VERSION) return why_set(why, RC_BAD, "version %u", from->version);
    struct footer f = {.generation = from->generation,
                       .partition = from->partition,
                       .seal = from->seal,
                       .output = arena_str(arena, wire_to_str(from->output)),
                       .rejects = from->rejects,
                       .blocks = ARENA_ARRAY(arena, struct footer_block, from->n_blocks),
                       .blocks_len = from->n_blocks};
    TRY(wire_to_id(from->queue, "queue", &f.queue, why));
    TRY(wire_to_settings(from->settings, &f.settings, why));
    f.settings.format = arena_str(arena, f.settings.format);
    f.settings.encoder = arena_str(arena, f.settings.encoder);
    for (size_t i = 0; i < f.blocks_len; i++) TRY(to_block(from->blocks[i], arena, &f.blocks[i], why));
    TRY(check_footer(&f, why));
    *out = f;
    return RC_OK;
}

RC footer_decode(struct str bytes, struct arena *arena, struct footer *out, struct why *why) {
    AUTO(buf_done) struct buf packed = BUF_INIT(FOOTER_BYTES_MAX);
    AUTO(wire_done) struct wire wire = WIRE_INIT;
    ProtobufCMessage *unpacked = NULL;
    enum rc rc = unsqueeze(bytes, FOOTER_BYTES_MAX, &packed, why);
    if (rc == RC_OK) rc = wire_unpack(&wire, &sluice__footer__descriptor, buf_str(&packed), &unpacked, why);
    if (rc == RC_OK) rc = to_footer((const Sluice__Footer *)unpacked, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "footer");
}
