/* SPDX-License-Identifier: Apache-2.0 */
#include "wire_parts.h"

#include "wire.h"

RC check_attempt(const struct attempt *a, struct why *why) {
    if (id_is_none(a->file)) return why_set(why, RC_BAD, "attempt: no file");
    if (id_is_none(a->id)) return why_set(why, RC_BAD, "attempt: no id");
    if (id_equal(a->id, a->predecessor)) return why_set(why, RC_BAD, "attempt: it is its own predecessor");
    if (a->from >= a->to)
        return why_set(why, RC_BAD, "attempt: from %llu to %llu", (unsigned long long)a->from,
                       (unsigned long long)a->to);
    return RC_OK;
}

RC check_facts(const struct facts *f, struct why *why) {
    TRY(wire_check_text(f->source, "facts: source", 1, SOURCE_BYTES_MAX, why));
    TRY(wire_check_text(f->uri, "facts: uri", 1, URI_BYTES_MAX, why));
    if (f->prefix_len > PREFIX_MAX) return why_set(why, RC_BAD, "facts: a prefix of %u bytes", f->prefix_len);
    return f->stripe_bytes ? RC_OK : why_set(why, RC_BAD, "facts: no stripe_bytes");
}

RC check_counts(const struct counts *c, struct why *why) {
    uint64_t sum = 0;
    if (__builtin_add_overflow(c->converted, c->rejects, &sum) || __builtin_add_overflow(sum, c->filtered, &sum) ||
        __builtin_add_overflow(sum, c->blank, &sum) || sum != c->lines)
        return why_set(why, RC_BAD, "counts: the lines are not the sum of what became of them");
    return RC_OK;
}

/* By offset, in the range of the attempt. */
static RC check_claims(const struct block_trailer *t, struct why *why) {
    uint64_t before = t->attempt.from;
    if (t->claims.len % CLAIM_BYTES || claims_count(t->claims) > CLAIMS_MAX)
        return why_set(why, RC_BAD, "trailer: %zu bytes of claims", t->claims.len);
    for (size_t i = 0; i < claims_count(t->claims); i++) {
        uint64_t offset = claims_at(t->claims, i).offset;
        if (offset < before || offset >= t->attempt.to) return why_set(why, RC_BAD, "trailer: claim %zu: its place", i);
        before = offset;
    }
    return RC_OK;
}

RC check_trailer(const struct block_trailer *t, struct why *why) {
    TRY(check_attempt(&t->attempt, why));
    TRY(check_facts(&t->facts, why));
    TRY(check_claims(t, why));
    return check_counts(&t->counts, why);
}

RC check_settings(const struct settings *s, struct why *why) {
    TRY(wire_check_text(s->format, "settings: format", 1, FORMAT_BYTES_MAX, why));
    TRY(wire_check_text(s->encoder, "settings: encoder", 0, ENCODER_BYTES_MAX, why));
    if (!s->object_bytes) return why_set(why, RC_BAD, "settings: no object_bytes");
    return s->block_bytes ? RC_OK : why_set(why, RC_BAD, "settings: no block_bytes");
}

RC check_time(bool has_time, int64_t min_ns, int64_t max_ns, struct why *why) {
    bool good = has_time ? min_ns <= max_ns : min_ns == 0 && max_ns == 0;
    return good ? RC_OK : why_set(why, RC_BAD, "time bounds that cannot be");
}

RC check_output(struct str output, bool rejects, struct why *why) {
    return wire_check_text(output, "output", rejects ? 1 : 0, OUTPUT_BYTES_MAX, why);
}

Sluice__Attempt wire_from_attempt(const struct attempt *a) {
    Sluice__Attempt out = SLUICE__ATTEMPT__INIT;
    out.generation = a->generation;
    out.file = wire_from_id(&a->file);
    out.stripe = a->stripe;
    out.from = a->from;
    out.to = a->to;
    out.id = wire_from_id(&a->id);
    out.predecessor = wire_from_id(&a->predecessor);
    out.epoch = a->epoch;
    return out;
}

RC wire_to_attempt(const Sluice__Attempt *from, struct attempt *out, struct why *why) {
    if (!from) return why_set(why, RC_BAD, "no attempt");
    struct attempt a = {.generation = from->generation,
                        .stripe = from->stripe,
                        .from = from->from,
                        .to = from->to,
                        .epoch = from->epoch};
    TRY(wire_to_id(from->file, "attempt: file", &a.file, why));
    TRY(wire_to_id(from->id, "attempt: id", &a.id, why));
    TRY(wire_to_id(from->predecessor, "attempt: predecessor", &a.predecessor, why));
    TRY(check_attempt(&a, why));
    *out = a;
    return RC_OK;
}

