/* SPDX-License-Identifier: Apache-2.0 */
/* measure: threads that find out how long the texts of large files are, so that whoever lists files need not wait.
 * Memory: a text a thread (text.h), and what waits. Threads: any. Fails: never; what cannot be measured is asked for
 * again by whoever wants to know. */
#ifndef SLUICE_SOURCE_MEASURE_H
#define SLUICE_SOURCE_MEASURE_H

#include "text_pool.h"

struct measure;

struct measure_job {
    struct text_key key;
    const struct text_settings *settings; /* live as long as the threads */
    struct str uri;                       /* copied */
    struct source_stat stat;              /* of the inner source's file, as it is to be measured */
};

struct measure *measure_new(struct source inner, struct text_pool *pool, unsigned threads);
/* Ends the threads, in the middle of a file if need be. */
void measure_free(struct measure *measure);
/* Puts it at the end of what waits, unless it does. */
void measure_ask(struct measure *measure, const struct measure_job *job);

#endif
