/* SPDX-License-Identifier: Apache-2.0 */
#include "stored.h"

#include "hash_stream.h"
#include "num.h"
#include "own.h"

void stored_done(struct stored *s) {
    for (size_t i = 0; i < COUNT_OF(s->decoders); i++) frame_decoder_free(s->decoders[i]);
    arena_done(&s->arena);
    buf_done(&s->compressed);
    buf_done(&s->raw);
}

static enum rc get(void *context, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    const struct stored *s = context;
    size_t before = out->len;
    TRY(store_get(s->store, s->key, from, len, out, why));
    return out->len - before == len ? RC_OK : why_set(why, RC_BROKEN, "it is shorter than it was");
}

static RC open_footer(struct stored *s, uint64_t bytes, struct why *why) {
    struct object_source source = {.get = get, .context = s, .bytes = bytes};
    struct str footer = {0};
    enum rc rc = s->format == FRAME_GZ ? manifest_footer(s->listed, &s->arena, &footer) : RC_OK;
    s->has_footer = rc != RC_ABSENT;
    if (rc == RC_ABSENT) return RC_OK;
    if (rc != RC_OK) return why_set(why, RC_BROKEN, "its footer in the manifest is no base64");
    return object_open(source, s->format, footer, &s->arena, &s->object, why);
}

RC stored_open(struct stored *s, struct store store, const struct manifest_object *listed, struct str format,
               struct why *why) {
    uint64_t bytes = 0;
    s->store = store;
    s->key = listed->key;
    s->listed = listed;
    s->next = 0;
    s->at = 0;
    arena_reset(&s->arena);
    if (frame_format_parse(format, &s->format) != RC_OK)
        return why_set(why, RC_BROKEN, "%.*s: the format %.*s is unknown", STR_ARG(s->key), STR_ARG(format));
    if (!s->decoders[s->format]) s->decoders[s->format] = frame_decoder_new(s->format);
    enum rc rc = store_size(store, s->key, &bytes, why);
    if (rc == RC_OK && bytes != listed->bytes)
        rc = why_set(why, RC_BROKEN, "it has %llu bytes, and the manifest says %llu", (unsigned long long)bytes,
                     (unsigned long long)listed->bytes);
    if (rc == RC_ABSENT) rc = why_set(why, RC_BROKEN, "it is not there");
    if (rc == RC_OK) rc = open_footer(s, bytes, why);
    return rc == RC_OK ? RC_OK : why_wrap(why, rc, "%.*s", STR_ARG(s->key));
}

bool stored_more(const struct stored *s) {
    return s->has_footer ? s->next < s->object.footer.blocks_len : s->at < s->listed->bytes;
}

const struct footer_block *stored_head(const struct stored *s) {
    return s->has_footer ? &s->object.footer.blocks[s->next] : NULL;
}

void stored_skip(struct stored *s) { s->next++; }

/* A member's end is not known before it is read: the window doubles until it holds one. */
static RC next_member(struct stored *s, struct why *why) {
    for (uint64_t window = STORED_WINDOW;; window *= 2) {
        size_t taken = 0;
        buf_reset(&s->compressed);
        buf_reset(&s->raw);
        uint64_t len = MIN(window, s->listed->bytes - s->at);
        TRY(get(s, s->at, len, &s->compressed, why));
        enum rc rc =
            frame_decode_first(s->decoders[s->format], buf_str(&s->compressed), STORED_RAW_MAX, &s->raw, &taken, why);
        if (rc == RC_OK && taken) return s->at += taken, RC_OK;
        if (rc != RC_BROKEN || len < window || window * 2 > STORED_RAW_MAX)
            return rc == RC_OK ? why_set(why, RC_BROKEN, "it holds no frame at byte %llu", (unsigned long long)s->at)
                               : rc;
    }
}

RC stored_next(struct stored *s, struct str *out_raw, struct why *why) {
    enum rc rc = s->has_footer ? object_read(&s->object, s->decoders[s->format], s->next, &s->compressed, &s->raw, why)
                               : next_member(s, why);
    if (rc != RC_OK) return why_wrap(why, rc, "%.*s", STR_ARG(s->key));
    s->next++;
    *out_raw = buf_str(&s->raw);
    return RC_OK;
}

RC stored_check_sum(struct stored *s, struct why *why) {
    AUTO(hash_stream_done) struct hash_stream *sum = hash_stream_new();
    for (uint64_t at = 0; at < s->listed->bytes; at += s->compressed.len) {
        buf_reset(&s->compressed);
        TRY(get(s, at, MIN((uint64_t)STORED_WINDOW, s->listed->bytes - at), &s->compressed, why));
        hash_stream_add(sum, buf_str(&s->compressed));
    }
    return hash_stream_end(sum) == s->listed->checksum ? RC_OK : why_set(why, RC_BROKEN, "its bytes changed");
}
