/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>
#include <string.h>

void batch_reset(struct batch *b, uint64_t start) {
    arena_reset(&b->arena);
    memset(b->attempt_table, 0, sizeof b->attempt_table);
    memset(b->output_table, 0, sizeof b->output_table);
    b->start = b->position = start;
    b->blocks_len = b->attempts_len = b->outputs_len = 0;
    b->attempts_decided = b->blocks_decided = 0;
    b->bytes = b->first_ms = b->claims_bytes = 0;
}

void batch_done(struct batch *b) {
    arena_done(&b->arena);
    free(b->blocks);
    free(b->attempts);
    free(b->outputs);
    *b = (struct batch){0};
}

static bool same_attempt(const struct attempt *a, const struct attempt *b) {
    return id_equal(a->id, b->id) && id_equal(a->file, b->file) && a->stripe == b->stripe && a->from == b->from &&
           a->to == b->to && id_equal(a->predecessor, b->predecessor) && a->epoch == b->epoch &&
           a->generation == b->generation;
}

static struct batch_attempt **attempt_slot(struct batch *b, struct id id) {
    uint64_t hash = 0;
    memcpy(&hash, id.bytes, sizeof hash); /* ids are random */
    struct batch_attempt **slot = &b->attempt_table[hash % BATCH_TABLE];
    while (*slot && !id_equal((*slot)->attempt.id, id)) slot = &(*slot)->next_same;
    return slot;
}

/* Files repeat from attempt to attempt; their texts are kept once for each run of attempts of the same file. */
static struct facts facts_copy(struct batch *b, const struct facts *from) {
    struct facts copy = *from;
    const struct batch_attempt *last = b->attempts_len ? b->attempts[b->attempts_len - 1] : NULL;
    bool same_source = last && str_equal(last->facts.source, from->source);
    bool same_uri = last && str_equal(last->facts.uri, from->uri);
    copy.source = same_source ? last->facts.source : arena_str(&b->arena, from->source);
    copy.uri = same_uri ? last->facts.uri : arena_str(&b->arena, from->uri);
    return copy;
}

static RC attempt_get(struct batch *b, uint64_t offset, const struct attempt *attempt, const struct facts *facts,
                      struct batch_attempt **out, struct why *why) {
    struct batch_attempt **slot = attempt_slot(b, attempt->id);
    if (*slot && !same_attempt(&(*slot)->attempt, attempt)) {
        char id[ID_TEXT];
        return why_set(why, RC_BROKEN, "attempt %s stands in two messages with different ranges",
                       id_format(attempt->id, id));
    }
    if (!*slot) {
        struct batch_attempt *fresh = ARENA_NEW(&b->arena, struct batch_attempt);
        *fresh = (struct batch_attempt){.attempt = *attempt, .facts = facts_copy(b, facts), .first_offset = offset};
        alloc_grow(&b->attempts, &b->attempts_room, b->attempts_len + 1, sizeof(struct batch_attempt *));
        b->attempts[b->attempts_len++] = fresh;
        *slot = fresh;
    }
    *out = *slot;
    return RC_OK;
}

static struct batch_output *output_get(struct batch *b, struct str path, bool rejects) {
    struct batch_output **slot = &b->output_table[(hash_bytes(path) + rejects) % BATCH_TABLE];
    while (*slot && !((*slot)->rejects == rejects && str_equal((*slot)->path, path))) slot = &(*slot)->next_same;
    if (*slot) return *slot;
    struct batch_output *fresh = ARENA_NEW(&b->arena, struct batch_output);
    *fresh = (struct batch_output){
        .path = arena_str(&b->arena, path), .rejects = rejects, .number = (uint32_t)b->outputs_len};
    alloc_grow(&b->outputs, &b->outputs_room, b->outputs_len + 1, sizeof(struct batch_output *));
    b->outputs[b->outputs_len++] = fresh;
    return *slot = fresh;
}

static void add_records(struct batch *b, uint64_t offset, struct batch_attempt *attempt, const struct block_header *h) {
    b->blocks[b->blocks_len++] = (struct batch_block){.offset = offset,
                                                      .attempt = attempt,
                                                      .output = output_get(b, h->output, h->rejects),
                                                      .index = h->index,
                                                      .codec = (uint8_t)h->codec,
                                                      .has_time = h->has_time,
                                                      .raw_bytes = h->raw_bytes,
                                                      .expected_bytes = h->expected_bytes,
                                                      .records = h->records,
                                                      .time_min_ns = h->time_min_ns,
                                                      .time_max_ns = h->time_max_ns};
    if (attempt->decision != LEDGER_LOST) b->bytes += h->expected_bytes;
}

RC batch_add(struct batch *b, uint64_t offset, const struct block_message *m, uint64_t now_ms, struct why *why) {
    MUST(offset >= b->position);
    bool trailer = m->kind == BLOCK_TRAILER;
    const struct facts *facts = trailer ? &m->trailer.facts : &m->header.facts;
    struct batch_attempt *attempt = NULL;
    TRY(attempt_get(b, offset, block_attempt(m), facts, &attempt, why));
    if (!b->blocks_len) b->first_ms = now_ms;
    alloc_grow(&b->blocks, &b->blocks_room, b->blocks_len + 1, sizeof *b->blocks);
    if (trailer) {
        attempt->has_trailer = true;
        attempt->trailer = m->trailer;
        attempt->trailer.facts = attempt->facts;
        if (m->trailer.claims.len) attempt->trailer.claims = arena_str(&b->arena, m->trailer.claims);
        b->claims_bytes += m->trailer.claims.len;
        b->blocks[b->blocks_len++] = (struct batch_block){.offset = offset, .attempt = attempt};
    } else {
        add_records(b, offset, attempt, &m->header);
    }
    b->position = offset + 1;
    return RC_OK;
}

