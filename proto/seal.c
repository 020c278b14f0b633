/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "squeeze.h"
#include "wire.h"
#include "wire_parts.h"

#include <stdlib.h>

static RC check_blocks(const struct seal *s, struct why *why) {
    for (size_t i = 0; i < s->blocks_len; i++) {
        const struct seal_block *b = &s->blocks[i];
        if (b->offset < s->start || b->offset >= s->end || (i && b->offset <= s->blocks[i - 1].offset))
            return why_set(why, RC_BAD, "block %zu: offset %llu", i, (unsigned long long)b->offset);
        if (b->attempt >= s->attempts_len) return why_set(why, RC_BAD, "block %zu: attempt %u", i, b->attempt);
    }
    return RC_OK;
}

static int compare_ids(const void *a, const void *b) {
    return id_compare(*(const struct id *)a, *(const struct id *)b);
}

/* Attempts are there once, and each trailer is one's of them. */
static RC check_attempts(const struct seal *s, struct why *why) {
    if (s->trailers_len > s->attempts_len) return why_set(why, RC_BAD, "more trailers than attempts");
    if (!s->attempts_len) return RC_OK;
    AUTO(own_free) struct id *ids = alloc_zero(s->attempts_len, sizeof *ids);
    for (size_t i = 0; i < s->attempts_len; i++) {
        TRY(check_attempt(&s->attempts[i], why));
        TRY(check_facts(&s->facts[i], why));
        ids[i] = s->attempts[i].id;
    }
    qsort(ids, s->attempts_len, sizeof *ids, compare_ids);
    for (size_t i = 1; i < s->attempts_len; i++)
        if (id_equal(ids[i - 1], ids[i])) return why_set(why, RC_BAD, "an attempt twice");
    for (size_t i = 0; i < s->trailers_len; i++) {
        TRY(check_trailer(&s->trailers[i], why));
        if (!bsearch(&s->trailers[i].attempt.id, ids, s->attempts_len, sizeof *ids, compare_ids))
            return why_set(why, RC_BAD, "trailer %zu: its attempt is not in the seal", i);
    }
    return RC_OK;
}

static RC check_seal(const struct seal *s, struct why *why) {
    if (id_is_none(s->queue)) return why_set(why, RC_BAD, "no queue");
    if (s->start > s->end)
        return why_set(why, RC_BAD, "from %llu to %llu", (unsigned long long)s->start, (unsigned long long)s->end);
    if (seal_is_barrier(s) && (s->attempts_len || s->blocks_len || s->trailers_len))
        return why_set(why, RC_BAD, "a barrier that holds something");
    TRY(check_settings(&s->settings, why));
    TRY(check_attempts(s, why));
    return check_blocks(s, why);
}

/* Facts in the order of their first use, each once; attempts of one file share them as long as the file kept its name.
 */
struct fact_table {
    Sluice__Facts *facts;
    Sluice__Facts **list;
    uint32_t *of; /* attempt -> index */
    size_t len;
};

static int compare_facts(const void *a_pointer, const void *b_pointer, void *context) {
    const struct seal *s = context;
    size_t i = *(const size_t *)a_pointer, k = *(const size_t *)b_pointer;
    const struct facts *a = &s->facts[i], *b = &s->facts[k];
    int order = str_compare(a->uri, b->uri);
    if (!order) order = str_compare(a->source, b->source);
#define BY(field)                                                                                                      \
    if (!order) order = (a->field > b->field) - (a->field < b->field)
    BY(inode);
    BY(birth_ns);
    BY(volume);
    BY(prefix_len);
    BY(prefix_hash);
    BY(stripe_bytes);
#undef BY
    return order;
}

/* The same, then in order of the attempts, so that the first of each run is the first use. */
static int compare_facts_then_place(const void *a, const void *b, void *context) {
    int order = compare_facts(a, b, context);
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    return order ? order : (i > k) - (i < k);
}

