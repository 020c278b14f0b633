/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_watch.h"

#include "alloc.h"
#include "must.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "sim_inner.h"

#include <inttypes.h>

/* The adapters' own objects are handed on, with other operations in front; so these have to be found without one. One
 * simulation runs at a time. */
static struct sim_watch *watch;

static bool mutated(enum sim_mutation mutation) { return watch->sim->options.mutation == mutation; }

/* ---- manifests ---- */

static struct sim_range *range_of(const struct sim_range *wanted) {
    for (size_t i = 0; i < watch->ranges_len; i++)
        if (watch->ranges[i].generation == wanted->generation &&
            id_equal(watch->ranges[i].attempt.id, wanted->attempt.id))
            return &watch->ranges[i];
    return NULL;
}

static bool overlaps(const struct sim_range *a, const struct sim_range *b) {
    const struct attempt *x = &a->attempt, *y = &b->attempt;
    return a->generation == b->generation && id_equal(x->file, y->file) && x->stripe == y->stripe && x->from < y->to &&
           y->from < x->to;
}

/* Notes that a manifest holds something of an attempt. */
static struct sim_range *note_range(struct sim_range fresh) {
    char id[ID_TEXT], other[ID_TEXT];
    struct sim_range *known = range_of(&fresh);
    if (known) {
        if (known->attempt.from != fresh.attempt.from || known->attempt.to != fresh.attempt.to)
            (void)sim_fail(watch->sim, "attempt %s is manifested with two ranges", id_format(fresh.attempt.id, id));
        return known;
    }
    for (size_t i = 0; i < watch->ranges_len; i++)
        if (overlaps(&watch->ranges[i], &fresh))
            (void)sim_fail(watch->sim,
                           "attempts %s and %s are both manifested and overlap in stripe %" PRIu64 ": [%" PRIu64
                           ",%" PRIu64 ") and [%" PRIu64 ",%" PRIu64 ")",
                           id_format(watch->ranges[i].attempt.id, other), id_format(fresh.attempt.id, id),
                           fresh.attempt.stripe, watch->ranges[i].attempt.from, watch->ranges[i].attempt.to,
                           fresh.attempt.from, fresh.attempt.to);
    alloc_grow(&watch->ranges, &watch->ranges_room, watch->ranges_len + 1, sizeof *watch->ranges);
    watch->ranges[watch->ranges_len] = fresh;
    return &watch->ranges[watch->ranges_len++];
}

static void note_blocks(struct sim_range *range, uint64_t blocks) {
    char id[ID_TEXT];
    range->blocks += blocks;
    if (range->has_trailer && range->blocks > range->trailer_blocks)
        (void)sim_fail(watch->sim, "%" PRIu64 " blocks of attempt %s are manifested, it has %" PRIu64, range->blocks,
                       id_format(range->attempt.id, id), range->trailer_blocks);
}

static void note_object(const struct manifest *m, const struct manifest_object *o) {
    for (size_t i = 0; i < o->parts_len; i++) {
        const struct manifest_part *p = &o->parts[i];
        struct attempt attempt = {.file = p->file, .stripe = p->stripe, .from = p->from, .to = p->to, .id = p->attempt};
        note_blocks(note_range((struct sim_range){.generation = m->generation, .attempt = attempt}), p->blocks);
    }
}

static void note_trailer(const struct manifest *m, const struct manifest_attempt *a) {
    char id[ID_TEXT];
    struct sim_range *range = note_range((struct sim_range){.generation = m->generation, .attempt = a->attempt});
    if (range->has_trailer) (void)sim_fail(watch->sim, "attempt %s is in two manifests", id_format(a->attempt.id, id));
    range->has_trailer = true;
    range->trailer_blocks = a->blocks;
    note_blocks(range, 0);
}

static void note_manifest(struct str key, struct str bytes) {
    struct manifest m;
    struct why why = {0};
    arena_reset(&watch->arena);
    if (manifest_decode(bytes, &watch->arena, &m, &why) != RC_OK) {
        (void)sim_fail(watch->sim, "manifest %.*s: %s", STR_ARG(key), why.text);
        return;
    }
    struct sim_chain *chain = &watch->chains[m.generation][m.partition];
    if (m.index != chain->next || m.start != chain->end)
        (void)sim_fail(watch->sim,
                       "manifest %.*s of [%" PRIu64 ",%" PRIu64 ") comes when %" PRIu64 " at %" PRIu64 " is due",
                       STR_ARG(key), m.start, m.end, chain->next, chain->end);
    chain->next = m.index + 1;
    chain->end = m.end;
    if (m.given_up) {
        alloc_grow(&watch->given_up, &watch->given_up_room, watch->given_up_len + 1, sizeof *watch->given_up);
        watch->given_up[watch->given_up_len++] = (struct sim_given_up){m.generation, m.start, m.partition};
    }
    for (size_t i = 0; i < m.objects_len; i++) note_object(&m, &m.objects[i]);
    for (size_t i = 0; i < m.attempts_len; i++) note_trailer(&m, &m.attempts[i]);
    watch->sim->result->attempts += m.attempts_len;
    watch->sim->result->objects += m.objects_len;
}