static bool decided(const struct batch_attempt *a) { return a->decision != LEDGER_UNDECIDED; }

size_t batch_undecided(struct batch *b, struct batch_attempt **out, size_t max) {
    while (b->attempts_decided < b->attempts_len && decided(b->attempts[b->attempts_decided])) b->attempts_decided++;
    size_t n = 0;
    for (size_t i = b->attempts_decided; i < b->attempts_len && n < max; i++)
        if (!decided(b->attempts[i])) out[n++] = b->attempts[i];
    return n;
}

void batch_decide(struct batch *b, struct batch_attempt *attempt, enum ledger_decision decision) {
    if (attempt->decision == decision) return;
    MUST(attempt->decision == LEDGER_UNDECIDED);
    attempt->decision = decision;
    if (decision != LEDGER_LOST) return;
    for (size_t i = 0; i < b->blocks_len; i++)
        if (b->blocks[i].attempt == attempt) b->bytes -= b->blocks[i].expected_bytes;
}

uint64_t batch_decided_end(struct batch *b) {
    while (b->blocks_decided < b->blocks_len && decided(b->blocks[b->blocks_decided].attempt)) b->blocks_decided++;
    return b->blocks_decided < b->blocks_len ? b->blocks[b->blocks_decided].offset : b->position;
}

/* ---- the seal of a batch ---- */

static uint32_t seal_attempt(struct seal *seal, struct batch_attempt *a) {
    if (a->seal_index == UINT32_MAX) {
        a->seal_index = (uint32_t)seal->attempts_len;
        seal->attempts[seal->attempts_len] = a->attempt;
        seal->facts[seal->attempts_len++] = a->facts;
    }
    return a->seal_index;
}

void batch_seal(struct batch *b, uint64_t end, struct arena *arena, struct seal *out) {
    struct seal seal = {.start = b->start, .end = end};
    seal.attempts = ARENA_ARRAY(arena, struct attempt, b->attempts_len);
    seal.facts = ARENA_ARRAY(arena, struct facts, b->attempts_len);
    seal.trailers = ARENA_ARRAY(arena, struct block_trailer, b->attempts_len);
    seal.blocks = ARENA_ARRAY(arena, struct seal_block, b->blocks_len);
    for (size_t i = 0; i < b->attempts_len; i++) b->attempts[i]->seal_index = UINT32_MAX;
    for (size_t i = 0; i < b->blocks_len && b->blocks[i].offset < end; i++) {
        const struct batch_block *block = &b->blocks[i];
        MUST(block->attempt->decision != LEDGER_UNDECIDED);
        if (block->attempt->decision != LEDGER_WON) continue;
        uint32_t attempt = seal_attempt(&seal, block->attempt);
        if (block->output)
            seal.blocks[seal.blocks_len++] = (struct seal_block){block->offset, attempt, block->index};
        else
            seal.trailers[seal.trailers_len++] = block->attempt->trailer;
    }
    *out = seal;
}

/* ---- following a seal ---- */

static RC obey_mismatch(const struct seal *seal, struct why *why, const char *what, uint64_t at) {
    return why_set(why, RC_BROKEN, "seal %llu of partition %u and the log differ: %s %llu",
                   (unsigned long long)seal->index, seal->partition, what, (unsigned long long)at);
}

static bool in_seal(const struct seal *seal, size_t *at, const struct batch_block *block) {
    while (*at < seal->blocks_len && seal->blocks[*at].offset < block->offset) (*at)++;
    return *at < seal->blocks_len && seal->blocks[*at].offset == block->offset;
}

/* Decides attempts by the seal; attempts of blocks that it does not list are lost. */
RC batch_obey(struct batch *b, const struct seal *seal, struct why *why) {
    for (size_t i = 0; i < b->attempts_len; i++) b->attempts[i]->decision = LEDGER_LOST;
    for (size_t i = 0; i < seal->attempts_len; i++) {
        struct batch_attempt *a = *attempt_slot(b, seal->attempts[i].id);
        if (!a || !same_attempt(&a->attempt, &seal->attempts[i])) return obey_mismatch(seal, why, "attempt", i);
        a->decision = LEDGER_WON;
    }
    size_t at = 0, found = 0, trailers = 0;
    for (size_t i = 0; i < b->blocks_len; i++) {
        const struct batch_block *block = &b->blocks[i];
        bool won = block->attempt->decision == LEDGER_WON;
        if (won && !block->output) trailers++;
        if (!won || !block->output) continue;
        if (!in_seal(seal, &at, block) || seal->blocks[at].index != block->index)
            return obey_mismatch(seal, why, "message", block->offset);
        found++;
    }
    if (found != seal->blocks_len) return obey_mismatch(seal, why, "number of blocks", found);
    if (trailers != seal->trailers_len) return obey_mismatch(seal, why, "number of trailers", trailers);
    return RC_OK;
}
