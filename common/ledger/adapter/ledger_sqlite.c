/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_sqlite.h"

#include "alloc.h"
#include "ledger_sqlite_parts.h"
#include "must.h"

#include <inttypes.h>

RC ledger_sqlite_meta(struct ledger_sqlite *l, struct ledger_meta *out, struct why *why) {
    bool row = false;
    TRY(ledger_db_first(l->db, &row, why, SQL_META_GET, ""));
    if (!row) return why_set(why, RC_BROKEN, "the ledger has no identity");
    *out = (struct ledger_meta){ledger_db_id(l->db, SQL_META_GET, 0), ledger_db_id(l->db, SQL_META_GET, 1),
                                ledger_db_id(l->db, SQL_META_GET, 4), ledger_db_u64(l->db, SQL_META_GET, 2),
                                ledger_db_u64(l->db, SQL_META_GET, 3)};
    return RC_OK;
}

RC ledger_sqlite_begin_any(struct ledger_sqlite *l, bool write, struct why *why) {
    if (write && l->reader) return why_set(why, RC_DENIED, "the ledger is open for looking only");
    return ledger_db_begin(l->db, write, why);
}

static RC check_epoch(struct ledger_sqlite *l, struct ledger_at at, struct why *why) {
    struct ledger_meta meta;
    TRY(ledger_sqlite_meta(l, &meta, why));
    if (meta.target) return why_set(why, RC_STALE, "the ledger is being recovered to epoch %" PRIu64, meta.target);
    if (meta.epoch == at.epoch) return RC_OK;
    return why_set(why, RC_STALE, "the ledger is at epoch %" PRIu64 ", not %" PRIu64, meta.epoch, at.epoch);
}

RC ledger_sqlite_begin_epoch(struct ledger_sqlite *l, struct ledger_at at, bool write, struct why *why) {
    if (at.generation > INT64_MAX) return why_set(why, RC_BAD, "generation %" PRIu64 " is too large", at.generation);
    TRY(ledger_sqlite_begin_any(l, write, why));
    enum rc rc = check_epoch(l, at, why);
    return rc == RC_OK ? RC_OK : ledger_db_end(l->db, rc, why);
}

RC ledger_sqlite_begin(struct ledger_sqlite *l, struct ledger_at at, bool write, struct why *why) {
    TRY(ledger_sqlite_begin_epoch(l, at, write, why));
    enum rc rc = ledger_sqlite_check_forgotten(l, at.generation, why);
    return rc == RC_OK ? RC_OK : ledger_db_end(l->db, rc, why);
}

static enum rc identity(void *self, struct ledger_identity *out, struct why *why) {
    struct ledger_sqlite *l = self;
    struct ledger_meta meta = {0};
    LOCKED(&l->lock);
    TRY(ledger_db_begin(l->db, false, why));
    TRY(ledger_db_end(l->db, ledger_sqlite_meta(l, &meta, why), why));
    *out = (struct ledger_identity){meta.ledger, meta.queue, meta.epoch, meta.target != 0, meta.target};
    return RC_OK;
}

static void sqlite_free(void *self) {
    struct ledger_sqlite *l = self;
    if (!l) return;
    ledger_db_free(l->db);
    own_close(&l->lock_fd); /* last: it lets the next writer in */
    (void)pthread_mutex_destroy(&l->lock);
    free(l->winners);
    free(l->voids);
    free(l);
}

static const struct ledger_save_ops save_ops = {ledger_sqlite_save_files, ledger_sqlite_recover_files,
                                                ledger_sqlite_recover_counters};
