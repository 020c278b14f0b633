/* SPDX-License-Identifier: Apache-2.0 */
#include "hash_stream.h"
#include "num.h"
#include "object.h"
#include "object_layout.h"
#include "own.h"

enum { CHECK_CHUNK = 1024 * 1024 };

/* Appends exactly [from, from + len) of the object. */
static RC get(const struct object_source *source, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    if (len > source->bytes || from > source->bytes - len)
        return why_set(why, RC_BROKEN, "the object ends at %llu, before %llu bytes at %llu",
                       (unsigned long long)source->bytes, (unsigned long long)len, (unsigned long long)from);
    size_t had = out->len;
    TRY(source->get(source->context, from, len, out, why));
    if (out->len - had != len)
        return why_set(why, RC_BROKEN, "%zu of %llu bytes at %llu", out->len - had, (unsigned long long)len,
                       (unsigned long long)from);
    return RC_OK;
}

/* The end of the object that was read: its bytes from `from` on. */
struct tail {
    struct buf bytes;
    uint64_t from;
};

static void tail_done(struct tail *tail) { buf_done(&tail->bytes); }

/* Makes the tail begin at `from` or before. */
static RC tail_reach(struct tail *tail, const struct object_source *source, uint64_t from, struct why *why) {
    if (from >= tail->from) return RC_OK;
    struct buf longer = BUF_INIT(tail->bytes.cap);
    enum rc rc = get(source, from, tail->from - from, &longer, why);
    if (rc == RC_OK) {
        buf_add(&longer, buf_str(&tail->bytes));
        rc = buf_rc(&longer);
    }
    if (rc != RC_OK) {
        buf_done(&longer);
        return rc;
    }
    buf_done(&tail->bytes);
    *tail = (struct tail){longer, from};
    return RC_OK;
}

static const char *tail_at(const struct tail *tail, uint64_t offset) {
    return tail->bytes.at + (size_t)(offset - tail->from);
}

struct table {
    uint64_t from;       /* where its frame begins in the object */
    const char *entries; /* in the tail */
    size_t count;        /* with the footer's */
};

static uint64_t entry_bytes(const struct table *t, size_t i) {
    return layout_get(t->entries + i * LAYOUT_ENTRY_BYTES, 4);
}
static uint64_t entry_raw_bytes(const struct table *t, size_t i) {
    return layout_get(t->entries + i * LAYOUT_ENTRY_BYTES + 4, 4);
}

static RC read_table(const struct object_source *source, struct tail *tail, struct table *out, struct why *why) {
    if (source->bytes < LAYOUT_TABLE_EXTRA)
        return why_set(why, RC_BROKEN, "%llu bytes are no object", (unsigned long long)source->bytes);
    TRY(tail_reach(tail, source, source->bytes - MIN(source->bytes, (uint64_t)OBJECT_TAIL_GUESS), why));
    const char *end = tail_at(tail, source->bytes - LAYOUT_TABLE_END_BYTES);
    uint64_t entries = layout_get(end, 4);
    if (layout_get(end + 5, 4) != LAYOUT_SEEKABLE_MAGIC || layout_get(end + 4, 1) != LAYOUT_CHECKSUMS)
        return why_set(why, RC_BROKEN, "no seek table at the end of the object");
    uint64_t bytes = LAYOUT_TABLE_EXTRA + entries * LAYOUT_ENTRY_BYTES;
    if (!entries || entries > (uint64_t)OBJECT_FRAMES_MAX + 1 || bytes > source->bytes)
        return why_set(why, RC_BROKEN, "a seek table of %llu entries", (unsigned long long)entries);
    uint64_t from = source->bytes - bytes;
    TRY(tail_reach(tail, source, from, why));
    const char *head = tail_at(tail, from);
    if (layout_get(head, 4) != LAYOUT_TABLE_MAGIC || layout_get(head + 4, 4) != bytes - LAYOUT_SKIPPABLE_BYTES)
        return why_set(why, RC_BROKEN, "the seek table's frame does not begin where it should");
    *out = (struct table){from, head + LAYOUT_SKIPPABLE_BYTES, (size_t)entries};
    return RC_OK;
}

