/* SPDX-License-Identifier: Apache-2.0 */
#include "saved.h"

#include "own.h"
#include "squeeze.h"

/* The least bytes of each: what a length in front of a list can promise at most. */
enum { FILE_MIN = 30, STRIPE_MIN = 9, WINNER_MIN = 27, BATCH_MIN = 2, COUNTER_MIN = 4 };
enum { INDEX_VERSION = 1, PAGE_VERSION = 2, HEAD = 6 };
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

static void put_facts(struct buf *b, const struct saved_file *f) {
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
}

/* The stripes from `from` on that fit, at least one; answers where the next part begins. */
static size_t put_stripes(struct buf *b, const struct saved_file *f, size_t from, size_t most) {
    AUTO(buf_done) struct buf stripes = BUF_INIT(SAVED_BYTES_MAX);
    size_t at = from;
    do {
        if (at < f->stripes_len) put_stripe(&stripes, &f->stripes[at++]);
    } while (at < f->stripes_len && b->len + stripes.len < most);
    put(b, at - from);
    buf_add(b, buf_str(&stripes));
    b->over = b->over || stripes.over;
    return at;
}

/* Batches come with the first part: whoever takes parts in in any order has each of them once. */
static size_t put_file(struct buf *b, const struct saved_file *f, size_t from, size_t most) {
    bool continued = f->continued || from > 0;
    size_t batches = continued ? 0 : f->batches_len;
    put_facts(b, f);
    put(b, continued);
    put(b, f->whole.outstanding);
    put(b, f->whole.reach);
    put(b, f->whole.tail);
    put(b, batches);
    for (size_t i = 0; i < batches; i++) {
        put(b, f->batches[i].partition);
        put(b, f->batches[i].index);
    }
    return put_stripes(b, f, from, most);
}

static void put_head(struct buf *b, const char *head, uint64_t version, const struct id *queue) {
    buf_add(b, (struct str){head, HEAD});
    put(b, version);
    put_id(b, queue);
}

static RC pack(const struct buf *b, struct buf *out) { return b->over ? RC_LIMIT : squeeze(buf_str(b), out); }

struct saved_whole saved_whole_of(const struct saved_file *file) {
    struct saved_whole whole = {0};
    for (size_t i = 0; i < file->stripes_len; i++) {
        const struct saved_stripe *s = &file->stripes[i];
        for (size_t k = 0; k < s->winners_len; k++) {
            const struct saved_winner *w = &s->winners[k];
            whole.outstanding += w->messages - w->durable;
            if (w->to <= whole.reach) continue;
            whole.reach = w->to;
            whole.tail = w->tail_hash;
        }
    }
    return whole;
}

RC saved_page_encode(const struct saved_page *page, size_t most, struct saved_place *place, struct buf *out) {
    AUTO(buf_done) struct buf b = BUF_INIT(SAVED_BYTES_MAX), files = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_place at = *place;
    size_t n = 0;
    for (; at.file < page->files_len && (!n || files.len < most); n++) {
        at.stripe = put_file(&files, &page->files[at.file], at.stripe, most);
        if (at.stripe == page->files[at.file].stripes_len) at = (struct saved_place){at.file + 1, 0};
    }
    put_head(&b, PAGE, PAGE_VERSION, &page->queue);
    put(&b, page->generation);
    put(&b, n);
    buf_add(&b, buf_str(&files));
    b.over = b.over || files.over;
    TRY(pack(&b, out));
    *place = at;
    return RC_OK;
}

