/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_sign.h"

#include "must.h"
#include "own.h"
#include "time_format.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum { HASH_BYTES = 32 };

static void hex(const unsigned char *bytes, size_t len, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

void s3_sha256(struct str bytes, char out[S3_SHA256_TEXT]) {
    unsigned char hash[HASH_BYTES];
    MUST(EVP_Digest(bytes.len ? bytes.at : "", bytes.len, hash, NULL, EVP_sha256(), NULL) == 1);
    hex(hash, sizeof hash, out);
}

void s3_md5(struct str bytes, char out[S3_MD5_TEXT]) {
    unsigned char hash[16], text[S3_MD5_TEXT];
    MUST(EVP_Digest(bytes.len ? bytes.at : "", bytes.len, hash, NULL, EVP_md5(), NULL) == 1);
    MUST(EVP_EncodeBlock(text, hash, sizeof hash) == S3_MD5_TEXT - 1);
    memcpy(out, text, S3_MD5_TEXT);
}

static void keyed(const unsigned char *key, size_t key_len, struct str text, unsigned char out[HASH_BYTES]) {
    unsigned len = 0;
    MUST(HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.at, text.len, out, &len));
    MUST(len == HASH_BYTES);
}

void s3_stamp(int64_t wall_ns, char out[S3_STAMP_TEXT]) {
    struct time_format format;
    char text[TIME_FORMAT_MAX];
    MUST(time_format_compile(STR("%Y%m%dT%H%M%SZ"), &format, NULL) == RC_OK);
    MUST(time_format_ns(&format, wall_ns, text) == S3_STAMP_TEXT - 1);
    memcpy(out, text, S3_STAMP_TEXT);
}

static bool is_plain(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~';
}

void s3_encode(struct str text, bool slashes, struct buf *out) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (is_plain(c) || (slashes && c == '/')) {
            buf_add_char(out, c);
            continue;
        }
        char code[3] = {'%', digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15]};
        buf_add(out, (struct str){code, sizeof code});
    }
}

void s3_query_add(struct buf *query, const char *name, struct str value) {
    if (query->len) buf_add_char(query, '&');
    s3_encode(str_of(name), false, query);
    buf_add_char(query, '=');
    s3_encode(value, false, query);
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

RC s3_decode(struct str text, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.len ? digit_of(text.at[i + 1]) : -1, low = high < 0 ? -1 : digit_of(text.at[i + 2]);
            if (low < 0) return RC_BAD;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buf_add_char(out, c);
    }
    return RC_OK;
}

static int by_name(const void *a, const void *b) {
    return str_compare(((const struct s3_header *)a)->name, ((const struct s3_header *)b)->name);
}

static void add_names(const struct s3_header *sorted, size_t len, struct buf *out) {
    for (size_t i = 0; i < len; i++) {
        if (i) buf_add_char(out, ';');
        buf_add(out, sorted[i].name);
    }
}

static void canonical_request(const struct s3_signing *s, const struct s3_header *sorted, struct buf *out) {
    buf_add(out, s->method);
    buf_add_char(out, '\n');
    buf_add(out, s->path);
    buf_add_char(out, '\n');
    buf_add(out, s->query);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < s->headers_len; i++) {
        buf_add(out, sorted[i].name);
        buf_add_char(out, ':');
        buf_add(out, str_trim(sorted[i].value));
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '\n');
    add_names(sorted, s->headers_len, out);
    buf_add_char(out, '\n');
    buf_add(out, s->payload_hash);
    MUST(buf_rc(out) == RC_OK);
}

static void signing_key(const struct s3_signing *s, struct str day, unsigned char out[HASH_BYTES]) {
    AUTO(buf_done) struct buf first = BUF_INIT(S3_SIGN_ROOM);
    buf_add(&first, STR("AWS4"));
    buf_add(&first, s->secret);
    MUST(buf_rc(&first) == RC_OK);
    keyed((const unsigned char *)first.at, first.len, day, out);
    keyed(out, HASH_BYTES, s->region, out);
    keyed(out, HASH_BYTES, s->service, out);
    keyed(out, HASH_BYTES, STR("aws4_request"), out);
    OPENSSL_cleanse(first.at, first.len);
}

void s3_sign(const struct s3_signing *s, struct buf *out) {
    struct s3_header sorted[S3_SIGNED_MAX];
    MUST(s->headers_len > 0 && s->headers_len <= S3_SIGNED_MAX && s->stamp.len == S3_STAMP_TEXT - 1);
    memcpy(sorted, s->headers, s->headers_len * sizeof *sorted);
    qsort(sorted, s->headers_len, sizeof *sorted, by_name);
    AUTO(buf_done) struct buf request = BUF_INIT(S3_SIGN_ROOM), text = BUF_INIT(S3_SIGN_ROOM), scope = BUF_INIT(1024);
    canonical_request(s, sorted, &request);
    char hash[S3_SHA256_TEXT], signature[S3_SHA256_TEXT];
    s3_sha256(buf_str(&request), hash);
    struct str day = str_sub(s->stamp, 0, 8);
    buf_add_format(&scope, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(day), STR_ARG(s->region), STR_ARG(s->service));
    buf_add_format(&text, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%s", STR_ARG(s->stamp), STR_ARG(buf_str(&scope)), hash);
    unsigned char key[HASH_BYTES], code[HASH_BYTES];
    signing_key(s, day, key);
    keyed(key, sizeof key, buf_str(&text), code);
    OPENSSL_cleanse(key, sizeof key);
    hex(code, sizeof code, signature);
    buf_add_format(out, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=", STR_ARG(s->access),
                   STR_ARG(buf_str(&scope)));
    add_names(sorted, s->headers_len, out);
    buf_add_format(out, ", Signature=%s", signature);
}
