/* SPDX-License-Identifier: Apache-2.0 */
#include "identify.h"

#include "adopt.h"
#include "decode_kind.h"
#include "emitter_inner.h"
#include "log.h"
#include "must.h"
#include "num.h"
#include "own.h"

enum {
    NS_PER_MS = 1000000,
    SEEK_MAX = 64 /* files of one batch that stay open until it is known what they are */
};

enum identify_answer identify_decide(const struct ledger_file *known, const struct identify_view *view) {
    uint64_t seen = MAX((uint64_t)known->prefix_len, known->reach);
    if (known->closed) seen = MAX(seen, known->closed_end);
    if (view->size < seen) return IDENTIFY_SHORTER;
    if (known->prefix_len && view->prefix_hash != known->prefix_hash) return IDENTIFY_NEW;
    if (known->reach && view->tail_hash != known->tail_hash) return IDENTIFY_NEW;
    return IDENTIFY_SAME;
}

/* One file of the batch between the look-up and the decision. */
struct candidate {
    struct catalog_entry *entry;
    struct source_file *file; /* open while it is looked at */
    struct source_stat stat;  /* .size is of what is read */
    uint64_t raw_size;
    uint16_t hidden;
    enum { SKIP, ENROLL, AMEND, KNOWN, IGNORE, LATER, SEEK, ADOPT } fate;
    uint32_t prefix_len;
    uint64_t prefix_hash;
};

static RC hash_range(struct emitter *e, struct source_file *file, uint64_t from, size_t len, uint64_t *out,
                     bool *out_whole, struct why *why) {
    char bytes[PREFIX_MAX];
    MUST(len <= sizeof bytes);
    size_t got = 0;
    TRY(source_read(e->ports.source, file, from, bytes, len, &got, why));
    *out_whole = got == len;
    *out = hash_bytes((struct str){bytes, got});
    return RC_OK;
}

/* Fills the view's hashes; a file that shrinks meanwhile shows as a shorter size. The prefix is read once: what it is
 * compared by and what may be stored instead are of the same bytes, so that a file that is rewritten in between does
 * not pass for the one before. */
static RC view_of(struct emitter *e, struct candidate *c, const struct ledger_file *known, struct identify_view *out,
                  struct why *why) {
    char prefix[PREFIX_MAX];
    bool whole = true;
    size_t len = (size_t)MIN(c->stat.size, (uint64_t)PREFIX_MAX), got = 0;
    TRY(source_read(e->ports.source, c->file, 0, prefix, len, &got, why));
    if (got < len) return why_set(why, RC_BUSY, "%s shrank while it was identified", emitter_uri(e, c->entry).at);
    c->prefix_len = (uint32_t)len;
    c->prefix_hash = hash_bytes((struct str){prefix, len});
    out->size = c->stat.size;
    if (!known->found || out->size < known->prefix_len || out->size < known->reach) return RC_OK;
    MUST(known->prefix_len <= len);
    out->prefix_hash = hash_bytes((struct str){prefix, known->prefix_len});
    size_t tail = (size_t)MIN(known->reach, (uint64_t)TAIL_MAX);
    TRY(hash_range(e, c->file, known->reach - tail, tail, &out->tail_hash, &whole, why));
    if (!whole) out->size = 0;
    return RC_OK;
}

/* Only this process can have seen how long the old file was: an entry that is new here shows the new one's size. */
static void tell_lost(struct emitter *e, const struct catalog_entry *entry, const struct ledger_file *known) {
    if (id_is_none(entry->id)) return;
    uint64_t lost = entry->size > known->reach ? entry->size - known->reach : 0;
    if (!lost) return;
    e->lost_bytes += lost;
    LOG_WARN("file truncated before it was read", F_STR("file", emitter_uri(e, entry)), F_U64("unread_bytes", lost),
             F_U64("offset", known->reach));
}

/* Nobody has begun it, and it did not change for long, nor since it was listed. */
static bool is_too_old(const struct emitter *e, const struct candidate *c) {
    int64_t limit_ms = (int64_t)emitter_source_of(e, c->entry)->ignore_older_ms;
    bool changed = c->raw_size != c->entry->raw_size || c->stat.mtime_ns != c->entry->mtime_ns;
    return limit_ms && !changed && (e->wall_ns - c->stat.mtime_ns) / NS_PER_MS > limit_ms;
}

