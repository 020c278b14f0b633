/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { LISTS_MAX = 40 };

struct made made_from_seed(uint64_t seed) {
    return (struct made){rng_from_seed(seed), ARENA_INIT};
}

void made_done(struct made *made) { arena_done(&made->arena); }

uint64_t made_number(struct made *m) { return rng_next(&m->rng) >> rng_below(&m->rng, 64); }

/* So small that sums of them stay in 64 bits. */
static uint64_t small(struct made *m) { return made_number(m) >> 12; }

static uint32_t number32(struct made *m) { return (uint32_t)made_number(m); }

static bool coin(struct made *m) { return rng_below(&m->rng, 2) != 0; }

struct id made_id(struct made *m) {
    return id_make(&m->rng);
}

struct str made_text(struct made *m, size_t from, size_t to) {
    static const char *const pieces[] = {"a",  "Z",  "0", "/", "%20", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                         "\"", "\\", "\n"};
    size_t want = from + (size_t)rng_below(&m->rng, to - from + 1), len = 0;
    char *text = arena_alloc(&m->arena, to + 8);
    while (len < want) {
        const char *piece = pieces[rng_below(&m->rng, COUNT_OF(pieces))];
        if (len + strlen(piece) > to) piece = "x";
        memcpy(text + len, piece, strlen(piece));
        len += strlen(piece);
    }
    return (struct str){text, len};
}

static struct id made_predecessor(struct made *m) {
    static const struct id none;
    return coin(m) ? made_id(m) : none;
}

struct attempt made_attempt(struct made *m) {
    uint64_t from = small(m);
    return (struct attempt){.generation = made_number(m),
                            .file = made_id(m),
                            .stripe = made_number(m),
                            .from = from,
                            .to = from + 1 + small(m),
                            .id = made_id(m),
                            .predecessor = made_predecessor(m),
                            .epoch = made_number(m)};
}

struct facts made_facts(struct made *m) {
    return (struct facts){.source = made_text(m, 1, 60),
                          .uri = made_text(m, 1, 300),
                          .inode = made_number(m),
                          .birth_ns = (int64_t)rng_next(&m->rng),
                          .volume = made_number(m),
                          .prefix_len = (uint32_t)rng_below(&m->rng, PREFIX_MAX + 1),
                          .prefix_hash = rng_next(&m->rng),
                          .stripe_bytes = 1 + small(m)};
}

struct counts made_counts(struct made *m) {
    struct counts c = {0, small(m), small(m), small(m), small(m), made_number(m)};
    c.lines = c.converted + c.rejects + c.filtered + c.blank;
    return c;
}

struct settings made_settings(struct made *m) {
    return (struct settings){.format = coin(m) ? STR("jsonl.zst") : STR("jsonl.gz"),
                             .level = (int)rng_below(&m->rng, 23) - 3,
                             .object_bytes = 1 + small(m),
                             .block_bytes = 1 + small(m),
                             .encoder = made_text(m, 0, 30)};
}

static void made_times(struct made *m, bool *has, int64_t *min, int64_t *max) {
    *has = coin(m);
    int64_t a = (int64_t)rng_next(&m->rng), b = (int64_t)rng_next(&m->rng);
    *min = *has ? MIN(a, b) : 0;
    *max = *has ? MAX(a, b) : 0;
}

struct block_header made_header(struct made *m) {
    uint64_t records = 1 + small(m);
    struct block_header h = {.attempt = made_attempt(m),
                             .facts = made_facts(m),
                             .index = number32(m),
                             .rejects = coin(m),
                             .codec = (enum block_codec)rng_below(&m->rng, 3),
                             .raw_bytes = records + small(m),
                             .expected_bytes = 1 + made_number(m) / 2,
                             .records = records,
                             .checksum = rng_next(&m->rng),
                             .raw_checksum = rng_next(&m->rng)};
    h.output = made_text(m, h.rejects ? 1 : 0, 100);
    made_times(m, &h.has_time, &h.time_min_ns, &h.time_max_ns);
    return h;
}

