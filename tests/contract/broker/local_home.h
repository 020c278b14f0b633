/* SPDX-License-Identifier: Apache-2.0 */
/* local_home: folders for tests of the local broker, made under TMPDIR and removed with all that is in them. */
#ifndef SLUICE_LOCAL_HOME_H
#define SLUICE_LOCAL_HOME_H

#include "broker_local.h"

/* A path that does not exist, in a new folder; never NULL. */
char *local_home_new(void);
void local_home_remove(char *path);
/* Options with the contract's bounds for that folder; `path` must live as long. */
struct broker_local_options local_home_options(const char *path);
/* "<path>/g1/p0/<name>"; the caller frees. */
char *local_home_file(const char *path, const char *name);
/* Reads and writes whole files. */
char *local_home_load(const char *file, size_t *out_len);
void local_home_save(const char *file, const char *bytes, size_t len);

#endif
