/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "alloc.h"
#include "config_check.h"
#include "config_read.h"
#include "config_yaml.h"
#include "own.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>

static RC fill(struct config *config, struct str text, struct why *why) {
    if (text.len > CONFIG_BYTES_MAX)
        return why_set(why, RC_DENIED, "%.*s: the file is larger than 1 MiB", STR_ARG(config->file));
    struct config_node *root = NULL;
    TRY(config_yaml_read(config, text, &root, why));
    TRY(config_read(config, root, why));
    return config_check(config, why);
}

RC config_from_text(struct str text, const char *file, const char *folder, struct config **out, struct why *why) {
    AUTO(config_done) struct config *config = ALLOC(struct config);
    config->file = arena_str(&config->arena, str_of(file));
    config->folder = arena_str(&config->arena, str_of(folder));
    TRY(fill(config, text, why));
    *out = TAKE(config);
    return RC_OK;
}

void config_free(struct config *config) {
    if (!config) return;
    arena_done(&config->arena);
    free(config);
}

/* The folder that the file's name is in, absolute. The file itself may be a symbolic link into elsewhere (mounted
 * Kubernetes ConfigMaps are): what stands in it is still relative to where a person sees it. */
static RC folder_of(const char *path, char out[PATH_MAX], struct why *why) {
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    AUTO(own_free) char *folder = !slash ? alloc_text(".", 1) : len ? alloc_text(path, len) : alloc_text("/", 1);
    if (!realpath(folder, out)) return why_errno(why, RC_DENIED, errno, "%s: the configuration cannot be read", path);
    return RC_OK;
}

RC config_load(const char *path, struct config **out, struct why *why) {
    char folder[PATH_MAX];
    TRY(folder_of(path, folder, why));
    AUTO(own_fclose) FILE *file = fopen(path, "re");
    if (!file) return why_errno(why, RC_DENIED, errno, "%s: the configuration cannot be read", path);
    AUTO(own_free) char *text = alloc_bytes(CONFIG_BYTES_MAX + 1);
    size_t len = fread(text, 1, CONFIG_BYTES_MAX + 1, file);
    if (ferror(file)) return why_errno(why, RC_DENIED, errno, "%s: the configuration cannot be read", path);
    return config_from_text((struct str){text, len}, path, folder, out, why);
}

bool config_broker_is_local(const struct config *config) { return str_equal(config->broker.url, STR("local")); }
bool config_ledger_is_local(const struct config *config) { return str_equal(config->ledger.url, STR("local")); }

size_t config_lanes(const struct config *config) {
    if (config->lanes) return config->lanes;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return (size_t)CPU_COUNT(&set);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (size_t)cores : 1;
}
