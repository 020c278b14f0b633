/* SPDX-License-Identifier: Apache-2.0 */
#include "uploader.h"

#include "alloc.h"
#include "batch.h"
#include "chain.h"
#include "frame.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "objects.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

enum phase { FIND, FOLLOW, READ, JUDGE, SEAL, BUILD, MANIFEST, DURABLE, TRIM };

enum {
    HEAD_BYTES = 4096,   /* a block's head is a few hundred bytes; longer ones are read again whole */
    JUDGE_WAIT_MS = 50,  /* between two looks at attempts that are undecided */
    IDLE_WAIT_MS = 1000, /* the longest wait without anything to do */
};

struct uploader {
    struct uploader_settings settings;
    struct uploader_ports ports;
    struct chain chain;
    struct objects objects;
    enum phase phase;
    bool found;
    uint64_t index;    /* of the seal to put or to redo */
    uint64_t log_end;  /* as last seen */
    uint64_t flush_to; /* seal without waiting for age while start < flush_to */
    bool flush;        /* asked for; flush_to is set when the log's end is known */
    struct batch batch;
    uint64_t judged_ms;
    struct arena arena; /* of the sealed batch: seal, plan, manifest */
    struct seal seal;   /* valid from SEAL or FOLLOW on */
    struct plan plan;
    size_t built;
    struct manifest manifest;
    struct buf head;
};

struct uploader *uploader_new(const struct uploader_settings *settings, const struct uploader_ports *ports) {
    struct uploader *u = ALLOC(struct uploader);
    u->settings = *settings;
    if (!u->settings.messages_max) u->settings.messages_max = UPLOADER_MESSAGES_MAX;
    if (!u->settings.attempts_max) u->settings.attempts_max = UPLOADER_ATTEMPTS_MAX;
    u->ports = *ports;
    u->chain = (struct chain){ports->store, settings->queue, ports->ledger.at.generation, settings->partition};
    objects_init(&u->objects, ports->broker, &u->chain);
    u->head = BUF_INIT(BLOCK_MESSAGE_MAX);
    return u;
}

void uploader_free(struct uploader *u) {
    if (!u) return;
    objects_done(&u->objects);
    batch_done(&u->batch);
    arena_done(&u->arena);
    buf_done(&u->head);
    free(u);
}

void uploader_flush(struct uploader *u) { u->flush = true; }

/* All verdicts go: the next step begins at the chain. */
static void start_again(struct uploader *u) {
    u->phase = FIND;
    u->found = false;
    batch_reset(&u->batch, 0);
    arena_reset(&u->arena);
}

void uploader_set_epoch(struct uploader *u, uint64_t epoch) {
    if (u->ports.ledger.at.epoch == epoch) return;
    u->ports.ledger.at.epoch = epoch;
    start_again(u);
}

static RC broken(const struct uploader *u, struct why *why, const char *what) {
    return why_set(why, RC_BROKEN, "partition %u, seal %llu: %s", u->settings.partition, (unsigned long long)u->index,
                   what);
}

/* What looks like lost blocks or a contradiction may be the trace of another uploader that has finished this batch and
 * trimmed the log behind it: then its manifest is there, and the chain is to be read again. */
static RC unless_done(struct uploader *u, enum rc rc, struct why *why) {
    bool manifested = false;
    if (rc != RC_BROKEN) return rc;
    TRY(chain_has_manifest(&u->chain, u->index, &manifested, NULL));
    if (!manifested) return rc;
    if (why) why->text[0] = '\0';
    start_again(u);
    return RC_OK;
}

/* ---- FIND: the first seal without a manifest, or the end of the chain ---- */

/* Which messages of each won attempt this batch made durable, from its manifest's provenance. */
static RC tell_durable(struct uploader *u, const struct manifest *m, struct why *why) {
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
    rc = tell_durable(u, &m, why);
    u->index = index + 1;
    return rc;
}

