/* SPDX-License-Identifier: Apache-2.0 */
/* closing: when a file has ended. A closed end is a line start for ever, so it is in the ledger before any job says it.
 */
#include "alloc.h"
#include "emitter_inner.h"
#include "log.h"
#include "num.h"

#include <stdlib.h>
#include <string.h>

enum { GROWING_PIECE = 64 * 1024 }; /* in which the last whole line of a growing file is looked for, from its end */

/* How long it is quiet. The second of the last change is not over before its end: never more than it is. */
static uint64_t idle_ms(const struct emitter *e, struct catalog_entry *entry) {
    if (entry->changed) { /* seen in an earlier step, so that it is quiet since now at the latest */
        entry->changed_s = (uint32_t)(e->now_ms / 1000);
        entry->changed = false;
    }
    return e->now_ms - MIN(e->now_ms, ((uint64_t)entry->changed_s + 1) * 1000);
}

/* Whether to close now, and whether anything can still come. Looks at no file that its time has not come for. */
static bool is_due(const struct emitter *e, struct catalog_entry *entry) {
    if (entry->state == CATALOG_FREE || entry->state == CATALOG_NEW || id_is_none(entry->id)) return false;
    uint64_t idle = idle_ms(e, entry);
    bool known = entry->receipted || entry->close_told; /* else the ledger may not know that a receipt is wanted */
    bool unread = entry->outstanding || entry->waiting;
    if (entry->gone && unread && !entry->held) return true; /* can anybody still read it? */
    if (known && entry->closed && entry->closed_end == entry->size && (!entry->moved || entry->gone)) return false;
    if (e->settings.once || (entry->fixed && !entry->moved)) return true;
    const struct emitter_source *source = emitter_source_of(e, entry);
    return idle >= (entry->moved || entry->rotated ? source->rotated_after_ms : source->close_after_ms);
}

/* --once takes what is there now. Of a file that somebody is writing to, that is up to its last whole line: the closed
 * end is a line start for ever, and should not cut the line that is being written. `from` is a line start, and the end
 * where there is no other. */
static enum rc end_of_growing(struct emitter *e, struct source_file *file, uint64_t from, uint64_t size,
                              uint64_t *out) {
    char *bytes = alloc_bytes(GROWING_PIECE);
    const char *hit = NULL;
    enum rc rc = RC_OK;
    while (!hit && rc == RC_OK && size > from) {
        size_t len = (size_t)MIN(size - from, (uint64_t)GROWING_PIECE), got = 0;
        rc = source_read(e->ports.source, file, size - len, bytes, len, &got, NULL);
        hit = rc == RC_OK && got == len ? memrchr(bytes, '\n', len) : NULL;
        if (rc == RC_OK && got < len) rc = RC_STALE; /* it shrank */
        if (hit) *out = size - len + (uint64_t)(hit - bytes) + 1;
        size -= len;
    }
    if (!hit) *out = from;
    free(bytes);
    return rc;
}

/* A last look before the end is written down: RC_OK with the size, RC_STALE when it changed and has to be looked at
 * again. */
static enum rc last_look(struct emitter *e, struct catalog_entry *entry, struct ledger_close *out) {
    struct source_file *file = NULL;
    struct source_stat stat = {0};
    *out = (struct ledger_close){.file = entry->id, .end = entry->size};
    if (entry->fixed && !entry->moved) return RC_OK; /* it was listed with its size, and never has another */
    enum rc rc = emitter_open(e, entry, &file, NULL);
    if (rc == RC_OK) {
        if (entry->moved && (entry->outstanding || entry->waiting))
            emitter_hold(e, entry); /* else it may be the last */
        rc = source_measure(e->ports.source, file, &stat, NULL);
        if (rc == RC_OK && stat.pending) rc = RC_STALE;
        stat.size = source_end(&stat);
        if (rc == RC_OK && e->settings.once && stat.size > entry->size) {
            rc = end_of_growing(e, file, entry->closed ? entry->closed_end : 0, entry->size, &out->end);
            stat.size = entry->size;
        }
        source_close(e->ports.source, file);
        if (rc == RC_STALE) return rc;
    }
    if (rc == RC_ABSENT || rc == RC_STALE) { /* nobody can read it any more */
        if (!entry->moved) {                 /* or it was renamed since the scan: the next one tells */
            e->rescan_again = e->woken = true;
            return RC_BUSY;
        }
        out->gone = true;
        return RC_OK;
    }
    if (rc != RC_OK) return rc;
    if (stat.size != entry->size) return RC_STALE;
    out->gone = stat.links == 0;
    return RC_OK;
}

