/* SPDX-License-Identifier: Apache-2.0 */
#include "check_fleet.h"

#include "fleet.h"
#include "identity.h"
#include "own.h"
#include "runtime_inner.h"

#include <stdio.h>

struct asking {
    struct runtime runtime; /* store and ledger, as far as they could be opened */
    struct arena arena;
    enum rc first; /* failure */
};

/* Every failure is told, the first one gives the exit code. */
static void settle(struct asking *a, enum rc rc, const struct why *why) {
    if (rc == RC_OK) return;
    (void)fprintf(stderr, "sluice: %s\n", why->text[0] ? why->text : rc_name(rc));
    if (a->first == RC_OK) a->first = rc;
}

static RC ask_ledger(struct asking *a, struct why *why) {
    const struct config *config = a->runtime.config;
    struct ledger_redis_settings settings = fleet_redis(config);
    struct ledger_redis_finding *found = NULL;
    size_t n = 0;
    TRY(ledger_redis_check(&settings, &a->arena, &found, &n, why));
    for (size_t i = 0; i < n; i++)
        (void)printf("ledger: %s: %.*s\n", found[i].weight == LEDGER_REDIS_RISK ? "at risk" : "not known",
                     STR_ARG(found[i].text));
    TRY(runtime_fleet_ledger(&a->runtime, false, why));
    struct ledger_identity who;
    TRY(ledger_identity(a->runtime.ledger, &who, why));
    (void)printf("ledger: is there%s\n", who.recovering ? ", and waits for its recovery by an uploader" : "");
    return RC_OK;
}

/* Another ledger writes to this output: whoever starts would be refused. Only where both could be asked. */
static RC ask_mark(struct asking *a, struct why *why) {
    const struct config *config = a->runtime.config;
    struct identity mark;
    struct ledger_identity who;
    if (!a->runtime.ledger.ops) return RC_OK;
    TRY(runtime_open_store(&a->runtime, why));
    enum rc rc = runtime_read_identity(a->runtime.store, &a->arena, &mark, why);
    if (rc == RC_ABSENT)
        return config_error(config, "output.url", why,
                            "the output is not marked as this pipeline's; run `sluice init` on this configuration");
    if (rc != RC_OK) return rc;
    TRY(ledger_identity(a->runtime.ledger, &who, why));
    if (id_equal(mark.ledger, who.ledger) && id_equal(mark.queue, who.queue)) return RC_OK;
    return config_error(config, "output.url", why,
                        "the output belongs to another ledger than the one of pipeline \"%.*s\" in Redis",
                        STR_ARG(config->pipeline));
}

/* A step that `init` would do is a problem here. */
static RC tell_step(const struct broker_kafka_step *step) {
    if (step->kind == BROKER_KAFKA_RISK) {
        (void)printf("broker: at risk: %s\n", step->text);
        return RC_OK;
    }
    (void)fprintf(stderr, "sluice: broker: %s: %s\n",
                  step->kind == BROKER_KAFKA_OBSTACLE ? "has to be mended" : "`sluice init` has to do", step->text);
    return RC_DENIED;
}

static RC ask_topics(struct asking *a, struct why *why) {
    const struct config *config = a->runtime.config;
    struct broker_kafka_settings settings = fleet_kafka(config, config->generation, &a->arena);
    struct broker_kafka_wanted wanted = fleet_topics(config);
    struct broker_kafka_admin *admin = NULL;
    TRY(broker_kafka_admin_open(&settings, &admin, why));
    struct broker_kafka_plan plan = {0};
    enum rc rc = broker_kafka_admin_plan_topics(admin, &wanted, &plan, why);
    bool ready = rc == RC_OK;
    for (size_t i = 0; rc == RC_OK && i < plan.steps_len; i++)
        if (tell_step(&plan.steps[i]) != RC_OK) ready = false;
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    if (rc == RC_OK && !ready)
        return config_error(config, "broker.url", why, "the broker's topics are not as they have to be");
    if (rc == RC_OK) (void)printf("broker: the topics are there\n");
    return rc;
}

RC check_fleet(const struct config *config) {
    struct asking a = {.runtime = {.config = config, .fleet = true}};
    static enum rc (*const questions[])(struct asking *, struct why *) = {ask_ledger, ask_mark, ask_topics};
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        struct why why = {0};
        settle(&a, questions[i](&a, &why), &why);
    }
    runtime_close(&a.runtime);
    arena_done(&a.arena);
    return a.first;
}
