/* SPDX-License-Identifier: Apache-2.0 */
#include "lost.h"

#include "alloc.h"
#include "own.h"

#include <stdlib.h>
#include <string.h>

enum { FILES_A_CALL = 256 };

void lost_done(struct lost *l) {
    arena_done(&l->arena);
    free(l->attempts);
    l->attempts = NULL;
}

static struct lost_attempt **slot_of(struct lost_attempt *const *table, struct id id) {
    uint64_t hash = 0;
    memcpy(&hash, id.bytes, sizeof hash);
    struct lost_attempt **slot = (struct lost_attempt **)&table[hash % LOST_TABLE];
    while (*slot && !id_equal((*slot)->won.attempt, id)) slot = &(*slot)->next_same;
    return slot;
}

struct lost_attempt *lost_find(const struct lost *l, struct id attempt) {
    return *slot_of(l->table, attempt);
}

/* ---- whom the ledger waits for ---- */

static struct facts facts_copy(struct arena *arena, const struct facts *from) {
    struct facts facts = *from;
    facts.source = arena_str(arena, from->source);
    facts.uri = arena_str(arena, from->uri);
    return facts;
}

static void add(struct lost *l, const struct ledger_listing *file, uint64_t generation, const struct ledger_won *won,
                const struct ledger_wons *wons) {
    struct lost_attempt *a = ARENA_NEW(&l->arena, struct lost_attempt);
    *a = (struct lost_attempt){.won = *won,
                               .attempt = {.generation = generation,
                                           .file = file->file,
                                           .stripe = won->stripe,
                                           .from = won->from,
                                           .to = won->to,
                                           .id = won->attempt,
                                           .predecessor = won->predecessor},
                               .facts = facts_copy(&l->arena, &file->facts),
                               .ends = wons->ends,
                               .ends_len = wons->ends_len,
                               .blocks = ARENA_ARRAY(&l->arena, struct lost_block, won->messages)};
    alloc_grow(&l->attempts, &l->room, l->len + 1, sizeof(struct lost_attempt *));
    l->attempts[l->len++] = a;
    l->durable += won->durable;
    *slot_of(l->table, won->attempt) = a;
}

static RC ask_file(struct lost *l, struct ledger ledger, const struct ledger_listing *file, struct why *why) {
    struct ledger_wons wons;
    TRY(ledger_list_wons(ledger, file->file, &l->arena, &wons, why));
    for (size_t i = 0; i < wons.wons_len; i++)
        if (wons.wons[i].durable < wons.wons[i].messages) add(l, file, ledger.at.generation, &wons.wons[i], &wons);
    return RC_OK;
}

RC lost_ask(struct lost *l, struct ledger ledger, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct id after = {{0}};
    for (;;) {
        struct ledger_listing *files = NULL;
        size_t n = 0;
        arena_reset(&arena);
        TRY(ledger_list(ledger, after, FILES_A_CALL, &arena, &files, &n, why));
        for (size_t i = 0; i < n; i++)
            if (files[i].outstanding) TRY(ask_file(l, ledger, &files[i], why));
        if (!n) return RC_OK;
        after = files[n - 1].file;
    }
}

/* ---- what is there ---- */

uint32_t lost_missing(const struct lost_attempt *a) { return a->won.messages - a->seen; }

static void see_attempt(struct lost *l, struct lost_attempt *a, const struct attempt *attempt,
                        const struct facts *facts) {
    if (a->survivors) return;
    a->survivors = true;
    a->attempt = *attempt;
    a->facts = facts_copy(&l->arena, facts);
}

static RC see_flag(struct lost_attempt *a, bool *flag, const char *what, uint32_t index, struct why *why) {
    char id[ID_TEXT];
    if (*flag)
        return why_set(why, RC_BROKEN, "%s %u of attempt %s is there twice", what, index,
                       id_format(a->won.attempt, id));
    *flag = true;
    a->seen++;
    return RC_OK;
}

static RC block_at(struct lost_attempt *a, uint32_t index, struct lost_block **out, struct why *why) {
    char id[ID_TEXT];
    *out = &a->blocks[index];
    if (index + 1 < a->won.messages) return RC_OK;
    return why_set(why, RC_BROKEN, "block %u of attempt %s is there, which has %u messages in the ledger", index,
                   id_format(a->won.attempt, id), a->won.messages);
}

RC lost_see_message(struct lost *l, const struct block_message *m, bool **out, struct why *why) {
    struct lost_attempt *a = lost_find(l, block_attempt(m)->id);
    *out = NULL;
    if (!a) return RC_OK;
    if (m->kind == BLOCK_TRAILER) {
        see_attempt(l, a, &m->trailer.attempt, &m->trailer.facts);
        TRY(see_flag(a, &a->trailer, "the trailer", 0, why));
        *out = &a->trailer;
        return RC_OK;
    }
    const struct block_header *h = &m->header;
    struct lost_block *block = NULL;
    see_attempt(l, a, &h->attempt, &h->facts);
    TRY(block_at(a, h->index, &block, why));
    TRY(see_flag(a, &block->there, "block", h->index, why));
    *block = (struct lost_block){.there = true,
                                 .described = true,
                                 .rejects = h->rejects,
                                 .output_hash = hash_bytes(h->output),
                                 .records = h->records,
                                 .raw_bytes = h->raw_bytes,
                                 .raw_checksum = h->raw_checksum};
    *out = &block->there;
    return RC_OK;
}

RC lost_see_sealed(struct lost *l, const struct seal *seal, size_t i, bool *out_new, struct why *why) {
    const struct seal_block *b = &seal->blocks[i];
    struct lost_attempt *a = lost_find(l, seal->attempts[b->attempt].id);
    struct lost_block *block = NULL;
    *out_new = a != NULL;
    if (!a) return RC_OK;
    see_attempt(l, a, &seal->attempts[b->attempt], &seal->facts[b->attempt]);
    TRY(block_at(a, b->index, &block, why));
    return see_flag(a, &block->there, "block", b->index, why);
}

RC lost_see_trailer(struct lost *l, const struct block_trailer *t, bool *out_new, struct why *why) {
    struct lost_attempt *a = lost_find(l, t->attempt.id);
    *out_new = a != NULL;
    if (!a) return RC_OK;
    see_attempt(l, a, &t->attempt, &t->facts);
    return see_flag(a, &a->trailer, "the trailer", 0, why);
}

void lost_unsee(struct lost *l, bool *flag) {
    for (size_t i = 0; i < l->len; i++) {
        struct lost_attempt *a = l->attempts[i];
        bool ours = flag == &a->trailer ||
                    ((void *)flag >= (void *)a->blocks && (void *)flag < (void *)(a->blocks + a->won.messages));
        if (!ours) continue;
        *flag = false;
        a->seen--;
        return;
    }
}