/* The encoded footer, in the tail. `table` moves with the tail. */
static RC read_footer(const struct object_source *source, struct tail *tail, struct table *table, struct str *out,
                      struct why *why) {
    size_t last = table->count - 1;
    uint64_t bytes = entry_bytes(table, last);
    if (bytes < LAYOUT_FOOTER_EXTRA || bytes > LAYOUT_FOOTER_EXTRA + (uint64_t)FOOTER_BYTES_MAX ||
        bytes > table->from || entry_raw_bytes(table, last) != 0)
        return why_set(why, RC_BROKEN, "a footer of %llu bytes", (unsigned long long)bytes);
    uint64_t from = table->from - bytes;
    TRY(tail_reach(tail, source, from, why));
    table->entries = tail_at(tail, table->from + LAYOUT_SKIPPABLE_BYTES);
    const char *at = tail_at(tail, from);
    struct str name = {at + LAYOUT_SKIPPABLE_BYTES, LAYOUT_NAME_BYTES};
    if (layout_get(at, 4) != LAYOUT_FOOTER_MAGIC || layout_get(at + 4, 4) != bytes - LAYOUT_SKIPPABLE_BYTES ||
        !str_equal(name, STR(LAYOUT_FOOTER_NAME)))
        return why_set(why, RC_BROKEN, "no footer in front of the seek table");
    uint64_t version = layout_get(name.at + LAYOUT_NAME_BYTES, 4);
    if (version != LAYOUT_VERSION) return why_set(why, RC_BROKEN, "footer version %llu", (unsigned long long)version);
    struct str footer = {name.at + LAYOUT_NAME_BYTES + 4, (size_t)bytes - LAYOUT_FOOTER_EXTRA};
    if (hash_bytes(footer) != layout_get(footer.at + footer.len, 8))
        return why_set(why, RC_BROKEN, "the footer's checksum is wrong");
    *out = footer;
    return RC_OK;
}

/* Footer and seek table say the same, and the frames end where the footer begins. */
static RC compare(const struct footer *footer, const struct table *table, uint64_t data_bytes, struct why *why) {
    if (footer->blocks_len != table->count - 1)
        return why_set(why, RC_BROKEN, "%zu blocks in the footer, %zu in the seek table", footer->blocks_len,
                       table->count - 1);
    for (size_t i = 0; i < footer->blocks_len; i++)
        if (footer->blocks[i].bytes != entry_bytes(table, i) ||
            footer->blocks[i].raw_bytes != entry_raw_bytes(table, i))
            return why_set(why, RC_BROKEN, "frame %zu: footer and seek table differ", i);
    uint64_t end = footer->blocks_len
                       ? footer->blocks[footer->blocks_len - 1].offset + footer->blocks[footer->blocks_len - 1].bytes
                       : 0;
    return end == data_bytes ? RC_OK
                             : why_set(why, RC_BROKEN, "the frames end at %llu instead of %llu",
                                       (unsigned long long)end, (unsigned long long)data_bytes);
}

/* Bounds that the footer's own codec does not know, and the sums. */
static RC finish(struct object *o, struct why *why) {
    if (!str_equal(o->footer.settings.format, frame_format_name(o->format)))
        return why_set(why, RC_BROKEN, "a footer of format %.*s", STR_ARG(o->footer.settings.format));
    for (size_t i = 0; i < o->footer.blocks_len; i++) {
        const struct footer_block *b = &o->footer.blocks[i];
        if (b->bytes > OBJECT_FRAME_BYTES_MAX || b->raw_bytes > FRAME_RAW_MAX)
            return why_set(why, RC_BROKEN, "frame %zu is too large", i);
        o->data_bytes += b->bytes;
        o->raw_bytes += b->raw_bytes;
        o->records += b->records;
    }
    return RC_OK;
}

static RC decode_footer(struct str bytes, struct arena *arena, struct footer *out, struct why *why) {
    enum rc rc = footer_decode(bytes, arena, out, why);
    return rc == RC_BAD ? RC_BROKEN : rc;
}

static RC open_zst(struct object *o, struct arena *arena, struct why *why) {
    size_t cap = (size_t)LAYOUT_FOOTER_EXTRA + FOOTER_BYTES_MAX + LAYOUT_TABLE_EXTRA +
                 ((size_t)OBJECT_FRAMES_MAX + 1) * LAYOUT_ENTRY_BYTES + OBJECT_TAIL_GUESS;
    AUTO(tail_done) struct tail tail = {BUF_INIT(cap), o->source.bytes};
    struct table table;
    struct str footer;
    TRY(read_table(&o->source, &tail, &table, why));
    TRY(read_footer(&o->source, &tail, &table, &footer, why));
    TRY(decode_footer(footer, arena, &o->footer, why));
    return compare(&o->footer, &table, table.from - entry_bytes(&table, table.count - 1), why);
}