/* What never changes is who it is by its facts alone: nothing is read. */
static void decide_fixed(const struct emitter *e, struct candidate *c, const struct ledger_file *known) {
    c->prefix_len = 0;
    c->prefix_hash = hash_bytes(STR(""));
    c->fate = known->found ? KNOWN : is_too_old(e, c) ? IGNORE : ENROLL;
}

static bool is_young(const struct emitter *e, const struct candidate *c) {
    int64_t limit_ms = (int64_t)emitter_source_of(e, c->entry)->rotated_after_ms;
    return (e->wall_ns - c->stat.mtime_ns) / NS_PER_MS < limit_ms;
}

/* Somebody may be compressing a file that is known already, and has not got far enough to tell: neither of what it has
 * the name of, nor of its text. Enrolled now, it would be a file of its own for ever. */
static bool is_unripe(struct emitter *e, const struct candidate *c) {
    bool magic = c->stat.packed || c->raw_size >= DECODE_MAGIC_MAX;
    bool named = decode_kind_is_named(emitter_uri(e, c->entry)) && emitter_source_of(e, c->entry)->fixed_texts;
    bool begun = c->stat.packed && c->hidden && c->stat.size < PREFIX_MAX;
    return ((named && !magic) || begun) && is_young(e, c);
}

static void set_unripe(struct emitter *e, const struct candidate *c, bool unripe) {
    c->entry->unripe = unripe;
    if (unripe) e->rescan_again = true; /* --once has no later scan that would look again */
}

static RC decide(struct emitter *e, struct candidate *c, const struct ledger_file *known, struct why *why) {
    if (c->stat.fixed) {
        decide_fixed(e, c, known);
        return RC_OK;
    }
    struct identify_view view = {0};
    TRY(view_of(e, c, known, &view, why));
    c->fate = c->stat.packed && !known->found ? SEEK : ENROLL;
    if (!known->found && is_unripe(e, c)) c->fate = SKIP;
    if (!known->found && is_too_old(e, c)) c->fate = IGNORE;
    set_unripe(e, c, c->fate == SKIP);
    if (!known->found) return RC_OK;
    switch (identify_decide(known, &view)) {
    case IDENTIFY_SHORTER:
        if (!c->entry->shorter) { /* a stale view looks like a truncation: believe the second fresh open */
            c->entry->shorter = true;
            c->fate = SKIP;
            return RC_BUSY;
        }
        tell_lost(e, c->entry, known);
        return RC_OK;
    case IDENTIFY_NEW: tell_lost(e, c->entry, known); return RC_OK;
    case IDENTIFY_SAME:
        c->fate = KNOWN;
        bool longer = known->prefix_len < PREFIX_MAX && c->stat.size > known->prefix_len;
        if (longer || !str_equal(known->uri, emitter_uri(e, c->entry))) c->fate = AMEND;
        return RC_OK;
    }
    return RC_OK;
}

/* Of a new file. A text can be read from its start on only. */
static uint64_t grid_of(const struct emitter *e, const struct candidate *c) {
    const struct emitter_source *source = emitter_source_of(e, c->entry);
    bool whole = c->stat.decoded && source->text_stripe_bytes;
    return whole ? source->text_stripe_bytes : source->stripe_bytes;
}

