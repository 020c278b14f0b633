/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include "must.h"
#include "utf8.h"

void wire_done(struct wire *wire) {
    if (wire) arena_done(&wire->arena);
}

/* protobuf-c takes NULL for "out of memory" and gives the message up. */
static void *wire_alloc(void *context, size_t bytes) {
    struct wire *wire = context;
    if (bytes > wire->left) {
        wire->left = 0;
        return NULL;
    }
    wire->left -= bytes;
    return arena_alloc(&wire->arena, bytes);
}

static void wire_free(void *context, void *pointer) {
    (void)context;
    (void)pointer;
}

/* A ProtobufCBuffer that compares what is written to it. */
struct comparison {
    ProtobufCBuffer base;
    struct str rest;
    bool differs;
};

static void compare_append(ProtobufCBuffer *base, size_t len, const uint8_t *bytes) {
    struct comparison *c = (struct comparison *)base;
    struct str piece = {(const char *)bytes, len};
    if (!c->differs && str_starts(c->rest, piece))
        c->rest = str_sub(c->rest, len, c->rest.len);
    else
        c->differs = true;
}

/* The messages that the field holds: `out_count` of them from the returned pointer on; NULL for another type. */
static ProtobufCMessage *const *messages_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                            size_t *out_count) {
    const char *base = (const char *)message;
    const void *member = base + field->offset;
    const void *quantifier = base + field->quantifier_offset;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) return NULL;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        *out_count = *(const size_t *)quantifier;
        return *(ProtobufCMessage *const *const *)member;
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) && *(const uint32_t *)quantifier != field->id) return NULL;
    *out_count = 1;
    return member;
}

/* Does the message, or one in it, hold a field that its type has not? Packing writes those again, as they were. As deep
 * as the types nest: 3. */
static bool has_unknown(const ProtobufCMessage *message) { // NOLINT(misc-no-recursion)
    if (message->n_unknown_fields) return true;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        size_t count = 0;
        ProtobufCMessage *const *inner = messages_of(message, &message->descriptor->fields[i], &count);
        for (size_t k = 0; inner && k < count; k++)
            if (inner[k] && has_unknown(inner[k])) return true;
    }
    return false;
}

/* Is `bytes` what packing `message` gives? So unknown and doubled fields, long varints and other forms that protobuf
 * lets pass are refused. */
static bool is_canonical(const ProtobufCMessage *message, struct str bytes) {
    struct comparison c = {.base = {.append = compare_append}, .rest = bytes};
    if (has_unknown(message)) return false;
    (void)protobuf_c_message_pack_to_buffer(message, &c.base);
    return !c.differs && c.rest.len == 0;
}

RC wire_unpack(struct wire *wire, const ProtobufCMessageDescriptor *type, struct str bytes, ProtobufCMessage **out,
               struct why *why) {
    MUST(bytes.len <= SIZE_MAX / WIRE_FACTOR - WIRE_FLOOR);
    wire->left = bytes.len * WIRE_FACTOR + WIRE_FLOOR;
    ProtobufCAllocator allocator = {wire_alloc, wire_free, wire};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)(bytes.len ? bytes.at : ""));
    if (!message) return why_set(why, RC_BAD, "no protobuf message of type %s", type->name);
    if (!is_canonical(message, bytes))
        return why_set(why, RC_BAD, "a %s in another encoding than sluice's", type->name);
    *out = message;
    return RC_OK;
}

RC wire_pack(const ProtobufCMessage *message, struct buf *out) {
    size_t bytes = protobuf_c_message_get_packed_size(message);
    TRY(buf_reserve(out, bytes));
    MUST(protobuf_c_message_pack(message, (uint8_t *)out->at + out->len) == bytes);
    out->len += bytes;
    return RC_OK;
}

/* protobuf-c's structs have no const; packing only reads. */
static uint8_t *unconst(const void *bytes) { return (uint8_t *)(uintptr_t)bytes; }

ProtobufCBinaryData wire_from_str(struct str text) { return (ProtobufCBinaryData){text.len, unconst(text.at)}; }

struct str wire_to_str(ProtobufCBinaryData bytes) {
    return bytes.len ? (struct str){(const char *)bytes.data, bytes.len} : STR("");
}

struct str wire_borrow(ProtobufCBinaryData bytes, struct str message) {
    if (!bytes.len) return STR("");
    const char *hit = memmem(message.at, message.len, bytes.data, bytes.len);
    MUST(hit != NULL);
    return (struct str){hit, bytes.len};
}

ProtobufCBinaryData wire_from_id(const struct id *id) {
    if (id_is_none(*id)) return (ProtobufCBinaryData){0};
    return (ProtobufCBinaryData){ID_BYTES, unconst(id->bytes)};
}

RC wire_to_id(ProtobufCBinaryData bytes, const char *name, struct id *out, struct why *why) {
    if (!bytes.len) {
        *out = (struct id){0};
        return RC_OK;
    }
    if (id_from_bytes(bytes.data, bytes.len, out) != RC_OK)
        return why_set(why, RC_BAD, "%s: an id of %zu bytes", name, bytes.len);
    return id_is_none(*out) ? why_set(why, RC_BAD, "%s: an id of zero bits", name) : RC_OK;
}

RC wire_check_text(struct str text, const char *name, size_t from, size_t to, struct why *why) {
    if (text.len < from || text.len > to)
        return why_set(why, RC_BAD, "%s: %zu bytes, not %zu to %zu", name, text.len, from, to);
    if (!text.len) return RC_OK;
    if (memchr(text.at, '\0', text.len)) return why_set(why, RC_BAD, "%s: a NUL in it", name);
    return utf8_valid(text) ? RC_OK : why_set(why, RC_BAD, "%s: not UTF-8", name);
}
