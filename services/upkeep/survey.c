/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include "names.h"
#include "own.h"
#include "tombstone.h"

#include <inttypes.h>

struct surveying {
    const struct upkeep *upkeep;
    const struct survey_ask *ask;
    struct survey *survey;
    const struct listed *listed;
};

static enum rc tell_orphan(struct surveying *s, struct str key, uint64_t bytes) {
    upkeep_tally_add(&s->survey->orphans, bytes);
    return s->ask->orphan ? s->ask->orphan(s->ask->context, key, bytes, s->survey->removed) : RC_OK;
}

static enum rc see(void *context, struct str key, uint64_t bytes) {
    struct surveying *s = context;
    struct survey *survey = s->survey;
    struct name_object name;
    bool ours = name_object_parse(key, &name) == RC_OK;
    enum listed_answer answer = listed_ask(s->listed, key, ours ? name.partition : 0, ours ? name.start : 0);
    if (answer == LISTED_OUTSIDE) return RC_OK; /* of another pass */
    if (!ours)
        upkeep_tally_add(&survey->unknown, bytes);
    else if (!id_equal(name.queue, s->upkeep->queue))
        upkeep_tally_add(&survey->foreign, bytes);
    else if (survey->removed || answer == LISTED_ORPHAN)
        return tell_orphan(s, key, bytes);
    else
        upkeep_tally_add(answer == LISTED_YES ? &survey->stored : &survey->in_progress, bytes);
    return RC_OK;
}

static enum rc see_receipt(void *context, struct str key, uint64_t bytes) {
    (void)key;
    upkeep_tally_add(context, bytes);
    return RC_OK;
}

/* Manifests first: what a batch that was manifested meanwhile put is at or behind the end that was seen, and so in
 * progress. */
static RC pass(struct surveying *s, struct listed *listed, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    s->listed = listed;
    if (!s->survey->removed || !s->ask->no_figures) TRY(listed_read(listed, s->upkeep, s->ask->generation, why));
    buf_add_format(&prefix, "_rejects/g%" PRIu64 "/", s->ask->generation);
    struct str rejects = buf_str(&prefix), objects = str_sub(rejects, STR("_rejects/").len, rejects.len);
    TRY(store_list(s->upkeep->store, objects, STR(""), see, s, why));
    return store_list(s->upkeep->store, rejects, STR(""), see, s, why);
}

static RC all_passes(struct surveying *s, struct listed *own, struct why *why) {
    struct listed *listed = s->ask->kept ? s->ask->kept : own;
    TRY(pass(s, listed, why));
    s->survey->listed = listed->figures;
    while (listed->high != UINT64_MAX) {
        uint64_t low = listed->high + 1;
        listed_done(own);
        listed_init(own, own->max, low);
        listed = own;
        TRY(pass(s, own, why));
    }
    return RC_OK;
}

RC survey_run(const struct upkeep *upkeep, const struct survey_ask *ask, struct survey *out, struct why *why) {
    struct survey survey = {.generation = ask->generation};
    struct surveying s = {upkeep, ask, &survey, NULL};
    AUTO(listed_done) struct listed own;
    AUTO(buf_done) struct buf receipts = BUF_INIT(NAME_MAX_BYTES);
    listed_init(&own, ask->listed_max ? ask->listed_max : LISTED_MAX, 0);
    TRY(tombstone_look(upkeep->store, upkeep->queue, ask->generation, &survey.removed, &survey.removed_ns, why));
    TRY(all_passes(&s, &own, why));
    TRY(name_receipts_prefix(ask->generation, &receipts));
    TRY(store_list(upkeep->store, buf_str(&receipts), STR(""), see_receipt, &survey.receipts, why));
    *out = survey;
    return RC_OK;
}
