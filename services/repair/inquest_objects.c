/* SPDX-License-Identifier: Apache-2.0 */
/* What surviving blocks hold is taken from the objects' bytes, part by part: small blocks of many attempts share a
 * frame. */
#include "own.h"
#include "stored.h"
#include "inquest.h"

static bool is_wanted(const struct inquest *s, const struct manifest_object *o) {
    for (size_t i = 0; i < o->parts_len; i++)
        if (lost_find(&s->lost, o->parts[i].attempt)) return true;
    return false;
}

static bool frame_is_wanted(const struct inquest *s, const struct footer_block *frame) {
    for (size_t i = 0; i < frame->parts_len; i++)
        if (lost_find(&s->lost, frame->parts[i].attempt)) return true;
    return false;
}

static void describe(struct inquest *s, const struct manifest_object *o, const struct footer_block *frame,
                     struct str raw) {
    uint64_t at = 0;
    for (size_t i = 0; i < frame->parts_len; i++) {
        const struct footer_part *part = &frame->parts[i];
        struct lost_attempt *a = lost_find(&s->lost, part->attempt);
        if (a && part->index + 1 < a->won.messages && at + part->raw_bytes <= raw.len)
            a->blocks[part->index] =
                (struct lost_block){.there = a->blocks[part->index].there,
                                    .described = true,
                                    .rejects = o->rejects,
                                    .output_hash = hash_bytes(o->output),
                                    .records = part->records,
                                    .raw_bytes = part->raw_bytes,
                                    .raw_checksum = hash_bytes(str_sub(raw, at, at + part->raw_bytes))};
        at += part->raw_bytes;
    }
}

RC inquest_objects(struct inquest *s, const struct manifest *m, struct why *why) {
    AUTO(stored_done) struct stored stored = STORED_INIT;
    for (size_t i = 0; i < m->objects_len; i++) {
        const struct manifest_object *o = &m->objects[i];
        if (!is_wanted(s, o)) continue;
        TRY(stored_open(&stored, s->store, o, m->settings.format, why));
        while (stored_more(&stored)) {
            const struct footer_block *frame = stored_head(&stored);
            struct str raw;
            if (!frame) break; /* a gz of another library, without a footer: its blocks stay undescribed */
            if (!frame_is_wanted(s, frame)) {
                stored_skip(&stored);
                continue;
            }
            TRY(stored_next(&stored, &raw, why));
            describe(s, o, frame, raw);
        }
    }
    return RC_OK;
}