/* The entry was opened and is what the ledger (now) knows under `id`. */
static void settle(struct emitter *e, struct candidate *c, struct id id, const struct ledger_file *known) {
    struct catalog_entry *entry = c->entry;
    bool fresh = c->fate == ENROLL;
    entry->adopted = c->fate == ADOPT;
    e->adopted = e->adopted || entry->adopted;
    entry->rotated = entry->rotated || entry->adopted;
    /* --once has closed it: what has grown since is for the next run. */
    bool ended = e->settings.once && !fresh && entry->close_told && id_equal(entry->id, id);
    if (!id_equal(entry->id, id)) {
        emitter_forget_active(e, entry);
        entry->id = id;
        entry->done_size = 0;
        entry->next_stripe = 0;
        entry->set_aside = entry->lost_told = entry->receipted = entry->receipt_put = false;
        entry->after_done = entry->rotated = false;
    }
    if (entry->lost_told) { /* it was only out of sight */
        LOG_INFO("file is back", F_STR("file", emitter_uri(e, entry)));
        entry->lost_told = false;
        entry->done_size = 0;
        entry->next_stripe = 0;
    }
    entry->changed = entry->changed || entry->raw_size != c->raw_size || entry->mtime_ns != c->stat.mtime_ns;
    if (!ended) { /* what after_durable takes away has to have the size at which it was closed */
        entry->size = c->stat.size;
        entry->raw_size = c->raw_size;
    }
    entry->hidden = c->hidden;
    entry->mtime_ns = c->stat.mtime_ns;
    entry->prefix_len = fresh || c->fate == AMEND ? c->prefix_len : known->prefix_len;
    entry->prefix_hash = fresh || c->fate == AMEND ? c->prefix_hash : known->prefix_hash;
    entry->stripe_bytes = fresh ? grid_of(e, c) : known->stripe_bytes;
    entry->shorter = false;
    entry->closed = !fresh && known->closed;
    entry->closed_end = entry->closed ? known->closed_end : 0;
    entry->receipted = entry->closed && known->receipted;
    entry->gone = entry->ignored = false;
    entry->close_told = ended;
    entry->state = CATALOG_ACTIVE;
    e->closing = true; /* its end may be due: go over the catalog once the list is empty */
    e->close_at = 0;
    emitter_want(e, entry);
}

/* The entry stays as it was listed, so that the scan that sees it otherwise has it identified again. */
static void leave_alone(struct emitter *e, struct candidate *c) {
    if (!c->entry->ignored)
        LOG_DEBUG("file is older than ignore_older and left alone until it changes",
                  F_STR("file", emitter_uri(e, c->entry)));
    c->entry->ignored = true;
    c->entry->state = CATALOG_ACTIVE;
    e->closing = true;
    e->close_at = 0;
}

static void adopt_one(struct emitter *e, struct candidate *c, const struct adopt *found) {
    c->fate = ENROLL;
    if (found->found == ADOPT_BEGINS) { /* in time there is more of it, or it is no more than was read */
        c->fate = is_young(e, c) ? SKIP : IGNORE;
        set_unripe(e, c, c->fate == SKIP);
        if (c->fate == IGNORE) leave_alone(e, c);
    }
    if (found->found != ADOPT_IS) return;
    if (!c->entry->adopted)
        LOG_INFO("compressed file is known, and goes on as it", F_STR("file", emitter_uri(e, c->entry)),
                 F_STR("was", found->known.uri), F_U64("offset", found->known.reach));
    c->fate = ADOPT;
    settle(e, c, found->known.id, &found->known);
}

/* Of what never changes the listing tells the size; only where it is decoded somebody has to look, and only until its
 * end is in the ledger. */
static bool is_told(struct emitter *e, struct candidate *c, const struct ledger_file *known) {
    const struct emitter_source *source = emitter_source_of(e, c->entry);
    if (!c->stat.fixed) return false;
    if (source->fixed_texts == EMITTER_NO_TEXTS) return true;
    if (source->fixed_texts == EMITTER_NAMED_TEXTS && !decode_kind_is_named(emitter_uri(e, c->entry))) return true;
    if (!known->found || !known->closed) return false;
    c->stat.size = known->closed_end;
    return true;
}

static RC open_candidate(struct emitter *e, struct candidate *c, const struct ledger_file *known, struct why *why) {
    c->stat = catalog_stat(c->entry);
    c->raw_size = c->stat.size;
    if (is_told(e, c, known)) return RC_OK;
    TRY(emitter_open(e, c->entry, &c->file, why));
    TRY(source_measure(e->ports.source, c->file, &c->stat, why));
    c->raw_size = c->stat.size;
    c->stat.size = source_end(&c->stat);
    c->hidden = (uint16_t)(c->stat.decoded ? c->stat.end - c->stat.steady : 0);
    if (c->stat.pending) c->fate = LATER;
    return RC_OK;
}

