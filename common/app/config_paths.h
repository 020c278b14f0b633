/* SPDX-License-Identifier: Apache-2.0 */
/* config_paths: paths of the file made absolute, without opening any. Inside common/app only. Threads: pure.
 * Fails: RC_DENIED with the reason alone. */
#ifndef SLUICE_CONFIG_PATHS_H
#define SLUICE_CONFIG_PATHS_H

#include "config.h"

/* `text` against config->folder, without "." parts, doubled slashes and a slash at the end; ".." stays, for what it
 * means depends on symbolic links. A glob's own characters stay, those of the folder are escaped by '\'. */
RC config_paths_absolute(struct config *config, struct str text, bool glob, struct str *out, struct why *why);
/* Does a path name objects of a bucket? */
bool config_paths_is_s3(struct str path);
/* s3://BUCKET/GLOB: a bucket's name, and something behind it. */
RC config_paths_check_s3(struct str path, struct str *out_bucket, struct why *why);
/* What an output's url names: its folder, or its bucket and prefix. */
RC config_paths_of_url(struct config *config, struct str url, struct config_output *out, struct why *why);

#endif
