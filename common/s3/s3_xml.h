/* SPDX-License-Identifier: Apache-2.0 */
/* s3_xml: the XML of S3's answers, read by expat as a stream of texts with the names of the elements around them. What
 * an answer holds is hostile until it was looked at: no document type is taken (so no entity can grow or reach out),
 * depth and texts are bounded, and whoever calls bounds the answer's bytes.
 *
 * Memory: one text, and what the caller collects. Threads: pure. Limits: S3_XML_DEPTH elements deep, texts of
 * S3_XML_TEXT bytes. Fails: RC_BROKEN for what is no such XML. */
#ifndef SLUICE_S3_XML_H
#define SLUICE_S3_XML_H

#include "buf.h"

enum {
    S3_XML_DEPTH = 16,
    S3_XML_TEXT = 16 * 1024, /* a key of 1,024 bytes, each as %XX, and room */
    S3_XML_NAME = 64,
};

struct s3_xml_sink {
    /* An element of this name begins, or has ended with this text (not trimmed) in it; `parent` is the one around it.
     * Not RC_OK ends the reading. */
    enum rc (*begin)(void *context, const char *name);
    enum rc (*end)(void *context, const char *name, const char *parent, struct str text);
    void *context;
};
RC s3_xml_read(struct str document, const struct s3_xml_sink *sink, struct why *why);

/* <Error>, also as the answer to a request that was told 200. Empty where the answer has none. */
struct s3_error {
    char code[64], message[256], region[64], server_time[64];
};
/* RC_ABSENT: the document is none (nor XML at all). */
RC s3_error_read(struct str document, struct s3_error *out);

/* The text of the first element `name` (behind any of that name above); RC_ABSENT. */
RC s3_xml_find(struct str document, const char *name, struct buf *out, struct why *why);

/* One page of a listing of objects (ListObjectsV2) or of unfinished uploads (ListMultipartUploads). */
struct s3_entry {
    size_t key_at, key_len;       /* in .texts */
    size_t upload_at, upload_len; /* of an unfinished upload: its id */
    size_t etag_at, etag_len;     /* of an object; none: not told */
    uint64_t bytes;               /* of an object */
    int64_t started_ns;           /* of an upload */
    int64_t modified_ns;          /* of an object; 0: not told */
};
struct s3_page {
    struct buf texts;
    struct s3_entry *entries;
    size_t len, room;
    bool more;
    char token[4096]; /* NextContinuationToken; may be empty */
    char next_key[4096], next_upload[1024];
};
void s3_page_done(struct s3_page *page);
/* Keys are decoded when the answer says that it encoded them. RC_BROKEN also for a listing with an entry that is half.
 */
RC s3_page_read(struct str document, struct s3_page *out, struct why *why);

#endif
