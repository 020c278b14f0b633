/* SPDX-License-Identifier: Apache-2.0 */
#include "saved.h"

#include "own.h"
#include "squeeze.h"

enum { VERSION = 1, HEAD = 6 };
static const char PAGE[HEAD + 1] = "SLSNPG", INDEX[HEAD + 1] = "SLSNIX";

/* ---- writing ---- */

static void put(struct buf *b, uint64_t n) {
    for (; n >= 0x80; n >>= 7) buf_add_char(b, (char)(n | 0x80));
    buf_add_char(b, (char)n);
}

static void put_text(struct buf *b, struct str text) {
    put(b, text.len);
    buf_add(b, text);
}

static void put_id(struct buf *b, const struct id *id) { buf_add(b, (struct str){(const char *)id->bytes, ID_BYTES}); }

static void put_counts(struct buf *b, const struct counts *c) {
    const uint64_t all[] = {c->lines, c->converted, c->rejects, c->filtered, c->blank, c->records};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) put(b, all[i]);
}

static void put_stripe(struct buf *b, const struct saved_stripe *s) {
    put(b, s->stripe);
    put(b, s->pruned);
    put_counts(b, &s->counts);
    put(b, s->winners_len);
    for (size_t i = 0; i < s->winners_len; i++) {
        const struct saved_winner *w = &s->winners[i];
        put(b, w->from);
        put(b, w->to - w->from);
        put_id(b, &w->attempt);
        put_counts(b, &w->counts);
        put(b, w->tail_hash);
        put(b, w->messages);
        put(b, w->durable);
    }
}

static void put_file(struct buf *b, const struct saved_file *f) {
    put_id(b, &f->id);
    put_text(b, f->facts.source);
    put_text(b, f->facts.uri);
    put(b, f->facts.inode);
    put(b, (uint64_t)f->facts.birth_ns);
    put(b, f->facts.volume);
    put(b, f->facts.prefix_len);
    put(b, f->facts.prefix_hash);
    put(b, f->facts.stripe_bytes);
    put(b, f->gone);
    put(b, f->receipted);
    put(b, f->ends_len);
    for (size_t i = 0; i < f->ends_len; i++) put(b, f->ends[i]);
    put(b, f->stripes_len);
    for (size_t i = 0; i < f->stripes_len; i++) put_stripe(b, &f->stripes[i]);
    put(b, f->batches_len);
    for (size_t i = 0; i < f->batches_len; i++) {
        put(b, f->batches[i].partition);
        put(b, f->batches[i].index);
    }
}

static void put_head(struct buf *b, const char *head, const struct id *queue) {
    buf_add(b, (struct str){head, HEAD});
    put(b, VERSION);
    put_id(b, queue);
}

static RC pack(const struct buf *b, struct buf *out) { return b->over ? RC_LIMIT : squeeze(buf_str(b), out); }

RC saved_page_encode(const struct saved_page *page, struct buf *out) {
    AUTO(buf_done) struct buf b = BUF_INIT(SAVED_BYTES_MAX);
    put_head(&b, PAGE, &page->queue);
    put(&b, page->generation);
    put(&b, page->files_len);
    for (size_t i = 0; i < page->files_len; i++) put_file(&b, &page->files[i]);
    return pack(&b, out);
}

RC saved_index_encode(const struct saved_index *index, struct buf *out) {
    AUTO(buf_done) struct buf b = BUF_INIT(SAVED_BYTES_MAX);
    put_head(&b, INDEX, &index->queue);
    put(&b, index->pages);
    put(&b, index->files);
    put(&b, index->counters_len);
    for (size_t i = 0; i < index->counters_len; i++) {
        const struct saved_counter *c = &index->counters[i];
        put(&b, c->generation);
        put(&b, c->partition);
        put(&b, c->next);
        put(&b, c->until);
    }
    return pack(&b, out);
}

/* ---- reading ---- */

struct reader {
    struct str rest;
    struct arena *arena;
    bool bad;
};

static uint64_t take(struct reader *r) {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && r->rest.len && !r->bad; shift += 7) {
        unsigned char byte = (unsigned char)*r->rest.at;
        r->rest = str_sub(r->rest, 1, r->rest.len);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return n;
    }
    r->bad = true;
    return 0;
}

/* A number of at most `max`. */
static uint64_t take_most(struct reader *r, uint64_t max) {
    uint64_t n = take(r);
    if (n > max) r->bad = true;
    return r->bad ? 0 : n;
}

/* How many follow, each of at least one byte. */
static size_t take_len(struct reader *r) { return (size_t)take_most(r, r->rest.len); }

static struct str take_bytes(struct reader *r, size_t len) {
    if (r->bad || len > r->rest.len) {
        r->bad = true;
        return STR("");
    }
    struct str out = str_sub(r->rest, 0, len);
    r->rest = str_sub(r->rest, len, r->rest.len);
    return out;
}

static struct id take_id(struct reader *r) {
    struct id id = {{0}};
    struct str bytes = take_bytes(r, ID_BYTES);
    if (!r->bad && id_from_bytes(bytes.at, bytes.len, &id) != RC_OK) r->bad = true;
    return id;
}

static struct str take_text(struct reader *r) { return arena_str(r->arena, take_bytes(r, take_len(r))); }