static struct str made_claims(struct made *m, const struct attempt *a) {
    size_t n = coin(m) ? number32(m) % 5 : 0;
    char *at = arena_alloc(&m->arena, n * CLAIM_BYTES + 1);
    uint64_t step = (a->to - a->from) / (n + 1);
    for (size_t i = 0; i < n; i++) claim_pack(&(struct claim){made_id(m), a->from + i * step}, at + i * CLAIM_BYTES);
    return (struct str){at, n * CLAIM_BYTES};
}

struct block_trailer made_trailer(struct made *m) {
    struct attempt attempt = made_attempt(m);
    return (struct block_trailer){.attempt = attempt,
                                  .facts = made_facts(m),
                                  .counts = made_counts(m),
                                  .blocks = number32(m),
                                  .digest = rng_next(&m->rng),
                                  .tail_hash = rng_next(&m->rng),
                                  .closed = coin(m),
                                  .first_end = coin(m) ? attempt.from : 0,
                                  .claims = made_claims(m, &attempt)};
}

struct job made_job(struct made *m) {
    return (struct job){.file = made_id(m),
                        .facts = made_facts(m),
                        .stripe = made_number(m),
                        .ready = made_number(m),
                        .closed = coin(m)};
}

static size_t made_len(struct made *m) { return (size_t)rng_below(&m->rng, LISTS_MAX); }

/* Attempts of a few files, whose facts are now and then changed by a rename. */
static void made_attempts(struct made *m, struct seal *s) {
    size_t files = 1 + s->attempts_len / 3;
    struct id *ids = ARENA_ARRAY(&m->arena, struct id, files);
    struct facts *facts = ARENA_ARRAY(&m->arena, struct facts, files);
    for (size_t i = 0; i < files; i++) {
        ids[i] = made_id(m);
        facts[i] = made_facts(m);
    }
    for (size_t i = 0; i < s->attempts_len; i++) {
        size_t file = (size_t)rng_below(&m->rng, files);
        s->attempts[i] = made_attempt(m);
        s->attempts[i].file = ids[file];
        s->facts[i] = facts[file];
        if (rng_below(&m->rng, 8) == 0) s->facts[i].uri = made_text(m, 1, 50);
    }
}

struct seal made_seal(struct made *m) {
    struct seal s = {.queue = made_id(m),
                     .generation = made_number(m),
                     .partition = number32(m),
                     .index = made_number(m),
                     .start = small(m),
                     .epoch = made_number(m),
                     .settings = made_settings(m)};
    s.end = s.start;
    if (rng_below(&m->rng, 10) == 0) return s;
    s.attempts_len = 1 + made_len(m);
    s.attempts = ARENA_ARRAY(&m->arena, struct attempt, s.attempts_len);
    s.facts = ARENA_ARRAY(&m->arena, struct facts, s.attempts_len);
    made_attempts(m, &s);
    s.blocks_len = made_len(m);
    s.blocks = ARENA_ARRAY(&m->arena, struct seal_block, s.blocks_len);
    for (size_t i = 0; i < s.blocks_len; i++) {
        s.end += rng_below(&m->rng, 1000);
        s.blocks[i] = (struct seal_block){s.end++, (uint32_t)rng_below(&m->rng, s.attempts_len), number32(m)};
    }
    s.end += 1 + rng_below(&m->rng, 1000);
    s.trailers_len = (size_t)rng_below(&m->rng, s.attempts_len + 1);
    s.trailers = ARENA_ARRAY(&m->arena, struct block_trailer, s.trailers_len);
    for (size_t i = 0; i < s.trailers_len; i++) {
        s.trailers[i] = made_trailer(m);
        s.trailers[i].attempt = s.attempts[i];
        if (s.trailers[i].first_end) s.trailers[i].first_end = s.trailers[i].attempt.from;
        s.trailers[i].facts = s.facts[i];
        s.trailers[i].claims = made_claims(m, &s.attempts[i]);
    }
    return s;
}

