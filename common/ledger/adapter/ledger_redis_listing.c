/* SPDX-License-Identifier: Apache-2.0 */
/* A file with everything; what a person asks, at any epoch. */
#include "ledger_redis_parts.h"

#include "alloc.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>

/* ---- whole files ---- */

static int by_stripe(const void *a, const void *b) {
    const struct row *x = a, *y = b;
    return x->stripe < y->stripe ? -1 : x->stripe > y->stripe;
}

static struct str keep(struct redis_call *c, const redisReply *reply) {
    struct str s = redis_reply_str(reply);
    return s.at ? arena_str(&c->arena, s) : s;
}

struct reading {
    struct redis_whole *out;
    uint64_t generation, epoch;
    size_t room;
};

static RC read_bucket(struct redis_call *c, struct reading *r, const redisReply *number, const redisReply *list,
                      struct why *why) {
    uint64_t bucket = 0, bytes = r->out->file.facts.stripe_bytes;
    if (str_parse_u64(redis_reply_str(number), &bucket) != RC_OK || list->type != REDIS_REPLY_ARRAY || !bytes)
        return why_set(why, RC_BROKEN, "the ledger is damaged: the stripes of a file");
    for (size_t i = 0; i + 2 < list->elements; i += 3) {
        struct str field = redis_reply_str(list->element[i]);
        struct row *row = &r->out->stripes[r->out->stripes_len++];
        if (field.len != 1) return why_set(why, RC_BROKEN, "the ledger is damaged: a stripe's number");
        row->kind = ROW_STRIPE;
        row->file = r->out->file.id;
        row->generation = r->generation;
        row->stripe = bucket * REDIS_STRIPES_A_HASH + (uint8_t)*field.at;
        row->was = keep(c, list->element[i + 1]);
        TRY(redis_unpack_stripe(row->was, keep(c, list->element[i + 2]), stripe_start(row->stripe, bytes), r->epoch,
                                &c->arena, &row->s, why));
    }
    return RC_OK;
}

RC redis_whole_read(struct redis_call *c, const redisReply *answer, struct id file, uint64_t generation, uint64_t epoch,
                    struct redis_whole *out, struct why *why) {
    struct reading r = {out, generation, epoch, 0};
    *out = (struct redis_whole){.file = {.id = file}};
    if (answer->type != REDIS_REPLY_ARRAY || answer->elements < 3)
        return why_set(why, RC_BROKEN, "the load script answers something else");
    TRY(redis_unpack_file(keep(c, answer->element[0]), file, &c->arena, &out->file, why));
    out->progress_was = keep(c, answer->element[1]);
    TRY(redis_unpack_progress(out->progress_was, &out->progress, why));
    out->batches = keep(c, answer->element[2]);
    for (size_t i = 4; i < answer->elements; i += 2) r.room += answer->element[i]->elements / 3;
    out->stripes = ARENA_ARRAY(&c->arena, struct row, r.room);
    for (size_t i = 4; i < answer->elements; i += 2)
        if (answer->element[i]->elements) TRY(read_bucket(c, &r, answer->element[i - 1], answer->element[i], why));
    if (out->stripes_len) qsort(out->stripes, out->stripes_len, sizeof *out->stripes, by_stripe);
    return RC_OK;
}

/* A script a file: one may be large. */
RC redis_whole_load(struct redis_call *c, const struct id *files, size_t n, uint64_t generation, uint64_t epoch,
                    struct redis_whole *out, struct why *why) {
    AUTO(own_free) struct redis_args *args = alloc_zero(n, sizeof *args);
    AUTO(own_free) redisReply **replies = alloc_zero(n, sizeof(redisReply *));
    struct str number = redis_number(c, generation);
    if (!n) return RC_OK;
    for (size_t i = 0; i < n; i++) {
        redis_ask_begin(c, &args[i], generation);
        redis_args_add(&args[i], STR("d"));
        redis_args_add(&args[i], redis_id_str(&files[i]));
        redis_args_add(&args[i], number);
    }
    enum rc rc = redis_ask(c, args, n, replies, why);
    for (size_t i = 0; i < n && rc == RC_OK; i++)
        rc = replies[i]->elements == 2
                 ? redis_whole_read(c, replies[i]->element[1], files[i], generation, epoch, &out[i], why)
                 : why_set(why, RC_BROKEN, "the load script answers something else");
    redis_replies_free(replies, n);
    for (size_t i = 0; i < n; i++) redis_args_done(&args[i]);
    return rc;
}

