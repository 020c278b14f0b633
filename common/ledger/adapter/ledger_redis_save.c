/* SPDX-License-Identifier: Apache-2.0 */
/* Files for a snapshot, and back. */
#include "ledger_redis_parts.h"

#include "num.h"

#include <inttypes.h>

/* A script that stores holds Redis for 10 to 20 microseconds a stripe. */
enum { SAVED_AT_ONCE = 512, LOADED_STRIPES = 8192 };

/* ---- save ---- */

struct saves {
    struct ledger_save_ask ask;
    size_t n, stripes; /* that were found */
    struct arena *arena;
    struct saved_file *found;
};

static void save_stripe(const struct redis_stripe *s, uint64_t stripe, struct arena *arena, struct saved_stripe *out) {
    const struct rules_stripe *rules = &s->rules;
    *out = (struct saved_stripe){.stripe = stripe, .pruned = rules->pruned, .counts = s->counts};
    out->winners_len = rules->winners_len;
    out->winners = ARENA_ARRAY(arena, struct saved_winner, out->winners_len);
    for (size_t i = 0; i < out->winners_len; i++) {
        const struct rules_winner *w = &rules->winners[i];
        out->winners[i] =
            (struct saved_winner){w->from, w->to, w->attempt, w->counts, w->tail_hash, w->messages, w->durable};
    }
}

static void save_one(const struct redis_whole *w, struct arena *arena, struct saved_file *out) {
    struct redis_reader r = {w->batches, false};
    *out = (struct saved_file){.id = w->file.id, .facts = w->file.facts, .gone = w->file.gone};
    out->facts.source = arena_str(arena, w->file.facts.source);
    out->facts.uri = arena_str(arena, w->file.facts.uri);
    out->ends_len = w->file.ends_len;
    out->ends = ARENA_ARRAY(arena, uint64_t, out->ends_len);
    if (out->ends_len) memcpy(out->ends, w->file.ends, out->ends_len * sizeof *out->ends);
    if (w->progress.found) out->receipted = (uint64_t)(w->progress.receipted + 1);
    out->stripes = ARENA_ARRAY(arena, struct saved_stripe, w->stripes_len);
    for (size_t i = 0; i < w->stripes_len; i++) {
        if (!w->stripes[i].s.rules.winners_len) continue;
        save_stripe(&w->stripes[i].s, w->stripes[i].stripe, arena, &out->stripes[out->stripes_len++]);
    }
    out->whole = saved_whole_of(out);
    out->batches = ARENA_ARRAY(arena, struct saved_batch, w->batches.len / 2);
    while (r.rest.len && !r.bad) {
        struct saved_batch *b = &out->batches[out->batches_len++];
        b->partition = (uint32_t)redis_take_varint(&r);
        b->index = redis_take_varint(&r);
    }
}

/* Of `n` files, as many as have about as many stripes as are asked for, at least one: how far a file is converted says
 * how many there can be. */
static RC cut(struct redis_call *c, const struct id *ids, size_t stripes, size_t *n, struct why *why) {
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        redis_want_file(c, ids[i]);
        redis_want_progress(c, ids[i]);
    }
    TRY(redis_load(c, why));
    for (uint64_t sum = 0; kept < *n && (!kept || sum < stripes); kept++) {
        const struct redis_file *file = &redis_file_row(c, ids[kept])->f;
        if (file->found) sum += redis_progress_mine(c, ids[kept])->reach / MAX(file->facts.stripe_bytes, 1u) + 1;
        if (kept && sum > stripes) break;
    }
    *n = kept;
    return RC_OK;
}

/* One script a file, so each is as it was at one moment. */
static enum rc save_body(struct redis_call *c, void *context, struct why *why) {
    struct saves *l = context;
    struct id *ids = NULL;
    size_t n = 0;
    TRY(redis_ids_after(c, l->ask.after, MIN(l->ask.files, (size_t)SAVED_AT_ONCE), &ids, &n, why));
    TRY(cut(c, ids, l->ask.stripes, &n, why));
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    TRY(redis_whole_load(c, ids, n, c->at.generation, c->at.epoch, wholes, why));
    for (size_t i = 0; i < n; i++) {
        save_one(&wholes[i], l->arena, &l->found[i]);
        l->stripes += l->found[i].stripes_len;
    }
    l->n = n;
    return RC_OK;
}

