/* SPDX-License-Identifier: Apache-2.0 */
#include "emitter_inner.h"

#include "alloc.h"
#include "job.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "stamp.h"

#include <stdlib.h>

enum {
    RECEIPTS_MS = 1000,
    LATER_MS = 20, /* until files are looked at again whose texts are being measured */
    PRODUCER_BYTES = 8 * 1024 * 1024,
    /* who is to hear of receipts may be away for hours */
    NOTIFY_FIRST_MS = 1000,
    NOTIFY_CAP_MS = 60 * 1000
};

RC emitter_new(const struct emitter_settings *settings, const struct emitter_ports *ports, struct rng rng,
               struct emitter **out, struct why *why) {
    struct emitter *e = ALLOC(struct emitter);
    e->settings = *settings;
    e->ports = *ports;
    e->rng = rng;
    e->changed = true;
    e->notify_backoff = backoff_make(NOTIFY_FIRST_MS, NOTIFY_CAP_MS, rng_from_seed(rng_next(&e->rng)));
    e->message = BUF_INIT(JOB_MESSAGE_MAX);
    enum rc rc = broker_producer_new(ports->broker, PRODUCER_BYTES, &e->producer, why);
    if (rc != RC_OK) {
        free(e);
        return rc;
    }
    turns_init(&e->turns, settings->sources_len);
    for (size_t i = 0; i < settings->sources_len; i++)
        turns_set_weight(&e->turns, i, settings->sources[i].weight ? settings->sources[i].weight : 1);
    *out = e;
    return RC_OK;
}

void emitter_free(struct emitter *e) {
    if (!e) return;
    for (size_t i = 0; i < e->catalog.len; i++)
        if (e->catalog.entries[i].held) source_close(e->ports.source, e->catalog.entries[i].held);
    if (e->producer.ops) broker_producer_free(e->producer);
    emitter_batches_free(e->batches);
    catalog_done(&e->catalog);
    arena_done(&e->arena);
    buf_done(&e->message);
    free(e->todo);
    free(e->later);
    turns_done(&e->turns);
    free(e->actives);
    free(e->stripes);
    free(e);
}

void emitter_wake(struct emitter *e) { e->woken = true; }

/* A ledger that was set back may have forgotten anything: every file is looked up again, and published from its start.
 */
void emitter_set_epoch(struct emitter *e, uint64_t epoch) {
    if (e->ports.ledger.at.epoch == epoch) return;
    e->ports.ledger.at.epoch = epoch;
    for (size_t i = 0; i < e->catalog.len; i++) {
        struct catalog_entry *entry = &e->catalog.entries[i];
        if (entry->state == CATALOG_FREE) continue;
        emitter_forget_active(e, entry);
        entry->done_size = 0;
        entry->next_stripe = 0;
        emitter_todo(e, entry);
    }
}

const struct emitter_source *emitter_source_of(const struct emitter *e, const struct catalog_entry *entry) {
    return &e->settings.sources[entry->source];
}

void emitter_todo(struct emitter *e, struct catalog_entry *entry) {
    entry->state = CATALOG_NEW;
    e->changed = true;
    if (entry->queued) return;
    alloc_grow(&e->todo, &e->todo_room, e->todo_len + 1, sizeof *e->todo);
    e->todo[e->todo_len++] = catalog_place(&e->catalog, entry);
    entry->queued = true;
}

/* Those whose texts were not measured yet. */
static void look_again(struct emitter *e) {
    while (e->later_len) {
        struct catalog_entry *entry = &e->catalog.entries[e->later[--e->later_len]];
        entry->queued = false;
        if (entry->state == CATALOG_NEW) emitter_todo(e, entry);
    }
}

void emitter_later(struct emitter *e, struct catalog_entry *entry) {
    if (entry->queued) return;
    if (!e->later_len) e->later_ms = e->now_ms + LATER_MS;
    alloc_grow(&e->later, &e->later_room, e->later_len + 1, sizeof *e->later);
    e->later[e->later_len++] = catalog_place(&e->catalog, entry);
    entry->queued = true;
}

struct str emitter_uri(struct emitter *e, const struct catalog_entry *entry) {
    return catalog_uri(&e->catalog, entry, &e->arena);
}

RC emitter_open(struct emitter *e, const struct catalog_entry *entry, struct source_file **out, struct why *why) {
    struct source_stat stat = catalog_stat(entry);
    struct source view = emitter_source_of(e, entry)->view;
    return source_open(view.ops ? view : e->ports.source, emitter_uri(e, entry), &stat, out, why);
}

void emitter_hold(struct emitter *e, struct catalog_entry *entry) {
    size_t max = e->settings.held_max ? e->settings.held_max : EMITTER_HELD_DEFAULT;
    if (entry->held || entry->fixed || e->held >= max) return; /* what never changes is opened by its facts, or gone */
    if (emitter_open(e, entry, &entry->held, NULL) == RC_OK) e->held++;
}

