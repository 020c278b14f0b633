/* SPDX-License-Identifier: Apache-2.0 */
#include "block.h"

#include "must.h"
#include "own.h"
#include "wire.h"
#include "wire_parts.h"

enum { LENGTH_BYTES = 4 };

static RC check_header(const struct block_header *h, struct why *why) {
    TRY(check_attempt(&h->attempt, why));
    TRY(check_facts(&h->facts, why));
    TRY(check_output(h->output, h->rejects, why));
    TRY(check_time(h->has_time, h->time_min_ns, h->time_max_ns, why));
    if ((unsigned)h->codec > BLOCK_GZIP) return why_set(why, RC_BAD, "codec %u", (unsigned)h->codec);
    /* Every record has its LF. */
    if (!h->records || h->records > h->raw_bytes)
        return why_set(why, RC_BAD, "%llu records in %llu bytes", (unsigned long long)h->records,
                       (unsigned long long)h->raw_bytes);
    return h->expected_bytes ? RC_OK : why_set(why, RC_BAD, "no expected_bytes");
}

/* u32 little-endian length, then the head. */
static RC pack_head(const Sluice__BlockMessage *message, struct buf *out) {
    size_t from = out->len;
    TRY(buf_reserve(out, LENGTH_BYTES));
    out->len += LENGTH_BYTES;
    enum rc rc = wire_pack(&message->base, out);
    if (rc != RC_OK) {
        out->len = from;
        return rc;
    }
    size_t bytes = out->len - from - LENGTH_BYTES;
    for (size_t i = 0; i < LENGTH_BYTES; i++) out->at[from + i] = (char)(uint8_t)(bytes >> 8 * i);
    return RC_OK;
}

RC block_encode_header(const struct block_header *header, struct buf *out) {
    TRY(check_header(header, NULL));
    Sluice__Attempt attempt = wire_from_attempt(&header->attempt);
    Sluice__Facts facts = wire_from_facts(&header->facts);
    Sluice__BlockHeader block = SLUICE__BLOCK_HEADER__INIT;
    block.version = BLOCK_VERSION;
    block.attempt = &attempt;
    block.facts = &facts;
    block.index = header->index;
    block.output = wire_from_str(header->output);
    block.rejects = header->rejects;
    block.codec = (Sluice__Codec)header->codec;
    block.raw_bytes = header->raw_bytes;
    block.expected_bytes = header->expected_bytes;
    block.records = header->records;
    block.has_time = header->has_time;
    block.time_min_ns = header->time_min_ns;
    block.time_max_ns = header->time_max_ns;
    block.checksum = header->checksum;
    block.raw_checksum = header->raw_checksum;
    Sluice__BlockMessage message = SLUICE__BLOCK_MESSAGE__INIT;
    message.kind_case = SLUICE__BLOCK_MESSAGE__KIND_BLOCK;
    message.block = &block;
    return pack_head(&message, out);
}

RC block_encode_trailer(const struct block_trailer *trailer, struct buf *out) {
    TRY(check_trailer(trailer, NULL));
    Sluice__Attempt attempt = wire_from_attempt(&trailer->attempt);
    Sluice__Facts facts = wire_from_facts(&trailer->facts);
    Sluice__Counts counts = wire_from_counts(&trailer->counts);
    Sluice__Trailer wire = wire_from_trailer(trailer, &attempt, &facts, &counts);
    Sluice__BlockMessage message = SLUICE__BLOCK_MESSAGE__INIT;
    message.kind_case = SLUICE__BLOCK_MESSAGE__KIND_TRAILER;
    message.trailer = &wire;
    return pack_head(&message, out);
}

/* Texts that point into the unpacked message, moved to where they lie in the head. */
static void borrow(struct str *text, struct str head) { *text = wire_borrow(wire_from_str(*text), head); }