static struct fact_table fact_table_make(const struct seal *s, struct arena *arena) {
    size_t n = s->attempts_len;
    struct fact_table t = {ARENA_ARRAY(arena, Sluice__Facts, n), ARENA_ARRAY(arena, Sluice__Facts *, n),
                           ARENA_ARRAY(arena, uint32_t, n), 0};
    size_t *sorted = ARENA_ARRAY(arena, size_t, n), *first = ARENA_ARRAY(arena, size_t, n);
    for (size_t i = 0; i < n; i++) sorted[i] = i;
    qsort_r(sorted, n, sizeof *sorted, compare_facts_then_place, (void *)(uintptr_t)s);
    for (size_t i = 0; i < n; i++) {
        bool same = i && compare_facts(&sorted[i - 1], &sorted[i], (void *)(uintptr_t)s) == 0;
        first[sorted[i]] = same ? first[sorted[i - 1]] : sorted[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (first[i] == i) {
            t.facts[t.len] = wire_from_facts(&s->facts[i]);
            t.list[t.len] = &t.facts[t.len];
            t.of[i] = (uint32_t)t.len++;
        } else {
            t.of[i] = t.of[first[i]];
        }
    }
    return t;
}

static void from_attempts(const struct seal *s, struct arena *arena, Sluice__Seal *out) {
    struct fact_table facts = fact_table_make(s, arena);
    out->n_facts = facts.len;
    out->facts = facts.list;
    out->n_attempt_facts = out->n_attempts = s->attempts_len;
    out->attempt_facts = facts.of;
    out->attempts = ARENA_ARRAY(arena, Sluice__Attempt *, s->attempts_len);
    for (size_t i = 0; i < s->attempts_len; i++) {
        out->attempts[i] = ARENA_NEW(arena, Sluice__Attempt);
        *out->attempts[i] = wire_from_attempt(&s->attempts[i]);
    }
}

static void from_blocks(const struct seal *s, struct arena *arena, Sluice__Seal *out) {
    size_t n = s->blocks_len;
    out->n_block_offset = out->n_block_attempt = out->n_block_index = n;
    out->block_offset = ARENA_ARRAY(arena, uint64_t, n);
    out->block_attempt = ARENA_ARRAY(arena, uint32_t, n);
    out->block_index = ARENA_ARRAY(arena, uint32_t, n);
    for (size_t i = 0; i < n; i++) {
        out->block_offset[i] = s->blocks[i].offset;
        out->block_attempt[i] = s->blocks[i].attempt;
        out->block_index[i] = s->blocks[i].index;
    }
}

struct trailer_parts {
    Sluice__Trailer trailer;
    Sluice__Attempt attempt;
    Sluice__Facts facts;
    Sluice__Counts counts;
};

static void from_trailers(const struct seal *s, struct arena *arena, Sluice__Seal *out) {
    struct trailer_parts *parts = ARENA_ARRAY(arena, struct trailer_parts, s->trailers_len);
    out->n_trailers = s->trailers_len;
    out->trailers = ARENA_ARRAY(arena, Sluice__Trailer *, s->trailers_len);
    for (size_t i = 0; i < s->trailers_len; i++) {
        struct trailer_parts *p = &parts[i];
        p->attempt = wire_from_attempt(&s->trailers[i].attempt);
        p->facts = wire_from_facts(&s->trailers[i].facts);
        p->counts = wire_from_counts(&s->trailers[i].counts);
        p->trailer = wire_from_trailer(&s->trailers[i], &p->attempt, &p->facts, &p->counts);
        out->trailers[i] = &p->trailer;
    }
}

RC seal_encode(const struct seal *seal, struct buf *out) {
    TRY(check_seal(seal, NULL));
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    Sluice__Settings settings = wire_from_settings(&seal->settings);
    Sluice__Seal wire = SLUICE__SEAL__INIT;
    wire.version = SEAL_VERSION;
    wire.queue = wire_from_id(&seal->queue);
    wire.generation = seal->generation;
    wire.partition = seal->partition;
    wire.index = seal->index;
    wire.start = seal->start;
    wire.end = seal->end;
    wire.epoch = seal->epoch;
    wire.settings = &settings;
    from_attempts(seal, &arena, &wire);
    from_blocks(seal, &arena, &wire);
    from_trailers(seal, &arena, &wire);
    AUTO(buf_done) struct buf packed = BUF_INIT(SEAL_BYTES_MAX);
    TRY(wire_pack(&wire.base, &packed));
    return squeeze(buf_str(&packed), out);
}

static void keep_facts(struct facts *f, struct arena *arena) {
    f->source = arena_str(arena, f->source);
    f->uri = arena_str(arena, f->uri);
}

static RC to_attempts(const Sluice__Seal *from, struct arena *arena, struct seal *out, struct why *why) {
    if (from->n_attempt_facts != from->n_attempts) return why_set(why, RC_BAD, "attempts and their facts differ");
    struct facts *facts = ARENA_ARRAY(arena, struct facts, from->n_facts);
    for (size_t i = 0; i < from->n_facts; i++) {
        TRY(wire_to_facts(from->facts[i], &facts[i], why));
        keep_facts(&facts[i], arena);
    }
    out->attempts_len = from->n_attempts;
    out->attempts = ARENA_ARRAY(arena, struct attempt, from->n_attempts);
    out->facts = ARENA_ARRAY(arena, struct facts, from->n_attempts);
    size_t used = 0;
    for (size_t i = 0; i < from->n_attempts; i++) {
        TRY(wire_to_attempt(from->attempts[i], &out->attempts[i], why));
        /* In order of first use, so that there is one encoding. */
        uint32_t of = from->attempt_facts[i];
        if (of >= from->n_facts || of > used) return why_set(why, RC_BAD, "attempt %zu: facts %u", i, of);
        used = MAX(used, (size_t)of + 1);
        out->facts[i] = facts[of];
    }
    return used == from->n_facts ? RC_OK : why_set(why, RC_BAD, "facts of no attempt");
}

static RC to_blocks(const Sluice__Seal *from, struct arena *arena, struct seal *out, struct why *why) {
    size_t n = from->n_block_offset;
    if (from->n_block_attempt != n || from->n_block_index != n)
        return why_set(why, RC_BAD, "the lists of the blocks differ in length");
    out->blocks_len = n;
    out->blocks = ARENA_ARRAY(arena, struct seal_block, n);
    for (size_t i = 0; i < n; i++)
        out->blocks[i] = (struct seal_block){from->block_offset[i], from->block_attempt[i], from->block_index[i]};
    return RC_OK;
}

static RC to_trailers(const Sluice__Seal *from, struct arena *arena, struct seal *out, struct why *why) {
    out->trailers_len = from->n_trailers;
    out->trailers = ARENA_ARRAY(arena, struct block_trailer, from->n_trailers);
    for (size_t i = 0; i < from->n_trailers; i++) {
        TRY(wire_to_trailer(from->trailers[i], &out->trailers[i], why));
        keep_facts(&out->trailers[i].facts, arena);
        if (out->trailers[i].claims.len) out->trailers[i].claims = arena_str(arena, out->trailers[i].claims);
    }
    return RC_OK;
}

static RC to_seal(const Sluice__Seal *from, struct arena *arena, struct seal *out, struct why *why) {
    if (from->version != SEAL_VERSION) return why_set(why, RC_BAD, "version %u", from->version);
    struct seal s = {.generation = from->generation,
                     .partition = from->partition,
                     .index = from->index,
                     .start = from->start,
                     .end = from->end,
                     .epoch = from->epoch};
    TRY(wire_to_id(from->queue, "queue", &s.queue, why));
    TRY(wire_to_settings(from->settings, &s.settings, why));
    s.settings.format = arena_str(arena, s.settings.format);
    s.settings.encoder = arena_str(arena, s.settings.encoder);
    TRY(to_attempts(from, arena, &s, why));
    TRY(to_blocks(from, arena, &s, why));
    TRY(to_trailers(from, arena, &s, why));
    TRY(check_seal(&s, why));
    *out = s;
    return RC_OK;
}

RC seal_decode(struct str bytes, struct arena *arena, struct seal *out, struct why *why) {
    AUTO(buf_done) struct buf raw = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(wire_done) struct wire wire = WIRE_INIT;
    ProtobufCMessage *unpacked = NULL;
    enum rc rc = unsqueeze(bytes, SEAL_BYTES_MAX, &raw, why);
    if (rc == RC_OK) rc = wire_unpack(&wire, &sluice__seal__descriptor, buf_str(&raw), &unpacked, why);
    if (rc == RC_OK) rc = to_seal((const Sluice__Seal *)unpacked, arena, out, why);
    return rc == RC_OK ? rc : why_wrap(why, rc, "seal");
}