static struct counts take_counts(struct reader *r) {
    struct counts c = {take(r), take(r), take(r), take(r), take(r), take(r)};
    if (!counts_hold(&c)) r->bad = true;
    return c;
}

static void take_stripe(struct reader *r, struct saved_stripe *s) {
    s->stripe = take_most(r, INT64_MAX);
    s->pruned = take_most(r, 1);
    s->counts = take_counts(r);
    s->winners_len = take_len(r);
    s->winners = ARENA_ARRAY(r->arena, struct saved_winner, s->winners_len);
    if (!s->winners_len) r->bad = true;
    for (size_t i = 0; i < s->winners_len && !r->bad; i++) {
        struct saved_winner *w = &s->winners[i];
        w->from = take_most(r, INT64_MAX);
        w->to = w->from + take_most(r, INT64_MAX - w->from);
        w->attempt = take_id(r);
        w->counts = take_counts(r);
        w->tail_hash = take(r);
        w->messages = (uint32_t)take_most(r, UINT32_MAX);
        w->durable = (uint32_t)take_most(r, w->messages);
        if (w->from == w->to ||
            (i > 0 && s->winners[i - 1].to != w->from && (!s->pruned || s->winners[i - 1].to > w->from)))
            r->bad = true;
    }
}

static void take_parts(struct reader *r, struct saved_file *f) {
    f->ends_len = take_len(r);
    f->ends = ARENA_ARRAY(r->arena, uint64_t, f->ends_len);
    for (size_t i = 0; i < f->ends_len && !r->bad; i++) f->ends[i] = take_most(r, INT64_MAX);
    f->stripes_len = take_len(r);
    f->stripes = ARENA_ARRAY(r->arena, struct saved_stripe, r->bad ? 0 : f->stripes_len);
    for (size_t i = 0; i < f->stripes_len && !r->bad; i++) take_stripe(r, &f->stripes[i]);
    f->batches_len = take_len(r);
    f->batches = ARENA_ARRAY(r->arena, struct saved_batch, r->bad ? 0 : f->batches_len);
    for (size_t i = 0; i < f->batches_len && !r->bad; i++) {
        f->batches[i].partition = (uint32_t)take_most(r, UINT32_MAX);
        f->batches[i].index = take_most(r, INT64_MAX);
    }
}

static void take_file(struct reader *r, struct saved_file *f) {
    f->id = take_id(r);
    f->facts.source = take_text(r);
    f->facts.uri = take_text(r);
    f->facts.inode = take(r);
    f->facts.birth_ns = (int64_t)take(r);
    f->facts.volume = take(r);
    f->facts.prefix_len = (uint32_t)take_most(r, UINT32_MAX);
    f->facts.prefix_hash = take(r);
    f->facts.stripe_bytes = take_most(r, INT64_MAX);
    f->gone = take_most(r, 1);
    f->receipted = take_most(r, (uint64_t)INT64_MAX + 1);
    take_parts(r, f);
}

static RC bad(struct why *why) { return why_set(why, RC_BAD, "it is no part of a ledger's snapshot"); }

static RC open_frame(struct str bytes, const char *head, struct buf *plain, struct reader *r, struct id *out_queue,
                     struct why *why) {
    if (unsqueeze(bytes, SAVED_BYTES_MAX, plain, why) != RC_OK) return bad(why);
    r->rest = buf_str(plain);
    if (!str_equal(take_bytes(r, HEAD), (struct str){head, HEAD})) return bad(why);
    uint64_t version = take(r);
    if (!r->bad && version != VERSION)
        return why_set(why, RC_BAD, "a ledger's snapshot of version %llu", (unsigned long long)version);
    *out_queue = take_id(r);
    return r->bad ? bad(why) : RC_OK;
}

RC saved_page_decode(struct str bytes, struct arena *arena, struct saved_page *out, struct why *why) {
    AUTO(buf_done) struct buf plain = BUF_INIT(SAVED_BYTES_MAX);
    struct reader r = {.arena = arena};
    struct saved_page page = {0};
    TRY(open_frame(bytes, PAGE, &plain, &r, &page.queue, why));
    page.generation = take_most(&r, INT64_MAX);
    page.files_len = take_len(&r);
    page.files = ARENA_ARRAY(arena, struct saved_file, page.files_len);
    for (size_t i = 0; i < page.files_len && !r.bad; i++) take_file(&r, &page.files[i]);
    if (r.bad || r.rest.len) return bad(why);
    *out = page;
    return RC_OK;
}

RC saved_index_decode(struct str bytes, struct arena *arena, struct saved_index *out, struct why *why) {
    AUTO(buf_done) struct buf plain = BUF_INIT(SAVED_BYTES_MAX);
    struct reader r = {.arena = arena};
    struct saved_index index = {0};
    TRY(open_frame(bytes, INDEX, &plain, &r, &index.queue, why));
    index.pages = take(&r);
    index.files = take(&r);
    index.counters_len = take_len(&r);
    index.counters = ARENA_ARRAY(arena, struct saved_counter, index.counters_len);
    for (size_t i = 0; i < index.counters_len && !r.bad; i++)
        index.counters[i] = (struct saved_counter){take_most(&r, INT64_MAX), (uint32_t)take_most(&r, UINT32_MAX),
                                                   take_most(&r, INT64_MAX), take_most(&r, INT64_MAX)};
    if (r.bad || r.rest.len) return bad(why);
    *out = index;
    return RC_OK;
}