/* ---- the store ---- */

static enum rc watched_put(void *self, struct str key, struct str bytes, struct why *why) {
    (void)sim_fail(watch->sim, "%.*s is put without looking whether it is there", STR_ARG(key));
    return watch->store->put(self, key, bytes, why);
}

static enum rc watched_remove(void *self, struct str key, struct why *why) {
    struct name_object name;
    bool object = name_object_parse(key, &name) == RC_OK, given_up = false;
    for (size_t i = 0; object && i < watch->given_up_len; i++) {
        const struct sim_given_up *g = &watch->given_up[i];
        given_up =
            given_up || (g->generation == name.generation && g->partition == name.partition && g->start == name.start);
    }
    bool loss = str_starts(key, STR("_ledger/losses/")); /* a note of what was accepted as lost and is made again */
    if (!given_up && !loss) (void)sim_fail(watch->sim, "%.*s is removed", STR_ARG(key));
    return watch->store->remove(self, key, why);
}

static enum rc watched_put_absent(void *self, struct str key, struct str bytes, struct why *why) {
    enum rc rc = mutated(SIM_PUT_OVERWRITES) ? watch->store->put(self, key, bytes, why)
                                             : watch->store->put_absent(self, key, bytes, why);
    if (rc != RC_OK) return rc;
    sim_tell(watch->sim, "  put %.*s", STR_ARG(key));
    if (str_starts(key, STR("_manifests/"))) note_manifest(key, bytes);
    if (str_starts(key, STR("_receipts/"))) watch->sim->result->receipts++;
    return rc;
}

struct store sim_watch_store(struct store store) {
    watch->store = store.ops;
    struct store_ops *ops = &watch->store_ops; /* many are put one by one, so that each is watched */
    *ops = *store.ops, ops->put = watched_put, ops->remove = watched_remove;
    ops->put_absent = watched_put_absent, ops->put_absent_many = NULL;
    return (struct store){&watch->store_ops, store.self};
}

/* ---- the ledger ---- */

/* Closes at its reach what has the key. */
static enum rc invent_end(void *self, struct ledger_at at, const struct facts *facts, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_key key = {facts->source, facts->inode, facts->birth_ns, facts->volume};
    struct ledger_file old;
    enum rc answer = RC_OK;
    TRY(watch->ledger->lookup(self, at, &key, 1, &arena, &old, why));
    struct ledger_close ask = {.file = old.id, .end = old.reach};
    return old.found && old.reach ? watch->ledger->close_files(self, at, &ask, 1, &answer, why) : RC_OK;
}

static enum rc watched_enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                              struct why *why) {
    char id[ID_TEXT];
    for (size_t i = 0; mutated(SIM_END_INVENTED) && i < n; i++) TRY(invent_end(self, at, &asks[i].facts, why));
    enum rc rc = watch->ledger->enroll(self, at, asks, n, out, why);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        if (out[i] != RC_OK) continue;
        sim_tell(watch->sim, "  enroll %s for %.*s inode %" PRIu64, id_format(asks[i].id, id),
                 STR_ARG(asks[i].facts.uri), asks[i].facts.inode);
        alloc_grow(&watch->enrolled, &watch->enrolled_room, watch->enrolled_len + 1, sizeof *watch->enrolled);
        watch->enrolled[watch->enrolled_len++] =
            (struct sim_enrolled){asks[i].id, asks[i].facts.inode, asks[i].facts.birth_ns};
    }
    return rc;
}

const struct sim_enrolled *sim_enrolled(const struct sim *sim, struct id file) {
    for (size_t i = 0; i < sim->watch.enrolled_len; i++)
        if (id_equal(sim->watch.enrolled[i].id, file)) return &sim->watch.enrolled[i];
    return NULL;
}

static void note_end(struct id file, uint64_t end) {
    for (size_t i = 0; i < watch->ends_len; i++)
        if (id_equal(watch->ends[i].file, file) && watch->ends[i].end == end) {
            watch->ends[i].sure = true;
            return;
        }
    alloc_grow(&watch->ends, &watch->ends_room, watch->ends_len + 1, sizeof *watch->ends);
    watch->ends[watch->ends_len++] = (struct sim_end){file, end, true};
}