/* The previous seal tells where this one starts; it must be there when this is not the first. */
static RC find_start(struct uploader *u, uint64_t *out, struct why *why) {
    *out = 0;
    if (!u->index) return RC_OK;
    struct seal before;
    enum rc rc = chain_get_seal(&u->chain, u->index - 1, &u->arena, &before, why);
    if (rc == RC_ABSENT)
        return broken(u, why, "the ledger knows a later batch, but the seal before it is not in the output");
    *out = before.end;
    return rc;
}

static RC find(struct uploader *u, struct why *why) {
    if (!u->found) {
        arena_reset(&u->arena);
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
    if (rc == RC_OK && u->seal.start != start) return broken(u, why, "it does not begin where the seal before it ends");
    /* Who told the last batch durable may have died before it trimmed; workers may wait for that room. */
    TRY(broker_trim(u->ports.broker, u->settings.partition, start, why));
    batch_reset(&u->batch, start);
    u->phase = rc == RC_OK ? FOLLOW : READ;
    return RC_OK;
}

/* ---- reading heads ---- */

static RC read_head(struct uploader *u, uint64_t offset, struct block_message *out, struct why *why) {
    uint64_t len = 0;
    TRY(broker_read_head(u->ports.broker, u->settings.partition, offset, HEAD_BYTES, &u->head, &len, why));
    size_t need = block_head_bytes(buf_str(&u->head));
    if (need > u->head.len && need <= len)
        TRY(broker_read_head(u->ports.broker, u->settings.partition, offset, need, &u->head, &len, why));
    enum rc rc = block_decode(buf_str(&u->head), out, why); /* the payload is cut off, and not looked at */
    if (rc == RC_OK) return RC_OK;
    return why_wrap(why, rc == RC_BAD ? RC_BROKEN : rc, "message %llu of partition %u", (unsigned long long)offset,
                    u->settings.partition);
}

/* Adds up to UPLOADER_READ messages below `end`. */
static RC read_some(struct uploader *u, uint64_t end, uint64_t now_ms, struct why *why) {
    for (size_t i = 0; i < UPLOADER_READ && u->batch.position < end; i++) {
        uint64_t offset = u->batch.position;
        struct block_message m;
        enum rc rc = read_head(u, offset, &m, why);
        if (rc == RC_ABSENT) { /* a hole that recovery left: go on behind it */
            u->batch.position = offset + 1;
            continue;
        }
        if (rc != RC_OK) return rc;
        TRY(batch_add(&u->batch, offset, &m, now_ms, why));
    }
    return RC_OK;
}

static RC follow(struct uploader *u, uint64_t now_ms, struct why *why) {
    uint64_t start = 0, end = 0;
    TRY(broker_bounds(u->ports.broker, u->settings.partition, &start, &end, why));
    if (u->seal.start != u->seal.end && (start > u->seal.start || end < u->seal.end))
        return broken(u, why,
                      "its blocks are not all in the log any more, and it has no manifest; see `sluice repair`");
    TRY(read_some(u, u->seal.end, now_ms, why));
    if (u->batch.position < u->seal.end) return RC_OK;
    TRY(batch_obey(&u->batch, &u->seal, why));
    u->phase = BUILD;
    u->plan = (struct plan){0};
    return RC_OK;
}

static bool batch_is_full(const struct uploader *u) {
    return u->batch.blocks_len >= u->settings.messages_max || u->batch.attempts_len >= u->settings.attempts_max ||
           u->batch.bytes >= u->settings.seal_bytes_max;
}

static RC read_phase(struct uploader *u, uint64_t now_ms, struct why *why) {
    uint64_t start = 0;
    TRY(broker_bounds(u->ports.broker, u->settings.partition, &start, &u->log_end, why));
    if (start > u->batch.start)
        return broken(u, why, "the log begins behind the last seal's end: blocks were lost; see `sluice repair`");
    if (u->log_end < u->batch.start)
        return broken(u, why, "the log ends before the last seal's end: it lost its tail; see `sluice repair`");
    if (u->flush) {
        u->flush_to = u->log_end;
        u->flush = false;
    }
    if (!batch_is_full(u)) TRY(read_some(u, u->log_end, now_ms, why));
    u->phase = JUDGE;
    return RC_OK;
}

/* ---- JUDGE ---- */

static uint64_t patience_ms(const struct uploader *u, const struct batch_attempt *attempt, uint32_t voids) {
    if (attempt->first_offset < u->settings.abandoned_before) return 0;
    return u->settings.void_after_ms << MIN(voids, (uint32_t)10);
}

/* Attempts that nobody decides are voided, one call for all whose time is up. */
static RC void_overdue(struct uploader *u, struct batch_attempt **open, const struct ledger_verdict *verdicts, size_t n,
                       uint64_t now_ms, struct why *why) {
    struct attempt asks[UPLOADER_VERDICTS];
    struct batch_attempt *which[UPLOADER_VERDICTS];
    struct ledger_verdict answers[UPLOADER_VERDICTS];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (verdicts[i].decision != LEDGER_UNDECIDED) continue;
        if (now_ms - open[i]->undecided_since_ms < patience_ms(u, open[i], verdicts[i].voids)) continue;
        which[len] = open[i];
        asks[len++] = open[i]->attempt;
    }
    if (!len) return RC_OK;
    TRY(ledger_voids(u->ports.ledger, asks, len, answers, why));
    for (size_t i = 0; i < len; i++) {
        if (answers[i].decision == LEDGER_UNDECIDED) continue;
        batch_decide(&u->batch, which[i], answers[i].decision);
        metric_add_at(METRIC_ATTEMPTS, LABEL_RESULT_VOID, 1);
        if (which[i]->first_offset >= u->settings.abandoned_before)
            LOG_WARN("attempt voided: nobody finished it", F_ID("attempt", which[i]->attempt.id),
                     F_STR("file", which[i]->facts.uri), F_U64("stripe", which[i]->attempt.stripe));
    }
    return RC_OK;
}

