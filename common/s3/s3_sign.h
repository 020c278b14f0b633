/* SPDX-License-Identifier: Apache-2.0 */
/* s3_sign: AWS Signature Version 4 over header fields, as S3 wants it, and the encoding of paths and queries that it
 * rests on. libcurl can sign too, but the one of Debian 12 neither encodes '=' in a path nor sorts a query, and both
 * occur in every listing of partitions. SHA-256 and HMAC come from OpenSSL.
 *
 * Memory: some KiB a call, freed. Threads: pure. Fails: never; a library that cannot hash ends the process. */
#ifndef SLUICE_S3_SIGN_H
#define SLUICE_S3_SIGN_H

#include "buf.h"

enum {
    S3_SHA256_TEXT = 65,  /* 64 hexadecimal digits and a NUL */
    S3_MD5_TEXT = 25,     /* base64 of 16 bytes and a NUL */
    S3_STAMP_TEXT = 17,   /* 20130524T000000Z and a NUL */
    S3_SIGNED_MAX = 16,   /* header fields of one request */
    S3_SIGN_ROOM = 65536, /* of a canonical request: a path and a query of a few KiB each, and a session token */
};

struct s3_header {
    struct str name, value; /* the name in lower case */
};

struct s3_signing {
    struct str method;
    struct str path;  /* encoded, begins with a slash */
    struct str query; /* canonical: encoded, sorted, every name with its '='; without the '?' */
    const struct s3_header *headers;
    size_t headers_len;      /* all of them are signed; at most S3_SIGNED_MAX, host among them */
    struct str payload_hash; /* hexadecimal, or UNSIGNED-PAYLOAD */
    struct str region, service;
    struct str access, secret;
    struct str stamp; /* of x-amz-date */
};

/* Adds the value of the header field Authorization. */
void s3_sign(const struct s3_signing *signing, struct buf *out);
void s3_sha256(struct str bytes, char out[S3_SHA256_TEXT]);
/* The value of Content-MD5, which some requests have to have. */
void s3_md5(struct str bytes, char out[S3_MD5_TEXT]);
/* "20130524T000000Z" of nanoseconds since the epoch. */
void s3_stamp(int64_t wall_ns, char out[S3_STAMP_TEXT]);
/* Adds `text` with all bytes but A-Z a-z 0-9 - _ . ~ (and '/', when `slashes` stay) as %XX. */
void s3_encode(struct str text, bool slashes, struct buf *out);
/* Adds name=value, encoded, behind an '&' where something is there already. Names have to come in order. */
void s3_query_add(struct buf *query, const char *name, struct str value);
/* Adds `text` with %XX, and '+' as a blank, decoded; RC_BAD for a '%' that no two digits follow. */
RC s3_decode(struct str text, struct buf *out);

#endif