/* It was compressed, and what is there now goes on as the same file. */
static bool lives_on(const struct emitter *e, const struct catalog_entry *entry) {
    for (size_t i = 0; e->adopted && i < e->catalog.len; i++) {
        const struct catalog_entry *other = &e->catalog.entries[i];
        if (other != entry && other->state != CATALOG_FREE && !other->gone && id_equal(other->id, entry->id))
            return true;
    }
    return false;
}

/* A file that vanished before it was read ends where the ledger's checkpoint is; the rest is told as lost. */
static void vanish(struct emitter *e, struct catalog_entry *entry) {
    uint64_t lost = entry->size - MIN(entry->size, entry->done_size);
    emitter_forget_active(e, entry);
    emitter_release(e, entry);
    if (entry->open_tail) lost = MAX(lost, (uint64_t)1); /* the length of that line is only in the ledger */
    if (!lost) return;
    if (!entry->lost_told && !lives_on(e, entry)) {
        e->lost_bytes += lost;
        LOG_WARN("file vanished before it was read", F_STR("file", emitter_uri(e, entry)), F_U64("unread_bytes", lost));
    }
    entry->lost_told = true;
    entry->done_size = entry->size;
}

static void want_again(struct emitter *e, struct catalog_entry *entry, uint64_t end) {
    emitter_forget_active(e, entry);
    entry->done_size = MIN(entry->done_size, end - 1);
    entry->next_stripe = MIN(entry->next_stripe, (uint32_t)((end - 1) / entry->stripe_bytes));
    entry->open_tail = false;
}

static void closed(struct emitter *e, struct catalog_entry *entry, const struct ledger_close *ask) {
    bool again = entry->closed && entry->closed_end == ask->end;
    entry->closed = true;
    entry->closed_end = ask->end;
    if (e->settings.once) entry->size = ask->end; /* what grows behind it is for the next run */
    entry->gone = ask->gone;
    entry->close_told = true;
    if (!again) {
        entry->receipted = entry->receipt_put = entry->after_done = false;
        if (e->settings.once || entry->fixed) entry->rotated = true;
        /* A last line without its end wants its job again, now that it is known to be the last. */
        bool finished = !entry->outstanding && !entry->waiting && !entry->open_tail && entry->done_size >= ask->end;
        if (!finished && ask->end) want_again(e, entry, ask->end);
    }
    emitter_want(e, entry);
}

/* It has its receipt from before, and after_durable did not act then: whoever wrote that died, or the file was only
 * idle and was rotated since. */
static bool is_left_over(const struct emitter *e, struct catalog_entry *entry) {
    if (entry->state == CATALOG_FREE || entry->state == CATALOG_NEW || !entry->receipted || entry->after_done)
        return false;
    const struct emitter_source *source = emitter_source_of(e, entry);
    if (source->after == EMITTER_KEEP || !entry->closed || entry->closed_end != entry->size) return false;
    if (e->settings.once) return true;
    return (entry->rotated || entry->fixed) && !entry->moved && !entry->gone &&
           idle_ms(e, entry) >= source->rotated_after_ms;
}

RC emitter_close_idle(struct emitter *e, struct why *why) {
    struct ledger_close asks[EMITTER_BATCH];
    struct catalog_entry *entries[EMITTER_BATCH];
    enum rc outs[EMITTER_BATCH];
    size_t n = 0, first = e->close_at;
    for (; e->close_at < e->catalog.len && n < EMITTER_BATCH; e->close_at++) {
        struct catalog_entry *entry = &e->catalog.entries[e->close_at];
        if (is_left_over(e, entry)) {
            if (n) break; /* one effect a step */
            emitter_after_durable(e, entry);
            e->close_at++;
            return RC_OK;
        }
        if (!is_due(e, entry)) continue;
        enum rc seen = last_look(e, entry, &asks[n]);
        if (seen == RC_OK)
            entries[n++] = entry;
        else if (seen == RC_STALE)
            emitter_todo(e, entry);
        else
            e->rescan_again = true; /* --once has no later scan that would look again */
    }
    if (!n) return RC_OK;
    e->changed = true;
    enum rc rc = ledger_close_files(e->ports.ledger, asks, n, outs, why);
    if (rc != RC_OK) { /* nothing was written: go over the same files again, --once has no later scan that would */
        e->close_at = first;
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        if (outs[i] != RC_OK)
            emitter_todo(e, entries[i]); /* somebody saw more of it: look again */
        else
            closed(e, entries[i], &asks[i]);
        if (outs[i] == RC_OK && asks[i].gone && !entries[i]->held) vanish(e, entries[i]);
    }
    return RC_OK;
}
