/* SPDX-License-Identifier: Apache-2.0 */
/* publish: the window of stripes under way: jobs go out, checkpoints come back, what stays behind is said again. */
#include "alloc.h"
#include "emitter_inner.h"
#include "job.h"
#include "log.h"
#include "metric.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <string.h>

enum {
    AGAIN_MS_MAX = 60 * 1000,  /* the longest silence about a stripe that does not move */
    OPEN_TAIL_MAX = 64 * 1024, /* how far the emitter itself looks for a line's end before it leaves that to a worker */
};

/* Places in the window that are free. A file that no name leads to any more may be readable for nobody but us, and its
 * jobs then are said for ever: they do not hold up the others. There are at most held_max such files. */
static size_t window_room(const struct emitter *e) {
    size_t window = e->settings.window ? e->settings.window : EMITTER_WINDOW_DEFAULT;
    size_t used = e->stripes_len - e->stuck;
    return window > used ? window - used : 0;
}

bool emitter_window_is_full(const struct emitter *e) { return !window_room(e); }

/* Up to where the file is to be converted, as things stand. */
static uint64_t target_of(const struct catalog_entry *entry, bool *out_closed) {
    *out_closed = entry->closed && entry->size <= entry->closed_end;
    return *out_closed ? entry->closed_end : entry->size - MIN(entry->size, (uint64_t)entry->hidden);
}

static bool has_work(const struct catalog_entry *entry) {
    bool closed = false;
    uint64_t target = target_of(entry, &closed);
    return target > entry->done_size;
}

/* Where it waits: with those that are said in one go, or with those of many stripes. */
static size_t queue_of(const struct catalog_entry *entry) {
    bool closed = false;
    uint64_t stripes = stripe_count(target_of(entry, &closed), entry->stripe_bytes);
    return turns_queue_of(entry->source, stripes > (uint64_t)entry->next_stripe + 1);
}

void emitter_want(struct emitter *e, struct catalog_entry *entry) {
    if (entry->state == CATALOG_NEW || entry->state == CATALOG_FREE) return;
    if (entry->waiting) { /* identified again meanwhile: it keeps its place */
        entry->state = CATALOG_PENDING;
        return;
    }
    if (entry->outstanding || entry->set_aside || !has_work(entry)) return;
    const struct emitter_source *source = emitter_source_of(e, entry);
    turns_add(&e->turns, queue_of(entry), source->oldest_first ? entry->mtime_ns : 0,
              catalog_place(&e->catalog, entry));
    entry->waiting = true;
    entry->state = CATALOG_PENDING;
    emitter_hold(e, entry);
}

static struct emitter_active *active_slot(struct emitter *e) {
    for (size_t n = 0; n < e->actives_len; n++) {
        size_t i = e->actives_free++ % e->actives_len;
        if (e->actives[i].retired && !e->actives[i].under_way) return &e->actives[i];
    }
    alloc_grow(&e->actives, &e->actives_room, e->actives_len + 1, sizeof *e->actives);
    return &e->actives[e->actives_len++];
}

static uint32_t activate(struct emitter *e, struct catalog_entry *entry) {
    bool closed = false;
    uint64_t target = target_of(entry, &closed);
    struct emitter_active *a = active_slot(e);
    *a = (struct emitter_active){.place = catalog_place(&e->catalog, entry),
                                 .id = entry->id,
                                 .ready = target,
                                 .closed = closed,
                                 .publish_next = entry->next_stripe,
                                 .open_from = UINT32_MAX,
                                 .stripes = (uint32_t)stripe_count(target, entry->stripe_bytes)};
    entry->outstanding = true;
    entry->state = CATALOG_ACTIVE;
    return (uint32_t)(a - e->actives);
}

/* A producer that failed is made anew by the next step; what of its jobs got through the checkpoints will tell. */
static RC unless_broken(struct emitter *e, enum rc rc) {
    if (rc != RC_BROKEN) return rc;
    e->producer_broken = true;
    return RC_BUSY;
}

/* False: workers read it where it is. One that cannot be opened here any more is said as it is: nobody else may have
 * it, either, and its end is closing.c's matter. */
static bool share_file(struct emitter *e, const struct emitter_active *a, const struct catalog_entry *entry,
                       struct buf *out_url) {
    const struct emitter_share *share = &e->ports.share;
    struct source_stat stat = catalog_stat(entry);
    if (!share->self || entry->fixed) return false;
    return share->publish(share->self, a->id, emitter_uri(e, entry), &stat, out_url) == RC_OK;
}

static void retire(struct emitter *e, struct emitter_active *a) {
    a->retired = true;
    if (e->ports.share.self) e->ports.share.forget(e->ports.share.self, a->id);
}

