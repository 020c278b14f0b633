/* SPDX-License-Identifier: Apache-2.0 */
/* Who a file is: looking up, enrolling, amending, closing. */
#include "ledger_redis_parts.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

RC redis_check_facts(struct id id, const struct facts *facts, struct why *why) {
    char name[ID_TEXT];
    const char *wrong = NULL;
    if (id_is_none(id))
        wrong = "it has no id";
    else if (facts->source.len > LEDGER_TEXT_MAX || facts->uri.len > LEDGER_TEXT_MAX)
        wrong = "its name is too long";
    else if (facts->stripe_bytes == 0 || facts->stripe_bytes > INT64_MAX)
        wrong = "its stripes have no size";
    return wrong ? why_set(why, RC_BAD, "file %s cannot be: %s", id_format(id, name), wrong) : RC_OK;
}

RC redis_file_must(struct redis_call *c, struct id id, struct row **out, struct why *why) {
    char name[ID_TEXT];
    struct row *row = redis_file(c, id);
    if (!row->f.found) return why_set(why, RC_ABSENT, "the ledger does not know file %s", id_format(id, name));
    *out = row;
    return RC_OK;
}

static struct facts facts_of_key(const struct ledger_key *key) {
    return (struct facts){.source = key->source, .inode = key->inode, .birth_ns = key->birth_ns, .volume = key->volume};
}

/* The newest of a key; NULL: none. */
static struct row *newest(struct redis_call *c, const struct facts *key) {
    struct row *index = redis_index(c, key);
    return index->ids_len ? redis_file(c, index->ids[index->ids_len - 1]) : NULL;
}

void redis_file_add(struct redis_call *c, struct id id, const struct facts *facts, bool restored) {
    struct row *before = newest(c, facts), *row = redis_file(c, id);
    uint32_t stamp = row->f.stamp;
    row->f = (struct redis_file){.found = true,
                                 .id = id,
                                 .stamp = stamp,
                                 .version = (before ? before->f.version : 0) + 1,
                                 .facts = *facts,
                                 .restored = restored};
    row->dirty = true;
    redis_index_add(c, redis_index(c, facts), id);
}

/* ---- lookup ---- */

/* Reach, its tail and the receipt: of the generation, else the farthest of any. */
static void add_progress(struct redis_call *c, struct row *file, struct ledger_file *out) {
    struct redis_progress *mine = redis_progress_mine(c, file->file);
    struct row *all = redis_progress(c, file->file);
    if (out->closed) out->receipted = mine->receipted >= (int64_t)out->closed_end;
    out->reach = mine->reach;
    out->tail_hash = mine->tail;
    for (size_t i = 0; !mine->reach && i < all->progress_len; i++) {
        if (all->progress[i].reach <= out->reach) continue;
        out->reach = all->progress[i].reach;
        out->tail_hash = all->progress[i].tail;
    }
}

struct lookup {
    const struct ledger_key *keys;
    size_t n;
    struct arena *arena;
    struct ledger_file *answers;
};

static enum rc lookup_body(struct redis_call *c, void *context, struct why *why) {
    struct lookup *l = context;
    for (size_t i = 0; i < l->n; i++) {
        struct facts key = facts_of_key(&l->keys[i]);
        redis_want_key(c, &key);
    }
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) {
        struct facts key = facts_of_key(&l->keys[i]);
        struct row *row = newest(c, &key);
        struct ledger_file *out = &l->answers[i];
        *out = (struct ledger_file){0};
        if (!row || !row->f.found) continue;
        out->found = true;
        out->id = row->file;
        out->version = row->f.version;
        out->uri = arena_str(l->arena, row->f.facts.uri);
        out->stripe_bytes = row->f.facts.stripe_bytes;
        out->prefix_len = row->f.facts.prefix_len;
        out->prefix_hash = row->f.facts.prefix_hash;
        out->closed_end = redis_closed_end(&row->f, &out->closed);
        out->gone = row->f.gone;
        add_progress(c, row, out);
    }
    return RC_OK;
}

