/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded broker and ledger: files of the state folder. */
#include "broker_local.h"
#include "ledger_sqlite.h"
#include "log.h"
#include "own.h"
#include "rng.h"
#include "runtime_inner.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

RC runtime_make_folder(struct str path, unsigned mode, const char *key, struct why *why) {
    AUTO(buf_done) struct buf text = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.at[i] != '/') continue;
        buf_reset(&text);
        buf_add(&text, str_sub(path, 0, i));
        if (mkdir(buf_text(&text), mode) != 0 && errno != EEXIST)
            return why_errno(why, RC_DENIED, errno, "%s: the folder %.*s cannot be made", key, STR_ARG(path));
    }
    return RC_OK;
}

static const char *path_in(struct buf *to, struct str folder, const char *name) {
    buf_reset(to);
    buf_add(to, folder);
    buf_add_char(to, '/');
    buf_add(to, str_of(name));
    return buf_text(to);
}

RC runtime_local_ledger(struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    struct rng rng = rng_from_kernel();
    TRY(runtime_make_folder(r->config->state, 0777, "state", why));
    struct ledger_sqlite_settings settings = {.path = path_in(&path, r->config->state, "ledger.sqlite"),
                                              .generation = r->config->generation,
                                              .create = true,
                                              .ledger = id_make(&rng),
                                              .queue = id_make(&rng)};
    return ledger_sqlite_open(&settings, &r->ledger, why);
}

static void tell_opening(struct broker broker, uint32_t partition) {
    struct broker_local_opening o = broker_local_opening(broker, partition);
    if (!o.torn_bytes && !o.dropped_messages) return;
    LOG_INFO("the last run was cut off while it wrote; what was not acknowledged is left out",
             F_U64("partition", partition), F_STR("file", str_of(o.torn_file)), F_U64("torn_bytes", o.torn_bytes),
             F_U64("dropped_messages", o.dropped_messages));
}

static RC open_queue(const struct runtime *r, uint64_t generation, bool hurt, struct broker *out, struct why *why) {
    AUTO(buf_done) struct buf dir = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    struct broker_local_options options = {.dir = str_of(path_in(&dir, r->config->state, "queue")),
                                           .queue = r->queue,
                                           .generation = generation,
                                           .beside = r->broker.ops != NULL,
                                           .repair = hurt,
                                           .job_partitions = (uint32_t)r->config->broker.job_partitions,
                                           .block_partitions = (uint32_t)r->config->broker.partitions};
    TRY(broker_local_open(&options, out, why));
    for (uint32_t p = 0; p < options.block_partitions; p++) tell_opening(*out, p);
    return RC_OK;
}

RC runtime_local_queue(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    AUTO(buf_done) struct buf dir = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    char name[64];
    (void)snprintf(name, sizeof name, "queue/g%llu", (unsigned long long)generation);
    if (access(path_in(&dir, r->config->state, name), F_OK) != 0) return RC_ABSENT;
    return open_queue(r, generation, false, out, why);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

/* The ledger's lock is held, so no run of this state folder is under way. */
RC runtime_local_drop_queue(const struct runtime *r, uint64_t generation, struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    char name[64];
    (void)snprintf(name, sizeof name, "queue/g%llu", (unsigned long long)generation);
    const char *folder = path_in(&path, r->config->state, name);
    if (access(folder, F_OK) != 0) return RC_OK;
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0) return RC_OK;
    return why_errno(why, RC_DENIED, errno, "%s cannot be removed", folder);
}

RC runtime_local_broker(struct runtime *r, struct why *why) {
    return open_queue(r, r->config->generation, false, &r->broker, why);
}

RC runtime_local_hurt_broker(struct runtime *r, struct why *why) {
    return open_queue(r, r->config->generation, true, &r->broker, why);
}

RC runtime_local_ledger_reader(struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    const char *file = path_in(&path, r->config->state, "ledger.sqlite");
    enum rc rc = ledger_sqlite_open_reader(file, r->config->generation, &r->ledger, why);
    if (rc == RC_ABSENT) {
        r->fresh = true;
        return RC_OK;
    }
    return rc;
}
