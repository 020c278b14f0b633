/* SPDX-License-Identifier: Apache-2.0 */
/* cri_path: whose log a file is, as its path says it where a kubelet or Docker chose it:
 *
 *   …/pods/NAMESPACE_POD_UID/CONTAINER/RESTARTS.log    and what rotation puts behind it: .20260101-000000, .gz
 *   …/containers/POD_NAMESPACE_CONTAINER-ID.log        links to those
 *   …/containers/ID/ID-json.log                        Docker's own; .1, .gz behind it
 *
 * The folders before it may be any, so that volumes mounted elsewhere and buckets have the same names; of several that
 * fit the last one counts. What no path says is .at NULL.
 *
 * Memory: none; the names lie in the path. Threads: pure. Fails: never. */
#ifndef SLUICE_CRI_PATH_H
#define SLUICE_CRI_PATH_H

#include "str.h"

struct cri_path {
    struct str namespace, pod, uid, container;
    struct str restart_count; /* digits that are a JSON number */
    struct str container_id;
};

void cri_path_read(struct str path, struct cri_path *out);

#endif