/* What to do with a file that could not be opened: false when it is to be tried again at the next scan. */
static bool give_up(struct emitter *e, struct catalog_entry *entry, enum rc rc, const struct why *why) {
    if (rc == RC_DENIED && !entry->denied) {
        LOG_WARN("file cannot be read", F_STR("file", emitter_uri(e, entry)), F_STR("error", str_of(why->text)));
        entry->denied = true;
    }
    if (rc != RC_ABSENT && rc != RC_STALE) return false;
    if (!id_is_none(entry->id)) { /* closing.c sees to a known file that vanished */
        entry->state = entry->waiting ? CATALOG_PENDING : CATALOG_ACTIVE;
        return false;
    }
    emitter_release(e, entry);
    catalog_remove(&e->catalog, entry);
    return true;
}

static RC enroll_all(struct emitter *e, struct candidate *all, size_t n, const struct ledger_file *known,
                     struct why *why) {
    struct ledger_enroll *asks = ARENA_ARRAY(&e->arena, struct ledger_enroll, n);
    enum rc *outs = ARENA_ARRAY(&e->arena, enum rc, n);
    size_t *from = ARENA_ARRAY(&e->arena, size_t, n), len = 0;
    for (size_t i = 0; i < n; i++) {
        if (all[i].fate != ENROLL) continue;
        const struct emitter_source *source = emitter_source_of(e, all[i].entry);
        asks[len] = (struct ledger_enroll){.id = id_make(&e->rng),
                                           .seen_version = known[i].found ? known[i].version : 0,
                                           .facts = {.source = source->name,
                                                     .uri = emitter_uri(e, all[i].entry),
                                                     .inode = all[i].stat.inode,
                                                     .birth_ns = all[i].stat.birth_ns,
                                                     .volume = all[i].stat.volume,
                                                     .prefix_len = all[i].prefix_len,
                                                     .prefix_hash = all[i].prefix_hash,
                                                     .stripe_bytes = grid_of(e, &all[i])}};
        from[len++] = i;
    }
    if (!len) return RC_OK;
    TRY(ledger_enroll(e->ports.ledger, asks, len, outs, why));
    for (size_t i = 0; i < len; i++) {
        struct candidate *c = &all[from[i]];
        if (outs[i] == RC_OK)
            settle(e, c, asks[i].id, &known[from[i]]);
        else
            emitter_todo(e, c->entry); /* another emitter was first: look it up again */
    }
    return RC_OK;
}

static RC amend_all(struct emitter *e, struct candidate *all, size_t n, const struct ledger_file *known,
                    struct why *why) {
    struct ledger_amend *asks = ARENA_ARRAY(&e->arena, struct ledger_amend, n);
    enum rc *outs = ARENA_ARRAY(&e->arena, enum rc, n);
    size_t *from = ARENA_ARRAY(&e->arena, size_t, n), len = 0;
    for (size_t i = 0; i < n; i++) {
        if (all[i].fate != AMEND) continue;
        asks[len] = (struct ledger_amend){.file = known[i].id,
                                          .seen_version = known[i].version,
                                          .uri = emitter_uri(e, all[i].entry),
                                          .prefix_len = all[i].prefix_len,
                                          .prefix_hash = all[i].prefix_hash};
        from[len++] = i;
    }
    if (!len) return RC_OK;
    TRY(ledger_amend(e->ports.ledger, asks, len, outs, why));
    for (size_t i = 0; i < len; i++) {
        struct candidate *c = &all[from[i]];
        if (outs[i] == RC_OK)
            settle(e, c, known[from[i]].id, &known[from[i]]);
        else
            emitter_todo(e, c->entry);
    }
    return RC_OK;
}

