/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3: a store in a bucket of S3, or of anything that speaks its protocol and honours If-None-Match. The object of
 * key a/b/c is PREFIX/a/b/c in the bucket. STORE_S3.md tells how requests look, how an upload travels and what becomes
 * of an answer that was lost.
 *
 * Requests that say the same when repeated are tried settings.tries times, with growing waits and as the server asks
 * (Retry-After, at most S3_WAIT_MAX_MS), then RC_BUSY. put_absent and the end of an upload are not repeated when their
 * outcome is not known: RC_BUSY, and asking again gives RC_STALE if it was done. (The end of an upload first looks what
 * is there.) Every payload is signed with its SHA-256, so what arrives damaged is refused.
 *
 * The program ignores SIGPIPE. Memory: some 600 KiB a connection in use; an upload parts_parallel + 1 buffers of
 * part_bytes (behind 5,000 parts twice, behind 7,500 four times that); a listing one page;
 * many items nothing. Threads: any, and one inside for the connections; an upload one at a time. Limits: keys are UTF-8
 * without control characters (RC_BAD) and 1,024 bytes with the prefix (RC_LIMIT); an object is at most 37,500 times
 * part_bytes (RC_LIMIT). Fails: as store.h says. RC_DENIED names bucket, endpoint and where the credentials came from,
 * never a secret. */
#ifndef SLUICE_STORE_S3_H
#define SLUICE_STORE_S3_H

#include "s3_bucket.h"
#include "store.h"

enum {
    STORE_S3_PART_MIN = 5 << 20, /* S3 takes no smaller part but the last */
    STORE_S3_PART_DEFAULT = 16 << 20,
    STORE_S3_PART_MAX = 1 << 30,
    STORE_S3_PARALLEL_DEFAULT = 3,
};

/* Zero stands for the default. Texts are copied. */
struct store_s3_settings {
    const char *url; /* s3://bucket or s3://bucket/prefix */
    struct s3_settings s3;
    uint64_t part_bytes;
    unsigned parts_parallel;
};

/* Checks the settings (RC_BAD) and asks nothing of the server. */
RC store_s3_open(const struct store_s3_settings *settings, struct store *out, struct why *why);

/* Proves that the bucket can be what sluice needs: credentials are found and taken, a listing and a range are given, an
 * object and an upload are made only if absent (some servers take If-None-Match and do not act on it: RC_DENIED), and
 * objects can be removed. Leaves nothing there. For `sluice check` and `init`. */
RC store_s3_check(struct store store, struct why *why);

#endif
