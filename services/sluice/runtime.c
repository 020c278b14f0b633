/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime.h"

#include "broker_local.h"
#include "identity.h"
#include "ledger_sqlite.h"
#include "log.h"
#include "names.h"
#include "own.h"
#include "rng.h"
#include "source_posix.h"
#include "store_dir.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOB_PARTITIONS = 16 };

/* Makes the folder and those above it. */
static RC make_folder(struct str path, struct why *why) {
    AUTO(buf_done) struct buf text = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && path.at[i] != '/') continue;
        buf_reset(&text);
        buf_add(&text, str_sub(path, 0, i));
        if (mkdir(buf_text(&text), 0777) != 0 && errno != EEXIST)
            return why_errno(why, RC_DENIED, errno, "state folder %.*s cannot be made", STR_ARG(path));
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

/* ---- who writes here ---- */

static RC read_identity(struct store store, struct arena *arena, struct identity *out, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
    TRY(store_get(store, NAME_LEDGER_IDENTITY, 0, IDENTITY_BYTES_MAX, &bytes, why));
    enum rc rc = identity_decode(buf_str(&bytes), arena, out, why);
    return rc == RC_OK ? RC_OK : why_wrap(why, RC_BROKEN, "%.*s in the output", STR_ARG(NAME_LEDGER_IDENTITY));
}

static RC foreign_output(const struct runtime *r, const struct identity *there, struct why *why) {
    char text[ID_TEXT];
    return why_set(
        why, RC_DENIED,
        "%.*s holds the objects of pipeline \"%.*s\" written with another state (ledger %s): the state folder %.*s was "
        "removed or is another one. Restore that state folder, or use an empty output",
        STR_ARG(r->config->output.url), STR_ARG(there->pipeline), id_format(there->ledger, text),
        STR_ARG(r->config->state));
}

/* Puts our identity if the output has none, and refuses one that is not ours. */
static RC claim_output(struct runtime *r, const struct ledger_identity *who, struct why *why) {
    struct identity mine = {.pipeline = r->config->pipeline,
                            .ledger = who->ledger,
                            .queue = who->queue,
                            .partitions = (uint32_t)r->config->broker.partitions};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity there;
    enum rc rc = read_identity(r->store, &arena, &there, why);
    if (rc == RC_ABSENT) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
        TRY(identity_encode(&mine, &bytes));
        rc = store_put_absent(r->store, NAME_LEDGER_IDENTITY, buf_str(&bytes), why);
        if (rc == RC_OK) return RC_OK;
        if (rc == RC_STALE) rc = read_identity(r->store, &arena, &there, why);
    }
    if (rc != RC_OK) return rc;
    if (!id_equal(there.ledger, mine.ledger) || !id_equal(there.queue, mine.queue))
        return foreign_output(r, &there, why);
    if (!str_equal(there.pipeline, mine.pipeline))
        return why_set(why, RC_DENIED, "%.*s is the output of pipeline \"%.*s\", not of \"%.*s\"",
                       STR_ARG(r->config->output.url), STR_ARG(there.pipeline), STR_ARG(mine.pipeline));
    return RC_OK;
}

/* ---- opening ---- */

static RC open_store(struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf root = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    buf_add(&root, r->config->output.dir);
    struct why inner = {0};
    enum rc rc = store_dir_open(buf_text(&root), &r->store, &inner);
    return rc == RC_OK ? RC_OK : config_error(r->config, "output.url", why, "%s", inner.text);
}

