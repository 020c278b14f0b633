/* SPDX-License-Identifier: Apache-2.0 */
/* An upload: parts are gathered in buffers that take turns; while one fills, others travel. What fits into one part is
 * put as one object, without an upload on the server. */
#include "store_s3_private.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ETAG_ROOM = 160, UPLOAD_ID_ROOM = 2048, LOOKS_MAX = 5, BODY_ROOM = 8 << 20 };

struct part {
    struct buf bytes;
    struct s3_call call;
    char number[16];
    size_t index; /* from 0 */
    bool busy;
};

struct upload {
    struct store_s3 *s3;
    char key_text[STORE_KEY_MAX + 1];
    struct str key;
    struct buf id;            /* empty: not begun on the server */
    char (*etags)[ETAG_ROOM]; /* of the parts, by index */
    size_t etags_room, started;
    struct part *parts; /* in turn; parts[filling] is not busy */
    size_t parts_len, filling, oldest, busy;
};

/* How often part sizes have doubled at this part. */
static unsigned growth(const struct upload *u) { return (unsigned)(u->started / u->s3->parts_step); }

static size_t part_room(const struct upload *u) { return (size_t)(u->s3->part_bytes << growth(u)); }

/* Larger parts, fewer of them: the memory stays what it was. */
static size_t parallel(const struct upload *u) { return MAX((size_t)u->s3->parallel >> growth(u), (size_t)1); }

static RC create(struct upload *u, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("POST", u->key);
    s3_query_add(&call.query, "uploads", STR(""));
    call.sends_body = true;
    call.extra[call.extra_len++] = (struct s3_header){STR("content-type"), STR("application/octet-stream")};
    TRY(s3_store_call(u->s3, &call, why));
    enum rc rc = s3_xml_find(buf_str(&call.exchange.reply.body), "UploadId", &u->id, why);
    if (rc == RC_OK && u->id.len && buf_rc(&u->id) == RC_OK) return RC_OK;
    buf_reset(&u->id);
    return why_wrap(why, RC_BROKEN, "beginning an upload of %.*s", STR_ARG(u->key));
}

static RC end_oldest(struct upload *u, struct why *why) {
    struct part *part = &u->parts[u->oldest];
    MUST(part->busy);
    enum rc rc = s3_call_end(&u->s3->bucket, &part->call, why);
    const char *etag = part->call.exchange.reply.etag;
    if (rc == RC_OK && !etag[0])
        rc = why_set(why, RC_BROKEN, "%.*s: the server gave no ETag for a part", STR_ARG(u->key));
    if (rc == RC_OK) (void)snprintf(u->etags[part->index], ETAG_ROOM, "%s", etag);
    s3_call_done(&part->call);
    part->busy = false;
    if (growth(u))
        buf_done(&part->bytes); /* fewer buffers are in use than there are */
    else
        buf_reset(&part->bytes);
    u->oldest = (u->oldest + 1) % u->parts_len;
    u->busy--;
    return rc;
}

static RC start_part(struct upload *u, struct why *why) {
    struct part *part = &u->parts[u->filling];
    if (u->started == u->s3->parts_max)
        return why_set(why, RC_LIMIT, "%.*s: more than %zu parts; raise part_bytes", STR_ARG(u->key), u->s3->parts_max);
    if (u->id.len == 0) TRY(create(u, why));
    part->index = u->started;
    (void)snprintf(part->number, sizeof part->number, "%zu", part->index + 1);
    part->call = S3_CALL("PUT", u->key);
    s3_query_add(&part->call.query, "partNumber", str_of(part->number));
    s3_query_add(&part->call.query, "uploadId", buf_str(&u->id));
    part->call.body = buf_str(&part->bytes);
    part->call.sends_body = true;
    alloc_grow(&u->etags, &u->etags_room, u->started + 1, ETAG_ROOM);
    enum rc rc = s3_call_start(&u->s3->bucket, &part->call, why);
    if (rc != RC_OK) {
        s3_call_done(&part->call);
        return rc;
    }
    part->busy = true;
    u->started++;
    u->busy++;
    u->filling = (u->filling + 1) % u->parts_len;
    while (u->busy > parallel(u) || u->busy == u->parts_len) TRY(end_oldest(u, why));
    return RC_OK;
}

static enum rc upload_part(void *self, struct str bytes, struct why *why) {
    struct upload *u = self;
    while (bytes.len) {
        struct part *part = &u->parts[u->filling];
        size_t room = part_room(u), n = MIN(bytes.len, room - part->bytes.len);
        if (!part->bytes.at || part->bytes.cap < room) {
            buf_done(&part->bytes);
            part->bytes = BUF_INIT(room);
        }
        buf_add(&part->bytes, str_sub(bytes, 0, n));
        MUST(buf_rc(&part->bytes) == RC_OK);
        bytes = str_sub(bytes, n, bytes.len);
        if (part->bytes.len == room) TRY(start_part(u, why));
    }
    return RC_OK;
}

static void remove_on_server(struct upload *u) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("DELETE", u->key);
    if (u->id.len == 0) return;
    s3_query_add(&call.query, "uploadId", buf_str(&u->id));
    if (s3_store_call(u->s3, &call, NULL) != RC_OK) return; /* what stays there is the janitor's */
}

