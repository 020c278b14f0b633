/* SPDX-License-Identifier: Apache-2.0 */
#include "uploader_inner.h"

#include "alloc.h"
#include "metric.h"

#include <stdlib.h>

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
    uploader_trim_done(u);
    free(u);
}

void uploader_flush(struct uploader *u) { u->flush = true; }

void uploader_start_again(struct uploader *u) {
    u->phase = FIND;
    u->found = false;
    batch_reset(&u->batch, 0);
    arena_reset(&u->arena);
}

void uploader_set_epoch(struct uploader *u, uint64_t epoch) {
    if (u->ports.ledger.at.epoch == epoch) return;
    u->ports.ledger.at.epoch = epoch;
    u->checking = false;
    uploader_start_again(u);
}

RC uploader_broken(const struct uploader *u, struct why *why, const char *what) {
    return why_set(why, RC_BROKEN, "partition %u, seal %llu: %s", u->settings.partition, (unsigned long long)u->index,
                   what);
}

bool uploader_batch_is_full(const struct uploader *u) {
    return u->batch.blocks_len >= u->settings.messages_max || u->batch.attempts_len >= u->settings.attempts_max ||
           u->batch.bytes >= u->settings.seal_bytes_max || u->batch.claims_bytes >= UPLOADER_CLAIMS_BYTES;
}

/* What looks like lost blocks or a contradiction may be the trace of another uploader that has finished this batch and
 * trimmed the log behind it: then its manifest is there, and the chain is to be read again. */
static RC unless_done(struct uploader *u, enum rc rc, struct why *why) {
    bool manifested = false;
    if (rc != RC_BROKEN) return rc;
    TRY(chain_has_manifest(&u->chain, u->index, &manifested, NULL));
    if (!manifested) return rc;
    if (why) why->text[0] = '\0';
    if (u->checking)
        uploader_check_give_up(u);
    else
        uploader_start_again(u);
    return RC_OK;
}

static const unsigned stage_of_phase[] = {
    [FIND] = LABEL_STEP_SPOOL, [CHECK] = LABEL_STEP_PUT,         [FOLLOW] = LABEL_STEP_SPOOL,
    [READ] = LABEL_STEP_SPOOL, [JUDGE] = LABEL_STEP_VERDICT,     [SEAL] = LABEL_STEP_SEAL,
    [BUILD] = LABEL_STEP_PUT,  [MANIFEST] = LABEL_STEP_MANIFEST, [DURABLE] = LABEL_STEP_DURABLE,
    [TRIM] = LABEL_STEP_TRIM};

RC uploader_step(struct uploader *u, uint64_t now_ms, uint64_t *out_wait_ms, struct why *why) {
    *out_wait_ms = 0;
    enum rc rc = RC_OK;
    unsigned stage = stage_of_phase[u->phase];
    stopwatch_start(&u->objects.watch);
    switch (u->phase) {
    case FIND: rc = uploader_find(u, now_ms, why); break;
    case CHECK: rc = uploader_check(u, why); break;
    case FOLLOW: rc = unless_done(u, uploader_follow(u, now_ms, why), why); break;
    case READ:
        rc = uploader_trim_due(u, now_ms, why);
        if (rc == RC_OK) rc = unless_done(u, uploader_read(u, now_ms, why), why);
        break;
    case JUDGE: rc = uploader_judge(u, now_ms, out_wait_ms, why); break;
    case SEAL: rc = uploader_put_seal(u, why); break;
    case BUILD: rc = unless_done(u, uploader_build(u, why), why); break;
    case MANIFEST: rc = uploader_put_manifest(u, why); break;
    case DURABLE: rc = uploader_durable(u, why); break;
    case TRIM: rc = uploader_trim(u, now_ms, why); break;
    }
    stopwatch_lap(&u->objects.watch, METRIC_UPLOADER_STAGE, METRIC_UPLOADER_CPU, stage);
    if (rc == RC_STALE) uploader_start_again(u); /* the ledger is at another epoch, or counts another batch */
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