void emitter_release(struct emitter *e, struct catalog_entry *entry) {
    if (!entry->held) return;
    source_close(e->ports.source, entry->held);
    entry->held = NULL;
    e->held--;
}

/* ---- scanning ---- */

struct scanning {
    struct emitter *emitter;
    uint16_t source;
};

static enum rc see(void *context, const struct source_entry *seen) {
    struct scanning *s = context;
    struct emitter *e = s->emitter;
    struct catalog_entry *entry = catalog_find(&e->catalog, s->source, &seen->stat);
    if (!entry) {
        entry = catalog_add(&e->catalog, s->source, seen);
        entry->changed = true;
        emitter_todo(e, entry);
    } else if (entry->fixed) {
        entry->mtime_ns = seen->stat.mtime_ns; /* the same bytes were put again */
    } else if (entry->raw_size != seen->stat.size || entry->mtime_ns != seen->stat.mtime_ns) {
        entry->changed = true;
        emitter_todo(e, entry);
    } else if (entry->denied || entry->unripe) {
        emitter_todo(e, entry); /* it may have become readable, or what it is may be told by now */
    }
    bool first_name = entry->seen != e->scan;
    if (first_name && !catalog_is_named(&e->catalog, entry, seen->uri)) {
        catalog_rename(&e->catalog, entry, seen->uri);
        entry->rotated = entry->changed = true; /* its writer may still hold it for a while */
        emitter_todo(e, entry);
    }
    entry->seen = e->scan;
    entry->moved = false;
    return RC_OK;
}

static void problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    struct scanning *s = context;
    LOG_WARN("place cannot be listed", F_STR("source", s->emitter->settings.sources[s->source].name),
             F_STR("place", uri), F_STR("rc", str_of(rc_name(rc))), F_STR("error", str_of(why ? why->text : "")));
}

/* A file that no name leads to any more: its size may still grow through the descriptor of its writer. */
static void see_unlisted(struct emitter *e, struct catalog_entry *entry) {
    if (!entry->moved) {
        entry->moved = true;
        entry->rotated = true;
        entry->changed = true;
    }
    struct source_stat stat = {0};
    if (entry->held && source_stat(e->ports.source, entry->held, &stat, NULL) == RC_OK &&
        (stat.size != entry->raw_size || stat.mtime_ns != entry->mtime_ns)) {
        entry->changed = true;
        emitter_todo(e, entry);
    }
    bool nothing_left = entry->closed && entry->gone && (entry->receipted || entry->lost_told) && !entry->outstanding &&
                        !entry->waiting && !entry->queued;
    if (id_is_none(entry->id) && !entry->queued) nothing_left = true;
    if (!nothing_left) return;
    emitter_release(e, entry);
    catalog_remove(&e->catalog, entry);
    e->changed = true;
}

/* Of a source that could not be listed nothing is known: its files are as they were. */
static void keep_seen(struct emitter *e, uint16_t source) {
    for (size_t i = 0; i < e->catalog.len; i++)
        if (e->catalog.entries[i].source == source) e->catalog.entries[i].seen = e->scan;
}

/* A source that is away does not keep the others from being seen. */
static RC scan_source(struct emitter *e, uint16_t source, struct why *why) {
    struct scanning s = {e, source};
    struct why local = {0};
    const struct emitter_source *settings = &e->settings.sources[source];
    enum rc rc = source_list(e->ports.source, &settings->pattern, see, problem, &s, &local);
    if (rc == RC_OK) return RC_OK;
    e->rescan_again = e->unlisted = true; /* --once has to see everything once */
    if (rc != RC_BUSY) return why_set(why, rc, "source %.*s: %s", STR_ARG(settings->name), local.text);
    LOG_WARN("source cannot be listed now", F_STR("source", settings->name), F_STR("error", str_of(local.text)));
    keep_seen(e, source);
    return RC_OK;
}

static RC scan(struct emitter *e, struct why *why) {
    uint64_t from = stamp_mono_ns();
    e->scan++;
    e->woken = e->rescan_again = e->unlisted = false;
    for (size_t i = 0; i < e->settings.sources_len; i++) TRY(scan_source(e, (uint16_t)i, why));
    for (size_t i = 0; i < e->catalog.len; i++) {
        struct catalog_entry *entry = &e->catalog.entries[i];
        if (entry->state != CATALOG_FREE && entry->seen != e->scan) see_unlisted(e, entry);
    }
    e->close_at = 0;
    e->closing = true;
    e->rest = true;
    metric_observe(METRIC_SCAN, stamp_mono_ns() - from);
    return RC_OK;
}

static bool scan_is_due(const struct emitter *e) {
    if (!e->scan) return true;
    if (e->settings.once) return e->rescan_again && e->now_ms >= e->next_scan_ms;
    return e->woken || e->now_ms >= e->next_scan_ms;
}

/* ---- the step ---- */

