/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests into rows; and each against its seal, block by block: what a batch is, and what became of it. */
#include "audit_inner.h"
#include "names.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

static struct audit_attempt row_of(const struct attempt *attempt) {
    return (struct audit_attempt){.spot = audit_spot(attempt->file),
                                  .file = attempt->file,
                                  .stripe = attempt->stripe,
                                  .from = attempt->from,
                                  .to = attempt->to,
                                  .id = attempt->id};
}

static void add_trailer(struct audit_rows *out, const struct attempt *attempt, const struct counts *counts,
                        uint32_t blocks) {
    struct audit_attempt *row = audit_rows_add(out);
    *row = row_of(attempt);
    row->trailers = 1;
    row->predecessor = attempt->predecessor;
    row->said = *counts;
    row->blocks_said = blocks;
}

static void add_part(struct audit_rows *out, const struct manifest_part *part, bool rejects) {
    struct attempt attempt = {
        .file = part->file, .stripe = part->stripe, .from = part->from, .to = part->to, .id = part->attempt};
    struct audit_attempt *row = audit_rows_add(out);
    *row = row_of(&attempt);
    row->blocks_seen = part->blocks;
    if (rejects)
        row->rejects_seen = part->records;
    else
        row->records_seen = part->records;
}

void audit_manifest_rows(const struct manifest *m, struct audit_rows *out) {
    for (size_t i = 0; i < m->attempts_len; i++)
        add_trailer(out, &m->attempts[i].attempt, &m->attempts[i].counts, m->attempts[i].blocks);
    for (size_t i = 0; i < m->objects_len; i++)
        for (size_t k = 0; k < m->objects[i].parts_len; k++)
            add_part(out, &m->objects[i].parts[k], m->objects[i].rejects);
    audit_attempts_merge(out);
}

void audit_seal_rows(const struct seal *s, struct audit_rows *out) {
    for (size_t i = 0; i < s->trailers_len; i++)
        add_trailer(out, &s->trailers[i].attempt, &s->trailers[i].counts, s->trailers[i].blocks);
    for (size_t i = 0; i < s->blocks_len; i++) {
        struct audit_attempt *row = audit_rows_add(out);
        *row = row_of(&s->attempts[s->blocks[i].attempt]); /* the decoder has checked the index */
        row->blocks_seen = 1;
    }
    audit_attempts_merge(out);
}

/* ---- a manifest and its seal ---- */

static bool same_settings(const struct settings *a, const struct settings *b) {
    return str_equal(a->format, b->format) && a->level == b->level && a->object_bytes == b->object_bytes &&
           a->block_bytes == b->block_bytes;
}

static bool same_trailer(const struct audit_attempt *a, const struct audit_attempt *b) {
    if (a->trailers != b->trailers) return false;
    return !a->trailers || (a->blocks_said == b->blocks_said && id_equal(a->predecessor, b->predecessor) &&
                            memcmp(&a->said, &b->said, sizeof a->said) == 0);
}

static void differs(struct audit *a, struct str key, const struct audit_attempt *row, const char *how) {
    struct audit_finding finding = {.kind = AUDIT_MANIFEST_SEAL,
                                    .has_file = true,
                                    .file = row->file,
                                    .has_range = true,
                                    .stripe = row->stripe,
                                    .from = row->from,
                                    .to = row->to,
                                    .attempt = row->id,
                                    .key = key};
    audit_found(a, finding, "%s", how);
}

/* Both are sorted, and hold an attempt once. */
static void compare_rows(struct audit *a, struct str key, const struct audit_rows *sealed,
                         const struct audit_rows *listed) {
    const struct audit_attempt *s = (const struct audit_attempt *)sealed->at;
    const struct audit_attempt *m = (const struct audit_attempt *)listed->at;
    size_t i = 0, k = 0;
    while (i < sealed->len || k < listed->len) {
        int order = i == sealed->len ? 1 : k == listed->len ? -1 : audit_attempt_order(&s[i], &m[k]);
        if (order < 0)
            differs(a, key, &s[i], "the seal keeps this attempt, and the manifest does not list it");
        else if (order > 0)
            differs(a, key, &m[k], "the manifest lists an attempt that its seal does not keep");
        else if (s[i].blocks_seen != m[k].blocks_seen)
            differs(a, key, &s[i], "the seal keeps another number of its blocks than the objects' parts hold");
        else if (!same_trailer(&s[i], &m[k]))
            differs(a, key, &s[i], "its trailer is another one than in the seal");
        i += order <= 0;
        k += order >= 0;
    }
}

static void compare_heads(struct audit *a, struct str key, const struct seal *s, const struct manifest *m) {
    if (s->start == m->start && s->end == m->end && s->epoch == m->epoch && same_settings(&s->settings, &m->settings))
        return;
    audit_found(a, (struct audit_finding){.kind = AUDIT_MANIFEST_SEAL, .key = key},
                "it is of [%" PRIu64 ", %" PRIu64 ") in epoch %" PRIu64 ", its seal of [%" PRIu64 ", %" PRIu64
                ") in epoch %" PRIu64 "; or their settings differ",
                m->start, m->end, m->epoch, s->start, s->end, s->epoch);
}