static RC lookup_all(struct emitter *e, struct candidate *all, size_t n, struct ledger_file *known, struct why *why) {
    struct ledger_key *keys = ARENA_ARRAY(&e->arena, struct ledger_key, n);
    for (size_t i = 0; i < n; i++) {
        const struct catalog_entry *entry = all[i].entry;
        keys[i] = (struct ledger_key){emitter_source_of(e, entry)->name, entry->inode, entry->birth_ns, entry->volume};
    }
    return ledger_lookup(e->ports.ledger, keys, n, &e->arena, known, why);
}

/* What the compressed files are that the ledger does not know under their keys. */
static RC seek_all(struct emitter *e, struct candidate *all, size_t n, struct why *why) {
    struct adopt *asks = ARENA_ARRAY(&e->arena, struct adopt, n);
    struct candidate **from = ARENA_ARRAY(&e->arena, struct candidate *, n);
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        struct candidate *c = &all[i];
        if (c->fate != SEEK) continue;
        char *prefix = arena_alloc(&e->arena, PREFIX_MAX);
        size_t got = 0;
        TRY(source_read(e->ports.source, c->file, 0, prefix, PREFIX_MAX, &got, why));
        asks[len] = (struct adopt){
            .entry = c->entry, .file = c->file, .size = c->stat.size, .whole = !c->hidden, .prefix = {prefix, got}};
        from[len++] = c;
    }
    TRY(adopt_search(e, asks, len, why));
    for (size_t i = 0; i < len; i++) adopt_one(e, from[i], &asks[i]);
    return RC_OK;
}

static size_t take_todo(struct emitter *e, struct candidate *all) {
    size_t n = 0;
    while (n < EMITTER_BATCH && e->todo_len) {
        struct catalog_entry *entry = &e->catalog.entries[e->todo[--e->todo_len]];
        entry->queued = false;
        if (entry->state == CATALOG_NEW) all[n++] = (struct candidate){.entry = entry, .fate = SKIP};
    }
    return n;
}

/* What of a candidate can be decided without the others. */
static enum rc identify_one(struct emitter *e, struct candidate *c, const struct ledger_file *known, size_t *sought,
                            struct why *why) {
    struct why local = {0};
    enum rc rc = open_candidate(e, c, known, &local);
    if (rc == RC_OK && c->fate != LATER) rc = decide(e, c, known, &local);
    if (c->fate == SEEK && rc == RC_OK && (*sought)++ >= SEEK_MAX) c->fate = LATER;
    if (c->fate != SEEK || rc != RC_OK) source_close(e->ports.source, TAKE(c->file));
    if (rc == RC_STOP || rc == RC_BROKEN) return *why = local, rc;
    if (rc != RC_OK) c->fate = SKIP;
    if (rc == RC_BUSY)
        emitter_todo(e, c->entry);
    else if (rc != RC_OK && !give_up(e, c->entry, rc, &local))
        e->rescan_again = true;
    if (rc == RC_OK) c->entry->denied = false;
    if (c->fate == KNOWN) settle(e, c, known->id, known);
    if (c->fate == IGNORE) leave_alone(e, c);
    if (c->fate == LATER) emitter_later(e, c->entry);
    return RC_OK;
}

static enum rc identify_batch(struct emitter *e, struct candidate *all, size_t n, struct why *why) {
    struct ledger_file *known = ARENA_ARRAY(&e->arena, struct ledger_file, n);
    size_t sought = 0;
    TRY(lookup_all(e, all, n, known, why));
    for (size_t i = 0; i < n; i++) TRY(identify_one(e, &all[i], &known[i], &sought, why));
    TRY(seek_all(e, all, n, why));
    TRY(enroll_all(e, all, n, known, why));
    return amend_all(e, all, n, known, why);
}

RC emitter_identify(struct emitter *e, struct why *why) {
    struct candidate *all = ARENA_ARRAY(&e->arena, struct candidate, EMITTER_BATCH);
    size_t n = take_todo(e, all);
    enum rc rc = n ? identify_batch(e, all, n, why) : RC_OK;
    for (size_t i = 0; i < n; i++) source_close(e->ports.source, all[i].file);
    for (size_t i = 0; rc != RC_OK && i < n; i++)
        if (all[i].entry->state == CATALOG_NEW) emitter_todo(e, all[i].entry);
    return rc;
}
