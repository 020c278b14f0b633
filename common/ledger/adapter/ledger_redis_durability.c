/* SPDX-License-Identifier: Apache-2.0 */
/* What is durable, and whose receipt is due. */
#include "ledger_redis_parts.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

/* ---- one number of a partition ---- */

RC redis_part_load(struct redis_call *c, uint64_t generation, struct redis_part *p, struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    redis_ask_begin(c, &args, generation);
    redis_args_add(&args, STR("h"));
    redis_args_add(&args, redis_key(c, "%c:%" PRIu64, p->letter, generation));
    redis_args_add(&args, redis_number(c, p->partition));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    struct str value = reply->elements == 2 ? redis_reply_str(reply->element[1]) : (struct str){0};
    struct redis_reader r = {value, false};
    p->was = value.at ? arena_str(&c->arena, value) : value;
    p->value = value.at ? redis_take_u64(&r) : 0;
    redis_replies_free(&reply, 1);
    return r.bad ? why_set(why, RC_BROKEN, "the ledger is damaged: a partition's number") : RC_OK;
}

static enum rc part_body(struct redis_call *c, void *context, struct why *why) {
    return redis_part_load(c, c->at.generation, context, why);
}

enum rc ledger_redis_durable_next(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_index,
                                  struct why *why) {
    struct redis_part p = {'n', partition, 0, {0}};
    TRY(redis_call_run(self, at, true, part_body, &p, why));
    *out_index = p.value;
    return RC_OK;
}

enum rc ledger_redis_acknowledged(void *self, struct ledger_at at, uint32_t partition, uint64_t *out_end,
                                  struct why *why) {
    struct redis_part p = {'a', partition, 0, {0}};
    TRY(redis_call_run(self, at, true, part_body, &p, why));
    *out_end = p.value;
    return RC_OK;
}

/* ---- durable ---- */

struct durables {
    struct ledger_batch batch;
    const struct ledger_durable *adds;
    size_t n;
    bool *knows; /* [i]: the file of adds[i] listed the batch before; NULL: none did */
};

static RC add_durable(struct redis_call *c, const struct ledger_durable *add, struct why *why) {
    struct row *file = NULL, *row = NULL;
    bool closed;
    TRY(redis_file_must(c, add->file, &file, why));
    TRY(redis_stripe(c, add->file, add->stripe, &row, why));
    struct rules_stripe *rules = &row->s.rules;
    uint64_t before = rules_outstanding(rules);
    TRY(rules_durable(rules, add->attempt, add->messages, why));
    if (rules_outstanding(rules) == before) return RC_OK;
    size_t gone = rules_prunable(rules);
    rules->winners += gone;
    rules->winners_len -= gone;
    rules->pruned = rules->pruned || gone > 0;
    row->dirty = true;
    (void)redis_closed_end(&file->f, &closed);
    if (closed && rules_outstanding(rules) == 0) redis_work_add(c, add->file);
    return RC_OK;
}

static int by_id(const void *a, const void *b) {
    const struct id *x = a, *y = b;
    return id_compare(*x, *y);
}

static bool lists(struct str batches, struct ledger_batch batch) {
    struct redis_reader r = {batches, false};
    bool found = false;
    while (r.rest.len && !r.bad && !found) {
        uint64_t partition = redis_take_varint(&r);
        found = redis_take_varint(&r) == batch.index && partition == batch.partition;
    }
    return found;
}

/* A batch that a snapshot's files may know already: each was saved at a moment of its own, behind the counters. */
static RC load_known(struct redis_call *c, struct durables *l, struct why *why) {
    struct redis_part until = {'i', l->batch.partition, 0, {0}};
    struct redis_args args = {0};
    redisReply *reply = NULL;
    l->knows = NULL;
    TRY(redis_part_load(c, c->at.generation, &until, why));
    if (l->batch.index >= until.value || !l->n) return RC_OK;
    redis_ask_begin(c, &args, c->at.generation);
    for (size_t i = 0; i < l->n; i++) {
        redis_args_add(&args, STR("g"));
        redis_args_add(&args, redis_named(c, 'b', c->at.generation, l->adds[i].file, ""));
    }
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    l->knows = ARENA_ARRAY(&c->arena, bool, l->n);
    if (reply->elements != l->n + 1) rc = why_set(why, RC_BROKEN, "the load script answers something else");
    for (size_t i = 0; i < l->n && rc == RC_OK; i++)
        l->knows[i] = lists(redis_reply_str(reply->element[i + 1]), l->batch);
    redis_replies_free(&reply, 1);
    return rc;
}

/* The batch joins the list of each file that it holds something of. */
static void note_files(struct redis_call *c, const struct durables *l) {
    AUTO(own_free) struct id *ids = alloc_zero(l->n, sizeof *ids);
    struct buf entry = BUF_INIT(32);
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (!l->knows || !l->knows[i]) ids[n++] = l->adds[i].file;
    if (n) qsort(ids, n, sizeof *ids, by_id);
    redis_pack_varint(&entry, l->batch.partition);
    redis_pack_varint(&entry, l->batch.index);
    struct str bytes = arena_str(&c->arena, buf_str(&entry));
    buf_done(&entry);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !id_equal(ids[i], ids[i - 1]))
            REDIS_WRITE(c, "append", redis_named(c, 'b', c->at.generation, ids[i], ""), bytes);
}