RC saved_index_encode(const struct saved_index *index, struct buf *out) {
    AUTO(buf_done) struct buf b = BUF_INIT(SAVED_BYTES_MAX);
    put_head(&b, INDEX, INDEX_VERSION, &index->queue);
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

/* How many follow, each of at least `each` bytes. */
static size_t take_len(struct reader *r, size_t each) { return (size_t)take_most(r, r->rest.len / each); }

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

static struct str take_text(struct reader *r) { return arena_str(r->arena, take_bytes(r, take_len(r, 1))); }

static struct counts take_counts(struct reader *r) {
    struct counts c = {take(r), take(r), take(r), take(r), take(r), take(r)};
    if (!counts_hold(&c)) r->bad = true;
    return c;
}

static void take_stripe(struct reader *r, struct saved_stripe *s) {
    s->stripe = take_most(r, INT64_MAX);
    s->pruned = take_most(r, 1);
    s->counts = take_counts(r);
    s->winners_len = take_len(r, WINNER_MIN);
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

static void take_ends(struct reader *r, struct saved_file *f) {
    f->ends_len = take_len(r, 1);
    f->ends = ARENA_ARRAY(r->arena, uint64_t, f->ends_len);
    for (size_t i = 0; i < f->ends_len && !r->bad; i++) f->ends[i] = take_most(r, INT64_MAX);
}

static void take_stripes(struct reader *r, struct saved_file *f) {
    f->stripes_len = take_len(r, STRIPE_MIN);
    f->stripes = ARENA_ARRAY(r->arena, struct saved_stripe, r->bad ? 0 : f->stripes_len);
    for (size_t i = 0; i < f->stripes_len && !r->bad; i++) take_stripe(r, &f->stripes[i]);
}

static void take_batches(struct reader *r, struct saved_file *f) {
    f->batches_len = take_len(r, BATCH_MIN);
    f->batches = ARENA_ARRAY(r->arena, struct saved_batch, r->bad ? 0 : f->batches_len);
    for (size_t i = 0; i < f->batches_len && !r->bad; i++) {
        f->batches[i].partition = (uint32_t)take_most(r, UINT32_MAX);
        f->batches[i].index = take_most(r, INT64_MAX);
    }
}

static void take_file(struct reader *r, uint64_t version, struct saved_file *f) {
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
    take_ends(r, f);
    if (version == 1) { /* files were whole */
        take_stripes(r, f);
        take_batches(r, f);
        if (!r->bad) f->whole = saved_whole_of(f);
        return;
    }
    f->continued = take_most(r, 1);
    f->whole = (struct saved_whole){take(r), take_most(r, INT64_MAX), take(r)};
    take_batches(r, f);
    take_stripes(r, f);
    if (f->continued && f->batches_len) r->bad = true;
}

static RC bad(struct why *why) { return why_set(why, RC_BAD, "it is no part of a ledger's snapshot"); }

struct opened {
    struct buf *plain;
    struct reader *r;
    struct id queue;
    uint64_t version;
};

static RC open_frame(struct str bytes, const char *head, uint64_t newest, struct opened *o, struct why *why) {
    struct reader *r = o->r;
    if (unsqueeze(bytes, SAVED_BYTES_MAX, o->plain, why) != RC_OK) return bad(why);
    r->rest = buf_str(o->plain);
    if (!str_equal(take_bytes(r, HEAD), (struct str){head, HEAD})) return bad(why);
    o->version = take(r);
    if (!r->bad && (o->version < 1 || o->version > newest))
        return why_set(why, RC_BAD, "a ledger's snapshot of version %llu", (unsigned long long)o->version);
    o->queue = take_id(r);
    return r->bad ? bad(why) : RC_OK;
}

RC saved_page_decode(struct str bytes, struct arena *arena, struct saved_page *out, struct why *why) {
    AUTO(buf_done) struct buf plain = BUF_INIT(SAVED_BYTES_MAX);
    struct reader r = {.arena = arena};
    struct opened o = {.plain = &plain, .r = &r};
    TRY(open_frame(bytes, PAGE, PAGE_VERSION, &o, why));
    struct saved_page page = {.queue = o.queue, .generation = take_most(&r, INT64_MAX)};
    page.files_len = take_len(&r, FILE_MIN);
    page.files = ARENA_ARRAY(arena, struct saved_file, page.files_len);
    for (size_t i = 0; i < page.files_len && !r.bad; i++) take_file(&r, o.version, &page.files[i]);
    if (r.bad || r.rest.len) return bad(why);
    *out = page;
    return RC_OK;
}

RC saved_index_decode(struct str bytes, struct arena *arena, struct saved_index *out, struct why *why) {
    AUTO(buf_done) struct buf plain = BUF_INIT(SAVED_BYTES_MAX);
    struct reader r = {.arena = arena};
    struct opened o = {.plain = &plain, .r = &r};
    TRY(open_frame(bytes, INDEX, INDEX_VERSION, &o, why));
    struct saved_index index = {.queue = o.queue, .pages = take(&r)};
    index.files = take(&r);
    index.counters_len = take_len(&r, COUNTER_MIN);
    index.counters = ARENA_ARRAY(arena, struct saved_counter, index.counters_len);
    for (size_t i = 0; i < index.counters_len && !r.bad; i++)
        index.counters[i] = (struct saved_counter){take_most(&r, INT64_MAX), (uint32_t)take_most(&r, UINT32_MAX),
                                                   take_most(&r, INT64_MAX), take_most(&r, INT64_MAX)};
    if (r.bad || r.rest.len) return bad(why);
    *out = index;
    return RC_OK;
}