/* A line that goes on in the next stripe may have come to its end since the stripes were put into the window. */
static RC append_job(struct emitter *e, const struct emitter_active *a, uint32_t stripe, struct why *why) {
    const struct catalog_entry *entry = &e->catalog.entries[a->place];
    uint64_t there = entry->size - MIN(entry->size, (uint64_t)entry->hidden);
    uint64_t ready = stripe + 1 < a->stripes ? MAX(a->ready, there) : a->ready;
    struct job job = {.file = a->id,
                      .stripe = stripe,
                      .ready = ready,
                      .closed = a->closed && ready == a->ready,
                      .facts = {.source = emitter_source_of(e, entry)->name,
                                .uri = emitter_uri(e, entry),
                                .inode = entry->inode,
                                .birth_ns = entry->birth_ns,
                                .volume = entry->volume,
                                .prefix_len = entry->prefix_len,
                                .prefix_hash = entry->prefix_hash,
                                .stripe_bytes = entry->stripe_bytes}};
    AUTO(buf_done) struct buf at = BUF_INIT(JOB_AT_MAX);
    if (share_file(e, a, entry, &at)) job.at = buf_str(&at);
    buf_reset(&e->message);
    TRY(job_encode(&job, &e->message));
    uint32_t partition = (uint32_t)(hash_bytes((struct str){(const char *)a->id.bytes, ID_BYTES}) + stripe);
    TRY(unless_broken(
        e, broker_append(e->producer, BROKER_JOBS, partition, buf_str(&e->message), STR(""), e->cookie++, why)));
    metric_add(METRIC_JOBS_PUBLISHED, 1);
    return RC_OK;
}

/* The acknowledgements of jobs tell nothing that the checkpoints do not; they are taken so that the producer has room.
 */
static RC drain_acks(struct emitter *e, struct why *why) {
    struct broker_ack acks[64];
    size_t n = COUNT_OF(acks);
    while (n == COUNT_OF(acks)) TRY(unless_broken(e, broker_poll(e->producer, 0, acks, COUNT_OF(acks), &n, why)));
    return RC_OK;
}

static void set_stuck(struct emitter *e, struct emitter_stripe *s, bool stuck) {
    struct emitter_active *a = &e->actives[s->active];
    if (s->stuck == stuck) return;
    s->stuck = stuck;
    e->stuck += stuck ? 1 : (size_t)-1;
    a->stuck += stuck ? 1 : (uint32_t)-1;
}

static RC publish_next(struct emitter *e, uint32_t active, struct why *why) {
    struct emitter_active *a = &e->actives[active];
    TRY(append_job(e, a, a->publish_next, why));
    alloc_grow(&e->stripes, &e->stripes_room, e->stripes_len + 1, sizeof *e->stripes);
    e->stripes[e->stripes_len++] = (struct emitter_stripe){.active = active,
                                                           .stripe = a->publish_next++,
                                                           .wait_ms = e->settings.republish_ms,
                                                           .again_ms = e->now_ms + e->settings.republish_ms};
    a->under_way++;
    /* Where one stripe waits for nothing, the next of the file will: none of them takes the place of others. */
    set_stuck(e, &e->stripes[e->stripes_len - 1], a->stuck > 0);
    return RC_OK;
}

static bool is_of(const struct emitter *e, const struct emitter_active *a, size_t queue) {
    return turns_queue_of(e->catalog.entries[a->place].source, true) == queue;
}

/* A file of the queue that is under way and has more stripes to say, each in its turn; NULL: none. */
static struct emitter_active *next_active(struct emitter *e, size_t queue) {
    if (!turns_is_of_many(queue)) return NULL; /* a file of one stripe is said when it is put under way */
    for (size_t n = 0; n < e->actives_len; n++) {
        struct emitter_active *a = &e->actives[e->active_at++ % e->actives_len];
        if (emitter_has_more(a) && is_of(e, a, queue)) return a;
    }
    return NULL;
}

/* A file that waited; NULL: none. */
static struct emitter_active *next_waiting(struct emitter *e, size_t queue) {
    while (e->turns.queues[queue].len) {
        struct catalog_entry *entry = &e->catalog.entries[turns_take(&e->turns, queue)];
        entry->waiting = false;
        if (entry->state != CATALOG_PENDING) continue;
        entry->state = CATALOG_ACTIVE;
        if (!has_work(entry)) continue;
        uint32_t slot = activate(e, entry); /* the slots may have moved */
        return &e->actives[slot];
    }
    return NULL;
}

