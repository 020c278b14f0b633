/* SPDX-License-Identifier: Apache-2.0 */
/* uploader_seal: from the seal to the ledger. */
#include "uploader_inner.h"

#include "frame.h"
#include "log.h"
#include "metric.h"

RC uploader_put_seal(struct uploader *u, struct why *why) {
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
    uploader_start_again(u);
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
        return uploader_broken(u, why, "its format is unknown to this version");
    plan_make(&u->batch, u->seal.end, &u->seal.settings, frame_codec(format), &u->arena, &u->plan);
    describe_batch(u);
    u->built = 0;
    return RC_OK;
}

RC uploader_build(struct uploader *u, struct why *why) {
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

RC uploader_put_manifest(struct uploader *u, struct why *why) {
    enum rc rc = chain_put_manifest(&u->chain, &u->manifest, why);
    if (rc == RC_STALE) { /* somebody else finished this batch: take it from there */
        uploader_start_again(u);
        return RC_OK;
    }
    if (rc != RC_OK) return rc;
    metric_add(METRIC_MANIFESTS, 1);
    LOG_INFO("batch manifested", F_U64("partition", u->settings.partition), F_U64("seal", u->index),
             F_U64("from", u->seal.start), F_U64("to", u->seal.end), F_U64("objects", u->manifest.objects_len));
    u->phase = DURABLE;
    return RC_OK;
}

RC uploader_durable(struct uploader *u, struct why *why) {
    TRY(uploader_tell_durable(u, &u->manifest, why));
    u->phase = TRIM;
    return RC_OK;
}