static RC compare_with_seal(struct audit *a, struct str key, const struct manifest *m, const struct audit_rows *listed,
                            struct why *why) {
    AUTO(buf_done) struct buf seal_key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SEAL_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(audit_rows_done) struct audit_rows sealed = {.size = sizeof(struct audit_attempt)};
    struct seal seal;
    TRY(name_seal(a->queue, m->generation, m->partition, m->index, &seal_key));
    enum rc rc = store_get(a->report->store, buf_str(&seal_key), 0, SEAL_BYTES_MAX, &bytes, why);
    if (rc == RC_ABSENT) return RC_OK; /* the chain's check tells */
    TRY(rc);
    if (seal_decode(buf_str(&bytes), &arena, &seal, NULL) != RC_OK) return RC_OK;
    if (!id_equal(seal.queue, m->queue) || seal.generation != m->generation || seal.partition != m->partition ||
        seal.index != m->index)
        return RC_OK;
    compare_heads(a, key, &seal, m);
    if (m->given_up && m->given_up != seal.blocks_len)
        audit_found(a, (struct audit_finding){.kind = AUDIT_MANIFEST_SEAL, .key = key},
                    "it gives up %" PRIu64 " blocks, and the seal keeps %zu", m->given_up, seal.blocks_len);
    if (m->given_up) seal.blocks_len = 0; /* a repair made them again, for later batches */
    audit_seal_rows(&seal, &sealed);
    compare_rows(a, key, &sealed, listed);
    return RC_OK;
}

/* ---- reading ---- */

RC audit_manifest_load(struct audit *a, uint32_t partition, uint64_t index, struct manifest *out, bool *out_good,
                       struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MANIFEST_BYTES_MAX);
    struct manifest m;
    struct why words = {0};
    *out_good = false;
    TRY(name_manifest(a->queue, a->report->generation, partition, index, &key));
    TRY(store_get(a->report->store, buf_str(&key), 0, MANIFEST_BYTES_MAX, &bytes, why));
    arena_reset(&a->arena);
    enum rc rc = manifest_decode(buf_str(&bytes), &a->arena, &m, &words);
    if (rc == RC_OK && (!id_equal(m.queue, a->queue) || m.generation != a->report->generation ||
                        m.partition != partition || m.index != index))
        rc = why_set(&words, RC_BAD, "it is of another queue, generation, partition or index");
    if (rc != RC_OK) {
        if (a->first)
            audit_found(a, (struct audit_finding){.kind = AUDIT_MANIFEST_BAD, .key = buf_str(&key)}, "%s", words.text);
        return RC_OK;
    }
    *out = m;
    *out_good = true;
    return RC_OK;
}

static void keep_rows(struct audit *a, const struct manifest *m, const struct audit_rows *listed) {
    const struct audit_attempt *rows = (const struct audit_attempt *)listed->at;
    for (size_t i = 0; i < listed->len; i++)
        if (audit_in_window(a, rows[i].spot)) *(struct audit_attempt *)audit_rows_add(&a->attempts) = rows[i];
    for (size_t i = 0; i < m->objects_len; i++) {
        uint64_t spot = hash_bytes(m->objects[i].key);
        if (!audit_in_window(a, spot)) continue;
        struct audit_object *row = audit_rows_add(&a->objects);
        *row = (struct audit_object){.spot = spot,
                                     .bytes = m->objects[i].bytes,
                                     .seal = m->index,
                                     .partition = m->partition,
                                     .number = (uint32_t)i};
    }
    audit_fit(a);
}

static void count(struct audit *a, const struct manifest *m) {
    a->result->manifests++;
    a->result->objects += m->objects_len;
    for (size_t i = 0; i < m->objects_len; i++) a->result->object_bytes += m->objects[i].bytes;
}

static RC read_one(struct audit *a, const struct audit_chain *chain, struct audit_link *link, struct why *why) {
    AUTO(audit_rows_done) struct audit_rows listed = {.size = sizeof(struct audit_attempt)};
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    struct manifest m;
    bool good = false;
    TRY(audit_manifest_load(a, chain->partition, link->index, &m, &good, why));
    if (!good) return RC_OK;
    if (!link->readable) {
        link->readable = true;
        link->start = m.start;
        link->end = m.end;
    }
    audit_manifest_rows(&m, &listed);
    if (a->first) {
        count(a, &m);
        audit_note_rejects(a, &m);
        TRY(name_manifest(a->queue, m.generation, m.partition, m.index, &key));
        TRY(compare_with_seal(a, buf_str(&key), &m, &listed, why));
        for (size_t i = 0; i < m.objects_len; i++) audit_check_parts(a, &m, &m.objects[i]);
    }
    keep_rows(a, &m, &listed);
    return RC_OK;
}

RC audit_read_manifests(struct audit *a, struct why *why) {
    const struct audit_chain *chains = (const struct audit_chain *)a->chains.at;
    for (size_t c = 0; c < a->chains.len; c++) {
        struct audit_link *links = (struct audit_link *)chains[c].links.at;
        for (size_t i = 0; i < chains[c].links.len; i++)
            if (links[i].manifested) TRY(read_one(a, &chains[c], &links[i], why));
    }
    audit_attempts_merge(&a->attempts);
    return RC_OK;
}