/* ---- list ---- */

struct lists {
    struct id after;
    size_t max, n;
    struct arena *arena;
    struct ledger_listing *found;
};

static enum ledger_state state_of(const struct redis_whole *w) {
    bool closed;
    uint64_t end = redis_closed_end(&w->file, &closed);
    if (w->progress.set_aside) return LEDGER_SET_ASIDE;
    if (!closed || w->progress.reach > end) return LEDGER_OPEN;
    return w->progress.receipted >= (int64_t)end ? LEDGER_RECEIPTED : LEDGER_CLOSED;
}

static void add_figures(const struct redis_whole *w, struct arena *arena, struct ledger_listing *out) {
    for (size_t i = 0; i < w->stripes_len; i++) {
        const struct redis_stripe *s = &w->stripes[i].s;
        uint64_t open = rules_outstanding(&s->rules);
        if (s->set_aside && !out->set_aside_reason.at) out->set_aside_reason = arena_str(arena, s->reason);
        if (!s->rules.winners_len) continue;
        out->converted_bytes += rules_at(&s->rules) - s->rules.start;
        out->stripes++;
        out->durable_stripes += open == 0;
        out->outstanding += open;
        counts_add(&out->counts, &s->counts);
    }
}

static void list_one(const struct redis_whole *w, struct arena *arena, struct ledger_listing *out) {
    *out = (struct ledger_listing){.file = w->file.id, .facts = w->file.facts, .gone = w->file.gone};
    out->closed_end = redis_closed_end(&w->file, &out->closed);
    out->facts.source = arena_str(arena, w->file.facts.source);
    out->facts.uri = arena_str(arena, w->file.facts.uri);
    out->state = state_of(w);
    add_figures(w, arena, out);
}

static int by_id(const void *a, const void *b) {
    const struct id *x = a, *y = b;
    return id_compare(*x, *y);
}

/* Ids behind `after`, ascending, out of whole buckets; *out_bucket: the one to go on with. */
static RC load_ids(struct redis_call *c, struct id after, size_t max, uint64_t *bucket, struct id **out, size_t *out_n,
                   struct why *why) {
    struct redis_args args = {0};
    redisReply *reply = NULL;
    redis_ask_begin(c, &args, c->at.generation);
    redis_args_add(&args, STR("l"));
    redis_args_add(&args, redis_number(c, *bucket));
    redis_args_add(&args, redis_number(c, max));
    enum rc rc = redis_ask(c, &args, 1, &reply, why);
    redis_args_done(&args);
    if (rc != RC_OK) return rc;
    const redisReply *list = reply->elements == 2 ? reply->element[1] : NULL;
    size_t n = list ? list->elements : 0;
    *out = ARENA_ARRAY(&c->arena, struct id, n);
    *out_n = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        struct str bytes = redis_reply_str(list->element[i]);
        struct id id;
        if (id_from_bytes(bytes.at, bytes.len, &id) == RC_OK && id_compare(after, id) < 0) (*out)[(*out_n)++] = id;
    }
    if (!n || str_parse_u64(redis_reply_str(list->element[n - 1]), bucket) != RC_OK)
        rc = why_set(why, RC_BROKEN, "the load script answers something else");
    redis_replies_free(&reply, 1);
    if (*out_n) qsort(*out, *out_n, sizeof **out, by_id);
    return rc;
}

RC redis_ids_after(struct redis_call *c, struct id after, size_t max, struct id **out, size_t *out_n, struct why *why) {
    uint64_t bucket = (uint64_t)after.bytes[0] * 16 + after.bytes[1] / 16;
    do {
        TRY(load_ids(c, after, max, &bucket, out, out_n, why));
    } while (!*out_n && bucket < 4096);
    *out_n = MIN(*out_n, max);
    return RC_OK;
}

enum { LISTED_AT_ONCE = 256 };