/* Says what is wrong with a batch; unless it was told by somebody else while its stripes were loaded. */
static RC contradiction(struct redis_call *c, const struct durables *l, enum rc rc, struct why *why) {
    struct redis_part now = {'n', l->batch.partition, 0, {0}};
    TRY(redis_part_load(c, c->at.generation, &now, why));
    c->overtaken = now.value != l->batch.index;
    return why_wrap(why, rc, "batch %" PRIu64 " of partition %" PRIu32, l->batch.index, l->batch.partition);
}

static enum rc durable_body(struct redis_call *c, void *context, struct why *why) {
    struct durables *l = context;
    struct redis_part p = {'n', l->batch.partition, 0, {0}};
    struct buf next = BUF_INIT(8);
    if (l->batch.index >= INT64_MAX) return why_set(why, RC_BAD, "a chain has no index %" PRIu64, l->batch.index);
    TRY(redis_part_load(c, c->at.generation, &p, why));
    if (l->batch.index < p.value) return RC_OK;
    if (l->batch.index > p.value)
        return why_set(why, RC_STALE, "partition %" PRIu32 " waits for batch %" PRIu64 ", not %" PRIu64,
                       l->batch.partition, p.value, l->batch.index);
    for (size_t i = 0; i < l->n; i++) redis_want_stripe(c, l->adds[i].file, l->adds[i].stripe);
    TRY(redis_load(c, why));
    TRY(load_known(c, l, why));
    for (size_t i = 0; i < l->n; i++) {
        if (l->knows && l->knows[i]) continue;
        enum rc rc = add_durable(c, &l->adds[i], why);
        if (rc != RC_OK) return contradiction(c, l, rc, why);
    }
    struct str key = redis_key(c, "n:%" PRIu64, c->at.generation), field = redis_number(c, l->batch.partition);
    redis_pack_u64(&next, l->batch.index + 1);
    redis_use_generation(c, c->at.generation);
    redis_compare(c, key, field, true, p.was);
    REDIS_WRITE(c, "hset", key, field, arena_str(&c->arena, buf_str(&next)));
    buf_done(&next);
    note_files(c, l);
    return RC_OK;
}

enum rc ledger_redis_durable(void *self, struct ledger_at at, struct ledger_batch batch,
                             const struct ledger_durable *adds, size_t n, struct why *why) {
    struct durables l = {batch, adds, n, NULL};
    return redis_call_run(self, at, true, durable_body, &l, why);
}

/* ---- due ---- */

enum { LOOKED_AT_ONCE = 128 };

struct dues {
    size_t max, n;
    struct arena *arena;
    struct ledger_due *found;
    struct id after; /* where the next look begins */
    bool end;
};

static bool may_be_due(const struct redis_file *f, const struct redis_progress *p) {
    bool closed;
    uint64_t end = redis_closed_end(f, &closed);
    if (!closed) return false;
    if (!p->found) return end == 0;
    return p->reach <= end && p->outstanding == 0 && p->set_aside == 0 && p->receipted < (int64_t)end;
}

bool redis_whole_until(const struct redis_whole *w, uint64_t end, struct counts *counts) {
    uint64_t wanted = 0, bytes = w->file.facts.stripe_bytes, stripes = stripe_count(end, bytes);
    for (; wanted < stripes && wanted < w->stripes_len; wanted++) {
        const struct row *row = &w->stripes[wanted];
        if (row->stripe != wanted || rules_at(&row->s.rules) < rules_complete_at(wanted, bytes, end)) return false;
        counts_add(counts, &row->s.counts);
    }
    return wanted == stripes;
}