static RC to_header(const Sluice__BlockHeader *from, struct str head, struct block_header *out, struct why *why) {
    if (from->version != BLOCK_VERSION) return why_set(why, RC_BAD, "version %u", from->version);
    struct block_header h = {.index = from->index,
                             .output = wire_borrow(from->output, head),
                             .rejects = from->rejects,
                             .codec = (enum block_codec)from->codec,
                             .raw_bytes = from->raw_bytes,
                             .expected_bytes = from->expected_bytes,
                             .records = from->records,
                             .has_time = from->has_time,
                             .time_min_ns = from->time_min_ns,
                             .time_max_ns = from->time_max_ns,
                             .checksum = from->checksum,
                             .raw_checksum = from->raw_checksum};
    TRY(wire_to_attempt(from->attempt, &h.attempt, why));
    TRY(wire_to_facts(from->facts, &h.facts, why));
    TRY(check_header(&h, why));
    borrow(&h.facts.source, head);
    borrow(&h.facts.uri, head);
    *out = h;
    return RC_OK;
}

static RC to_message(const Sluice__BlockMessage *from, struct str head, struct str payload, struct block_message *out,
                     struct why *why) {
    struct block_message m = {.payload = payload};
    if (from->kind_case == SLUICE__BLOCK_MESSAGE__KIND_BLOCK) {
        m.kind = BLOCK_RECORDS;
        TRY(to_header(from->block, head, &m.header, why));
    } else if (from->kind_case == SLUICE__BLOCK_MESSAGE__KIND_TRAILER) {
        m.kind = BLOCK_TRAILER;
        TRY(wire_to_trailer(from->trailer, &m.trailer, why));
        borrow(&m.trailer.facts.source, head);
        borrow(&m.trailer.facts.uri, head);
        borrow(&m.trailer.claims, head);
        if (payload.len) return why_set(why, RC_BAD, "%zu bytes behind a trailer", payload.len);
    } else {
        return why_set(why, RC_BAD, "neither records nor trailer");
    }
    *out = m;
    return RC_OK;
}

RC block_decode(struct str message, struct block_message *out, struct why *why) {
    if (message.len < LENGTH_BYTES || message.len > BLOCK_MESSAGE_MAX)
        return why_set(why, RC_BAD, "block message: %zu bytes", message.len);
    uint32_t bytes = 0;
    for (size_t i = 0; i < LENGTH_BYTES; i++) bytes |= (uint32_t)(uint8_t)message.at[i] << 8 * i;
    if (bytes > message.len - LENGTH_BYTES || bytes > BLOCK_HEAD_MAX)
        return why_set(why, RC_BAD, "block message: a head of %u bytes in %zu", bytes, message.len);
    struct str head = str_sub(message, LENGTH_BYTES, LENGTH_BYTES + bytes);
    struct str payload = str_sub(message, LENGTH_BYTES + bytes, message.len);
    AUTO(wire_done) struct wire wire = WIRE_INIT;
    ProtobufCMessage *unpacked = NULL;
    enum rc rc = wire_unpack(&wire, &sluice__block_message__descriptor, head, &unpacked, why);
    if (rc == RC_OK) rc = to_message((const Sluice__BlockMessage *)unpacked, head, payload, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "block message");
}

RC block_check(const struct block_message *message, struct why *why) {
    if (message->kind != BLOCK_RECORDS) return RC_OK;
    const struct block_header *h = &message->header;
    bool stored = h->codec == BLOCK_STORED;
    uint64_t bytes = stored ? h->raw_bytes : h->expected_bytes;
    if (message->payload.len != bytes)
        return why_set(why, RC_BROKEN, "block: a payload of %zu bytes, the header says %llu", message->payload.len,
                       (unsigned long long)bytes);
    uint64_t sum = hash_bytes(message->payload);
    if (sum != h->checksum || (stored && sum != h->raw_checksum))
        return why_set(why, RC_BROKEN, "block: checksum %016llx, the header says %016llx", (unsigned long long)sum,
                       (unsigned long long)h->checksum);
    return RC_OK;
}

const struct attempt *block_attempt(const struct block_message *message) {
    return message->kind == BLOCK_RECORDS ? &message->header.attempt : &message->trailer.attempt;
}
