/* SPDX-License-Identifier: Apache-2.0 */
/* receipts_elsewhere: where several emitters watch the same files, one of them writes a receipt and the others only
 * find out by asking: --once waits for it, and after_durable is theirs, too. */
#include "emitter_inner.h"
#include "num.h"

enum { OTHERS_MS = 5000 }; /* between two looks at all that wait */

static bool waits(const struct catalog_entry *entry) {
    return entry->state == CATALOG_ACTIVE && entry->closed && !entry->receipted && !entry->outstanding &&
           !entry->waiting && !entry->queued && entry->done_size >= entry->closed_end;
}

/* Up to a batch of entries that wait, from where the last look came to. */
static size_t take_some(struct emitter *e, struct catalog_entry **entries, struct ledger_key *keys) {
    size_t n = 0;
    for (; e->others_at < e->catalog.len && n < EMITTER_BATCH; e->others_at++) {
        struct catalog_entry *entry = &e->catalog.entries[e->others_at];
        if (!waits(entry)) continue;
        keys[n] = (struct ledger_key){emitter_source_of(e, entry)->name, entry->inode, entry->birth_ns, entry->volume};
        entries[n++] = entry;
    }
    return n;
}

RC emitter_receipts_elsewhere(struct emitter *e, struct why *why) {
    struct catalog_entry **entries = ARENA_ARRAY(&e->arena, struct catalog_entry *, EMITTER_BATCH);
    struct ledger_key *keys = ARENA_ARRAY(&e->arena, struct ledger_key, EMITTER_BATCH);
    size_t from = e->others_at, n = take_some(e, entries, keys);
    if (e->others_at >= e->catalog.len) {
        e->others_at = 0;
        e->next_others_ms = e->now_ms + OTHERS_MS;
    }
    if (!n) return RC_OK;
    struct ledger_file *known = ARENA_ARRAY(&e->arena, struct ledger_file, n);
    enum rc rc = ledger_lookup(e->ports.ledger, keys, n, &e->arena, known, why);
    if (rc != RC_OK) {
        e->others_at = from;
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        if (entries[i]->adopted) emitter_todo(e, entries[i]); /* it is not known by this key */
        if (!known[i].found || !id_equal(known[i].id, entries[i]->id) || !known[i].receipted) continue;
        if (known[i].closed_end != entries[i]->closed_end) continue;
        emitter_receipted(e, entries[i]);
        e->changed = true;
    }
    return RC_OK;
}