static void upload_free(struct upload *u) {
    for (size_t i = 0; i < u->parts_len; i++) {
        struct part *part = &u->parts[i];
        if (part->busy) {
            s3_call_cancel(&u->s3->bucket, &part->call);
            s3_call_done(&part->call);
        }
        buf_done(&part->bytes);
    }
    free(u->parts);
    free(u->etags);
    buf_done(&u->id);
    free(u);
}

static void upload_abort(void *self) {
    struct upload *u = self;
    for (size_t i = 0; i < u->parts_len; i++) /* before the upload goes, or the server may keep a part */
        if (u->parts[i].busy) s3_call_cancel(&u->s3->bucket, &u->parts[i].call);
    remove_on_server(u);
    upload_free(u);
}

static void add_escaped(struct buf *out, const char *text) {
    for (const char *c = text; *c; c++) {
        if (*c == '&' || *c == '<' || *c == '>')
            buf_add_format(out, "&#%d;", *c);
        else
            buf_add_char(out, *c);
    }
}

static void list_parts(const struct upload *u, struct buf *out) {
    buf_add(out, STR("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    for (size_t i = 0; i < u->started; i++) {
        buf_add_format(out, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        add_escaped(out, u->etags[i]);
        buf_add(out, STR("</ETag></Part>"));
    }
    buf_add(out, STR("</CompleteMultipartUpload>"));
    MUST(buf_rc(out) == RC_OK);
}

/* *out_open: it may have been done, or somebody removed the upload. */
static RC complete(struct upload *u, struct str body, bool *out_open, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("POST", u->key);
    s3_query_add(&call.query, "uploadId", buf_str(&u->id));
    call.body = body;
    call.sends_body = call.slow_answer = call.decides = call.error_in_200 = true;
    call.extra[call.extra_len++] = (struct s3_header){STR("content-type"), STR("application/xml")};
    call.extra[call.extra_len++] = (struct s3_header){STR("if-none-match"), STR("*")};
    enum rc rc = s3_store_call(u->s3, &call, why);
    *out_open = call.unknown || rc == RC_ABSENT;
    return rc;
}

/* RC_STALE: there is an object. RC_ABSENT: there is none. */
static RC look(struct upload *u, struct why *why) {
    AUTO(s3_call_done) struct s3_call call = S3_CALL("HEAD", u->key);
    enum rc rc = s3_store_call(u->s3, &call, why);
    return rc == RC_OK ? why_set(why, RC_STALE, "%.*s is there already", STR_ARG(u->key)) : rc;
}

/* Servers differ on an upload that was completed before: it is done again, or not known any more. So where the answer
 * was lost, what is there decides. */
static RC complete_surely(struct upload *u, struct why *why) {
    AUTO(buf_done) struct buf body = BUF_INIT(BODY_ROOM);
    list_parts(u, &body);
    enum rc rc = RC_BUSY;
    bool open = true;
    for (int i = 0; i < LOOKS_MAX && open; i++) {
        rc = complete(u, buf_str(&body), &open, why);
        if (!open) return rc;
        bool gone = rc == RC_ABSENT;
        rc = look(u, why);
        if (rc != RC_ABSENT) return rc;
        if (gone) return why_set(why, RC_BUSY, "%.*s: the server does not know the upload any more", STR_ARG(u->key));
    }
    return why_set(why, RC_BUSY, "%.*s: completing the upload had no answer", STR_ARG(u->key));
}

static RC finish(struct upload *u, struct why *why) {
    struct part *part = &u->parts[u->filling];
    if (u->id.len == 0) {
        AUTO(s3_call_done) struct s3_call call = S3_CALL("PUT", u->key);
        s3_call_put_absent(&call, buf_str(&part->bytes));
        return s3_store_call(u->s3, &call, why);
    }
    if (part->bytes.len) TRY(start_part(u, why));
    while (u->busy) TRY(end_oldest(u, why));
    return complete_surely(u, why);
}

static enum rc upload_finish(void *self, struct why *why) {
    struct upload *u = self;
    enum rc rc = finish(u, why);
    if (rc == RC_OK)
        upload_free(u);
    else
        upload_abort(u);
    return rc;
}

static const struct store_upload_ops upload_ops = {
    .part = upload_part, .finish_absent = upload_finish, .abort = upload_abort};

enum rc s3_upload(void *self, struct str key, struct store_upload *out, struct why *why) {
    struct store_s3 *s3 = self;
    struct upload *u = ALLOC(struct upload);
    u->s3 = s3;
    u->id = BUF_INIT(UPLOAD_ID_ROOM);
    enum rc rc = s3_full_key(s3, key, u->key_text, &u->key, why);
    if (rc != RC_OK) {
        upload_free(u);
        return rc;
    }
    u->parts_len = s3->parallel + 1;
    u->parts = alloc_zero(u->parts_len, sizeof *u->parts);
    for (size_t i = 0; i < u->parts_len; i++) u->parts[i].bytes = BUF_INIT(s3->part_bytes);
    *out = (struct store_upload){&upload_ops, u};
    return RC_OK;
}