/* A file that the ledger does not know was forgotten when it was set back: what an older epoch made of it, and recovery
 * did not find to be won, never will be. */
static RC verdicts_singly(struct uploader *u, const struct attempt *asks, size_t n, struct ledger_verdict *out,
                          struct why *why) {
    for (size_t i = 0; i < n; i++) {
        enum rc rc = ledger_verdicts(u->ports.ledger, &asks[i], 1, &out[i], why);
        if (rc == RC_ABSENT && asks[i].epoch >= u->ports.ledger.at.epoch)
            return why_wrap(why, RC_BROKEN, "the ledger was set back and has to be recovered");
        if (rc == RC_ABSENT)
            out[i] = (struct ledger_verdict){.decision = LEDGER_LOST};
        else if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* One call to the ledger for up to UPLOADER_VERDICTS attempts, from the first undecided on. */
static RC ask_verdicts(struct uploader *u, uint64_t now_ms, size_t *out_open, struct why *why) {
    struct batch_attempt *open[UPLOADER_VERDICTS];
    struct attempt asks[UPLOADER_VERDICTS];
    struct ledger_verdict verdicts[UPLOADER_VERDICTS];
    size_t n = batch_undecided(&u->batch, open, UPLOADER_VERDICTS), left = 0;
    *out_open = 0;
    if (!n) return RC_OK;
    for (size_t i = 0; i < n; i++) asks[i] = open[i]->attempt;
    enum rc rc = ledger_verdicts(u->ports.ledger, asks, n, verdicts, why);
    if (rc == RC_ABSENT) rc = verdicts_singly(u, asks, n, verdicts, why);
    if (rc != RC_OK) return rc;
    for (size_t i = 0; i < n; i++) {
        if (!open[i]->asked) open[i]->undecided_since_ms = now_ms;
        open[i]->asked = true;
        if (verdicts[i].decision != LEDGER_UNDECIDED)
            batch_decide(&u->batch, open[i], verdicts[i].decision);
        else
            left++;
    }
    *out_open = left;
    return left ? void_overdue(u, open, verdicts, n, now_ms, why) : RC_OK;
}

static bool wants_seal(struct uploader *u, uint64_t now_ms) {
    uint64_t end = batch_decided_end(&u->batch);
    if (end <= u->batch.start || !u->batch.blocks_len) return false;
    if (u->flush_to > u->batch.start) return end >= MIN(u->flush_to, u->batch.position);
    return batch_is_full(u) || now_ms - u->batch.first_ms >= u->settings.flush_ms;
}

static uint64_t wait_for(const struct uploader *u, size_t open, uint64_t now_ms) {
    if (u->batch.position < u->log_end && !batch_is_full(u)) return 0;
    if (open) return JUDGE_WAIT_MS;
    if (!u->batch.blocks_len) return IDLE_WAIT_MS;
    uint64_t age = now_ms - u->batch.first_ms;
    return age >= u->settings.flush_ms ? 0 : MIN(u->settings.flush_ms - age, (uint64_t)IDLE_WAIT_MS);
}

static RC judge(struct uploader *u, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why) {
    size_t open = 0;
    TRY(ask_verdicts(u, now_ms, &open, why));
    u->phase = wants_seal(u, now_ms) ? SEAL : READ;
    if (u->phase == READ) *out_wait_ms = u->flush ? 0 : wait_for(u, open, now_ms);
    return RC_OK;
}

/* ---- SEAL to TRIM ---- */

static RC put_seal(struct uploader *u, struct why *why) {
    arena_reset(&u->arena);
    batch_seal(&u->batch, batch_decided_end(&u->batch), &u->arena, &u->seal);
    u->seal.queue = u->settings.queue;
    u->seal.generation = u->ports.ledger.at.generation;
    u->seal.partition = u->settings.partition;
    u->seal.index = u->index;
    u->seal.epoch = u->ports.ledger.at.epoch;
    u->seal.settings = u->settings.output;
    enum rc rc = chain_put_seal(&u->chain, &u->seal, why);
    if (rc == RC_OK) {
        metric_add(METRIC_SEALS, 1);
        u->phase = BUILD;
        u->plan = (struct plan){0};
        return RC_OK;
    }
    /* Lost, or not known: what is there is the law, and nothing that was judged so far is. */
    start_again(u);
    return rc == RC_STALE ? RC_OK : rc;
}

static void describe_batch(struct uploader *u) {
    const struct seal *s = &u->seal;
    u->manifest = (struct manifest){.queue = s->queue,
                                    .generation = s->generation,
                                    .partition = s->partition,
                                    .index = s->index,
                                    .start = s->start,
                                    .end = s->end,
                                    .epoch = s->epoch,
                                    .settings = s->settings};
    u->manifest.objects = ARENA_ARRAY(&u->arena, struct manifest_object, u->plan.objects_len);
    u->manifest.attempts = ARENA_ARRAY(&u->arena, struct manifest_attempt, s->trailers_len);
    for (size_t i = 0; i < s->trailers_len; i++) {
        const struct block_trailer *t = &s->trailers[i];
        u->manifest.attempts[u->manifest.attempts_len++] = (struct manifest_attempt){.attempt = t->attempt,
                                                                                     .counts = t->counts,
                                                                                     .blocks = t->blocks,
                                                                                     .source = t->facts.source,
                                                                                     .uri = t->facts.uri};
    }
}

static RC plan_batch(struct uploader *u, struct why *why) {
    enum frame_format format = FRAME_ZST;
    if (frame_format_parse(u->seal.settings.format, &format) != RC_OK)
        return broken(u, why, "its format is unknown to this version");
    plan_make(&u->batch, u->seal.end, &u->seal.settings, frame_codec(format), &u->arena, &u->plan);
    describe_batch(u);
    u->built = 0;
    return RC_OK;
}

static RC build(struct uploader *u, struct why *why) {
    if (!u->plan.objects) TRY(plan_batch(u, why));
    if (u->built < u->plan.objects_len) {
        size_t n = 0, at = u->built;
        TRY(objects_put(&u->objects, &u->plan.objects[at], u->plan.objects_len - at, &u->seal, &u->arena,
                        &u->manifest.objects[at], &n, why));
        u->manifest.objects_len = u->built += n;
    }
    if (u->built == u->plan.objects_len) u->phase = MANIFEST;
    return RC_OK;
}

static RC put_manifest(struct uploader *u, struct why *why) {
    enum rc rc = chain_put_manifest(&u->chain, &u->manifest, why);
    if (rc == RC_STALE) { /* somebody else finished this batch: take it from there */
        start_again(u);
        return RC_OK;
    }
    if (rc != RC_OK) return rc;
    metric_add(METRIC_MANIFESTS, 1);
    LOG_INFO("batch manifested", F_U64("partition", u->settings.partition), F_U64("seal", u->index),
             F_U64("from", u->seal.start), F_U64("to", u->seal.end), F_U64("objects", u->manifest.objects_len));
    u->phase = DURABLE;
    return RC_OK;
}

static RC durable(struct uploader *u, struct why *why) {
    TRY(tell_durable(u, &u->manifest, why));
    u->phase = TRIM;
    return RC_OK;
}

static RC trim(struct uploader *u, struct why *why) {
    TRY(broker_trim(u->ports.broker, u->settings.partition, u->seal.end, why));
    u->index++;
    arena_done(&u->arena); /* seal and manifest of a large batch are megabytes that the next may never need */
    batch_done(&u->batch);
    batch_reset(&u->batch,
                u->seal.end); /* what was read behind E is read again: it is little, and needs no bookkeeping */
    u->phase = READ;
    return RC_OK;
}

static const unsigned stage_of_phase[] = {
    [FIND] = LABEL_STEP_SPOOL,        [FOLLOW] = LABEL_STEP_SPOOL,    [READ] = LABEL_STEP_SPOOL,
    [JUDGE] = LABEL_STEP_VERDICT,     [SEAL] = LABEL_STEP_SEAL,       [BUILD] = LABEL_STEP_PUT,
    [MANIFEST] = LABEL_STEP_MANIFEST, [DURABLE] = LABEL_STEP_DURABLE, [TRIM] = LABEL_STEP_TRIM};

RC uploader_step(struct uploader *u, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why) {
    *out_wait_ms = 0;
    enum rc rc = RC_OK;
    unsigned stage = stage_of_phase[u->phase];
    stopwatch_start(&u->objects.watch);
    switch (u->phase) {
    case FIND: rc = find(u, why); break;
    case FOLLOW: rc = unless_done(u, follow(u, now_ms, why), why); break;
    case READ: rc = unless_done(u, read_phase(u, now_ms, why), why); break;
    case JUDGE: rc = judge(u, now_ms, out_wait_ms, why); break;
    case SEAL: rc = put_seal(u, why); break;
    case BUILD: rc = unless_done(u, build(u, why), why); break;
    case MANIFEST: rc = put_manifest(u, why); break;
    case DURABLE: rc = durable(u, why); break;
    case TRIM: rc = trim(u, why); break;
    }
    stopwatch_lap(&u->objects.watch, METRIC_UPLOADER_STAGE, METRIC_UPLOADER_CPU, stage);
    if (rc == RC_STALE) start_again(u); /* the ledger is at another epoch, or counts another batch */
    return rc;
}

void uploader_look(const struct uploader *u, struct uploader_view *out) {
    bool at_end = u->phase == READ || u->phase == JUDGE;
    uint64_t start = 0, end = u->log_end;
    bool known = broker_bounds(u->ports.broker, u->settings.partition, &start, &end, NULL) == RC_OK;
    *out = (struct uploader_view){.next_seal = u->index,
                                  .start = u->batch.start,
                                  .position = u->batch.position,
                                  .end = end,
                                  .waiting_bytes = u->batch.bytes,
                                  .objects = u->built,
                                  .objects_planned = u->plan.objects_len,
                                  .found = at_end,
                                  .drained = known && at_end && u->batch.start >= end};
}