static enum rc refuse_body(struct redis_call *c, void *context, struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    (void)context;
    redis_ask_begin(c, &args, c->at.generation);
    redis_args_add(&args, STR("h"));
    redis_args_add(&args, redis_key(c, "c"));
    redis_args_add(&args, redis_number(c, c->at.generation));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    bool any = reply->elements == 2 && redis_reply_str(reply->element[1]).at;
    redis_replies_free(&reply, 1);
    return any ? why_set(why, RC_ABSENT, LEDGER_UNSAVED_WORDS, c->at.generation) : RC_OK;
}

enum rc ledger_redis_save_files(void *self, struct ledger_at at, struct ledger_save_ask ask, struct arena *arena,
                                struct saved_file **out, size_t *out_n, struct why *why) {
    struct saved_file *found = ARENA_ARRAY(arena, struct saved_file, ask.files);
    size_t n = 0;
    while (ask.files && ask.stripes) {
        struct saves l = {.ask = ask, .arena = arena, .found = found + n};
        TRY(redis_call_run(self, at, true, save_body, &l, why));
        if (!l.n) break;
        n += l.n;
        ask.after = found[n - 1].id;
        ask.files -= l.n;
        ask.stripes -= MIN(ask.stripes, l.stripes);
    }
    TRY(redis_call_run(self, at, true, refuse_body, NULL, why)); /* behind: a winner's claims come with it */
    *out = found;
    *out_n = n;
    return RC_OK;
}

/* ---- and back ---- */

struct loads {
    struct id token;
    uint64_t generation;
    const struct saved_file *files;
    size_t n;
};

static RC load_stripe(struct redis_call *c, struct row *file, uint64_t generation, uint64_t epoch,
                      const struct saved_stripe *s, struct why *why) {
    struct row *row = ARENA_NEW(&c->arena, struct row);
    struct rules_stripe *rules = &row->s.rules;
    uint64_t bytes = file->f.facts.stripe_bytes;
    *row = (struct row){.kind = ROW_STRIPE, .file = file->file, .stripe = s->stripe, .generation = generation};
    if (s->stripe > (uint64_t)INT64_MAX / bytes || s->stripe >> 53 ||
        (!s->pruned && s->winners[0].from != stripe_start(s->stripe, bytes)))
        return why_set(why, RC_BAD, "a saved stripe %" PRIu64 " cannot be", s->stripe);
    rules->start = stripe_start(s->stripe, bytes);
    rules->pruned = s->pruned;
    rules->winners_len = s->winners_len;
    rules->winners = ARENA_ARRAY(&c->arena, struct rules_winner, s->winners_len);
    for (size_t i = 0; i < s->winners_len; i++) {
        const struct saved_winner *w = &s->winners[i];
        rules->winners[i] = (struct rules_winner){.from = w->from,
                                                  .to = w->to,
                                                  .attempt = w->attempt,
                                                  .counts = w->counts,
                                                  .tail_hash = w->tail_hash,
                                                  .messages = w->messages,
                                                  .durable = w->durable};
    }
    row->s.counts = s->counts;
    redis_stripe_write(c, row, generation, epoch);
    return RC_OK;
}

static void load_batches(struct redis_call *c, const struct saved_file *f, uint64_t generation) {
    struct buf list = BUF_INIT(REDIS_ROW_MAX);
    for (size_t i = 0; i < f->batches_len; i++) {
        redis_pack_varint(&list, f->batches[i].partition);
        redis_pack_varint(&list, f->batches[i].index);
    }
    if (list.len)
        REDIS_WRITE(c, "set", redis_named(c, 'b', generation, f->id, ""), arena_str(&c->arena, buf_str(&list)));
    buf_done(&list);
}

static RC load_identity(struct redis_call *c, const struct saved_file *f, struct row **out, struct why *why) {
    struct row *row = *out = redis_file(c, f->id);
    if (!row->f.found) { /* the first of its key: an enroll that refuses it gives the next one a higher version */
        TRY(redis_check_facts(f->id, &f->facts, why));
        row->f = (struct redis_file){
            .found = true, .id = f->id, .stamp = row->f.stamp, .version = 1, .facts = f->facts, .restored = true};
        row->dirty = true;
        redis_index_note(c, &f->facts, f->id);
    }
    for (size_t i = 0; i < f->ends_len; i++) redis_end_add(c, row, f->ends[i], row->f.gone || f->gone);
    row->dirty = row->dirty || f->gone != row->f.gone;
    row->f.gone = row->f.gone || f->gone;
    return RC_OK;
}

