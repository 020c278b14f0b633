/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_call.h"

#include "s3_xml.h"
#include "num.h"
#include "own.h"
#include "time_format.h"

#include <stdio.h>

enum flags { ONCE = 0, AGAIN = 1, UNKNOWN = 2, RENEW = 4, REGION = 8, CLOCK = 16, KEYS = 32, RACE = 64, BARE = 128 };

enum { RACE_TRIES = 3 };

/* The first row that fits counts. Status 0 and code NULL fit all; of `hundred` any of that hundred fits. */
static const struct row {
    long status;
    const char *code;
    enum rc rc;
    unsigned flags;
    const char *words;
} rows[] = {
    {0, "NoSuchKey", RC_ABSENT, ONCE, "no such object"},
    {0, "NoSuchUpload", RC_ABSENT, ONCE, "no such upload"},
    {0, "NoSuchBucket", RC_DENIED, ONCE, "there is no such bucket"},
    {0, "PreconditionFailed", RC_STALE, ONCE, "it is there already"},
    {412, NULL, RC_STALE, ONCE, "it is there already"},
    {0, "ConditionalRequestConflict", RC_BUSY, AGAIN, "somebody else puts it now"},
    {0, "OperationAborted", RC_BUSY, AGAIN, "somebody else changes it now"},
    {0, "SlowDown", RC_BUSY, AGAIN, "too many requests"},
    {0, "RequestTimeout", RC_BUSY, AGAIN, "the server waited for us in vain"},
    {0, "InternalError", RC_BUSY, AGAIN | UNKNOWN, "the server failed"},
    {0, "BadDigest", RC_BUSY, AGAIN, "damaged on the way"},
    {0, "XAmzContentSHA256Mismatch", RC_BUSY, AGAIN, "damaged on the way"},
    {0, "IncompleteBody", RC_BUSY, AGAIN, "cut on the way"},
    /* servers with directories: it may only have been going away */
    {0, "ExistingObjectIsDirectory", RC_DENIED, RACE, "objects below this key are in the way"},
    {0, "ObjectParentIsFile", RC_DENIED, RACE, "an object above this key is in the way"},
    {0, "AccessDenied", RC_DENIED, RACE | KEYS,
     "not allowed (a server also says so of an object that is not there, if s3:ListBucket is not allowed)"},
    {0, "ExpiredToken", RC_DENIED, RENEW | KEYS, "the session token has ended"},
    {0, "InvalidToken", RC_DENIED, RENEW | KEYS, "the session token is not valid"},
    {0, "TokenRefreshRequired", RC_DENIED, RENEW | KEYS, "the session token has ended"},
    {0, "RequestTimeTooSkewed", RC_DENIED, CLOCK, "the clocks differ: set this machine's, or the server's"},
    {0, "SignatureDoesNotMatch", RC_DENIED, KEYS, "the secret key does not belong to the access key"},
    {0, "InvalidAccessKeyId", RC_DENIED, KEYS, "the server does not know the access key"},
    {0, "XAdminUserNotFound", RC_DENIED, KEYS, "the server does not know the access key"},
    {0, "PermanentRedirect", RC_DENIED, REGION, "the bucket is in another region"},
    {0, "AuthorizationHeaderMalformed", RC_DENIED, REGION, "the bucket is in another region"},
    {0, "KeyTooLongError", RC_LIMIT, ONCE, "the key is too long"},
    {0, "EntityTooLarge", RC_LIMIT, ONCE, "too large"},
    {0, "QuotaExceeded", RC_LIMIT, ONCE, "the bucket is full"},
    {0, "XMinioAdminBucketQuotaExceeded", RC_LIMIT, ONCE, "the bucket is full"},
    {0, "XMinioStorageFull", RC_LIMIT, ONCE, "the server's disks are full"},
    /* HEAD has no body to say more. Any other 404 has to say of what: a proxy's or a wrong endpoint's is no absence */
    {404, NULL, RC_ABSENT, BARE, "no such object"},
    {401, NULL, RC_DENIED, KEYS, "the server wants other credentials"},
    {403, NULL, RC_DENIED, KEYS,
     "not allowed (a server also says so of an object that is not there, if s3:ListBucket is not allowed)"},
    {408, NULL, RC_BUSY, AGAIN, "the server waited for us in vain"},
    {429, NULL, RC_BUSY, AGAIN, "too many requests"},
    {501, NULL, RC_DENIED, ONCE, "the server does not know this kind of request"},
    {503, NULL, RC_BUSY, AGAIN, "the server is too busy"},
    {507, NULL, RC_LIMIT, ONCE, "the server's disks are full"},
    {300, NULL, RC_DENIED, REGION, "the server sends us elsewhere: to another region or endpoint"},
    {500, NULL, RC_BUSY, AGAIN | UNKNOWN, "the server failed"},
    {400, NULL, RC_DENIED, ONCE, "refused"},
    {0, NULL, RC_BROKEN, ONCE, "not an answer of S3"},
};

