/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a bucket for each thing that sluice builds on. */
#include "store_s3_private.h"

#include "id.h"
#include "own.h"

#include <stdio.h>

#define PROBE "sluice-check-"
enum { PROBE_ROOM = 64, PROBE_BYTES = 10 };
#define PROBE_TEXT "0123456789"

static enum rc first_only(void *context, struct str key, uint64_t bytes) {
    (void)context, (void)key, (void)bytes;
    return RC_STOP;
}

static RC check_listing(struct store store, struct why *why) {
    enum rc rc = store_list(store, STR(""), STR(""), first_only, NULL, why);
    return rc == RC_STOP ? RC_OK : rc;
}

static RC ignores_conditions(const struct store_s3 *s3, const char *what, struct why *why) {
    return why_set(
        why, RC_DENIED,
        "s3://%s at %s: the server %s although there is one already: it ignores If-None-Match, and sluice "
        "cannot keep its promise there. Needed is a server with conditional writes (AWS S3, MinIO, Ceph from "
        "Tentacle, versitygw, R2 and others)",
        s3->bucket.name, s3->bucket.endpoint, what);
}

static RC check_put_absent(struct store store, struct str key, struct why *why) {
    TRY(store_put_absent(store, key, STR(PROBE_TEXT), why));
    enum rc rc = store_put_absent(store, key, STR("other"), why);
    if (rc == RC_OK) return ignores_conditions(s3_of(store), "puts an object", why);
    return rc == RC_STALE ? RC_OK : rc;
}

/* One part that is too large for a plain put: the upload is real. */
static RC check_upload(struct store store, struct str key, struct why *why) {
    const struct store_s3 *s3 = s3_of(store);
    AUTO(buf_done) struct buf bytes = BUF_INIT(s3->part_bytes);
    TRY(buf_reserve(&bytes, s3->part_bytes));
    memset(bytes.at, 'x', s3->part_bytes);
    bytes.len = s3->part_bytes;
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(store, key, &upload, why));
    TRY(store_upload_part(&upload, buf_str(&bytes), why));
    enum rc rc = store_upload_finish_absent(&upload, why);
    if (rc == RC_OK) return ignores_conditions(s3, "completes an upload", why);
    return rc == RC_STALE ? RC_OK : rc;
}

static RC check_range(struct store store, struct str key, struct why *why) {
    AUTO(buf_done) struct buf got = BUF_INIT(2L * PROBE_BYTES);
    TRY(store_get(store, key, 3, 4, &got, why));
    if (str_equal(buf_str(&got), STR("3456"))) return RC_OK;
    return why_set(why, RC_DENIED, "s3://%s: a range of an object is not given as it was put",
                   s3_of(store)->bucket.name);
}

static RC check_all(struct store store, struct str key, struct why *why) {
    TRY(check_listing(store, why));
    TRY(check_put_absent(store, key, why));
    TRY(check_range(store, key, why));
    return check_upload(store, key, why);
}

RC store_s3_check(struct store store, struct why *why) {
    char name[PROBE_ROOM], text[ID_TEXT];
    struct rng rng = rng_from_kernel();
    (void)snprintf(name, sizeof name, PROBE "%s", id_format(id_make(&rng), text));
    enum rc rc = check_all(store, str_of(name), why);
    enum rc removed = store_remove(store, str_of(name), rc == RC_OK ? why : NULL);
    return rc == RC_OK ? removed : rc;
}
