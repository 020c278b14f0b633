/* SPDX-License-Identifier: Apache-2.0 */
/* Broker and ledger of a fleet: Kafka and Redis, which `sluice init` has prepared. */
#include "fleet.h"
#include "log.h"
#include "own.h"
#include "runtime_inner.h"

RC runtime_remake_ledger(const struct runtime *r, bool *out_made, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_redis_settings settings = fleet_redis(r->config);
    struct identity there;
    TRY(runtime_read_identity(r->store, &arena, &there, why));
    if (!str_equal(there.pipeline, r->config->pipeline))
        return why_set(why, RC_DENIED, "%.*s is the output of pipeline \"%.*s\", not of \"%.*s\"",
                       STR_ARG(r->config->output.url), STR_ARG(there.pipeline), STR_ARG(r->config->pipeline));
    struct ledger_redis_init init = {.ledger = there.ledger, .queue = there.queue, .emptied = true};
    TRY(ledger_redis_init(&settings, &init, out_made, why));
    if (*out_made)
        LOG_WARN("Redis held no ledger, though the output remembers one: made anew, it has to be recovered",
                 F_STR("pipeline", there.pipeline));
    return RC_OK;
}

/* Where the output remembers no ledger, the words of the open that failed stay. */
static enum rc open_again(struct runtime *r, const struct ledger_redis_settings *settings, struct why *why) {
    struct why inner = {0};
    bool made = false;
    enum rc rc = runtime_remake_ledger(r, &made, &inner);
    if (rc == RC_OK) rc = ledger_redis_open(settings, &r->ledger, &inner);
    if (rc != RC_OK && rc != RC_ABSENT) *why = inner;
    return rc;
}

RC runtime_fleet_ledger(struct runtime *r, bool remake, struct why *why) {
    struct ledger_redis_settings settings = fleet_redis(r->config);
    struct why inner = {0};
    enum rc rc = ledger_redis_open(&settings, &r->ledger, &inner);
    if (rc == RC_ABSENT && remake) rc = open_again(r, &settings, &inner);
    if (rc == RC_OK) return RC_OK;
    if (rc != RC_ABSENT && rc != RC_DENIED && rc != RC_BAD) {
        if (why) *why = inner;
        return rc;
    }
    return config_error(r->config, "ledger.url", why, "%s", inner.text);
}

RC runtime_fleet_broker(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(r->config, generation, &arena);
    if (r->reads_blocks)
        TRY(runtime_make_folder(r->config->broker.cache, 0700, "broker.cache", why));
    else
        settings.cache_dir = (struct str){0};
    return broker_kafka_open(&settings, out, why);
}

RC runtime_fleet_queue(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(r->config, generation, &arena);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    struct broker_kafka_plan plan = {0}; /* what would be deleted is there */
    enum rc rc = broker_kafka_admin_plan_delete(admin, generation, &plan, why);
    if (rc == RC_OK && !plan.steps_len) rc = RC_ABSENT;
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc == RC_OK ? runtime_fleet_broker(r, generation, out, why) : rc;
}

RC runtime_fleet_drop_queue(const struct runtime *r, uint64_t generation, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(r->config, generation, &arena);
    struct broker_kafka_admin *admin = NULL;
    struct broker_kafka_plan plan = {0};
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    enum rc rc = broker_kafka_admin_plan_delete(admin, generation, &plan, why);
    if (rc == RC_OK) rc = broker_kafka_admin_do(admin, &plan, why);
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc;
}

RC runtime_check_newest(const struct runtime *r, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    if (!r->fleet) return RC_OK;
    struct broker_kafka_settings settings = fleet_kafka(r->config, r->config->generation, &arena);
    struct broker_kafka_admin *admin = NULL;
    uint64_t newest = 0, mine = r->config->generation;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    enum rc rc = broker_kafka_admin_newest(admin, &newest, why);
    broker_kafka_admin_free(admin);
    if (rc != RC_OK || newest <= mine) return rc;
    return why_set(why, RC_BUSY,
                   "the ledger has to be recovered by an uploader of generation %llu, and this one is of %llu; start "
                   "one with the configuration of the newest generation",
                   (unsigned long long)newest, (unsigned long long)mine);
}

static void tell_ledger(const struct config *config) {
    struct ledger_redis_settings settings = fleet_redis(config);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_redis_finding *found = NULL;
    size_t n = 0;
    struct why why = {0};
    if (ledger_redis_check(&settings, &arena, &found, &n, &why) != RC_OK) {
        LOG_WARN("the ledger's settings could not be looked at", F_STR("error", str_of(why.text)));
        return;
    }
    for (size_t i = 0; i < n; i++)
        LOG_WARN(found[i].weight == LEDGER_REDIS_RISK ? "at risk" : "not known", F_STR("found", found[i].text));
}

/* What would lose acknowledged messages is told at every start, what cannot work ends it. */
static RC check_topics(const struct config *config, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct broker_kafka_settings settings = fleet_kafka(config, config->generation, &arena);
    struct broker_kafka_wanted wanted = fleet_topics(config);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    struct broker_kafka_plan plan = {0};
    enum rc rc = broker_kafka_admin_plan_topics(admin, &wanted, &plan, why);
    for (size_t i = 0; rc == RC_OK && i < plan.steps_len; i++) {
        const struct broker_kafka_step *step = &plan.steps[i];
        if (step->kind == BROKER_KAFKA_RISK)
            LOG_WARN("at risk", F_STR("found", str_of(step->text)));
        else
            rc = why_set(why, RC_DENIED, "%s; run `sluice init` on this configuration", step->text);
    }
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc;
}

RC runtime_fleet_check(const struct runtime *r, struct why *why) {
    tell_ledger(r->config);
    return check_topics(r->config, why);
}
