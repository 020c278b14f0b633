/* SPDX-License-Identifier: Apache-2.0 */
/* run_redrive: a run whose input are rejects. */
#include "run_inner.h"

#include "alloc.h"
#include "log.h"
#include "own.h"

#include <stdlib.h>

/* The grid of a file of rejects. It has nothing to do with the sources' own, which may be tiny for other reasons. */
enum { STRIPE_BYTES = 64 * 1024 * 1024 };

static void use_names(struct run *r) {
    for (size_t i = 0; i < r->settings.emitter.sources_len; i++) {
        struct emitter_source *source = &r->settings.emitter_sources[i];
        *source =
            (struct emitter_source){.name = source->name,
                                    .pattern = {.paths = r->redrive.names[i].at, .paths_len = r->redrive.names[i].len},
                                    .stripe_bytes = STRIPE_BYTES,
                                    .weight = source->weight,
                                    .close_after_ms = source->close_after_ms,
                                    .rotated_after_ms = source->rotated_after_ms,
                                    .after = EMITTER_KEEP};
    }
}

RC run_redrive_find(struct run *r, struct why *why) {
    const struct run_redrive *asked = r->options.redrive;
    const struct worker_settings *w = &r->settings.worker;
    struct report report = {r->runtime->store, r->runtime->ledger, r->runtime->queue, r->config->generation};
    AUTO(own_free) struct converter_settings *converters = alloc_zero(w->sources_len, sizeof *converters);
    for (size_t i = 0; i < w->sources_len; i++) converters[i] = w->sources[i].converter;
    struct redrive_ask ask = {asked->source, asked->reason, asked->file, converters, w->sources_len};
    TRY(redrive_find(&report, &ask, &r->redrive, why));
    LOG_INFO("redrive", F_U64("objects", r->redrive.objects), F_U64("rejects_tried", r->redrive.lines));
    use_names(r);
    return RC_OK;
}
