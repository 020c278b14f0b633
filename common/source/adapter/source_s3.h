/* SPDX-License-Identifier: Apache-2.0 */
/* source_s3: the objects of one bucket as files. SOURCE_S3.md has the requests, and the argument why every line counts
 * once.
 *
 * A path is s3://bucket/ and a glob over keys (source_glob.h, with the key's slashes as directories). The URI of an
 * object is s3://bucket/ and its key, percent-encoded. An object is `fixed`: bucket, key and ETag are its identity, so
 * another content under its key is another file. It is listed without being asked for; opened by a HEAD; read by ranges
 * with If-Match, and every answer's ETag is compared again, for servers that ignore the condition.
 *
 * Reads of 64 KiB and more, and those that go on where one ended, go by blocks of 2 MiB of which up to 4 are kept, two
 * of them ahead; others fetch what was asked for. Nothing is written to disk.
 *
 * remove acts on exactly the version where the bucket has versions, else by If-Match where the server knows it (AWS,
 * versitygw), else behind a HEAD (MinIO): an object that replaces ours between the two is removed. mark likewise, but
 * without versions always behind a HEAD. move is RC_BAD. watch takes any pattern of the bucket and tells nothing:
 * rescans find what is new.
 *
 * Memory: a listing one page of 1,000; an open file 500 bytes, and while it is read at most 4 blocks of 2 MiB.
 * Threads: any; an open file's reads one after the other. Limits: as s3_call.h.
 * Fails: as source.h and s3_call.h; RC_STALE (replaced), RC_ABSENT (removed). No access, or no such bucket, while
 * listing goes to `problem`. */
#ifndef SLUICE_SOURCE_S3_H
#define SLUICE_SOURCE_S3_H

#include "s3_bucket.h"
#include "source.h"

/* Checks the settings (RC_BAD) and asks nothing of the server. */
RC source_s3_open(const struct s3_settings *settings, struct str bucket, struct source *out, struct why *why);

#endif
