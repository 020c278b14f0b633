/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_redis.h"

#include "alloc.h"
#include "ledger_redis_parts.h"

static enum rc identity_body(struct redis_call *c, void *context, struct why *why) {
    struct ledger_identity *out = context;
    struct redis_meta meta;
    struct str gate;
    char life[REDIS_LIFE_MAX];
    TRY(redis_meta_load(c, &meta, &gate, why));
    TRY(redis_link_life(c->l->link, life, why));
    bool open = !meta.target && str_equal(gate, redis_gate(c, meta.epoch, life));
    *out = (struct ledger_identity){meta.ledger, meta.queue, meta.epoch, !open, meta.target};
    return RC_OK;
}

static enum rc identity(void *self, struct ledger_identity *out, struct why *why) {
    struct ledger_identity found = {0};
    TRY(redis_call_run(self, (struct ledger_at){0}, false, identity_body, &found, why));
    *out = found;
    return RC_OK;
}

static void redis_free(void *self) {
    struct ledger_redis *l = self;
    if (!l) return;
    redis_link_free(l->link);
    free(l);
}

static const struct ledger_save_ops save_ops = {ledger_redis_save_files, ledger_redis_recover_files,
                                                ledger_redis_recover_counters};
static const struct ledger_ops ops = {
    .identity = identity,
    .lookup = ledger_redis_lookup,
    .enroll = ledger_redis_enroll,
    .amend = ledger_redis_amend,
    .close_files = ledger_redis_close_files,
    .checkpoints = ledger_redis_checkpoints,
    .advance = ledger_redis_advance,
    .verdicts = ledger_redis_verdicts,
    .voids = ledger_redis_voids,
    .claims = ledger_redis_claims,
    .job_failed = ledger_redis_job_failed,
    .durable = ledger_redis_durable,
    .durable_next = ledger_redis_durable_next,
    .acknowledged = ledger_redis_acknowledged,
    .due = ledger_redis_due,
    .receipted = ledger_redis_receipted,
    .list = ledger_redis_list,
    .list_stripes = ledger_redis_list_stripes,
    .generations = ledger_redis_generations,
    .forget = ledger_redis_forget,
    .list_wons = ledger_redis_list_wons,
    .recover_begin = ledger_redis_recover_begin,
    .recover_next = ledger_redis_recover_next,
    .recover_winners = ledger_redis_recover_winners,
    .recover_reset_durable = ledger_redis_recover_reset_durable,
    .recover_end = ledger_redis_recover_end,
    .save = &save_ops,
    .free = redis_free,
};

RC ledger_redis_open(const struct ledger_redis_settings *settings, struct ledger *out, struct why *why) {
    struct ledger_redis *l = ALLOC(struct ledger_redis);
    struct ledger_identity who = {0};
    enum rc rc = redis_link_new(settings, &l->link, why);
    if (rc == RC_OK) rc = identity(l, &who, why);
    if (rc == RC_OK)
        *out = (struct ledger){&ops, l, {who.epoch, settings->generation}};
    else
        redis_free(l);
    return rc;
}

/* ---- init ---- */

struct making {
    const struct ledger_redis_init *init;
    struct id ledger, queue;
    bool made;
};

static enum rc make_body(struct redis_call *c, void *context, struct why *why) {
    struct making *m = context;
    struct redis_meta meta;
    struct str gate;
    char life[REDIS_LIFE_MAX], a[ID_TEXT], b[ID_TEXT];
    enum rc rc = redis_meta_load(c, &meta, &gate, why);
    m->made = false;
    if (rc == RC_OK && !id_is_none(m->init->ledger) && !id_equal(meta.ledger, m->init->ledger))
        return why_set(why, RC_DENIED, "Redis holds ledger %s of this pipeline, the output location belongs to %s",
                       id_format(meta.ledger, a), id_format(m->init->ledger, b));
    if (rc != RC_ABSENT) return rc;
    TRY(redis_link_life(c->l->link, life, why));
    m->made = true;
    redis_meta_store(c, &(struct redis_meta){.ledger = m->ledger, .queue = m->queue, .epoch = 1});
    struct str open = m->init->emptied ? STR("shut") : redis_gate(c, 1, life);
    REDIS_WRITE(c, "set", redis_key(c, "gate"), open);
    return RC_OK;
}

RC ledger_redis_init(const struct ledger_redis_settings *settings, const struct ledger_redis_init *init, bool *out_made,
                     struct why *why) {
    struct ledger_redis l = {0};
    struct rng rng = rng_from_kernel();
    struct making m = {init, init->ledger, init->queue, false};
    if (id_is_none(m.ledger) != id_is_none(m.queue) || (init->emptied && id_is_none(m.ledger)))
        return why_set(why, RC_BAD, "a ledger needs both of its ids");
    if (id_is_none(m.ledger)) {
        m.ledger = id_make(&rng);
        m.queue = id_make(&rng);
    }
    TRY(redis_link_new(settings, &l.link, why));
    enum rc rc = redis_call_run(&l, (struct ledger_at){0}, false, make_body, &m, why);
    redis_link_free(l.link);
    if (rc == RC_OK) *out_made = m.made;
    return rc;
}