static enum rc list_body(struct redis_call *c, void *context, struct why *why) {
    struct lists *l = context;
    struct id *ids = NULL;
    size_t n = 0;
    TRY(redis_ids_after(c, l->after, MIN(l->max, (size_t)LISTED_AT_ONCE), &ids, &n, why));
    struct redis_whole *wholes = ARENA_ARRAY(&c->arena, struct redis_whole, n);
    TRY(redis_whole_load(c, ids, n, c->at.generation, 0, wholes, why));
    for (size_t i = 0; i < n; i++) list_one(&wholes[i], l->arena, &l->found[i]);
    l->n = n;
    return RC_OK;
}

enum rc ledger_redis_list(void *self, struct ledger_at at, struct id after, size_t max, struct arena *arena,
                          struct ledger_listing **out, size_t *out_n, struct why *why) {
    struct ledger_listing *found = ARENA_ARRAY(arena, struct ledger_listing, max);
    size_t n = 0;
    while (n < max) {
        struct lists l = {after, max - n, 0, arena, found + n};
        TRY(redis_call_run(self, at, false, list_body, &l, why));
        if (!l.n) break;
        n += l.n;
        after = found[n - 1].file;
    }
    *out = found;
    *out_n = n;
    return RC_OK;
}

struct stripes {
    struct id file;
    struct arena *arena;
    struct ledger_stripe_listing *found;
    size_t n;
};

static enum rc stripes_body(struct redis_call *c, void *context, struct why *why) {
    struct stripes *l = context;
    struct redis_whole w;
    char name[ID_TEXT];
    TRY(redis_whole_load(c, &l->file, 1, c->at.generation, 0, &w, why));
    if (!w.file.found) return why_set(why, RC_ABSENT, "the ledger does not know file %s", id_format(l->file, name));
    l->n = w.stripes_len;
    l->found = ARENA_ARRAY(l->arena, struct ledger_stripe_listing, l->n);
    for (size_t i = 0; i < l->n; i++) {
        const struct redis_stripe *s = &w.stripes[i].s;
        l->found[i] = (struct ledger_stripe_listing){.stripe = w.stripes[i].stripe,
                                                     .at = rules_at(&s->rules),
                                                     .counts = s->counts,
                                                     .outstanding = rules_outstanding(&s->rules),
                                                     .set_aside = s->set_aside,
                                                     .reason = arena_str(l->arena, s->reason)};
    }
    return RC_OK;
}

enum rc ledger_redis_list_stripes(void *self, struct ledger_at at, struct id file, struct arena *arena,
                                  struct ledger_stripe_listing **out, size_t *out_n, struct why *why) {
    struct stripes l = {.file = file, .arena = arena};
    TRY(redis_call_run(self, at, false, stripes_body, &l, why));
    *out = l.found;
    *out_n = l.n;
    return RC_OK;
}

struct wons {
    struct id file;
    struct arena *arena;
    struct ledger_wons found;
};

static enum rc wons_body(struct redis_call *c, void *context, struct why *why) {
    struct wons *l = context;
    struct redis_whole w;
    char name[ID_TEXT];
    TRY(redis_whole_load(c, &l->file, 1, c->at.generation, 0, &w, why));
    if (!w.file.found) return why_set(why, RC_ABSENT, "the ledger does not know file %s", id_format(l->file, name));
    struct ledger_wons *out = &l->found;
    *out = (struct ledger_wons){.ends_len = w.file.ends_len};
    out->ends = ARENA_ARRAY(l->arena, uint64_t, out->ends_len);
    if (out->ends_len) memcpy(out->ends, w.file.ends, out->ends_len * sizeof *out->ends);
    for (size_t i = 0; i < w.stripes_len; i++) out->wons_len += w.stripes[i].s.rules.winners_len;
    struct ledger_won *at = out->wons = ARENA_ARRAY(l->arena, struct ledger_won, out->wons_len);
    for (size_t i = 0; i < w.stripes_len; i++) {
        const struct redis_stripe *s = &w.stripes[i].s;
        rules_list(&s->rules, w.stripes[i].stripe, s->counts.lines, at);
        at += s->rules.winners_len;
    }
    return RC_OK;
}

enum rc ledger_redis_list_wons(void *self, struct ledger_at at, struct id file, struct arena *arena,
                               struct ledger_wons *out, struct why *why) {
    struct wons l = {.file = file, .arena = arena};
    TRY(redis_call_run(self, at, false, wons_body, &l, why));
    *out = l.found;
    return RC_OK;
}
