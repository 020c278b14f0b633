/* SPDX-License-Identifier: Apache-2.0 */
/* The uploaders' threads: each takes care of every n-th queue partition, as far as that is ours at the moment. */
#include "run_inner.h"

#include "alloc.h"
#include "clock.h"
#include "num.h"
#include "own.h"

#include <stdlib.h>

enum {
    SEAL_SOON_MS = 20, /* between two looks while everything is converted and only the last batch is missing */
    VIEW_MS = 1000,    /* between two views of a partition that never rests; the group's offset follows them */
};

/* One partition in the hands of its thread. */
struct duty {
    struct uploader *uploader; /* NULL: not ours */
    struct loop loop;          /* its own: what one partition waits for is not what the others do */
    uint32_t partition;
    unsigned flushed;
    uint64_t due_ms, viewed_ms;
};

static void uploader_publish_view(struct run *r, const struct duty *d, struct uploader_view *out) {
    uploader_look(d->uploader, out);
    LOCKED(&r->lock);
    r->uploads[d->partition].view = *out;
}

/* Waits for a block, which makes a step due, or until the time has come. Blocks that are there already and that the
 * step did not take (the batch is full, or came in between) are no reason to run in circles. */
static void uploader_wait(struct run *r, struct duty *d, uint64_t wait_ms) {
    struct uploader_view view;
    uploader_look(d->uploader, &view);
    if (view.position < view.end) {
        loops_sleep(&r->loops, MIN(wait_ms, (uint64_t)SEAL_SOON_MS));
        d->due_ms = 0;
        return;
    }
    struct why why = {0};
    enum rc rc = broker_wait(r->runtime->broker, d->partition, view.position, wait_ms, &why);
    if (rc == RC_OK)
        d->due_ms = 0;
    else if (rc != RC_ABSENT)
        loops_sleep(&r->loops, wait_ms);
}

static void take_up(struct run *r, struct duty *d) {
    struct run_upload *upload = &r->uploads[d->partition];
    struct uploader_settings settings = r->settings.uploader;
    settings.partition = d->partition;
    settings.abandoned_before = upload->abandoned;
    settings.check_from = atomic_load(&upload->reset_to);
    settings.check = settings.check_from != UINT64_MAX;
    struct uploader_ports ports = {r->runtime->broker, r->runtime->ledger, r->runtime->store};
    d->uploader = uploader_new(&settings, &ports);
    loop_init(&d->loop, &r->loops, "uploader");
    d->flushed = 0;
    d->due_ms = 0;
}

/* Not ours any more: another process begins where the seals say. */
static void let_go(struct run *r, struct duty *d) {
    uploader_free(d->uploader);
    d->uploader = NULL;
    loop_done(&d->loop);
    LOCKED(&r->lock);
    r->uploads[d->partition].view = (struct uploader_view){0};
}

/* One step; false when the thread is to end. */
static bool uploader_turn(struct run *r, struct duty *d, uint64_t now_ms) {
    struct why why = {0};
    uint64_t wait_ms = 0, rest_ms = 0;
    unsigned flushes = atomic_load(&r->flushes);
    uploader_set_epoch(d->uploader, atomic_load(&r->loops.epoch));
    if (flushes != d->flushed) uploader_flush(d->uploader);
    d->flushed = flushes;
    enum rc rc = uploader_step(d->uploader, now_ms, &wait_ms, &why);
    if (rc == RC_OK && (wait_ms || now_ms - d->viewed_ms >= VIEW_MS)) {
        struct uploader_view view;
        uploader_publish_view(r, d, &view);
        d->viewed_ms = now_ms;
        if (wait_ms && atomic_load(&r->converted) && !view.drained) {
            uploader_flush(d->uploader);
            wait_ms = MIN(wait_ms, (uint64_t)SEAL_SOON_MS);
        }
        if (wait_ms) d->due_ms = now_ms + MIN(wait_ms, (uint64_t)RUN_IDLE_WAIT_MS);
    }
    bool go_on = loop_judge(&d->loop, rc, &why, &rest_ms);
    if (rest_ms) d->due_ms = clock_ms(clock_real()) + rest_ms;
    return go_on;
}

/* A step of each partition that is ours and due. *out_next_ms: when the next one is. */
static bool go_round(struct run *r, struct duty *duties, size_t n, uint64_t *out_next_ms) {
    uint64_t now_ms = clock_ms(clock_real());
    *out_next_ms = now_ms + RUN_IDLE_WAIT_MS;
    for (size_t i = 0; i < n; i++) {
        struct duty *d = &duties[i];
        bool owned = atomic_load(&r->uploads[d->partition].owned);
        if (!owned && d->uploader) let_go(r, d);
        if (!owned) continue;
        if (!d->uploader) take_up(r, d);
        if (d->due_ms <= now_ms && !uploader_turn(r, d, now_ms)) return false;
        *out_next_ms = MIN(*out_next_ms, d->due_ms);
    }
    return true;
}

static void rest(struct run *r, struct duty *duties, size_t n, uint64_t next_ms) {
    uint64_t now_ms = clock_ms(clock_real());
    if (next_ms <= now_ms) return;
    if (n == 1 && duties[0].uploader)
        uploader_wait(r, &duties[0], next_ms - now_ms);
    else
        loops_sleep(&r->loops, next_ms - now_ms);
}

void *run_uploader_main(void *context) {
    struct run_thread *t = context;
    struct run *r = t->run;
    size_t n = 0;
    struct duty *duties = alloc_zero(r->partitions, sizeof *duties);
    for (size_t p = t->number; p < r->partitions; p += r->upload_threads) duties[n++].partition = (uint32_t)p;
    uint64_t next_ms = 0;
    while (!loops_stopping(&r->loops) && go_round(r, duties, n, &next_ms)) rest(r, duties, n, next_ms);
    for (size_t i = 0; i < n; i++) uploader_free(duties[i].uploader);
    free(duties);
    return NULL;
}