static RC load_one(struct redis_call *c, const struct saved_file *f, uint64_t generation, uint64_t epoch,
                   struct why *why) {
    struct row *file = NULL;
    struct redis_progress p = {.receipted = (int64_t)f->receipted - 1,
                               .outstanding = f->whole.outstanding,
                               .reach = f->whole.reach,
                               .tail = f->whole.tail};
    struct buf row = BUF_INIT(64);
    TRY(load_identity(c, f, &file, why));
    for (size_t i = 0; i < f->stripes_len; i++) TRY(load_stripe(c, file, generation, epoch, &f->stripes[i], why));
    load_batches(c, f, generation);
    if (f->stripes_len || f->receipted) {
        redis_pack_progress(&row, &p);
        REDIS_WRITE(c, "hset", redis_progress_key(c, f->id, generation), redis_copy_id(c, f->id, 2),
                    arena_str(&c->arena, buf_str(&row)));
        buf_done(&row);
    }
    if (f->ends_len && f->receipted <= f->ends[f->ends_len - 1])
        REDIS_WRITE(c, "zadd", redis_key(c, "w:%" PRIu64, generation), STR("0"), redis_copy_id(c, f->id, 0));
    return RC_OK;
}

static enum rc load_body(struct redis_call *c, void *context, struct why *why) {
    struct loads *l = context;
    struct redis_meta meta;
    TRY(redis_own(c, l->token, &meta, why));
    for (size_t i = 0; i < l->n; i++) redis_want_file(c, l->files[i].id);
    TRY(redis_load(c, why));
    redis_use_generation(c, l->generation);
    for (size_t i = 0; i < l->n; i++) TRY(load_one(c, &l->files[i], l->generation, meta.target, why));
    redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    return RC_OK;
}

/* What the next script stores: files, or a part of one of many stripes. `*from` is the stripe that files[*at] begins
 * with. */
static size_t next_files(const struct saved_file *files, size_t n, size_t *at, size_t *from, struct saved_file *out) {
    size_t len = 0;
    for (size_t room = LOADED_STRIPES; *at < n && room && len < SAVED_AT_ONCE; len++) {
        const struct saved_file *f = &files[*at];
        size_t take = MIN(f->stripes_len - *from, room);
        out[len] = *f;
        out[len].stripes = f->stripes + *from;
        out[len].stripes_len = take;
        if (*from) out[len].batches_len = 0;
        room -= take;
        *from += take;
        if (*from < f->stripes_len) continue;
        *from = 0;
        ++*at;
    }
    return len;
}

enum rc ledger_redis_recover_files(void *self, struct id token, uint64_t generation, const struct saved_file *files,
                                   size_t n, struct why *why) {
    for (size_t at = 0, from = 0; at < n;) {
        struct saved_file some[SAVED_AT_ONCE];
        struct loads l = {token, generation, some, next_files(files, n, &at, &from, some)};
        TRY(redis_call_run(self, (struct ledger_at){0}, false, load_body, &l, why));
    }
    return RC_OK;
}

struct counters {
    struct id token;
    const struct saved_counter *counters;
    size_t n;
};

static enum rc counters_body(struct redis_call *c, void *context, struct why *why) {
    struct counters *l = context;
    struct redis_meta meta;
    TRY(redis_own(c, l->token, &meta, why));
    for (size_t i = 0; i < l->n; i++) {
        const struct saved_counter *k = &l->counters[i];
        struct buf next = BUF_INIT(8), until = BUF_INIT(8);
        redis_pack_u64(&next, k->next);
        redis_pack_u64(&until, k->until);
        redis_use_generation(c, k->generation);
        REDIS_WRITE(c, "hset", redis_key(c, "n:%" PRIu64, k->generation), redis_number(c, k->partition),
                    arena_str(&c->arena, buf_str(&next)));
        REDIS_WRITE(c, "hset", redis_key(c, "i:%" PRIu64, k->generation), redis_number(c, k->partition),
                    arena_str(&c->arena, buf_str(&until)));
        buf_done(&next);
        buf_done(&until);
    }
    redis_compare(c, redis_key(c, "meta"), STR(""), true, meta.was);
    return RC_OK;
}

enum rc ledger_redis_recover_counters(void *self, struct id token, const struct saved_counter *counters, size_t n,
                                      struct why *why) {
    struct counters l = {token, counters, n};
    return redis_call_run(self, (struct ledger_at){0}, false, counters_body, &l, why);
}