Sluice__Facts wire_from_facts(const struct facts *f) {
    Sluice__Facts out = SLUICE__FACTS__INIT;
    out.source = wire_from_str(f->source);
    out.uri = wire_from_str(f->uri);
    out.inode = f->inode;
    out.birth_ns = f->birth_ns;
    out.volume = f->volume;
    out.prefix_len = f->prefix_len;
    out.prefix_hash = f->prefix_hash;
    out.stripe_bytes = f->stripe_bytes;
    return out;
}

RC wire_to_facts(const Sluice__Facts *from, struct facts *out, struct why *why) {
    if (!from) return why_set(why, RC_BAD, "no facts");
    struct facts f = {.source = wire_to_str(from->source),
                      .uri = wire_to_str(from->uri),
                      .inode = from->inode,
                      .birth_ns = from->birth_ns,
                      .volume = from->volume,
                      .prefix_len = from->prefix_len,
                      .prefix_hash = from->prefix_hash,
                      .stripe_bytes = from->stripe_bytes};
    TRY(check_facts(&f, why));
    *out = f;
    return RC_OK;
}

Sluice__Counts wire_from_counts(const struct counts *c) {
    Sluice__Counts out = SLUICE__COUNTS__INIT;
    out.lines = c->lines;
    out.converted = c->converted;
    out.rejects = c->rejects;
    out.filtered = c->filtered;
    out.blank = c->blank;
    out.records = c->records;
    return out;
}

RC wire_to_counts(const Sluice__Counts *from, struct counts *out, struct why *why) {
    if (!from) return why_set(why, RC_BAD, "no counts");
    struct counts c = {.lines = from->lines,
                       .converted = from->converted,
                       .rejects = from->rejects,
                       .filtered = from->filtered,
                       .blank = from->blank,
                       .records = from->records};
    TRY(check_counts(&c, why));
    *out = c;
    return RC_OK;
}

Sluice__Settings wire_from_settings(const struct settings *s) {
    Sluice__Settings out = SLUICE__SETTINGS__INIT;
    out.format = wire_from_str(s->format);
    out.level = s->level;
    out.object_bytes = s->object_bytes;
    out.block_bytes = s->block_bytes;
    out.encoder = wire_from_str(s->encoder);
    return out;
}

RC wire_to_settings(const Sluice__Settings *from, struct settings *out, struct why *why) {
    if (!from) return why_set(why, RC_BAD, "no settings");
    struct settings s = {.format = wire_to_str(from->format),
                         .level = from->level,
                         .object_bytes = from->object_bytes,
                         .block_bytes = from->block_bytes,
                         .encoder = wire_to_str(from->encoder)};
    TRY(check_settings(&s, why));
    *out = s;
    return RC_OK;
}

Sluice__Trailer wire_from_trailer(const struct block_trailer *t, Sluice__Attempt *attempt, Sluice__Facts *facts,
                                  Sluice__Counts *counts) {
    Sluice__Trailer out = SLUICE__TRAILER__INIT;
    out.version = BLOCK_VERSION;
    out.attempt = attempt;
    out.facts = facts;
    out.counts = counts;
    out.blocks = t->blocks;
    out.digest = t->digest;
    out.tail_hash = t->tail_hash;
    out.closed = t->closed;
    out.first_end = t->first_end;
    out.claims = wire_from_str(t->claims);
    return out;
}

RC wire_to_trailer(const Sluice__Trailer *from, struct block_trailer *out, struct why *why) {
    if (from->version != BLOCK_VERSION) return why_set(why, RC_BAD, "trailer: version %u", from->version);
    struct block_trailer t = {.blocks = from->blocks,
                              .digest = from->digest,
                              .tail_hash = from->tail_hash,
                              .closed = from->closed,
                              .first_end = from->first_end,
                              .claims = wire_to_str(from->claims)};
    TRY(wire_to_attempt(from->attempt, &t.attempt, why));
    TRY(wire_to_facts(from->facts, &t.facts, why));
    TRY(wire_to_counts(from->counts, &t.counts, why));
    /* Without lines it may lie behind the range: see block.h. */
    if (t.first_end && (t.first_end < t.attempt.from || (t.first_end >= t.attempt.to && t.counts.lines)))
        return why_set(why, RC_BAD, "trailer: its first line starts outside of its range");
    TRY(check_claims(&t, why));
    *out = t;
    return RC_OK;
}
