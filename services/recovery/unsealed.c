/* SPDX-License-Identifier: Apache-2.0 */
#include "unsealed.h"

#include "block.h"
#include "own.h"

#include <string.h>

void unsealed_done(struct unsealed *u) { arena_done(&u->arena); }

static struct unsealed_attempt **slot_of(struct unsealed_attempt *const *table, struct id id) {
    uint64_t hash = 0;
    memcpy(&hash, id.bytes, sizeof hash);
    struct unsealed_attempt **slot = (struct unsealed_attempt **)&table[hash % UNSEALED_TABLE];
    while (*slot && !id_equal((*slot)->winner.attempt.id, id)) slot = &(*slot)->next;
    return slot;
}

const struct ledger_winner *unsealed_find(const struct unsealed *u, struct id attempt) {
    struct unsealed_attempt *found = *slot_of(u->table, attempt);
    return found ? &found->winner : NULL;
}

static void add(struct unsealed *u, const struct block_message *m) {
    const struct attempt *attempt = block_attempt(m);
    const struct facts *facts = m->kind == BLOCK_TRAILER ? &m->trailer.facts : &m->header.facts;
    struct unsealed_attempt **slot = slot_of(u->table, attempt->id);
    if (!*slot) {
        *slot = ARENA_NEW(&u->arena, struct unsealed_attempt);
        struct ledger_winner *w = &(*slot)->winner;
        w->attempt = *attempt;
        w->facts = *facts;
        w->facts.source = arena_str(&u->arena, facts->source);
        w->facts.uri = arena_str(&u->arena, facts->uri);
    }
    if (m->kind != BLOCK_TRAILER) return;
    struct ledger_winner *w = &(*slot)->winner;
    w->has_counts = true;
    w->counts = m->trailer.counts;
    w->tail_hash = m->trailer.tail_hash;
    w->messages = m->trailer.blocks + 1;
    w->closed = m->trailer.closed;
    w->first_end = m->trailer.first_end;
    if (m->trailer.claims.len) w->claims = arena_str(&u->arena, m->trailer.claims);
}

RC unsealed_read(struct unsealed *u, struct broker broker, uint32_t partition, uint64_t from, uint64_t to,
                 struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(BLOCK_MESSAGE_MAX);
    for (uint64_t offset = from; offset < to; offset++) {
        struct broker_message message;
        enum rc rc = broker_read(broker, partition, offset, &bytes, &message, why);
        if (rc == RC_ABSENT) continue; /* a hole that an earlier recovery left */
        struct block_message m;
        if (rc == RC_OK) rc = block_decode(message.bytes, &m, why);
        if (rc == RC_BAD) rc = RC_BROKEN;
        if (rc != RC_OK)
            return why_wrap(why, rc, "message %llu of partition %u", (unsigned long long)offset, partition);
        add(u, &m);
    }
    return RC_OK;
}
