/* SPDX-License-Identifier: Apache-2.0 */
/* run_settings: what each service wants to know, out of the configuration. Borrows its strings. Threads: read-only once
 * made. */
#ifndef SLUICE_RUN_SETTINGS_H
#define SLUICE_RUN_SETTINGS_H

#include "emitter.h"
#include "runtime.h"
#include "source_decoded.h"
#include "uploader.h"
#include "worker.h"

struct lane;

struct run_settings {
    struct emitter_settings emitter;
    struct worker_settings worker;
    struct uploader_settings uploader; /* without partition */
    struct emitter_source *emitter_sources;
    struct worker_source *worker_sources;
    struct lane **lanes_to_free;
};

RC run_settings_make(const struct runtime *runtime, bool once, struct run_settings *out, struct why *why);
void run_settings_done(struct run_settings *settings);
/* How the lines of one source are converted. */
struct converter_settings run_converter(const struct config *config, const struct config_source *source);
/* How the files of one source are read. */
struct source_view run_view(const struct config_source *source);

#endif
