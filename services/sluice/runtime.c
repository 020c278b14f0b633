/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime_inner.h"

#include "inputs.h"
#include "notify_topic.h"
#include "num.h"
#include "notify_webhook.h"
#include "reject_source.h"
#include "source_decoded.h"
#include "tombstone.h"

#include <stdio.h>
#include <unistd.h>

/* Threads that find out how long the texts of compressed files are: decoding is a fraction of the work of a lane. */
enum { MEASURERS_MIN = 2, MEASURERS_MAX = 16 };

/* What was acknowledged and told to the ledger must be in the log. */
static RC check_log(struct runtime *r, struct why *why) {
    struct recovery_ports ports = runtime_recovery_ports(r);
    struct why found = {0};
    enum rc rc = recovery_check_log(&ports, (uint32_t)r->config->broker.partitions, &found);
    if (rc != RC_BROKEN) return rc == RC_OK ? RC_OK : why_set(why, rc, "%s", found.text);
    return why_set(why, rc, "%.*s: %s. Nothing was changed. %s", STR_ARG(r->config->broker.url), found.text,
                   r->fleet ? "See `sluice repair --help`"
                            : "Restore the state folder whole (ledger and queue of the same moment), or see `sluice "
                              "repair --help`");
}

RC runtime_open_broker(struct runtime *r, struct why *why) {
    if (r->fleet) TRY(runtime_fleet_check(r, why));
    TRY(r->fleet ? runtime_fleet_broker(r, r->config->generation, &r->broker, why) : runtime_local_broker(r, why));
    struct ledger_identity who;
    TRY(ledger_identity(r->ledger, &who, why));
    /* A recovery that was cut off goes on first: until then the ledger answers nothing else. */
    if (who.recovering) return RC_OK;
    enum rc rc = check_log(r, why);
    return rc == RC_STALE && r->fleet ? RC_OK : rc; /* a recovery began meanwhile: what follows waits for it */
}

RC runtime_open_hurt_broker(struct runtime *r, struct why *why) {
    if (!r->fleet) return runtime_local_hurt_broker(r, why);
    TRY(runtime_fleet_check(r, why));
    return runtime_fleet_broker(r, r->config->generation, &r->broker, why);
}

void runtime_close_broker(struct runtime *r) {
    broker_free(r->broker);
    r->broker = (struct broker){0};
}

RC runtime_open_notify(struct runtime *r, struct why *why) {
    const struct config_events *events = &r->config->events;
    struct notify topic = {0}, webhook = {0};
    struct notify_webhook_settings settings = {events->webhook_url, events->webhook_secret, events->webhook_timeout_ms};
    struct why inner = {0};
    if (settings.url.len && notify_webhook_new(&settings, &webhook, &inner) != RC_OK)
        return config_error(r->config, "events.webhook.url", why, "%s", inner.text);
    if (r->fleet && events->topic) topic = notify_topic_new(r->broker);
    r->notify = notify_both(topic, webhook);
    return RC_OK;
}

RC runtime_open_queue(const struct runtime *r, uint64_t generation, struct broker *out, struct why *why) {
    return r->fleet ? runtime_fleet_queue(r, generation, out, why) : runtime_local_queue(r, generation, out, why);
}

RC runtime_drop_queue(const struct runtime *r, uint64_t generation, struct why *why) {
    return r->fleet ? runtime_fleet_drop_queue(r, generation, why) : runtime_local_drop_queue(r, generation, why);
}

static enum rc open_older(void *self, uint64_t generation, struct broker *out, struct why *why) {
    return runtime_open_queue(self, generation, out, why);
}

struct recovery_settings runtime_recovery_settings(const struct runtime *r, const struct settings *output) {
    enum { LOADERS = 4 }; /* enough to hide a bucket's answers behind the ledger's work */
    return (struct recovery_settings){.queue = r->queue,
                                      .partitions = (uint32_t)r->config->broker.partitions,
                                      .partitions_before = r->partitions_most,
                                      .output = *output,
                                      .loaders = r->fleet ? LOADERS : 0};
}

struct recovery_ports runtime_recovery_ports(const struct runtime *r) {
    struct recovery_older older = {open_older, (void *)r};
    return (struct recovery_ports){r->broker, r->ledger, r->store, older};
}

/* Who the ledger is, for all that follows. */
static RC know_ledger(struct runtime *r, struct ledger_identity *out, struct why *why) {
    TRY(ledger_identity(r->ledger, out, why));
    r->queue = out->queue;
    r->ledger.at.epoch = out->epoch;
    return RC_OK;
}

static RC open_writer(struct runtime *r, struct why *why) {
    TRY(r->fleet ? runtime_fleet_ledger(r, true, why) : runtime_local_ledger(r, why));
    struct ledger_identity who;
    TRY(know_ledger(r, &who, why));
    TRY(runtime_claim_output(r, &who, why));
    TRY(tombstone_check(r->store, r->queue, r->config->generation, RC_DENIED, why));
    TRY(runtime_claim_rules(r, why));
    struct source inputs;
    TRY(inputs_open(r->config, &inputs, why));
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    r->source = source_decoded_new(reject_source_around(inputs, r->store, r->queue, r->config->generation),
                                   (unsigned)MAX(MEASURERS_MIN, MIN(cores / 4, MEASURERS_MAX)));
    return RC_OK;
}

static RC open_looker(struct runtime *r, struct why *why) {
    TRY(r->fleet ? runtime_fleet_ledger(r, false, why) : runtime_local_ledger_reader(r, why));
    struct ledger_identity who;
    return r->fresh ? RC_OK : know_ledger(r, &who, why);
}

RC runtime_open(const struct config *config, enum runtime_use use, struct runtime *out, struct why *why) {
    *out = (struct runtime){.config = config, .fleet = !config_broker_is_local(config)};
    out->format = config->output.format == CONFIG_JSONL_GZ ? FRAME_GZ : FRAME_ZST;
    enum rc rc = runtime_open_store(out, why);
    if (rc == RC_OK) rc = use == RUNTIME_WRITE ? open_writer(out, why) : open_looker(out, why);
    if (rc != RC_OK) runtime_close(out);
    return rc;
}

void runtime_close(struct runtime *r) {
    notify_free(r->notify);
    if (r->source.ops) source_free(r->source);
    if (r->broker.ops) broker_free(r->broker);
    if (r->ledger.ops) ledger_free(r->ledger);
    if (r->store.ops) store_free(r->store);
    *r = (struct runtime){.config = r->config};
}
