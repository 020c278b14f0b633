/* SPDX-License-Identifier: Apache-2.0 */
#include "janitor.h"

#include "cut_off.h"
#include "generations.h"
#include "own.h"
#include "survey.h"

#include <stdlib.h>

struct cleaning {
    const struct janitor_ask *ask;
    struct remover remover;
    struct why *why;
};

static void cleaning_done(struct cleaning *cleaning) { remover_done(&cleaning->remover); }

static enum rc orphan(void *context, struct str key, uint64_t bytes, bool removed) {
    struct cleaning *c = context;
    struct janitor_found found = {key, bytes, removed ? JANITOR_REMOVED : JANITOR_UNLISTED};
    if (c->ask->found) TRY(c->ask->found(c->ask->context, &found));
    return c->ask->yes ? remover_add(&c->remover, key, c->why) : RC_OK;
}

static enum rc cut_off(void *context, struct str key, uint64_t bytes) {
    struct cleaning *c = context;
    struct janitor_found found = {key, bytes, JANITOR_CUT_OFF};
    if (c->ask->found) TRY(c->ask->found(c->ask->context, &found));
    return c->ask->yes ? remover_add(&c->remover, key, c->why) : RC_OK;
}

static enum rc old_upload(void *context, struct str key, struct str upload, int64_t started_ns) {
    (void)started_ns;
    struct cleaning *c = context;
    struct janitor_found found = {key, 0, JANITOR_UPLOAD};
    if (c->ask->found) TRY(c->ask->found(c->ask->context, &found));
    return c->ask->yes ? store_upload_remove(c->remover.store, key, upload, c->why) : RC_OK;
}

static void sum(struct upkeep_tally *to, struct upkeep_tally add) {
    to->count += add.count;
    to->bytes += add.bytes;
}

static RC clean_generation(const struct upkeep *upkeep, struct cleaning *c, uint64_t generation,
                           struct janitor_result *result, struct why *why) {
    struct survey_ask ask = {.generation = generation, .no_figures = true, .orphan = orphan, .context = c};
    struct survey survey;
    TRY(survey_run(upkeep, &ask, &survey, why));
    sum(&result->orphans, survey.orphans);
    sum(&result->in_progress, survey.in_progress);
    sum(&result->foreign, survey.foreign);
    sum(&result->unknown, survey.unknown);
    return c->ask->yes ? remover_flush(&c->remover, why) : RC_OK;
}

RC janitor_run(const struct upkeep *upkeep, const struct janitor_ask *ask, struct janitor_result *out,
               struct why *why) {
    AUTO(own_free) struct generations_one *all = NULL;
    AUTO(cleaning_done) struct cleaning c = {ask, {.store = upkeep->store, .many = ask->many}, why};
    struct janitor_result result = {0};
    size_t n = 0;
    TRY(generations_find(upkeep, &all, &n, why));
    for (size_t i = 0; i < n; i++)
        if (all[i].in_output) TRY(clean_generation(upkeep, &c, all[i].generation, &result, why));
    struct cut_off_ask pages = {cut_off, &c};
    TRY(cut_off_each(upkeep->store, &pages, &result.orphans, &result.in_progress, why));
    if (ask->yes) TRY(remover_flush(&c.remover, why));
    TRY(upkeep_each_upload(upkeep, ask->now_ns - ask->older_ns, old_upload, &c, &result.uploads, why));
    *out = result;
    return RC_OK;
}