RC object_open(struct object_source source, enum frame_format format, struct str footer, struct arena *arena,
               struct object *out, struct why *why) {
    struct object o = {.source = source, .format = format};
    TRY(format == FRAME_ZST ? open_zst(&o, arena, why) : decode_footer(footer, arena, &o.footer, why));
    TRY(finish(&o, why));
    if (format != FRAME_ZST && o.data_bytes != source.bytes)
        return why_set(why, RC_BROKEN, "an object of %llu bytes, its footer says %llu",
                       (unsigned long long)source.bytes, (unsigned long long)o.data_bytes);
    *out = o;
    return RC_OK;
}

static uint64_t count_records(struct str raw) {
    uint64_t n = 0;
    for (const char *at = raw.at, *end = raw.at + raw.len; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; n++)
        if (++at == end) return n + 1;
    return n;
}

/* The frame in `compressed` against what the footer says of it. */
static RC decode_frame(const struct footer_block *b, struct frame_decoder *decoder, struct str compressed,
                       struct buf *out, struct why *why) {
    buf_reset(out);
    if (b->raw_bytes > out->cap)
        return why_set(why, RC_LIMIT, "%llu bytes inflated, there is room for %zu", (unsigned long long)b->raw_bytes,
                       out->cap);
    enum rc rc = frame_decode(decoder, compressed, (size_t)b->raw_bytes, out, why);
    if (rc != RC_OK) return RC_BROKEN;
    struct str raw = buf_str(out);
    if (raw.len != b->raw_bytes || hash_bytes(raw) != b->checksum)
        return why_set(why, RC_BROKEN, "the checksum of its content is wrong");
    if (count_records(raw) != b->records || raw.at[raw.len - 1] != '\n')
        return why_set(why, RC_BROKEN, "it does not hold %llu records", (unsigned long long)b->records);
    return RC_OK;
}

static RC read_frame(const struct object *o, struct frame_decoder *decoder, size_t index, struct buf *compressed,
                     struct buf *out, struct why *why) {
    const struct footer_block *b = &o->footer.blocks[index];
    buf_reset(compressed);
    if (b->bytes > compressed->cap)
        return why_set(why, RC_LIMIT, "%llu bytes, there is room for %zu", (unsigned long long)b->bytes,
                       compressed->cap);
    TRY(get(&o->source, b->offset, b->bytes, compressed, why));
    return decode_frame(b, decoder, buf_str(compressed), out, why);
}

RC object_read(const struct object *object, struct frame_decoder *decoder, size_t index, struct buf *compressed,
               struct buf *out, struct why *why) {
    if (index >= object->footer.blocks_len) return why_set(why, RC_ABSENT, "no frame %zu", index);
    enum rc rc = read_frame(object, decoder, index, compressed, out, why);
    if (rc == RC_OK) return rc;
    buf_reset(out);
    return why_wrap(why, rc, "frame %zu", index);
}

/* What lies behind the frames, in pieces. */
static RC add_tail(const struct object *o, struct hash_stream *sum, struct buf *piece, struct why *why) {
    for (uint64_t at = o->data_bytes; at < o->source.bytes;) {
        uint64_t len = MIN(o->source.bytes - at, MIN((uint64_t)CHECK_CHUNK, (uint64_t)piece->cap));
        buf_reset(piece);
        TRY(get(&o->source, at, len, piece, why));
        hash_stream_add(sum, buf_str(piece));
        at += len;
    }
    return RC_OK;
}

RC object_check(const struct object *object, uint64_t checksum, struct frame_decoder *decoder, struct buf *compressed,
                struct buf *raw, struct why *why) {
    AUTO(hash_stream_done) struct hash_stream *sum = hash_stream_new();
    for (size_t i = 0; i < object->footer.blocks_len; i++) {
        TRY(object_read(object, decoder, i, compressed, raw, why));
        hash_stream_add(sum, buf_str(compressed));
    }
    TRY(add_tail(object, sum, compressed, why));
    if (hash_stream_end(sum) != checksum) return why_set(why, RC_BROKEN, "the checksum of the object is wrong");
    return RC_OK;
}