/* A file is closed where it was quiet for as long as was asked for; one that nobody can read any more, anywhere. */
static void check_quiet(const struct ledger_close *ask) {
    struct sim *sim = watch->sim;
    const struct sim_enrolled *who = sim_enrolled(sim, ask->file);
    uint64_t longest = 0, asked = 0;
    if (ask->gone || !who || sim->emitter.once) return;
    for (size_t i = 0; i < sim->files.contents_len; i++) {
        const struct sim_content *c = &sim->files.contents[i];
        const struct emitter_source *source = &sim->emitter_sources[c->source];
        if (c->inode != who->inode || c->birth_ns != who->birth_ns) continue;
        asked = MIN(source->close_after_ms, source->rotated_after_ms);
        longest = MAX(longest, sim_content_was(c, ask->end, sim->now_ms));
    }
    if (longest < asked)
        (void)sim_fail(
            sim, "inode %" PRIu64 " is closed at %" PRIu64 ", a size that it had for %" PRIu64 " ms, not %" PRIu64,
            who->inode, ask->end, longest, asked);
}

static enum rc watched_close(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n, enum rc *out,
                             struct why *why) {
    char id[ID_TEXT];
    enum rc rc = watch->ledger->close_files(self, at, asks, n, out, why);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        if (out[i] != RC_OK) continue;
        sim_tell(watch->sim, "  close %s at %" PRIu64 "%s", id_format(asks[i].file, id), asks[i].end,
                 asks[i].gone ? ", gone" : "");
        note_end(asks[i].file, asks[i].end);
        check_quiet(&asks[i]);
    }
    return rc;
}

static struct sim_moved *moved_of(uint64_t generation, const struct attempt *a) {
    for (size_t i = 0; i < watch->moved_len; i++) {
        struct sim_moved *m = &watch->moved[i];
        if (m->generation == generation && m->stripe == a->stripe && id_equal(m->file, a->file)) return m;
    }
    alloc_grow(&watch->moved, &watch->moved_room, watch->moved_len + 1, sizeof *watch->moved);
    watch->moved[watch->moved_len] = (struct sim_moved){generation, a->file, a->stripe, 0};
    return &watch->moved[watch->moved_len++];
}

/* Wrong asks, as a ledger that does not look would answer them. */
static void forge(void *self, struct ledger_at at, struct ledger_advance *ask) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe stripe = {ask->attempt.file, ask->attempt.stripe};
    struct ledger_checkpoint now;
    if (mutated(SIM_CLAIMS_UNCHECKED)) ask->claims = STR("");
    if (mutated(SIM_ENDS_UNSEEN)) ask->ends_seen = UINT32_MAX;
    if (!mutated(SIM_NO_PREDECESSOR)) return;
    if (watch->ledger->checkpoints(self, at, &stripe, 1, &arena, &now, NULL) == RC_OK && now.at == ask->attempt.from)
        ask->attempt.predecessor = now.winner;
}

static void note_advance(struct ledger_at at, const struct ledger_advance *ask, enum ledger_decision decision) {
    char id[ID_TEXT];
    const struct attempt *a = &ask->attempt;
    char file[ID_TEXT];
    sim_tell(watch->sim, "  advance %s file %s stripe %" PRIu64 " [%" PRIu64 ",%" PRIu64 ") of %u messages %s",
             id_format(a->id, id), id_format(a->file, file), a->stripe, a->from, a->to, ask->messages,
             decision == LEDGER_WON ? "won" : "lost");
    if (decision != LEDGER_WON) watch->sim->result->lost_attempts++;
    if (decision != LEDGER_WON) return;
    struct sim_moved *m = moved_of(at.generation, a);
    if (a->to > m->at && m->at && a->from != m->at)
        (void)sim_fail(watch->sim,
                       "the checkpoint of stripe %" PRIu64 " jumps from %" PRIu64 " to [%" PRIu64 ",%" PRIu64 ")",
                       a->stripe, m->at, a->from, a->to);
    m->at = MAX(m->at, a->to);
}

static enum rc watched_advance(void *self, struct ledger_at at, const struct ledger_advance *asks, size_t n,
                               const struct ledger_acknowledged *acks, size_t acks_n, enum ledger_decision *out,
                               struct why *why) {
    enum rc rc = RC_OK;
    bool forged = mutated(SIM_ENDS_UNSEEN) || mutated(SIM_CLAIMS_UNCHECKED) || mutated(SIM_NO_PREDECESSOR);
    for (size_t i = 0; forged && rc == RC_OK && i < n; i++) {
        struct ledger_advance ask = asks[i];
        forge(self, at, &ask);
        rc = watch->ledger->advance(self, at, &ask, 1, acks, acks_n, &out[i], why);
    }
    if (!forged) rc = watch->ledger->advance(self, at, asks, n, acks, acks_n, out, why);
    for (size_t i = 0; rc == RC_OK && i < n; i++) note_advance(at, &asks[i], out[i]);
    return rc;
}

