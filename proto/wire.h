/* SPDX-License-Identifier: Apache-2.0 */
/* wire: what the protobuf codecs share: packing into a buf, and unpacking that takes only the one encoding that packing
 * gives (block.proto's head), within bounded memory.
 *
 * Memory: unpacking takes at most WIRE_FACTOR bytes for each byte of the message, and WIRE_FLOOR; a message that wants
 * more is refused. Threads: pure. Fails: RC_BAD for a message that is not exactly one, RC_LIMIT over the cap of a buf.
 */
#ifndef SLUICE_WIRE_H
#define SLUICE_WIRE_H

#include "arena.h"
#include "buf.h"
#include "id.h"

#include <protobuf-c/protobuf-c.h>

enum {
    /* Structs of protobuf-c take up to 5 times their encoding in the densest messages that sluice writes (an attempt of
     * 46 bytes is a struct of 112 and three ids); packed numbers below 128 take 8 times theirs. */
    WIRE_FACTOR = 10,
    WIRE_FLOOR = 32 * 1024,
};

/* Where an unpacked message lives. Start with WIRE_INIT. */
struct wire {
    struct arena arena;
    size_t left;
};
#define WIRE_INIT ((struct wire){0})
void wire_done(struct wire *wire);

/* *out is good until wire_done(). */
RC wire_unpack(struct wire *wire, const ProtobufCMessageDescriptor *type, struct str bytes, ProtobufCMessage **out,
               struct why *why);
/* Appends. */
RC wire_pack(const ProtobufCMessage *message, struct buf *out);

/* Borrowed both ways. */
ProtobufCBinaryData wire_from_str(struct str text);
struct str wire_to_str(ProtobufCBinaryData bytes);
/* The same bytes where they lie in `message`, which the value was unpacked from. */
struct str wire_borrow(ProtobufCBinaryData bytes, struct str message);

/* "None" is no bytes. */
ProtobufCBinaryData wire_from_id(const struct id *id);
/* `name` is the field's, for the error. */
RC wire_to_id(ProtobufCBinaryData bytes, const char *name, struct id *out, struct why *why);

/* RC_BAD unless `text` is UTF-8 without NUL and from..to bytes long. */
RC wire_check_text(struct str text, const char *name, size_t from, size_t to, struct why *why);

#endif
