/* SPDX-License-Identifier: Apache-2.0 */
/* s3_list: the objects of a bucket, page by page (ListObjectsV2). What the server gives is looked at: each key has to
 * have the prefix and to come behind the one before it.
 *
 * Memory: one page. Threads: any. Fails: RC_BROKEN (a server that lists out of order, or says more and gives none), as
 * s3_call.h says. */
#ifndef SLUICE_S3_LIST_H
#define SLUICE_S3_LIST_H

#include "s3_call.h"
#include "s3_xml.h"

enum { S3_LIST_PAGE = 1000 };

struct s3_object {
    struct str key;
    struct str etag; /* with its quotes */
    uint64_t bytes;
    int64_t modified_ns; /* 0: not told */
};

/* Anything but RC_OK ends the listing and is returned. Valid during the call, which runs between two requests and may
 * use the bucket. */
typedef enum rc (*s3_object_visit)(void *context, const struct s3_object *object);

/* Objects whose key begins with `prefix` and is behind `after` ("": all), in order of bytes. Keys that end in a slash
 * ("folders" of other programs) are left out. */
RC s3_list_objects(struct s3_bucket *bucket, struct str prefix, struct str after, s3_object_visit visit, void *context,
                   struct why *why);
/* As much of the start of a key as every server takes in a listing's question: they want text, and some refuse
 * components "." and "..", be they cut or not. What comes too much for it is the asker's to leave out. */
struct str s3_list_askable(struct str text);
/* One page of whatever `call` asks for. */
RC s3_list_page(struct s3_bucket *bucket, struct s3_call *call, struct s3_page *page, struct why *why);

#endif
