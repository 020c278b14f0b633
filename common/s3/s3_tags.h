/* SPDX-License-Identifier: Apache-2.0 */
/* s3_tags: the tags of an object, as GetObjectTagging gives and PutObjectTagging takes them. Memory: the texts.
 * Threads: pure. Limits: S3_TAGS_MAX tags. Fails: RC_BROKEN for what is no such document, RC_LIMIT. */
#ifndef SLUICE_S3_TAGS_H
#define SLUICE_S3_TAGS_H

#include "buf.h"

enum { S3_TAGS_MAX = 10 /* S3's own limit */, S3_TAGS_TEXT = 64 * 1024 };

struct s3_tag {
    size_t key_at, key_len, value_at, value_len; /* in .texts */
};
struct s3_tags {
    struct buf texts;
    struct s3_tag at[S3_TAGS_MAX];
    size_t len;
};
void s3_tags_done(struct s3_tags *tags);
RC s3_tags_read(struct str document, struct s3_tags *out, struct why *why);
/* Gives the tag this value; *out_changed is false where it has it. */
RC s3_tags_set(struct s3_tags *tags, struct str key, struct str value, bool *out_changed, struct why *why);
/* Adds the document. */
RC s3_tags_write(const struct s3_tags *tags, struct buf *out);

#endif