static bool fits(const struct row *row, long status, const char *code, bool bare) {
    if (row->flags & BARE && !bare) return false;
    if (row->code) return strcmp(row->code, code) == 0;
    bool hundred = row->status == 300 || row->status == 400 || row->status == 500;
    return row->status == 0 || row->status == status || (hundred && status / 100 * 100 == row->status);
}

static const struct row *row_of(long status, const char *code, bool bare) {
    size_t i = 0;
    while (!fits(&rows[i], status, code, bare)) i++; /* the last fits all */
    return &rows[i];
}

/* "PUT s3://bucket/key at https://endpoint" */
static const char *place_of(const struct s3_bucket *bucket, const struct s3_call *call, char *out, size_t room) {
    struct str key = str_sub(call->key, 0, MIN(call->key.len, (size_t)300));
    (void)snprintf(out, room, "%s s3://%s/%.*s at %s", call->method, bucket->name, STR_ARG(key), bucket->endpoint);
    return out;
}

static void add_hints(struct s3_bucket *bucket, const struct s3_call *call, unsigned flags,
                      const struct s3_error *error, struct buf *out) {
    const struct s3_reply *reply = &call->exchange.reply;
    const char *region = error->region[0] ? error->region : reply->region;
    if (flags & REGION && region[0]) buf_add_format(out, "; the region to set is %s, not %s", region, bucket->region);
    if (flags & KEYS) buf_add_format(out, "; credentials from %s", s3_credentials_source(bucket->credentials));
    if (flags & CLOCK) {
        char here[TIME_FORMAT_RFC3339_MAX];
        buf_add_format(out, "; here it is %s, there it is %s",
                       time_format_rfc3339(clock_wall_ns(bucket->clock), 0, here),
                       error->server_time[0] ? error->server_time : reply->date);
    }
}

static struct s3_verdict answered(struct s3_bucket *bucket, const struct s3_call *call, struct why *why) {
    const struct s3_reply *reply = &call->exchange.reply;
    struct s3_error error = {0};
    bool is_error = s3_error_read(buf_str(&reply->body), &error) == RC_OK;
    bool good = reply->status / 100 == 2 || (call->fine && reply->status == call->fine);
    if (good && !(call->error_in_200 && is_error)) return (struct s3_verdict){.rc = RC_OK};
    /* an error within a 200 is what its code says, or else a failure of the server */
    const struct row *row = row_of(good ? 500 : reply->status, error.code, strcmp(call->method, "HEAD") == 0);
    char place[512];
    AUTO(buf_done) struct buf hints = BUF_INIT(1024);
    add_hints(bucket, call, row->flags, &error, &hints);
    enum rc rc = why_set(why, row->rc, "%s: %s (%ld%s%s%s%s)%s", place_of(bucket, call, place, sizeof place),
                         row->words, reply->status, error.code[0] ? " " : "", error.code, error.message[0] ? ": " : "",
                         error.message, buf_text(&hints));
    bool again = row->flags & AGAIN || (row->flags & RACE && call->tried < RACE_TRIES);
    return (struct s3_verdict){rc, again, row->flags & UNKNOWN, row->flags & RENEW};
}

struct s3_verdict s3_judge(struct s3_bucket *bucket, const struct s3_call *call, struct why *why) {
    static const struct {
        struct s3_verdict verdict;
        const char *words;
    } failures[] = {
        [S3_UNREACHABLE] = {{RC_BUSY, true, false, false}, "not reachable"},
        [S3_UNKNOWN] = {{RC_BUSY, true, true, false}, "no answer"},
        [S3_NOT_TRUSTED] = {{RC_DENIED, false, false, false},
                            "the server's certificate is not trusted, or is another's"},
        [S3_OVER] = {{RC_LIMIT, false, false, false}, "more bytes than the buffer takes"},
        [S3_CANCELLED] = {{RC_STOP, false, false, false}, "given up"},
    };
    enum s3_failure failure = call->exchange.reply.failure;
    if (failure == S3_ANSWERED) return answered(bucket, call, why);
    char place[512];
    const char *detail = call->exchange.reply.words;
    (void)why_set(why, failures[failure].verdict.rc, "%s: %s%s%s", place_of(bucket, call, place, sizeof place),
                  failures[failure].words, detail[0] ? ": " : "", detail);
    return failures[failure].verdict;
}