static const struct ledger_ops ops = {
    .identity = identity,
    .lookup = ledger_sqlite_lookup,
    .enroll = ledger_sqlite_enroll,
    .amend = ledger_sqlite_amend,
    .close_files = ledger_sqlite_close_files,
    .checkpoints = ledger_sqlite_checkpoints,
    .advance = ledger_sqlite_advance,
    .verdicts = ledger_sqlite_verdicts,
    .voids = ledger_sqlite_voids,
    .claims = ledger_sqlite_claims,
    .job_failed = ledger_sqlite_job_failed,
    .durable = ledger_sqlite_durable,
    .durable_next = ledger_sqlite_durable_next,
    .acknowledged = ledger_sqlite_acknowledged,
    .due = ledger_sqlite_due,
    .receipted = ledger_sqlite_receipted,
    .list = ledger_sqlite_list,
    .list_stripes = ledger_sqlite_list_stripes,
    .generations = ledger_sqlite_generations,
    .forget = ledger_sqlite_forget,
    .list_wons = ledger_sqlite_list_wons,
    .recover_begin = ledger_sqlite_recover_begin,
    .recover_next = ledger_sqlite_recover_next,
    .recover_winners = ledger_sqlite_recover_winners,
    .recover_reset_durable = ledger_sqlite_recover_reset_durable,
    .recover_end = ledger_sqlite_recover_end,
    .save = &save_ops,
    .free = sqlite_free,
};

static struct ledger_sqlite *sqlite_new(void) {
    struct ledger_sqlite *l = ALLOC(struct ledger_sqlite);
    l->lock_fd = -1;
    MUST(pthread_mutex_init(&l->lock, NULL) == 0);
    return l;
}

/* The handle with the ledger's epoch, or nothing left behind. */
static RC hand_over(struct ledger_sqlite *l, uint64_t generation, enum rc rc, struct ledger *out, struct why *why) {
    struct ledger_identity who;
    if (rc == RC_OK) rc = identity(l, &who, why);
    if (rc == RC_OK)
        *out = (struct ledger){&ops, l, {who.epoch, generation}};
    else
        sqlite_free(l);
    return rc;
}

static RC open_memory(struct ledger_sqlite *l, const struct ledger_sqlite_settings *settings, struct why *why) {
    TRY(ledger_db_open(settings->path, LEDGER_DB_MEMORY, &l->db, why));
    return ledger_db_run(l->db, why, SQL_META_PUT, "dd", settings->ledger, settings->queue);
}

static RC open_file(struct ledger_sqlite *l, const struct ledger_sqlite_settings *settings, struct why *why) {
    TRY(ledger_sqlite_lock(settings->path, &l->lock_fd, why));
    enum rc rc = ledger_sqlite_look(settings->path, true, why);
    if (rc == RC_ABSENT && settings->create)
        rc = ledger_sqlite_create(&settings->ledger, &settings->queue, settings->path, why);
    TRY(rc);
    return ledger_db_open(settings->path, LEDGER_DB_WRITE, &l->db, why);
}

RC ledger_sqlite_open(const struct ledger_sqlite_settings *settings, struct ledger *out, struct why *why) {
    struct ledger_sqlite *l = sqlite_new();
    bool memory = strcmp(settings->path, ":memory:") == 0;
    enum rc rc = memory ? open_memory(l, settings, why) : open_file(l, settings, why);
    return hand_over(l, settings->generation, rc, out, why);
}

RC ledger_sqlite_open_reader(const char *path, uint64_t generation, struct ledger *out, struct why *why) {
    struct ledger_sqlite *l = sqlite_new();
    l->reader = true;
    enum rc rc = ledger_sqlite_look(path, false, why);
    if (rc == RC_OK) rc = ledger_db_open(path, LEDGER_DB_READ, &l->db, why);
    return hand_over(l, generation, rc, out, why);
}

RC ledger_sqlite_save(struct ledger ledger, void **out, size_t *out_len, struct why *why) {
    MUST(ledger.ops == &ops);
    struct ledger_sqlite *l = ledger.self;
    LOCKED(&l->lock);
    return ledger_db_save(l->db, out, out_len, why);
}

RC ledger_sqlite_load(struct ledger ledger, const void *bytes, size_t len, struct why *why) {
    MUST(ledger.ops == &ops);
    struct ledger_sqlite *l = ledger.self;
    LOCKED(&l->lock);
    return ledger_db_load(l->db, bytes, len, why);
}