enum rc ledger_redis_lookup(void *self, struct ledger_at at, const struct ledger_key *keys, size_t n,
                            struct arena *arena, struct ledger_file *out, struct why *why) {
    AUTO(own_free) struct ledger_file *answers = alloc_zero(n, sizeof *answers);
    struct lookup l = {keys, n, arena, answers};
    TRY(redis_call_run(self, at, true, lookup_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- close ---- */

void redis_end_add(struct redis_call *c, struct row *row, uint64_t end, bool gone) {
    struct redis_file *f = &row->f;
    uint64_t *ends = ARENA_ARRAY(&c->arena, uint64_t, f->ends_len + 1);
    size_t n = 0, i = 0;
    for (; i < f->ends_len && f->ends[i] < end; i++) ends[n++] = f->ends[i];
    ends[n++] = end;
    for (; i < f->ends_len; i++)
        if (f->ends[i] != end) ends[n++] = f->ends[i];
    f->ends = ends;
    f->ends_len = n;
    f->gone = gone;
    row->dirty = true;
}

/* The largest checkpoint of any stripe and generation; nobody may move one until this call is stored. */
static uint64_t reach_of(struct redis_call *c, struct id file) {
    struct row *row = redis_progress(c, file);
    uint64_t reach = 0;
    for (size_t i = 0; i < row->progress_len; i++) reach = MAX(reach, row->progress[i].reach);
    return reach;
}

struct closes {
    const struct ledger_close *asks;
    size_t n;
    enum rc *answers;
};

static RC close_one(struct redis_call *c, const struct ledger_close *ask, enum rc *out, struct why *why) {
    bool closed;
    if (ask->end > INT64_MAX) return why_set(why, RC_BAD, "a file cannot end at %" PRIu64, ask->end);
    struct row *row = redis_file(c, ask->file);
    *out = RC_ABSENT;
    if (!row->f.found) return RC_OK;
    uint64_t end = redis_closed_end(&row->f, &closed);
    bool again = closed && end == ask->end;
    *out = RC_STALE;
    if (!again && ((closed && ask->end < end) || ask->end < reach_of(c, ask->file))) return RC_OK;
    *out = RC_OK;
    if (!again || (ask->gone && !row->f.gone)) redis_end_add(c, row, ask->end, row->f.gone || ask->gone);
    redis_work_add(c, ask->file);
    return RC_OK;
}

static enum rc close_body(struct redis_call *c, void *context, struct why *why) {
    struct closes *l = context;
    for (size_t i = 0; i < l->n; i++) {
        redis_want_file(c, l->asks[i].file);
        redis_want_progress(c, l->asks[i].file);
    }
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(close_one(c, &l->asks[i], &l->answers[i], why));
    return RC_OK;
}

enum rc ledger_redis_close_files(void *self, struct ledger_at at, const struct ledger_close *asks, size_t n,
                                 enum rc *out, struct why *why) {
    AUTO(own_free) enum rc *answers = alloc_zero(n, sizeof *answers);
    struct closes l = {asks, n, answers};
    TRY(redis_call_run(self, at, true, close_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- enroll ---- */

/* Nobody saw where it ended; see rules_gone_end(). Nothing of it may change until this call is stored. */
static RC close_as_gone(struct redis_call *c, struct row *row, struct why *why) {
    bool closed;
    uint64_t last = redis_closed_end(&row->f, &closed), end = 0;
    struct rules_gone gone = {.closed_end = closed ? (int64_t)last : -1, .reach_of_any = reach_of(c, row->file)};
    struct counts counts = {0};
    gone.reach = redis_progress_mine(c, row->file)->reach;
    if (gone.reach) {
        struct redis_whole whole;
        TRY(redis_whole_load(c, &row->file, 1, c->at.generation, c->at.epoch, &whole, why));
        gone.whole = redis_whole_until(&whole, gone.reach, &counts);
    }
    if (rules_gone_end(&gone, &end)) redis_end_add(c, row, end, true);
    row->f.gone = row->dirty = true;
    redis_work_add(c, row->file);
    return RC_OK;
}

/* Moves what stands at `from` to the end: it is the newest now. */
static void make_newest(struct row *index, size_t from) {
    struct id id = index->ids[from];
    memmove(&index->ids[from], &index->ids[from + 1], (index->ids_len - from - 1) * sizeof id);
    index->ids[index->ids_len - 1] = id;
    index->dirty = true;
}

/* The caller refused the newest incarnation. One that a recovery restored, if any is left, is the next to be looked at;
 * *out_next: there is one. */
static RC offer_restored(struct redis_call *c, struct row *index, struct row *refused, bool *out_next,
                         struct why *why) {
    *out_next = false;
    for (size_t i = 0; i + 1 < index->ids_len; i++) redis_want_file(c, index->ids[i]);
    TRY(redis_load(c, why));
    if (refused->f.restored) {
        refused->f.restored = false;
        refused->dirty = true;
    }
    for (size_t i = index->ids_len - 1; i > 0 && !*out_next; i--) {
        struct row *row = redis_file(c, index->ids[i - 1]);
        if (!row->f.restored) continue;
        row->f.version = refused->f.version + 1;
        row->dirty = *out_next = true;
        redis_want_progress(c, row->file);
        make_newest(index, i - 1);
    }
    return redis_load(c, why);
}

static enum rc enroll_again(const struct facts *facts, const struct row *known, struct why *why) {
    char name[ID_TEXT];
    const struct facts *f = &known->f.facts;
    if (facts_same_key(facts, f) && facts->stripe_bytes == f->stripe_bytes) return RC_OK;
    return why_set(why, RC_BAD, "file %s is known under another key", id_format(known->file, name));
}

static RC enroll_one(struct redis_call *c, const struct ledger_enroll *ask, enum rc *out, struct why *why) {
    bool next = false;
    *out = RC_OK;
    TRY(redis_check_facts(ask->id, &ask->facts, why));
    struct row *known = redis_file(c, ask->id);
    if (known->f.found) {
        *out = enroll_again(&ask->facts, known, why);
        return RC_OK;
    }
    struct row *before = newest(c, &ask->facts);
    *out = RC_STALE;
    if ((before ? before->f.version : 0) != ask->seen_version) return RC_OK;
    if (before) {
        TRY(offer_restored(c, redis_index(c, &ask->facts), before, &next, why));
        if (!before->f.gone) TRY(close_as_gone(c, before, why));
        if (next) return RC_OK;
    }
    *out = RC_OK;
    redis_file_add(c, ask->id, &ask->facts, false);
    return RC_OK;
}

struct enrolls {
    const struct ledger_enroll *asks;
    size_t n;
    enum rc *answers;
};

static enum rc enroll_body(struct redis_call *c, void *context, struct why *why) {
    struct enrolls *l = context;
    for (size_t i = 0; i < l->n; i++) {
        redis_want_file(c, l->asks[i].id);
        redis_want_progress(c, l->asks[i].id);
        redis_want_key(c, &l->asks[i].facts);
    }
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(enroll_one(c, &l->asks[i], &l->answers[i], why));
    return RC_OK;
}

enum rc ledger_redis_enroll(void *self, struct ledger_at at, const struct ledger_enroll *asks, size_t n, enum rc *out,
                            struct why *why) {
    AUTO(own_free) enum rc *answers = alloc_zero(n, sizeof *answers);
    struct enrolls l = {asks, n, answers};
    TRY(redis_call_run(self, at, true, enroll_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}

/* ---- amend ---- */

struct amends {
    const struct ledger_amend *asks;
    size_t n;
    enum rc *answers;
};

static RC amend_one(struct redis_call *c, const struct ledger_amend *ask, enum rc *out, struct why *why) {
    if (ask->uri.len > LEDGER_TEXT_MAX)
        return why_set(why, RC_BAD, "a uri is longer than %d bytes", (int)LEDGER_TEXT_MAX);
    struct row *row = redis_file(c, ask->file);
    struct facts *f = &row->f.facts;
    *out = RC_ABSENT;
    if (!row->f.found) return RC_OK;
    *out = RC_OK;
    bool same_prefix = ask->prefix_len == f->prefix_len && ask->prefix_hash == f->prefix_hash;
    if (same_prefix && str_equal(ask->uri, f->uri)) return RC_OK;
    *out = RC_BAD;
    if (ask->prefix_len < f->prefix_len || (ask->prefix_len == f->prefix_len && !same_prefix)) return RC_OK;
    *out = RC_STALE;
    if (newest(c, f) != row || row->f.version != ask->seen_version) return RC_OK;
    *out = RC_OK;
    row->f.version++;
    f->uri = ask->uri;
    f->prefix_len = ask->prefix_len;
    f->prefix_hash = ask->prefix_hash;
    row->dirty = true;
    return RC_OK;
}

static enum rc amend_body(struct redis_call *c, void *context, struct why *why) {
    struct amends *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_file(c, l->asks[i].file);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) {
        struct row *row = redis_file(c, l->asks[i].file);
        if (row->f.found) redis_want_key(c, &row->f.facts);
    }
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) TRY(amend_one(c, &l->asks[i], &l->answers[i], why));
    return RC_OK;
}

enum rc ledger_redis_amend(void *self, struct ledger_at at, const struct ledger_amend *asks, size_t n, enum rc *out,
                           struct why *why) {
    AUTO(own_free) enum rc *answers = alloc_zero(n, sizeof *answers);
    struct amends l = {asks, n, answers};
    TRY(redis_call_run(self, at, true, amend_body, &l, why));
    if (n) memcpy(out, answers, n * sizeof *out);
    return RC_OK;
}
