/* SPDX-License-Identifier: Apache-2.0 */
#include "upkeep.h"

#include "alloc.h"
#include "generations.h"
#include "metric.h"
#include "names.h"
#include "own.h"
#include "survey.h"

#include <stdlib.h>

enum { KEPT_MAX = 512 * 1024 }; /* hashes of a generation: 4 MiB */

struct kept {
    uint64_t generation;
    struct listed *listed; /* a pointer: it is lent to a survey */
};

struct upkeep_memory {
    struct kept *kept;
    size_t len, room;
};

struct upkeep_memory *upkeep_memory_new(void) {
    return ALLOC(struct upkeep_memory);
}

void upkeep_memory_free(struct upkeep_memory *m) {
    if (!m) return;
    for (size_t i = 0; i < m->len; i++) {
        listed_done(m->kept[i].listed);
        free(m->kept[i].listed);
    }
    free(m->kept);
    free(m);
}

static struct listed *kept_of(struct upkeep_memory *m, uint64_t generation) {
    for (size_t i = 0; i < m->len; i++)
        if (m->kept[i].generation == generation) return m->kept[i].listed;
    alloc_grow(&m->kept, &m->room, m->len + 1, sizeof *m->kept);
    struct kept *kept = &m->kept[m->len++];
    *kept = (struct kept){generation, ALLOC(struct listed)};
    listed_init(kept->listed, KEPT_MAX, 0);
    return kept->listed;
}

static void sum(struct upkeep_tally *to, struct upkeep_tally add) {
    to->count += add.count;
    to->bytes += add.bytes;
}

static RC count_generation(const struct upkeep *upkeep, struct upkeep_memory *memory, uint64_t generation,
                           struct upkeep_counts *counts, struct why *why) {
    struct survey_ask ask = {.generation = generation, .no_figures = true, .kept = kept_of(memory, generation)};
    struct survey survey;
    TRY(survey_run(upkeep, &ask, &survey, why));
    sum(&counts->orphans, survey.orphans);
    sum(&counts->foreign, survey.foreign);
    counts->generations++;
    counts->removed += survey.removed;
    return RC_OK;
}

/* ---- uploads ---- */

struct uploads {
    const struct upkeep *upkeep;
    int64_t before_ns;
    store_upload_visit old;
    void *context;
    struct upkeep_uploads counts;
};

/* Only objects are uploaded. A store that does not know keys keeps them where nobody else has anything. */
static bool is_ours(const struct uploads *u, struct str key) {
    struct name_object name;
    if (!key.len) return true;
    return name_object_parse(key, &name) == RC_OK && id_equal(name.queue, u->upkeep->queue);
}

static enum rc see_upload(void *context, struct str key, struct str upload, int64_t started_ns) {
    struct uploads *u = context;
    if (!is_ours(u, key)) {
        u->counts.foreign++;
    } else if (started_ns >= u->before_ns) {
        u->counts.fresh++;
    } else {
        u->counts.old++;
        return u->old ? u->old(u->context, key, upload, started_ns) : RC_OK;
    }
    return RC_OK;
}

RC upkeep_each_upload(const struct upkeep *upkeep, int64_t begun_before_ns, store_upload_visit old, void *context,
                      struct upkeep_uploads *out, struct why *why) {
    struct uploads u = {upkeep, begun_before_ns, old, context, {0}};
    TRY(store_uploads(upkeep->store, STR(""), see_upload, &u, why));
    *out = u.counts;
    return RC_OK;
}

RC upkeep_count(const struct upkeep *upkeep, struct upkeep_memory *memory, int64_t begun_before_ns,
                struct upkeep_counts *out, struct why *why) {
    AUTO(own_free) struct generations_one *all = NULL;
    struct upkeep_counts counts = {0};
    size_t n = 0;
    TRY(generations_find(upkeep, &all, &n, why));
    for (size_t i = 0; i < n; i++)
        if (all[i].in_output) TRY(count_generation(upkeep, memory, all[i].generation, &counts, why));
    TRY(upkeep_each_upload(upkeep, begun_before_ns, NULL, NULL, &counts.uploads, why));
    metric_set(METRIC_UPKEEP_UPLOADS, (int64_t)counts.uploads.old);
    metric_set(METRIC_UPKEEP_ORPHANS, (int64_t)counts.orphans.count);
    metric_set(METRIC_UPKEEP_ORPHAN_BYTES, (int64_t)counts.orphans.bytes);
    metric_set(METRIC_UPKEEP_FOREIGN, (int64_t)counts.foreign.count);
    *out = counts;
    return RC_OK;
}
