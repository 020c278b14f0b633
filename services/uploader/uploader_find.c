/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_find: the first seal without a manifest, or the end of the chain. */
#include "uploader_inner.h"

RC uploader_tell_durable(struct uploader *u, const struct manifest *m, struct why *why) {
    size_t n = m->attempts_len;
    for (size_t i = 0; i < m->objects_len; i++) n += m->objects[i].parts_len;
    struct ledger_durable *adds = ARENA_ARRAY(&u->arena, struct ledger_durable, n);
    size_t len = 0;
    for (size_t i = 0; i < m->objects_len; i++)
        for (size_t k = 0; k < m->objects[i].parts_len; k++) {
            const struct manifest_part *p = &m->objects[i].parts[k];
            adds[len++] = (struct ledger_durable){p->file, p->stripe, p->attempt, (uint32_t)p->blocks};
        }
    for (size_t i = 0; i < m->attempts_len; i++) { /* the trailer is a message too */
        const struct attempt *a = &m->attempts[i].attempt;
        adds[len++] = (struct ledger_durable){a->file, a->stripe, a->id, 1};
    }
    struct ledger_batch batch = {u->settings.partition, m->index};
    return ledger_durable(u->ports.ledger, batch, adds, len, why);
}

/* Batches whose manifest is there and that the ledger did not hear of: told again, one a step. */
static RC replay(struct uploader *u, uint64_t index, struct why *why) {
    arena_reset(&u->arena);
    struct manifest m;
    enum rc rc = chain_get_manifest(&u->chain, index, &u->arena, &m, why);
    if (rc == RC_ABSENT) rc = RC_BROKEN;
    if (rc != RC_OK) return rc;
    TRY(uploader_tell_durable(u, &m, why)); /* else it is told again: nothing comes behind it before that */
    u->index = index + 1;
    return RC_OK;
}

/* The previous seal tells where this one starts; it must be there when this is not the first. */
static RC find_start(struct uploader *u, uint64_t *out, struct why *why) {
    *out = 0;
    if (!u->index) return RC_OK;
    struct seal before;
    enum rc rc = chain_get_seal(&u->chain, u->index - 1, &u->arena, &before, why);
    if (rc == RC_ABSENT)
        return uploader_broken(u, why,
                               "the ledger knows a later batch, but the seal before it is not in the output: is "
                               "output.url another one than before, or was _seals/ removed? Restore it, or begin "
                               "anew with an empty state and output");
    *out = before.end;
    return rc;
}

/* Somebody reset the group's offset: first what was finished behind it. */
static bool is_to_check(const struct uploader *u, uint64_t start) {
    return u->settings.check && u->index && u->settings.check_from < start;
}

RC uploader_find(struct uploader *u, uint64_t now_ms, struct why *why) {
    if (!u->found) {
        arena_reset(&u->arena);
        TRY(chain_check_removed(&u->chain, why));
        TRY(ledger_durable_next(u->ports.ledger, u->settings.partition, &u->index, why));
        u->found = true;
        return RC_OK;
    }
    bool manifested = false;
    TRY(chain_has_manifest(&u->chain, u->index, &manifested, why));
    if (manifested) return replay(u, u->index, why);
    arena_reset(&u->arena);
    uint64_t start = 0;
    TRY(find_start(u, &start, why));
    enum rc rc = chain_get_seal(&u->chain, u->index, &u->arena, &u->seal, why);
    if (rc != RC_OK && rc != RC_ABSENT) return rc;
    if (rc == RC_OK && u->seal.start != start)
        return uploader_broken(u, why, "it does not begin where the seal before it ends");
    if (is_to_check(u, start)) {
        if (!u->checking) u->check_index = u->index;
        u->checking = false;
        u->check_object = SIZE_MAX;
        u->phase = CHECK;
        return RC_OK;
    }
    /* Who told the last batch durable may have died before it trimmed; workers may wait for that room. */
    TRY(uploader_trim_to(u, start, now_ms, why));
    batch_reset(&u->batch, start);
    u->phase = rc == RC_OK ? FOLLOW : READ;
    return RC_OK;
}
