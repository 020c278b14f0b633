/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_inner.h"

#include "fleet.h"
#include "identity.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "store_dir.h"

RC runtime_open_store(struct runtime *r, struct why *why) {
    struct why inner = {0};
    if (r->config->output.bucket.len) {
        struct store_s3_settings settings = fleet_s3(r->config);
        enum rc s3 = store_s3_open(&settings, &r->store, &inner);
        return s3 == RC_OK ? RC_OK : config_error(r->config, "output.url", why, "%s", inner.text);
    }
    AUTO(buf_done) struct buf root = BUF_INIT(CONFIG_VALUE_MAX * (size_t)2);
    buf_add(&root, r->config->output.dir);
    enum rc rc = store_dir_open(buf_text(&root), &r->store, &inner);
    return rc == RC_OK ? RC_OK : config_error(r->config, "output.url", why, "%s", inner.text);
}

RC runtime_read_identity(struct store store, struct arena *arena, struct identity *out, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
    TRY(store_get(store, NAME_LEDGER_IDENTITY, 0, IDENTITY_BYTES_MAX, &bytes, why));
    enum rc rc = identity_decode(buf_str(&bytes), arena, out, why);
    return rc == RC_OK ? RC_OK : why_wrap(why, RC_BROKEN, "%.*s in the output", STR_ARG(NAME_LEDGER_IDENTITY));
}

static RC foreign_output(const struct runtime *r, const struct identity *there, struct why *why) {
    char text[ID_TEXT];
    if (r->fleet)
        return why_set(why, RC_DENIED,
                       "%.*s holds the objects of pipeline \"%.*s\" written with another ledger (%s) than the one in "
                       "Redis: this is another Redis, or one that was made anew. Use the Redis of that ledger, or an "
                       "empty output",
                       STR_ARG(r->config->output.url), STR_ARG(there->pipeline), id_format(there->ledger, text));
    return why_set(
        why, RC_DENIED,
        "%.*s holds the objects of pipeline \"%.*s\" written with another state (ledger %s): the state folder %.*s was "
        "removed or is another one. Restore that state folder, or use an empty output",
        STR_ARG(r->config->output.url), STR_ARG(there->pipeline), id_format(there->ledger, text),
        STR_ARG(r->config->state));
}

/* Puts our identity if the output has none, and refuses one that is not ours. */
RC runtime_claim_output(struct runtime *r, const struct ledger_identity *who, struct why *why) {
    struct identity mine = {.pipeline = r->config->pipeline,
                            .ledger = who->ledger,
                            .queue = who->queue,
                            .partitions = (uint32_t)r->config->broker.partitions};
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity there;
    enum rc rc = runtime_read_identity(r->store, &arena, &there, why);
    if (rc == RC_ABSENT) {
        AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
        TRY(identity_encode(&mine, &bytes));
        rc = store_put_absent(r->store, NAME_LEDGER_IDENTITY, buf_str(&bytes), why);
        r->partitions_most = mine.partitions;
        if (rc == RC_OK) return RC_OK;
        if (rc == RC_STALE) rc = runtime_read_identity(r->store, &arena, &there, why);
    }
    if (rc != RC_OK) return rc;
    if (!id_equal(there.ledger, mine.ledger) || !id_equal(there.queue, mine.queue))
        return foreign_output(r, &there, why);
    if (!str_equal(there.pipeline, mine.pipeline))
        return why_set(why, RC_DENIED, "%.*s is the output of pipeline \"%.*s\", not of \"%.*s\"",
                       STR_ARG(r->config->output.url), STR_ARG(there.pipeline), STR_ARG(mine.pipeline));
    r->partitions_most = MAX(there.partitions, mine.partitions);
    return r->fleet ? RC_OK : runtime_raise_partitions(r, who, why); /* of a fleet `init` does */
}

RC runtime_raise_partitions(struct runtime *r, const struct ledger_identity *who, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity there;
    TRY(runtime_read_identity(r->store, &arena, &there, why));
    uint32_t partitions = (uint32_t)r->config->broker.partitions;
    if (there.partitions >= partitions) return RC_OK;
    struct identity mine = {
        .pipeline = r->config->pipeline, .ledger = who->ledger, .queue = who->queue, .partitions = partitions};
    AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
    TRY(identity_encode(&mine, &bytes));
    return store_put(r->store, NAME_LEDGER_IDENTITY, buf_str(&bytes), why);
}

RC runtime_try_output(const struct config *config, struct why *why) {
    struct runtime r = {.config = config};
    TRY(runtime_open_store(&r, why)); /* it tries to write a temporary file */
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct identity there;
    enum rc rc = config->output.bucket.len ? store_s3_check(r.store, why) : RC_OK;
    if (rc == RC_OK) rc = runtime_read_identity(r.store, &arena, &there, why);
    if (rc == RC_OK && !str_equal(there.pipeline, config->pipeline))
        rc = config_error(config, "output.url", why, "it is the output of pipeline \"%.*s\"", STR_ARG(there.pipeline));
    runtime_close(&r);
    return rc == RC_ABSENT ? RC_OK : rc;
}