static struct footer_block made_footer_block(struct made *m, uint64_t offset) {
    struct footer_block b = {.offset = offset, .bytes = 1 + small(m), .checksum = rng_next(&m->rng)};
    b.parts_len = 1 + made_len(m);
    b.parts = ARENA_ARRAY(&m->arena, struct footer_part, b.parts_len);
    for (size_t i = 0; i < b.parts_len; i++) {
        struct attempt a = made_attempt(m);
        struct footer_part *p = &b.parts[i];
        *p = (struct footer_part){a.file, a.stripe, a.from, a.to, a.id, number32(m), 1 + (small(m) >> 8), 0};
        p->raw_bytes = p->records + (small(m) >> 8);
        b.records += p->records;
        b.raw_bytes += p->raw_bytes;
    }
    made_times(m, &b.has_time, &b.time_min_ns, &b.time_max_ns);
    return b;
}

struct footer made_footer(struct made *m) {
    struct footer f = {.queue = made_id(m),
                       .generation = made_number(m),
                       .partition = number32(m),
                       .seal = made_number(m),
                       .rejects = coin(m),
                       .settings = made_settings(m)};
    f.output = made_text(m, f.rejects ? 1 : 0, 100);
    f.blocks_len = made_len(m);
    f.blocks = ARENA_ARRAY(&m->arena, struct footer_block, f.blocks_len);
    uint64_t end = 0;
    for (size_t i = 0; i < f.blocks_len; i++) {
        f.blocks[i] = made_footer_block(m, end);
        end += f.blocks[i].bytes;
    }
    return f;
}

static struct manifest_object made_object(struct made *m) {
    struct manifest_object o = {.key = made_text(m, 1, 200),
                                .output = made_text(m, 1, 100),
                                .rejects = coin(m),
                                .bytes = made_number(m),
                                .raw_bytes = made_number(m),
                                .records = made_number(m),
                                .blocks = made_number(m),
                                .checksum = rng_next(&m->rng),
                                .footer_base64 = coin(m) ? STR("U0xVSUNF") : STR("")};
    made_times(m, &o.has_time, &o.time_min_ns, &o.time_max_ns);
    o.parts_len = made_len(m) / 4;
    o.parts = ARENA_ARRAY(&m->arena, struct manifest_part, o.parts_len);
    for (size_t i = 0; i < o.parts_len; i++) {
        struct attempt a = made_attempt(m);
        o.parts[i] = (struct manifest_part){a.file, a.stripe,       a.from,         a.to,
                                            a.id,   made_number(m), made_number(m), made_number(m)};
    }
    return o;
}

struct manifest made_manifest(struct made *m) {
    struct manifest f = {.queue = made_id(m),
                         .generation = made_number(m),
                         .partition = number32(m),
                         .index = made_number(m),
                         .start = small(m),
                         .epoch = made_number(m),
                         .settings = made_settings(m)};
    f.end = f.start + small(m);
    f.objects_len = made_len(m) / 4;
    f.objects = ARENA_ARRAY(&m->arena, struct manifest_object, f.objects_len);
    for (size_t i = 0; i < f.objects_len; i++) f.objects[i] = made_object(m);
    f.attempts_len = made_len(m) / 4;
    f.attempts = ARENA_ARRAY(&m->arena, struct manifest_attempt, f.attempts_len);
    for (size_t i = 0; i < f.attempts_len; i++)
        f.attempts[i] = (struct manifest_attempt){made_attempt(m), made_counts(m), number32(m), made_text(m, 1, 60),
                                                  made_text(m, 1, 300)};
    return f;
}

struct receipt made_receipt(struct made *m) {
    struct receipt r = {.file = made_id(m),
                        .facts = made_facts(m),
                        .generation = made_number(m),
                        .end = made_number(m),
                        .counts = made_counts(m),
                        .stripes = made_number(m),
                        .written_ns = (int64_t)rng_next(&m->rng)};
    r.objects_len = made_len(m);
    r.objects = ARENA_ARRAY(&m->arena, struct receipt_object, r.objects_len);
    for (size_t i = 0; i < r.objects_len; i++)
        r.objects[i] = (struct receipt_object){made_text(m, 1, 200), coin(m), made_number(m)};
    return r;
}

void same_str(struct str a, struct str b) {
    assert_int_equal(a.len, b.len);
    if (a.len) assert_memory_equal(a.at, b.at, a.len);
}

void same_id(struct id a, struct id b) { assert_memory_equal(a.bytes, b.bytes, ID_BYTES); }

