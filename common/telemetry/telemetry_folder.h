/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry_folder: a folder of definitions: <revision>.json. Memory: nothing. Threads: any. Fails: RC_ABSENT where
 * there is no such file; RC_BUSY where it cannot be read, or is too large: a person mends that, and nothing is lost. */
#ifndef SLUICE_TELEMETRY_FOLDER_H
#define SLUICE_TELEMETRY_FOLDER_H

#include "telemetry_definitions.h"

/* `path` is absolute, ends in a NUL and outlives the library. */
struct telemetry_library telemetry_folder(const char *path);

#endif