static enum rc watched_checkpoints(void *self, struct ledger_at at, const struct ledger_stripe *asks, size_t n,
                                   struct arena *arena, struct ledger_checkpoint *out, struct why *why) {
    enum rc rc = watch->ledger->checkpoints(self, at, asks, n, arena, out, why);
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        struct attempt a = {.file = asks[i].file, .stripe = asks[i].stripe};
        if (!out[i].found) continue;
        struct sim_moved *m = moved_of(at.generation, &a);
        if (out[i].at < m->at)
            (void)sim_fail(watch->sim, "the checkpoint of stripe %" PRIu64 " went back from %" PRIu64 " to %" PRIu64,
                           asks[i].stripe, m->at, out[i].at);
    }
    return rc;
}

static enum rc watched_verdicts(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                                struct ledger_verdict *out, struct why *why) {
    enum rc rc = watch->ledger->verdicts(self, at, asks, n, out, why);
    for (size_t i = 0; rc == RC_OK && mutated(SIM_UNDECIDED_WINS) && i < n; i++)
        if (out[i].decision == LEDGER_UNDECIDED) out[i].decision = LEDGER_WON;
    return rc;
}

static enum rc watched_voids(void *self, struct ledger_at at, const struct attempt *asks, size_t n,
                             struct ledger_verdict *out, struct why *why) {
    enum rc rc = RC_OK;
    if (mutated(SIM_VOID_FORGOTTEN)) {
        rc = watch->ledger->verdicts(self, at, asks, n, out, why);
        for (size_t i = 0; rc == RC_OK && i < n; i++)
            if (out[i].decision == LEDGER_UNDECIDED) out[i].decision = LEDGER_LOST;
    } else {
        rc = watch->ledger->voids(self, at, asks, n, out, why);
    }
    for (size_t i = 0; rc == RC_OK && i < n; i++) {
        char id[ID_TEXT];
        sim_tell(watch->sim, "  void %s %s", id_format(asks[i].id, id), out[i].decision == LEDGER_WON ? "won" : "lost");
        watch->sim->result->voids++;
    }
    return rc;
}

static enum rc watched_winners(void *self, struct id token, const struct ledger_winner *winners, size_t n,
                               struct why *why) {
    for (size_t i = 0; i < n; i++) {
        struct ledger_winner winner = winners[i];
        if (mutated(SIM_END_FORGOTTEN)) winner.first_end = 0;
        TRY(watch->ledger->recover_winners(self, token, &winner, 1, why));
    }
    return RC_OK;
}

static enum rc watched_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index,
                                    struct why *why) {
    enum rc rc = watch->ledger->durable_next(self, at, partition, out_index, why);
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    uint64_t bytes = 0;
    if (rc != RC_OK || !mutated(SIM_WRONG_INDEX)) return rc;
    uint64_t next = watch->chains[at.generation][partition].next;
    MUST(name_seal(watch->sim->queue, at.generation, partition, next, &key) == RC_OK);
    if (store_size(watch->sim->store, buf_str(&key), &bytes, NULL) == RC_OK) *out_index = next + 1;
    return rc;
}

struct ledger sim_watch_ledger(struct ledger ledger) {
    watch->ledger = ledger.ops;
    watch->ledger_ops = *ledger.ops;
    watch->ledger_ops.enroll = watched_enroll;
    watch->ledger_ops.close_files = watched_close;
    watch->ledger_ops.advance = watched_advance;
    watch->ledger_ops.checkpoints = watched_checkpoints;
    watch->ledger_ops.verdicts = watched_verdicts;
    watch->ledger_ops.voids = watched_voids;
    watch->ledger_ops.durable_next = watched_durable_next;
    watch->ledger_ops.recover_winners = watched_winners;
    return (struct ledger){&watch->ledger_ops, ledger.self, ledger.at};
}

/* ---- the whole ---- */

void sim_watch_init(struct sim_watch *fresh, struct sim *sim) {
    *fresh = (struct sim_watch){.sim = sim};
    watch = fresh;
    sim_broker_init(fresh);
}

void sim_watch_done(struct sim_watch *old) {
    free(old->enrolled);
    free(old->ends);
    free(old->ranges);
    free(old->given_up);
    free(old->moved);
    arena_done(&old->arena);
    watch = NULL;
}

void sim_watch_rolled_back(struct sim_watch *old) {
    old->moved_len = 0;
    for (size_t i = 0; i < old->ends_len; i++) old->ends[i].sure = false;
}
