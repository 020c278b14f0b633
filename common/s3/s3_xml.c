/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_xml.h"

#include "num.h"
#include "own.h"

#include <expat.h>
#include <stdio.h>

struct reader {
    XML_Parser parser;
    const struct s3_xml_sink *sink;
    char names[S3_XML_DEPTH][S3_XML_NAME];
    int depth;
    struct buf text;
    enum rc rc;
    const char *fault;
};

static void stop(struct reader *r, enum rc rc, const char *fault) {
    if (r->rc != RC_OK) return;
    r->rc = rc;
    r->fault = fault;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

/* Without the name space. */
static const char *local_name(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void XMLCALL begin_element(void *context, const XML_Char *name, const XML_Char **attributes) {
    (void)attributes;
    struct reader *r = context;
    if (r->depth == S3_XML_DEPTH) return stop(r, RC_BROKEN, "too deep");
    (void)snprintf(r->names[r->depth++], S3_XML_NAME, "%s", local_name(name));
    buf_reset(&r->text);
    enum rc rc = r->sink->begin ? r->sink->begin(r->sink->context, r->names[r->depth - 1]) : RC_OK;
    if (rc != RC_OK) stop(r, rc, NULL);
}

static void XMLCALL end_element(void *context, const XML_Char *name) {
    (void)name;
    struct reader *r = context;
    if (r->rc != RC_OK || r->depth == 0) return;
    r->depth--;
    enum rc rc =
        r->sink->end(r->sink->context, r->names[r->depth], r->depth ? r->names[r->depth - 1] : "", buf_str(&r->text));
    buf_reset(&r->text);
    if (rc != RC_OK) stop(r, rc, NULL);
}

static void XMLCALL add_text(void *context, const XML_Char *text, int len) {
    struct reader *r = context;
    buf_add(&r->text, (struct str){text, (size_t)len});
    if (buf_rc(&r->text) != RC_OK) stop(r, RC_BROKEN, "a text is too long");
}

static void XMLCALL refuse_type(void *context, const XML_Char *name, const XML_Char *system, const XML_Char *public_id,
                                int internal) {
    (void)name, (void)system, (void)public_id, (void)internal;
    stop(context, RC_BROKEN, "has a document type");
}

RC s3_xml_read(struct str document, const struct s3_xml_sink *sink, struct why *why) {
    if (document.len > INT32_MAX) return why_set(why, RC_BROKEN, "an answer of %zu bytes is too long", document.len);
    struct reader r = {.sink = sink, .text = BUF_INIT(S3_XML_TEXT)};
    r.parser = XML_ParserCreate("UTF-8");
    if (!r.parser) return why_set(why, RC_LIMIT, "no memory to read an answer");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, begin_element, end_element);
    XML_SetCharacterDataHandler(r.parser, add_text);
    XML_SetStartDoctypeDeclHandler(r.parser, refuse_type);
    enum XML_Status status = XML_Parse(r.parser, document.at, (int)document.len, XML_TRUE);
    const char *fault = r.fault ? r.fault : XML_ErrorString(XML_GetErrorCode(r.parser));
    enum rc rc = r.rc;
    if (rc != RC_OK && r.fault) rc = why_set(why, rc, "not an answer of S3: %s", fault);
    if (rc == RC_OK && status != XML_STATUS_OK) rc = why_set(why, RC_BROKEN, "not an answer of S3: %s", fault);
    XML_ParserFree(r.parser);
    buf_done(&r.text);
    return rc;
}

static void copy(char *out, size_t room, struct str text) {
    (void)snprintf(out, room, "%.*s", (int)MIN(text.len, room - 1), text.len ? text.at : "");
}

struct error_reading {
    bool seen;
    struct s3_error *out;
};

static bool may_hold_error(const char *name) {
    return strcmp(name, "Error") == 0 || strcmp(name, "ErrorResponse") == 0 || strcmp(name, "Errors") == 0;
}

/* Ends at once where the answer is another one. */
static enum rc error_begin(void *context, const char *name) {
    struct error_reading *reading = context;
    reading->seen = reading->seen || may_hold_error(name);
    return reading->seen ? RC_OK : RC_ABSENT;
}

static enum rc error_end(void *context, const char *name, const char *parent, struct str text) {
    struct error_reading *reading = context;
    struct s3_error *out = reading->out;
    if (strcmp(parent, "Error") != 0) return RC_OK;
    if (strcmp(name, "Code") == 0) copy(out->code, sizeof out->code, text);
    if (strcmp(name, "Message") == 0) copy(out->message, sizeof out->message, text);
    if (strcmp(name, "Region") == 0) copy(out->region, sizeof out->region, text);
    if (strcmp(name, "ServerTime") == 0) copy(out->server_time, sizeof out->server_time, text);
    return RC_OK;
}

RC s3_error_read(struct str document, struct s3_error *out) {
    struct s3_error found = {0};
    struct error_reading reading = {false, &found};
    struct s3_xml_sink sink = {error_begin, error_end, &reading};
    enum rc rc = s3_xml_read(document, &sink, NULL);
    if (!found.code[0] || (rc != RC_OK && !reading.seen)) return RC_ABSENT;
    *out = found;
    return RC_OK;
}

struct finding {
    const char *name;
    struct buf *out;
    bool found;
};

static enum rc find_end(void *context, const char *name, const char *parent, struct str text) {
    (void)parent;
    struct finding *finding = context;
    if (finding->found || strcmp(name, finding->name) != 0) return RC_OK;
    finding->found = true;
    buf_add(finding->out, str_trim(text));
    return buf_rc(finding->out);
}

RC s3_xml_find(struct str document, const char *name, struct buf *out, struct why *why) {
    struct finding finding = {name, out, false};
    struct s3_xml_sink sink = {NULL, find_end, &finding};
    TRY(s3_xml_read(document, &sink, why));
    return finding.found ? RC_OK : why_set(why, RC_ABSENT, "the answer has no %s", name);
}
