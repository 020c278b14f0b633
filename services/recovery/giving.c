/* SPDX-License-Identifier: Apache-2.0 */
#include "giving.h"

#include "alloc.h"

#include <stdlib.h>

void giving_init(struct giving *g, struct ledger ledger, struct id token) {
    g->ledger = ledger;
    g->token = token;
    g->batch = alloc_zero(GIVEN_AT_ONCE, sizeof *g->batch);
}

void giving_done(struct giving *g) {
    id_set_done(&g->given);
    id_set_done(&g->counted);
    id_set_done(&g->wanted);
    free(g->wanted_list);
    free(g->batch);
}

static void want(struct giving *g, struct id id) {
    if (id_is_none(id) || !id_set_add(&g->wanted, id)) return;
    alloc_grow(&g->wanted_list, &g->wanted_room, g->wanted_len + 1, sizeof *g->wanted_list);
    g->wanted_list[g->wanted_len++] = id;
}

static RC flush(struct giving *g, struct why *why) {
    size_t n = g->batch_len;
    g->batch_len = 0;
    return n ? ledger_recover_winners(g->ledger, g->token, g->batch, n, why) : RC_OK;
}

static RC give(struct giving *g, const struct ledger_winner *winner, struct why *why) {
    if (g->batch_len == GIVEN_AT_ONCE) TRY(flush(g, why));
    g->batch[g->batch_len++] = *winner;
    (void)id_set_add(&g->given, winner->attempt.id);
    if (winner->has_counts) (void)id_set_add(&g->counted, winner->attempt.id);
    want(g, winner->attempt.predecessor);
    return RC_OK;
}

static int by_attempt(const void *a, const void *b) {
    const struct block_trailer *x = a, *y = b;
    return id_compare(x->attempt.id, y->attempt.id);
}

static const struct block_trailer *trailer_in(const struct seal *seal, struct id attempt) {
    struct block_trailer key = {.attempt = {.id = attempt}};
    return seal->trailers_len ? bsearch(&key, seal->trailers, seal->trailers_len, sizeof key, by_attempt) : NULL;
}

RC giving_seal(struct giving *g, struct seal *seal, struct why *why) {
    if (seal->trailers_len) qsort(seal->trailers, seal->trailers_len, sizeof *seal->trailers, by_attempt);
    for (size_t i = 0; i < seal->attempts_len; i++) {
        struct ledger_winner w = {.attempt = seal->attempts[i], .facts = seal->facts[i]};
        const struct block_trailer *t = trailer_in(seal, w.attempt.id);
        if (t) {
            w.has_counts = true;
            w.counts = t->counts;
            w.tail_hash = t->tail_hash;
            w.messages = t->blocks + 1;
            w.closed = t->closed;
            w.first_end = t->first_end;
            w.claims = t->claims;
        }
        TRY(give(g, &w, why));
    }
    for (size_t i = 0; i < seal->attempts_len; i++) /* a trailer may lie behind the chain's end */
        if (!id_set_has(&g->counted, seal->attempts[i].id)) want(g, seal->attempts[i].id);
    return flush(g, why); /* the strings end with the seal */
}

RC giving_unsealed(struct giving *g, const struct unsealed *unsealed, struct why *why) {
    for (size_t i = 0; i < g->wanted_len; i++) { /* the list grows meanwhile */
        struct id id = g->wanted_list[i];
        if (id_set_has(&g->given, id) && id_set_has(&g->counted, id)) continue;
        const struct ledger_winner *found = unsealed_find(unsealed, id);
        if (found) TRY(give(g, found, why));
    }
    return flush(g, why);
}