void same_attempt(const struct attempt *a, const struct attempt *b) {
    assert_int_equal(a->generation, b->generation);
    same_id(a->file, b->file);
    assert_int_equal(a->stripe, b->stripe);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->to, b->to);
    same_id(a->id, b->id);
    same_id(a->predecessor, b->predecessor);
    assert_int_equal(a->epoch, b->epoch);
}

void same_facts(const struct facts *a, const struct facts *b) {
    same_str(a->source, b->source);
    same_str(a->uri, b->uri);
    assert_int_equal(a->inode, b->inode);
    assert_int_equal(a->birth_ns, b->birth_ns);
    assert_int_equal(a->volume, b->volume);
    assert_int_equal(a->prefix_len, b->prefix_len);
    assert_int_equal(a->prefix_hash, b->prefix_hash);
    assert_int_equal(a->stripe_bytes, b->stripe_bytes);
}

void same_counts(const struct counts *a, const struct counts *b) {
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->converted, b->converted);
    assert_int_equal(a->rejects, b->rejects);
    assert_int_equal(a->filtered, b->filtered);
    assert_int_equal(a->blank, b->blank);
    assert_int_equal(a->records, b->records);
}

void same_settings(const struct settings *a, const struct settings *b) {
    same_str(a->format, b->format);
    assert_int_equal(a->level, b->level);
    assert_int_equal(a->object_bytes, b->object_bytes);
    assert_int_equal(a->block_bytes, b->block_bytes);
    same_str(a->encoder, b->encoder);
}

void same_trailer(const struct block_trailer *a, const struct block_trailer *b) {
    same_attempt(&a->attempt, &b->attempt);
    same_facts(&a->facts, &b->facts);
    same_counts(&a->counts, &b->counts);
    assert_int_equal(a->blocks, b->blocks);
    assert_int_equal(a->digest, b->digest);
    assert_int_equal(a->tail_hash, b->tail_hash);
    assert_int_equal(a->closed, b->closed);
    assert_int_equal(a->first_end, b->first_end);
    same_str(a->claims, b->claims);
}

void same_hex(struct str bytes, const char *hex) {
    AUTO(buf_done) struct buf is = BUF_INIT(1024 * 1024);
    AUTO(buf_done) struct buf should = BUF_INIT(1024 * 1024);
    for (size_t i = 0; i < bytes.len; i++) buf_add_format(&is, "%02x", (uint8_t)bytes.at[i]);
    for (; *hex; hex++)
        if (*hex != ' ') buf_add_char(&should, *hex);
    if (!str_equal(buf_str(&is), buf_str(&should))) fail_msg("the bytes are\n%s", buf_text(&is));
}

void same_text(struct buf *text, const char *should) {
    if (str_equal(buf_str(text), str_of(should))) return;
    (void)fputs(buf_text(text), stderr); /* cmocka would cut it */
    fail_msg("the text has changed");
}

static void try_one(struct str bytes, made_decode decode, bool exact) {
    /* Memory of exactly the length, so that ASan sees a read behind it. */
    AUTO(own_free) char *copy = alloc_bytes(bytes.len);
    if (bytes.len) memcpy(copy, bytes.at, bytes.len);
    AUTO(buf_done) struct buf again = BUF_INIT(16 * 1024 * 1024);
    enum rc rc = decode((struct str){copy, bytes.len}, &again);
    assert_true(rc == RC_OK || rc == RC_BAD);
    if (rc == RC_OK && exact) same_str(buf_str(&again), bytes);
}

void hostile(struct str good, made_decode decode, bool exact) {
    static const uint8_t changes[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    AUTO(own_free) char *bytes = alloc_bytes(good.len);
    memcpy(bytes, good.at, good.len);
    try_one(good, decode, exact);
    for (size_t len = 0; len < good.len; len++) try_one((struct str){bytes, len}, decode, exact);
    for (size_t i = 0; i < good.len; i++)
        for (size_t k = 0; k < COUNT_OF(changes); k++) {
            bytes[i] = (char)((uint8_t)good.at[i] ^ changes[k]);
            try_one((struct str){bytes, good.len}, decode, exact);
            bytes[i] = good.at[i];
        }
}
