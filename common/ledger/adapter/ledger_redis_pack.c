/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis_pack.h"

/* ---- pieces ---- */

void redis_pack_varint(struct buf *out, uint64_t n) {
    for (; n >= 0x80; n >>= 7) buf_add_char(out, (char)(n | 0x80));
    buf_add_char(out, (char)n);
}

static void pack_big(struct buf *out, uint64_t n, size_t bytes) {
    for (size_t i = bytes; i > 0; i--) buf_add_char(out, (char)(n >> (8 * (i - 1))));
}

void redis_pack_u64(struct buf *out, uint64_t n) { pack_big(out, n, 8); }

static void pack_id(struct buf *out, struct id id) { buf_add(out, (struct str){(const char *)id.bytes, ID_BYTES}); }

void redis_pack_text(struct buf *out, struct str text) {
    redis_pack_varint(out, text.len);
    buf_add(out, text);
}

static uint64_t zigzag(uint64_t n) { return n << 1 ^ (n >> 63 ? UINT64_MAX : 0); }
static uint64_t unzigzag(uint64_t n) { return n >> 1 ^ (n & 1 ? UINT64_MAX : 0); }

/* `converted` follows from the law of counts. */
void redis_pack_counts(struct buf *out, const struct counts *c) {
    redis_pack_varint(out, c->lines);
    redis_pack_varint(out, c->rejects);
    redis_pack_varint(out, c->filtered);
    redis_pack_varint(out, c->blank);
    redis_pack_varint(out, zigzag(c->records - c->converted));
}

static struct str take(struct redis_reader *r, size_t len) {
    if (r->bad || r->rest.len < len) {
        r->bad = true;
        return (struct str){0};
    }
    struct str out = {r->rest.at, len};
    r->rest = str_sub(r->rest, len, r->rest.len);
    return out;
}

uint64_t redis_take_varint(struct redis_reader *r) {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        struct str byte = take(r, 1);
        if (r->bad) return 0;
        n |= (uint64_t)(*byte.at & 0x7f) << shift;
        if (!(*byte.at & 0x80)) return n;
    }
    r->bad = true;
    return 0;
}

static uint64_t take_big(struct redis_reader *r, size_t bytes) {
    struct str s = take(r, bytes);
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++) n = n << 8 | (uint8_t)s.at[i];
    return n;
}

uint64_t redis_take_u64(struct redis_reader *r) { return take_big(r, 8); }

struct id redis_take_id(struct redis_reader *r) {
    struct str s = take(r, ID_BYTES);
    struct id id = {{0}};
    if (s.len) memcpy(id.bytes, s.at, ID_BYTES);
    return id;
}

struct counts redis_take_counts(struct redis_reader *r) {
    struct counts c = {.lines = redis_take_varint(r)};
    c.rejects = redis_take_varint(r);
    c.filtered = redis_take_varint(r);
    c.blank = redis_take_varint(r);
    c.converted = c.lines - c.rejects - c.filtered - c.blank;
    c.records = c.converted + unzigzag(redis_take_varint(r));
    return c;
}

struct str redis_take_text(struct redis_reader *r) {
    return take(r, redis_take_varint(r));
}

static RC check_end(const struct redis_reader *r, const char *what, struct why *why) {
    if (!r->bad && r->rest.len == 0) return RC_OK;
    return why_set(why, RC_BROKEN, "the ledger is damaged: %s in Redis cannot be read", what);
}

/* ---- a file ---- */

enum { FILE_GONE = 1, FILE_RESTORED = 2 };

void redis_pack_file(struct buf *out, const struct redis_file *file) {
    const struct facts *f = &file->facts;
    pack_big(out, file->stamp, REDIS_FILE_STAMP);
    buf_add_char(out, (char)((file->gone ? FILE_GONE : 0) | (file->restored ? FILE_RESTORED : 0)));
    redis_pack_varint(out, file->version);
    redis_pack_varint(out, f->stripe_bytes);
    redis_pack_varint(out, f->prefix_len);
    redis_pack_u64(out, f->prefix_hash);
    redis_pack_varint(out, f->inode);
    redis_pack_varint(out, zigzag((uint64_t)f->birth_ns));
    redis_pack_varint(out, f->volume);
    redis_pack_varint(out, file->ends_len);
    for (size_t i = 0; i < file->ends_len; i++)
        redis_pack_varint(out, i ? file->ends[i] - file->ends[i - 1] : file->ends[i]);
    redis_pack_text(out, f->source);
    redis_pack_text(out, f->uri);
}

