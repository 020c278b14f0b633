/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of listings: <Contents> of ListObjectsV2 and <Upload> of ListMultipartUploads. */
#include "s3_xml.h"

#include "alloc.h"
#include "num.h"
#include "own.h"
#include "s3_sign.h"
#include "time_parse.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_TEXTS_MAX = 16 << 20, PAGE_ENTRIES_MAX = 10000 }; /* S3 gives 1,000 at a time */

struct reading {
    struct s3_page *page;
    struct s3_entry entry; /* being read */
    bool inside, has_key, has_bytes;
    bool encoded; /* the answer says that keys are encoded */
    const char *fault;
};

void s3_page_done(struct s3_page *page) {
    buf_done(&page->texts);
    free(page->entries);
    *page = (struct s3_page){0};
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static bool is_entry(const char *name) { return is(name, "Contents") || is(name, "Upload"); }

static enum rc page_begin(void *context, const char *name) {
    struct reading *r = context;
    if (!is_entry(name)) return RC_OK;
    r->entry = (struct s3_entry){0};
    r->has_key = r->has_bytes = false;
    r->inside = true;
    return RC_OK;
}

static enum rc broken(struct reading *r, const char *fault) {
    r->fault = fault;
    return RC_BROKEN;
}

static enum rc keep_text(struct reading *r, struct str text, size_t *out_at, size_t *out_len) {
    *out_at = r->page->texts.len;
    buf_add(&r->page->texts, text);
    *out_len = r->page->texts.len - *out_at;
    return buf_rc(&r->page->texts) == RC_OK ? RC_OK : broken(r, "the listing is too long");
}

static enum rc entry_field(struct reading *r, const char *name, struct str text) {
    struct s3_entry *entry = &r->entry;
    if (is(name, "Key")) {
        r->has_key = true;
        return keep_text(r, text, &entry->key_at, &entry->key_len);
    }
    if (is(name, "UploadId")) return keep_text(r, str_trim(text), &entry->upload_at, &entry->upload_len);
    if (is(name, "ETag")) return keep_text(r, str_trim(text), &entry->etag_at, &entry->etag_len);
    if (is(name, "Size")) {
        r->has_bytes = true;
        return str_parse_u64(str_trim(text), &entry->bytes) == RC_OK ? RC_OK : broken(r, "a size is no number");
    }
    if (is(name, "LastModified") && time_parse_rfc3339(str_trim(text), &entry->modified_ns) != RC_OK)
        return broken(r, "a time is none");
    if (is(name, "Initiated") && time_parse_rfc3339(str_trim(text), &entry->started_ns) != RC_OK)
        return broken(r, "a time is none");
    return RC_OK;
}

static enum rc entry_ends(struct reading *r, const char *name) {
    bool upload = is(name, "Upload");
    r->inside = false;
    if (!r->has_key || (upload ? r->entry.upload_len == 0 || r->entry.started_ns == 0 : !r->has_bytes))
        return broken(r, "an entry is not whole");
    if (r->page->len == PAGE_ENTRIES_MAX) return broken(r, "the listing is too long");
    alloc_grow(&r->page->entries, &r->page->room, r->page->len + 1, sizeof r->entry);
    r->page->entries[r->page->len++] = r->entry;
    return RC_OK;
}

static enum rc set(struct reading *r, char *out, size_t room, struct str text) {
    if (text.len >= room) return broken(r, "a mark is too long");
    (void)snprintf(out, room, "%.*s", STR_ARG(text));
    return RC_OK;
}

static enum rc page_end(void *context, const char *name, const char *parent, struct str text) {
    struct reading *r = context;
    struct s3_page *page = r->page;
    if (r->inside && is_entry(parent)) return entry_field(r, name, text);
    if (r->inside && is_entry(name)) return entry_ends(r, name);
    if (is(name, "IsTruncated")) page->more = str_equal(str_trim(text), STR("true"));
    if (is(name, "EncodingType")) r->encoded = str_equal(str_trim(text), STR("url"));
    if (is(name, "NextContinuationToken")) return set(r, page->token, sizeof page->token, text);
    if (is(name, "NextKeyMarker")) return set(r, page->next_key, sizeof page->next_key, text);
    if (is(name, "NextUploadIdMarker")) return set(r, page->next_upload, sizeof page->next_upload, text);
    return RC_OK;
}

static bool decode_in(struct buf *texts, size_t *at, size_t *len) {
    AUTO(buf_done) struct buf decoded = BUF_INIT(S3_XML_TEXT);
    if (s3_decode((struct str){texts->at + *at, *len}, &decoded) != RC_OK || buf_rc(&decoded) != RC_OK) return false;
    if (decoded.len) memcpy(texts->at + *at, decoded.at, decoded.len); /* never longer */
    *len = decoded.len;
    return true;
}

static bool decode_all(struct s3_page *page) {
    for (size_t i = 0; i < page->len; i++)
        if (!decode_in(&page->texts, &page->entries[i].key_at, &page->entries[i].key_len)) return false;
    AUTO(buf_done) struct buf next = BUF_INIT(sizeof page->next_key - 1);
    if (s3_decode(str_of(page->next_key), &next) != RC_OK || buf_rc(&next) != RC_OK) return false;
    (void)snprintf(page->next_key, sizeof page->next_key, "%s", buf_text(&next));
    return true;
}

RC s3_page_read(struct str document, struct s3_page *out, struct why *why) {
    AUTO(s3_page_done) struct s3_page page = {.texts = BUF_INIT(PAGE_TEXTS_MAX)};
    struct reading r = {.page = &page};
    struct s3_xml_sink sink = {page_begin, page_end, &r};
    enum rc rc = s3_xml_read(document, &sink, why);
    if (rc == RC_OK && r.encoded && !decode_all(&page)) {
        rc = RC_BROKEN;
        r.fault = "a key is not encoded right";
    }
    if (rc != RC_OK) return r.fault ? why_set(why, rc, "not a listing of S3: %s", r.fault) : rc;
    *out = page;
    page = (struct s3_page){0};
    return RC_OK;
}