RC emitter_publish(struct emitter *e, struct why *why) {
    TRY(drain_acks(e, why));
    bool *ready = ARENA_ARRAY(&e->arena, bool, e->turns.queues_len);
    for (size_t i = 0; i < e->turns.queues_len; i++) ready[i] = e->turns.queues[i].len > 0;
    for (size_t i = 0; i < e->actives_len; i++)
        if (emitter_has_more(&e->actives[i]))
            ready[turns_queue_of(e->catalog.entries[e->actives[i].place].source, true)] = true;
    while (!emitter_window_is_full(e)) {
        size_t queue = turns_next(&e->turns, ready);
        if (queue == e->turns.queues_len) break;
        struct emitter_active *a = next_active(e, queue);
        if (!a) a = next_waiting(e, queue);
        ready[queue] = a != NULL;
        if (!a) continue;
        uint64_t grid = e->catalog.entries[a->place].stripe_bytes;
        turns_spend(&e->turns, queue, MIN(grid, a->ready - MIN(a->ready, a->publish_next * grid)));
        TRY(publish_next(e, (uint32_t)(a - e->actives), why));
    }
    return RC_OK;
}

void emitter_forget_active(struct emitter *e, struct catalog_entry *entry) {
    if (!entry->outstanding) return;
    uint32_t place = catalog_place(&e->catalog, entry);
    for (size_t i = 0; i < e->actives_len; i++)
        if (!e->actives[i].retired && e->actives[i].place == place) retire(e, &e->actives[i]);
    entry->outstanding = false;
}

/* All stripes of the active are finished up to its `ready`. */
static void complete(struct emitter *e, struct emitter_active *a) {
    struct catalog_entry *entry = &e->catalog.entries[a->place];
    retire(e, a);
    entry->outstanding = false;
    entry->set_aside = entry->set_aside || a->set_aside;
    entry->done_size = a->open_from == UINT32_MAX ? a->ready : a->open_ready;
    entry->open_tail = a->open_tail;
    uint32_t full = (uint32_t)(a->ready / entry->stripe_bytes);
    entry->next_stripe = MIN(full, a->open_from);
    emitter_want(e, entry);
    if (entry->state != CATALOG_PENDING && !entry->open_tail) emitter_release(e, entry);
}

/* Where the first line starts that this stripe still has to do, in the bytes [from, to): behind the line that comes
 * over from the stripe before, when nothing was converted yet. */
static size_t first_start(const struct ledger_checkpoint *c, const char *bytes, size_t len, uint64_t from) {
    if (from == c->at) return 0;
    const char *hit = memchr(bytes, '\n', len);
    size_t start = hit ? (size_t)(hit - bytes) + 1 : len;
    return c->ends_len ? (size_t)MIN((uint64_t)start, c->ends[0] - from) : start;
}

/* An open file may end in a line without its newline: such a rest is nobody's yet. */
static bool rest_is_open_line(struct emitter *e, const struct catalog_entry *entry, const struct ledger_checkpoint *c,
                              uint64_t to) {
    uint64_t from = c->at - (c->at && id_is_none(c->winner) ? 1 : 0);
    if (to - from > OPEN_TAIL_MAX) return false;
    static _Thread_local char bytes[OPEN_TAIL_MAX];
    struct source_file *file = NULL;
    if (emitter_open(e, entry, &file, NULL) != RC_OK) return false;
    size_t got = 0;
    enum rc rc = source_read(e->ports.source, file, from, bytes, (size_t)(to - from), &got, NULL);
    source_close(e->ports.source, file);
    if (rc != RC_OK || got != to - from) return false;
    size_t start = first_start(c, bytes, got, from);
    return start >= got || !memchr(bytes + start, '\n', got - start);
}

/* The last stripe was said up to a size that the file has long outgrown, or before its end was known, and nothing came
 * of it: what is left may be a line that ended since. */
static bool is_outdated(const struct emitter *e, const struct emitter_stripe *s, const struct catalog_entry *entry) {
    const struct emitter_active *a = &e->actives[s->active];
    bool closed = false;
    uint64_t target = target_of(entry, &closed);
    if (entry->state == CATALOG_NEW || e->now_ms < s->again_ms) return false;
    return target > a->ready || (closed && !a->closed);
}

/* A record that goes on into the next stripes is not whole before the file grows, and the job was said up to a size of
 * then: it is said up to what is there now. */
static bool waits_for_the_next(const struct emitter *e, const struct emitter_stripe *s,
                               const struct ledger_checkpoint *c) {
    const struct emitter_active *a = &e->actives[s->active];
    const struct catalog_entry *entry = &e->catalog.entries[a->place];
    uint64_t reach = emitter_source_of(e, entry)->record_bytes_max;
    uint64_t end = stripe_end(s->stripe, entry->stripe_bytes);
    return reach && num_add(end, reach) > a->ready && e->now_ms >= s->again_ms && c->at == s->at;
}