/* One pass over the catalog a scan: what has been quiet for long enough is closed. */
static RC close_pass(struct emitter *e, struct why *why) {
    TRY(emitter_close_idle(e, why));
    if (e->close_at >= e->catalog.len) {
        e->closing = false;
        if (!e->todo_len && !e->later_len && !e->unlisted) {
            e->scanned = true;
            free(TAKE(e->todo)); /* after the first scan it had all files in it */
            e->todo_room = 0;
        }
    }
    return RC_OK;
}

static bool window_has_room(const struct emitter *e) {
    if (emitter_window_is_full(e)) return false;
    if (e->turns.waiting) return true;
    for (size_t i = 0; i < e->actives_len; i++)
        if (emitter_has_more(&e->actives[i])) return true;
    return false;
}

static uint64_t until_next(const struct emitter *e) {
    uint64_t next = MAX(e->next_receipts_ms, e->notify_again_ms);
    if (e->settings.shared) next = MIN(next, e->next_others_ms);
    if (!e->settings.once || e->rescan_again) next = MIN(next, e->next_scan_ms);
    if (e->stripes_len) next = MIN(next, e->next_poll_ms);
    if (e->later_len) next = MIN(next, e->later_ms);
    return next > e->now_ms ? next - e->now_ms : 0;
}

static RC poll_some(struct emitter *e, struct why *why) {
    TRY(emitter_poll(e, why));
    if (e->stripes_polled < e->stripes_len) return RC_OK;
    /* The next round begins at the first one, whatever comes into the window until then: going on behind the last one,
     * rounds would look at the newest only, and the others would fill the window for ever. */
    e->stripes_polled = 0;
    e->next_poll_ms = e->now_ms + e->settings.poll_ms;
    return RC_OK;
}

static RC receipts_some(struct emitter *e, struct why *why) {
    size_t written = 0;
    enum rc rc = emitter_receipts(e, &written, why);
    if (written) e->changed = true;
    if (rc != RC_OK) return rc;
    if (!written) e->next_receipts_ms = e->now_ms + MIN((uint64_t)RECEIPTS_MS, e->settings.poll_ms * 4);
    return RC_OK;
}

static RC renew_producer(struct emitter *e, struct why *why) {
    if (e->producer.ops) broker_producer_free(e->producer);
    e->producer = (struct broker_producer){0};
    TRY(broker_producer_new(e->ports.broker, PRODUCER_BYTES, &e->producer, why));
    e->producer_broken = false;
    return RC_OK;
}

/* The step may have changed what emitter_look() counts. */
static enum rc changing(struct emitter *e, enum rc rc) {
    e->changed = true;
    return rc;
}

RC emitter_step(struct emitter *e, uint64_t now_ms, int64_t wall_ns, uint64_t *out_wait_ms, struct why *why) {
    e->now_ms = now_ms;
    e->wall_ns = wall_ns;
    if (e->rest) e->next_scan_ms = now_ms + e->settings.rescan_ms;
    e->rest = false;
    arena_reset(&e->arena);
    *out_wait_ms = 0;
    if (e->producer_broken) return renew_producer(e, why);
    if (scan_is_due(e)) return scan(e, why);
    if (e->later_len && now_ms >= e->later_ms) look_again(e);
    if (e->todo_len) return changing(e, emitter_identify(e, why));
    if (e->closing) return close_pass(e, why);
    if (window_has_room(e)) return changing(e, emitter_publish(e, why));
    if (e->stripes_len && now_ms >= e->next_poll_ms) return changing(e, poll_some(e, why));
    if (now_ms >= e->next_receipts_ms && now_ms >= e->notify_again_ms) return receipts_some(e, why);
    if (e->settings.shared && now_ms >= e->next_others_ms) return emitter_receipts_elsewhere(e, why);
    *out_wait_ms = until_next(e);
    return RC_OK;
}

static void count_entry(struct emitter_view *v, const struct catalog_entry *entry) {
    if (entry->ignored) {
        v->ignored++;
        return;
    }
    v->files++;
    v->bytes += entry->size;
    v->bytes_done += MIN(entry->done_size, entry->size);
    if (entry->closed)
        v->closed++;
    else
        v->open++;
    if (entry->receipted) v->receipted++;
    if (entry->set_aside) v->set_aside++;
    if (entry->denied) v->unreadable++;
    v->converted = v->converted && (entry->closed || entry->denied);
    v->done = v->done && (entry->receipted || entry->set_aside || entry->denied || entry->lost_told);
}

void emitter_look(struct emitter *e, struct emitter_view *out) {
    if (e->changed) {
        e->counted = (struct emitter_view){.converted = true, .done = true};
        for (size_t i = 0; i < e->catalog.len; i++)
            if (e->catalog.entries[i].state != CATALOG_FREE) count_entry(&e->counted, &e->catalog.entries[i]);
        e->changed = false;
    }
    bool idle = !e->todo_len && !e->later_len && !e->turns.waiting && !e->stripes_len;
    *out = e->counted;
    out->outstanding = e->stripes_len;
    out->lost_bytes = e->lost_bytes;
    out->scanned = e->scanned;
    out->converted = e->settings.once && e->scanned && idle && e->counted.converted;
    out->done = out->converted && e->counted.done;
}
