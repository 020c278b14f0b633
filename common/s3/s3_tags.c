/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_tags.h"

#include "own.h"
#include "s3_xml.h"

struct reading {
    struct s3_tags *tags;
    struct s3_tag tag; /* being read */
};

void s3_tags_done(struct s3_tags *tags) { buf_done(&tags->texts); }

static void keep(struct s3_tags *tags, struct str text, size_t *out_at, size_t *out_len) {
    *out_at = tags->texts.len;
    buf_add(&tags->texts, text);
    *out_len = tags->texts.len - *out_at;
}

static bool is(const char *a, const char *b) { return strcmp(a, b) == 0; }

static enum rc tag_end(void *context, const char *name, const char *parent, struct str text) {
    struct reading *r = context;
    if (is(parent, "Tag") && is(name, "Key")) keep(r->tags, text, &r->tag.key_at, &r->tag.key_len);
    if (is(parent, "Tag") && is(name, "Value")) keep(r->tags, text, &r->tag.value_at, &r->tag.value_len);
    if (!is(name, "Tag")) return RC_OK;
    if (r->tags->len == S3_TAGS_MAX || !r->tag.key_len) return RC_BROKEN;
    r->tags->at[r->tags->len++] = r->tag;
    r->tag = (struct s3_tag){0};
    return RC_OK;
}

RC s3_tags_read(struct str document, struct s3_tags *out, struct why *why) {
    AUTO(s3_tags_done) struct s3_tags tags = {.texts = BUF_INIT(S3_TAGS_TEXT)};
    struct reading r = {.tags = &tags};
    struct s3_xml_sink sink = {NULL, tag_end, &r};
    enum rc rc = s3_xml_read(document, &sink, why);
    if (rc == RC_OK) rc = buf_rc(&tags.texts);
    if (rc != RC_OK) return why_set(why, RC_BROKEN, "no list of at most %d tags", S3_TAGS_MAX);
    *out = tags;
    tags = (struct s3_tags){0};
    return RC_OK;
}

static struct str text_of(const struct s3_tags *tags, size_t at, size_t len) {
    return (struct str){tags->texts.at + at, len};
}

RC s3_tags_set(struct s3_tags *tags, struct str key, struct str value, bool *out_changed, struct why *why) {
    size_t i = 0;
    while (i < tags->len && !str_equal(text_of(tags, tags->at[i].key_at, tags->at[i].key_len), key)) i++;
    *out_changed = i == tags->len || !str_equal(text_of(tags, tags->at[i].value_at, tags->at[i].value_len), value);
    if (!*out_changed) return RC_OK;
    if (i == S3_TAGS_MAX) return why_set(why, RC_LIMIT, "it has %d tags already, and no more are allowed", S3_TAGS_MAX);
    struct s3_tag tag = {0};
    keep(tags, key, &tag.key_at, &tag.key_len);
    keep(tags, value, &tag.value_at, &tag.value_len);
    TRY(buf_rc(&tags->texts));
    tags->at[i] = tag;
    if (i == tags->len) tags->len++;
    return RC_OK;
}

static void add_escaped(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '&')
            buf_add(out, STR("&amp;"));
        else if (c == '<')
            buf_add(out, STR("&lt;"));
        else if (c == '>')
            buf_add(out, STR("&gt;"));
        else
            buf_add_char(out, c);
    }
}

RC s3_tags_write(const struct s3_tags *tags, struct buf *out) {
    buf_add(out, STR("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>"));
    for (size_t i = 0; i < tags->len; i++) {
        buf_add(out, STR("<Tag><Key>"));
        add_escaped(out, text_of(tags, tags->at[i].key_at, tags->at[i].key_len));
        buf_add(out, STR("</Key><Value>"));
        add_escaped(out, text_of(tags, tags->at[i].value_at, tags->at[i].value_len));
        buf_add(out, STR("</Value></Tag>"));
    }
    buf_add(out, STR("</TagSet></Tagging>"));
    return buf_rc(out);
}
