/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the path of a container's log: each name lies in the path and in one folder of it. */
#include "alloc.h"
#include "cri_path.h"
#include "must.h"
#include "own.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str path, struct str name) {
    if (!name.at) return;
    MUST(name.len > 0 && name.at >= path.at && name.at + name.len <= path.at + path.len);
    MUST(!memchr(name.at, '/', name.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO(own_free) char *copy = alloc_bytes(size); /* exact, for ASan */
    if (size) memcpy(copy, data, size);
    struct str path = {copy, size};
    struct cri_path found;
    cri_path_read(path, &found);
    const struct str names[] = {found.namespace, found.pod,           found.uid,
                                found.container, found.restart_count, found.container_id};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) check(path, names[i]);
    MUST((found.namespace.at != NULL) == (found.pod.at != NULL) &&
         (found.pod.at != NULL) == (found.container.at != NULL));
    uint64_t count = 0;
    if (found.restart_count.at) MUST(str_parse_u64(found.restart_count, &count) == RC_OK);
    return 0;
}