static int by_batch(const void *a, const void *b) {
    const struct ledger_batch *x = a, *y = b;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void add_batches(const struct redis_whole *w, struct arena *arena, struct ledger_due *due) {
    struct redis_reader r = {w->batches, false};
    due->batches = ARENA_ARRAY(arena, struct ledger_batch, w->batches.len / 2);
    while (r.rest.len && !r.bad) {
        struct ledger_batch *b = &due->batches[due->batches_len++];
        b->partition = (uint32_t)redis_take_varint(&r);
        b->index = redis_take_varint(&r);
    }
    if (due->batches_len) qsort(due->batches, due->batches_len, sizeof *due->batches, by_batch);
}

static bool is_due(const struct redis_whole *w, struct arena *arena, struct ledger_due *out) {
    bool closed;
    *out = (struct ledger_due){.file = w->file.id, .end = redis_closed_end(&w->file, &closed), .facts = w->file.facts};
    if (!w->file.found || !may_be_due(&w->file, &w->progress)) return false;
    out->stripes = stripe_count(out->end, w->file.facts.stripe_bytes);
    if (!redis_whole_until(w, out->end, &out->counts)) return false;
    out->facts.source = arena_str(arena, w->file.facts.source);
    out->facts.uri = arena_str(arena, w->file.facts.uri);
    add_batches(w, arena, out);
    return true;
}

/* It is looked at again when something changed: if anything did since it was read, it stays. */
static void forget(struct redis_call *c, const struct redis_whole *w) {
    struct buf stamp = BUF_INIT(8);
    struct id *id = ARENA_NEW(&c->arena, struct id);
    *id = w->file.id;
    redis_pack_u64(&stamp, w->file.stamp);
    struct str bytes = arena_str(&c->arena, buf_str(&stamp));
    buf_done(&stamp);
    redis_compare(c, redis_file_key(c, *id), redis_id_str(id), false,
                  w->file.found ? str_sub(bytes, 8 - REDIS_FILE_STAMP, 8) : STR(""));
    redis_compare(c, redis_progress_key(c, *id, c->at.generation), str_sub(redis_id_str(id), 2, ID_BYTES), true,
                  w->progress_was);
    REDIS_WRITE(c, "zrem", redis_key(c, "w:%" PRIu64, c->at.generation), redis_id_str(id));
}

static RC load_work(struct redis_call *c, struct dues *l, struct id *out, size_t *out_n, struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    redis_ask_begin(c, &args, c->at.generation);
    redis_args_add(&args, STR("z"));
    redis_args_add(&args, redis_key(c, "w:%" PRIu64, c->at.generation));
    redis_args_add(&args, id_is_none(l->after) ? STR("") : redis_id_str(&l->after));
    redis_args_add(&args, redis_number(c, LOOKED_AT_ONCE));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    const redisReply *list = reply->elements == 2 ? reply->element[1] : NULL;
    *out_n = 0;
    for (size_t i = 0; list && i < list->elements && i < LOOKED_AT_ONCE; i++) {
        struct str id = redis_reply_str(list->element[i]);
        if (id_from_bytes(id.at, id.len, &out[*out_n]) == RC_OK) ++*out_n;
    }
    redis_replies_free(&reply, 1);
    return RC_OK;
}

static enum rc due_body(struct redis_call *c, void *context, struct why *why) {
    struct dues *l = context;
    struct id ids[LOOKED_AT_ONCE], after = l->after;
    size_t n = 0, found = l->n;
    TRY(load_work(c, l, ids, &n, why));
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    TRY(redis_whole_load(c, ids, n, c->at.generation, c->at.epoch, wholes, why));
    for (size_t i = 0; i < n && found < l->max; i++) {
        if (is_due(&wholes[i], l->arena, &l->found[found]))
            found++;
        else
            forget(c, &wholes[i]);
        after = ids[i];
    }
    /* Only what is stored counts: a body that is run again begins at the same place. */
    l->end = n < LOOKED_AT_ONCE || found == l->max;
    l->found[l->max] = (struct ledger_due){.file = after, .stripes = found};
    return RC_OK;
}

enum rc ledger_redis_due(void *self, struct ledger_at at, size_t max, struct arena *arena, struct ledger_due **out,
                         size_t *out_n, struct why *why) {
    struct dues l = {.max = max, .arena = arena, .found = ARENA_ARRAY(arena, struct ledger_due, max + 1)};
    while (!l.end) {
        TRY(redis_call_run(self, at, true, due_body, &l, why));
        l.after = l.found[max].file;
        l.n = (size_t)l.found[max].stripes;
    }
    *out = l.found;
    *out_n = l.n;
    return RC_OK;
}

/* ---- receipts ---- */

struct receipts {
    const struct ledger_close *files;
    size_t n;
};

static enum rc receipts_body(struct redis_call *c, void *context, struct why *why) {
    struct receipts *l = context;
    for (size_t i = 0; i < l->n; i++) redis_want_file(c, l->files[i].file);
    TRY(redis_load(c, why));
    for (size_t i = 0; i < l->n; i++) {
        const struct ledger_close *ask = &l->files[i];
        struct row *row = NULL;
        struct buf end = BUF_INIT(8);
        bool closed;
        if (ask->end > INT64_MAX) return why_set(why, RC_BAD, "a file cannot end at %" PRIu64, ask->end);
        TRY(redis_file_must(c, ask->file, &row, why));
        redis_pack_u64(&end, ask->end + 1);
        redis_use_generation(c, c->at.generation);
        REDIS_WRITE(c, "rcpt", redis_progress_key(c, ask->file, c->at.generation),
                    str_sub(redis_id_str(&row->file), 2, ID_BYTES), arena_str(&c->arena, buf_str(&end)));
        buf_done(&end);
        uint64_t last = redis_closed_end(&row->f, &closed);
        if (!closed || ask->end >= last)
            REDIS_WRITE(c, "zrem", redis_key(c, "w:%" PRIu64, c->at.generation), redis_id_str(&row->file));
    }
    return RC_OK;
}

enum rc ledger_redis_receipted(void *self, struct ledger_at at, const struct ledger_close *files, size_t n,
                               struct why *why) {
    struct receipts l = {files, n};
    return redis_call_run(self, at, true, receipts_body, &l, why);
}