static RC open_ledger_writer(struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    struct rng rng = rng_from_kernel();
    TRY(make_folder(r->config->state, why));
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

static RC open_queue(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    AUTO(buf_done) struct buf dir = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    struct broker_local_options options = {.dir = str_of(path_in(&dir, r->config->state, "queue")),
                                           .queue = r->queue,
                                           .generation = generation,
                                           .job_partitions = JOB_PARTITIONS,
                                           .block_partitions = (uint32_t)r->config->broker.partitions};
    TRY(broker_local_open(&options, out, why));
    for (uint32_t p = 0; p < options.block_partitions; p++) tell_opening(*out, p);
    return RC_OK;
}

RC runtime_open_queue(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    AUTO(buf_done) struct buf dir = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    char name[64];
    (void)snprintf(name, sizeof name, "queue/g%llu", (unsigned long long)generation);
    if (access(path_in(&dir, r->config->state, name), F_OK) != 0) return RC_ABSENT;
    return open_queue(r, generation, out, why);
}

/* What was acknowledged and told to the ledger must be in the log. */
static RC check_log(struct runtime *r, struct why *why) {
    for (uint32_t p = 0; p < r->config->broker.partitions; p++) {
        uint64_t acknowledged = 0, start = 0, end = 0;
        TRY(ledger_acknowledged(r->ledger, p, &acknowledged, why));
        TRY(broker_bounds(r->broker, p, &start, &end, why));
        if (end >= acknowledged) continue;
        return why_set(
            why, RC_BROKEN,
            "the queue in %.*s/queue lost its tail: partition %u ends at %llu, and messages up to %llu were "
            "acknowledged. Nothing was changed. Restore the folder whole (ledger and queue of the same moment)",
            STR_ARG(r->config->state), p, (unsigned long long)end, (unsigned long long)acknowledged);
    }
    return RC_OK;
}

RC runtime_open_broker(struct runtime *r, struct why *why) {
    TRY(open_queue(r, r->config->generation, &r->broker, why));
    struct ledger_identity who;
    TRY(ledger_identity(r->ledger, &who, why));
    /* A recovery that was cut off goes on first: until then the ledger answers nothing else. */
    return who.recovering ? RC_OK : check_log(r, why);
}

void runtime_close_broker(struct runtime *r) {
    broker_free(r->broker);
    r->broker = (struct broker){0};
}

static RC open_writer(struct runtime *r, struct why *why) {
    TRY(open_ledger_writer(r, why));
    struct ledger_identity who;
    TRY(ledger_identity(r->ledger, &who, why));
    r->queue = who.queue;
    r->ledger.at.epoch = who.epoch;
    TRY(claim_output(r, &who, why));
    return source_posix_open(&r->source, why);
}

static RC open_looker(struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf path = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    const char *file = path_in(&path, r->config->state, "ledger.sqlite");
    enum rc rc = ledger_sqlite_open_reader(file, r->config->generation, &r->ledger, why);
    if (rc == RC_ABSENT) {
        r->fresh = true;
        return RC_OK;
    }
    if (rc != RC_OK) return rc;
    struct ledger_identity who;
    TRY(ledger_identity(r->ledger, &who, why));
    r->queue = who.queue;
    r->ledger.at.epoch = who.epoch;
    return RC_OK;
}

RC runtime_open(const struct config *config, enum runtime_use use, struct runtime *out, struct why *why) {
    *out = (struct runtime){.config = config};
    out->format = config->output.format == CONFIG_JSONL_GZ ? FRAME_GZ : FRAME_ZST;
    enum rc rc = open_store(out, why);
    if (rc == RC_OK) rc = use == RUNTIME_WRITE ? open_writer(out, why) : open_looker(out, why);
    if (rc != RC_OK) runtime_close(out);
    return rc;
}

void runtime_close(struct runtime *r) {
    if (r->source.ops) source_free(r->source);
    if (r->broker.ops) broker_free(r->broker);
    if (r->ledger.ops) ledger_free(r->ledger);
    if (r->store.ops) store_free(r->store);
    *r = (struct runtime){.config = r->config};
}

RC runtime_try_output(const struct config *config, struct why *why) {
    struct runtime r = {.config = config};
    TRY(open_store(&r, why)); /* it tries to write a temporary file */
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity there;
    enum rc rc = read_identity(r.store, &arena, &there, why);
    if (rc == RC_OK && !str_equal(there.pipeline, config->pipeline))
        rc = config_error(config, "output.url", why, "it is the output of pipeline \"%.*s\"", STR_ARG(there.pipeline));
    runtime_close(&r);
    return rc == RC_ABSENT ? RC_OK : rc;
}