RC redis_unpack_file(struct str row, struct id id, struct arena *arena, struct redis_file *out, struct why *why) {
    *out = (struct redis_file){.id = id};
    if (!row.at) return RC_OK;
    struct redis_reader r = {row, false};
    struct facts *f = &out->facts;
    out->found = true;
    out->stamp = (uint32_t)take_big(&r, REDIS_FILE_STAMP);
    uint64_t flags = take_big(&r, 1);
    out->gone = flags & FILE_GONE;
    out->restored = flags & FILE_RESTORED;
    out->version = redis_take_varint(&r);
    f->stripe_bytes = redis_take_varint(&r);
    f->prefix_len = (uint32_t)redis_take_varint(&r);
    f->prefix_hash = redis_take_u64(&r);
    f->inode = redis_take_varint(&r);
    f->birth_ns = (int64_t)unzigzag(redis_take_varint(&r));
    f->volume = redis_take_varint(&r);
    uint64_t n = redis_take_varint(&r);
    if (n > r.rest.len) r.bad = true;
    out->ends_len = r.bad ? 0 : n;
    out->ends = ARENA_ARRAY(arena, uint64_t, out->ends_len + 1); /* room to close once more */
    for (size_t i = 0; i < out->ends_len; i++) out->ends[i] = redis_take_varint(&r) + (i ? out->ends[i - 1] : 0);
    f->source = arena_str(arena, redis_take_text(&r));
    f->uri = arena_str(arena, redis_take_text(&r));
    if (f->stripe_bytes == 0 || f->stripe_bytes > INT64_MAX) r.bad = true;
    return check_end(&r, "a file", why);
}

/* ---- a stripe ---- */

enum { HAS_REST = 1, PRUNED = 2, SET_ASIDE = 4, HAS_WINNER = 8, HAS_TOTAL = 16, HAS_FAILURES = 32 };

static void pack_winner(struct buf *out, const struct rules_winner *w, uint64_t start) {
    redis_pack_varint(out, w->from - start);
    redis_pack_varint(out, w->to - w->from);
    pack_id(out, w->attempt);
    redis_pack_u64(out, w->tail_hash);
    redis_pack_varint(out, w->messages);
    redis_pack_varint(out, w->messages - w->durable);
    redis_pack_counts(out, &w->counts);
}

static struct rules_winner take_winner(struct redis_reader *r, uint64_t start) {
    struct rules_winner w = {.from = start + redis_take_varint(r)};
    w.to = w.from + redis_take_varint(r);
    w.attempt = redis_take_id(r);
    w.tail_hash = redis_take_u64(r);
    w.messages = (uint32_t)redis_take_varint(r);
    w.durable = w.messages - (uint32_t)redis_take_varint(r);
    w.counts = redis_take_counts(r);
    if (w.from >= w.to || w.durable > w.messages || id_is_none(w.attempt)) r->bad = true;
    return w;
}

void redis_pack_stripe(struct buf *row, struct buf *rest, const struct redis_stripe *s, uint64_t epoch) {
    const struct rules_stripe *rules = &s->rules;
    const struct rules_winner *last = rules->winners_len ? &rules->winners[rules->winners_len - 1] : NULL;
    bool total = last && memcmp(&last->counts, &s->counts, sizeof s->counts) != 0;
    bool more = rules->winners_len > 1 || rules->voids_len || s->set_aside;
    pack_big(row, s->stamp, REDIS_STRIPE_STAMP);
    buf_add_char(row, (char)((more ? HAS_REST : 0) | (rules->pruned ? PRUNED : 0) | (s->set_aside ? SET_ASIDE : 0) |
                             (last ? HAS_WINNER : 0) | (total ? HAS_TOTAL : 0) | (s->failures ? HAS_FAILURES : 0)));
    if (last) pack_winner(row, last, rules->start);
    if (total) redis_pack_counts(row, &s->counts);
    if (s->failures) redis_pack_varint(row, s->failures);
    if (!more) return;
    redis_pack_varint(rest, last ? rules->winners_len - 1 : 0);
    for (size_t i = 0; last && i + 1 < rules->winners_len; i++) pack_winner(rest, &rules->winners[i], rules->start);
    redis_pack_varint(rest, epoch);
    redis_pack_varint(rest, rules->voids_len);
    for (size_t i = 0; i < rules->voids_len; i++) {
        redis_pack_varint(rest, rules->voids[i].from - rules->start);
        pack_id(rest, rules->voids[i].attempt);
    }
    redis_pack_text(rest, s->set_aside ? s->reason : STR(""));
}