static bool finished(struct emitter *e, struct emitter_stripe *s, const struct ledger_checkpoint *c) {
    struct emitter_active *a = &e->actives[s->active];
    const struct catalog_entry *entry = &e->catalog.entries[a->place];
    uint64_t target = MIN(a->ready, stripe_end(s->stripe, entry->stripe_bytes));
    if (c->at >= target) return true;
    if (c->set_aside) {
        if (!a->set_aside)
            LOG_ERROR("stripe set aside: its job failed too often", F_STR("file", emitter_uri(e, entry)),
                      F_U64("stripe", s->stripe), F_U64("offset", c->at));
        return a->set_aside = true;
    }
    bool last = s->stripe + 1 >= a->stripes, half_before = !last && waits_for_the_next(e, s, c);
    if (a->closed || (!last && !half_before)) return false;
    bool outdated = half_before || is_outdated(e, s, entry);
    /* Only the converter knows where records of several lines end. When nothing came of a job for as long as it takes
     * to say it again, the rest is half a record; closing the file says it again until its end is reached. */
    bool half = emitter_source_of(e, entry)->spans_lines && e->now_ms >= s->again_ms && c->at == s->at;
    if (!outdated && !half && !rest_is_open_line(e, entry, c, a->ready)) return false;
    a->open_from = MIN(a->open_from, s->stripe);
    a->open_ready = a->ready - (outdated ? 1 : 0); /* so that there is something to do */
    return a->open_tail = true;
}

static RC say_again(struct emitter *e, struct emitter_stripe *s, const struct ledger_checkpoint *c, struct why *why) {
    if (c->at != s->at) { /* it moves: no hurry */
        s->at = c->at;
        s->wait_ms = e->settings.republish_ms;
        s->again_ms = e->now_ms + s->wait_ms;
        set_stuck(e, s, false);
    }
    if (e->now_ms < s->again_ms) return RC_OK;
    TRY(append_job(e, &e->actives[s->active], s->stripe, why));
    /* Maybe it has another name by now, or is another file: --once has no scans that would tell. */
    if (s->wait_ms > e->settings.republish_ms) e->rescan_again = true;
    uint64_t longest = MAX((uint64_t)AGAIN_MS_MAX, e->settings.republish_ms);
    s->wait_ms = MIN(s->wait_ms * 2, longest);
    set_stuck(e, s, s->wait_ms == longest && e->catalog.entries[e->actives[s->active].place].moved);
    s->again_ms = e->now_ms + s->wait_ms;
    return RC_OK;
}

static void stripe_remove(struct emitter *e, size_t at) {
    struct emitter_active *a = &e->actives[e->stripes[at].active];
    MUST(a->under_way > 0);
    a->under_way--;
    set_stuck(e, &e->stripes[at], false);
    bool last = !a->retired && !a->under_way && a->publish_next >= a->stripes;
    e->stripes[at] = e->stripes[--e->stripes_len];
    if (last) complete(e, a);
}

/* Removal swaps the last into the hole, so a batch is gone through from its end. */
static RC judge(struct emitter *e, size_t from, size_t n, const struct ledger_checkpoint *found, struct why *why) {
    for (size_t i = n; i-- > 0;) {
        struct emitter_stripe *s = &e->stripes[from + i];
        struct emitter_active *a = &e->actives[s->active];
        if (a->retired || !found[i].found || finished(e, s, &found[i]))
            stripe_remove(e, from + i);
        else
            TRY(say_again(e, s, &found[i], why));
    }
    return RC_OK;
}

RC emitter_poll(struct emitter *e, struct why *why) {
    if (e->stripes_polled >= e->stripes_len) e->stripes_polled = 0;
    size_t from = e->stripes_polled, n = MIN(e->stripes_len - from, (size_t)EMITTER_BATCH);
    struct ledger_stripe *asks = ARENA_ARRAY(&e->arena, struct ledger_stripe, n);
    struct ledger_checkpoint *found = ARENA_ARRAY(&e->arena, struct ledger_checkpoint, n);
    for (size_t i = 0; i < n; i++) {
        const struct emitter_stripe *s = &e->stripes[from + i];
        asks[i] = (struct ledger_stripe){e->actives[s->active].id, s->stripe};
    }
    TRY(ledger_checkpoints(e->ports.ledger, asks, n, &e->arena, found, why));
    size_t before = e->stripes_len;
    TRY(judge(e, from, n, found, why));
    size_t removed = before - e->stripes_len;
    e->stripes_polled = from + n - MIN(removed, n);
    return RC_OK;
}
