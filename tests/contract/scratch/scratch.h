/* SPDX-License-Identifier: Apache-2.0 */
/* scratch: a directory of its own for a test, removed with all that is in it when the scope ends.
 *   AUTO(scratch_done) struct scratch scratch = scratch_make();
 * Lies under TMPDIR, else /tmp. Threads: one. Fails: by abort(). */
#ifndef SLUICE_SCRATCH_H
#define SLUICE_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_PATH = 4096 };

struct scratch {
    char path[256]; /* absolute, no symbolic link in it */
};

struct scratch scratch_make(void);
void scratch_done(struct scratch *scratch);
/* "<scratch>/<name>" in `out`, which is given back. */
char *scratch_path(const struct scratch *scratch, const char *name, char out[SCRATCH_PATH]);
/* Writes a file of these bytes below the scratch directory, making its directories. */
void scratch_write(const struct scratch *scratch, const char *name, const void *bytes, size_t len);

#endif