static void take_rest(struct redis_reader *r, uint64_t epoch, struct arena *arena, struct redis_stripe *out) {
    struct rules_stripe *rules = &out->rules;
    uint64_t n = redis_take_varint(r);
    if (n > r->rest.len) r->bad = true;
    if (r->bad) return;
    rules->winners = ARENA_ARRAY(arena, struct rules_winner, n + 2);
    for (uint64_t i = 0; i < n; i++) rules->winners[rules->winners_len++] = take_winner(r, rules->start);
    bool old = redis_take_varint(r) < epoch;
    n = redis_take_varint(r);
    if (n > r->rest.len) r->bad = true;
    if (r->bad) return;
    rules->voids = ARENA_ARRAY(arena, struct rules_void, n + 1);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t from = rules->start + redis_take_varint(r);
        rules->voids[i] = (struct rules_void){from, redis_take_id(r)};
    }
    rules->voids_len = old ? 0 : n;
    out->reason = arena_str(arena, redis_take_text(r));
}

static bool joins(const struct rules_stripe *rules) {
    for (size_t i = 0; i < rules->winners_len; i++) {
        bool first = i == 0;
        if (!first && rules->winners[i].from < rules->winners[i - 1].to) return false;
        if (!rules->pruned && rules->winners[i].from != (first ? rules->start : rules->winners[i - 1].to)) return false;
    }
    return true;
}

RC redis_unpack_stripe(struct str row, struct str rest, uint64_t start, uint64_t epoch, struct arena *arena,
                       struct redis_stripe *out, struct why *why) {
    *out = (struct redis_stripe){.rules = {.start = start}};
    if (!row.at) return RC_OK;
    struct redis_reader r = {row, false}, more = {rest, false};
    struct rules_stripe *rules = &out->rules;
    out->found = true;
    out->stamp = (uint32_t)take_big(&r, REDIS_STRIPE_STAMP);
    uint64_t flags = take_big(&r, 1);
    rules->pruned = flags & PRUNED;
    out->set_aside = flags & SET_ASIDE;
    out->had_rest = flags & HAS_REST;
    if (out->had_rest) take_rest(&more, epoch, arena, out);
    if (flags & HAS_WINNER) {
        if (!rules->winners) rules->winners = ARENA_ARRAY(arena, struct rules_winner, 2);
        rules->winners[rules->winners_len++] = take_winner(&r, start);
        out->counts = rules->winners[rules->winners_len - 1].counts;
    }
    if (flags & HAS_TOTAL) out->counts = redis_take_counts(&r);
    if (flags & HAS_FAILURES) out->failures = (uint32_t)redis_take_varint(&r);
    if (!joins(rules)) r.bad = true;
    TRY(check_end(&r, "a stripe", why));
    return check_end(&more, "the rest of a stripe", why);
}

/* ---- progress ---- */

void redis_pack_progress(struct buf *out, const struct redis_progress *p) {
    redis_pack_u64(out, p->reach);
    redis_pack_u64(out, p->tail);
    redis_pack_u64(out, p->outstanding);
    pack_big(out, p->set_aside, 4);
    redis_pack_u64(out, (uint64_t)(p->receipted + 1));
}

RC redis_unpack_progress(struct str row, struct redis_progress *out, struct why *why) {
    *out = (struct redis_progress){.receipted = -1};
    if (!row.at) return RC_OK;
    struct redis_reader r = {row, false};
    out->found = true;
    out->reach = redis_take_u64(&r);
    out->tail = redis_take_u64(&r);
    out->outstanding = redis_take_u64(&r);
    out->set_aside = take_big(&r, 4);
    out->receipted = (int64_t)redis_take_u64(&r) - 1;
    return check_end(&r, "a file's progress", why);
}

void redis_pack_place(struct buf *out, const struct claim_place *place) {
    pack_id(out, place->file);
    redis_pack_varint(out, place->stripe);
    redis_pack_varint(out, place->offset);
}

RC redis_unpack_place(struct str row, struct claim_place *out, struct why *why) {
    struct redis_reader r = {.rest = row};
    struct claim_place place = {.file = redis_take_id(&r)};
    place.stripe = redis_take_varint(&r);
    place.offset = redis_take_varint(&r);
    if (r.bad || r.rest.len) return why_set(why, RC_BROKEN, "the ledger is damaged: a claim");
    *out = place;
    return RC_OK;
}
