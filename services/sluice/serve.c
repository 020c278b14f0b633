/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include "admin.h"
#include "alloc.h"
#include "id.h"
#include "log.h"
#include "num.h"
#include "own.h"
#include "source_http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS = 256 }; /* lanes of all workers; libmicrohttpd takes what a select() of poll holds */

#define FILES "/file/"

struct shared {
    struct id id;
    struct source_file *file;
};

struct serve {
    const struct config *config;
    struct source source;
    struct admin *admin;
    pthread_mutex_t lock;
    struct shared *files;
    size_t len, room;
};

/* With the lock held. */
static struct shared *find(struct serve *s, struct id id) {
    for (size_t i = 0; i < s->len; i++)
        if (id_equal(s->files[i].id, id)) return &s->files[i];
    return NULL;
}

static enum rc publish(void *self, struct id id, struct str uri, const struct source_stat *stat, struct buf *out_url) {
    struct serve *s = self;
    char text[ID_TEXT];
    LOCKED(&s->lock);
    if (!find(s, id)) {
        struct source_file *file = NULL;
        TRY(source_open(s->source, uri, stat, &file, NULL));
        alloc_grow(&s->files, &s->room, s->len + 1, sizeof *s->files);
        s->files[s->len++] = (struct shared){id, file};
    }
    buf_add(out_url, s->config->serve.url);
    buf_add(out_url, STR(FILES));
    buf_add(out_url, str_of(id_format(id, text)));
    return buf_rc(out_url);
}

static void forget(void *self, struct id id) {
    struct serve *s = self;
    LOCKED(&s->lock);
    struct shared *shared = find(s, id);
    if (!shared) return;
    source_close(s->source, shared->file);
    *shared = s->files[--s->len];
}

/* In a time that does not tell how much of it is right. */
static bool is_right(struct str token, struct str given) {
    unsigned char differs = token.len != given.len;
    for (size_t i = 0; i < token.len; i++)
        differs |= (unsigned char)((unsigned char)token.at[i] ^ (unsigned char)(i < given.len ? given.at[i] : 0));
    return !differs;
}

static RC check_token(const struct serve *s, const struct admin_request *request, struct admin_reply *reply,
                      struct why *why) {
    const char *field = admin_field(request, "Authorization");
    struct str given = str_of(field ? field : "");
    if (!str_starts(given, STR("Bearer "))) {
        reply->status = 401;
        reply->field = "WWW-Authenticate";
        (void)snprintf(reply->value, sizeof reply->value, "Bearer");
        return why_set(why, RC_DENIED, "a token is needed");
    }
    given = str_sub(given, sizeof "Bearer " - 1, given.len);
    if (is_right(s->config->serve.token, given)) return RC_OK;
    reply->status = 403;
    return why_set(why, RC_DENIED, "not the token");
}

/* "bytes=F-L"; RC_ABSENT: there is none. */
static RC read_range(const struct admin_request *request, uint64_t *out_from, size_t *out_len, struct why *why) {
    const char *field = admin_field(request, "Range");
    struct str rest = str_of(field ? field : ""), part;
    uint64_t from = 0, last = 0;
    if (!field) return RC_ABSENT;
    bool good = str_starts(rest, STR("bytes=")) && memchr(rest.at, '-', rest.len);
    if (good) {
        rest = str_sub(rest, sizeof "bytes=" - 1, rest.len);
        good = str_cut(&rest, '-', &part) && str_parse_u64(part, &from) == RC_OK &&
               str_parse_u64(rest, &last) == RC_OK && from <= last;
    }
    if (!good) return why_set(why, RC_BAD, "a range has to be bytes=FIRST-LAST");
    *out_from = from;
    *out_len = (size_t)MIN(last - from, (uint64_t)SOURCE_HTTP_RANGE - 1) + 1;
    return RC_OK;
}

static RC give_range(struct serve *s, struct source_file *file, const struct admin_request *request,
                     struct admin_reply *reply, struct why *why) {
    uint64_t from = 0;
    size_t len = 0;
    enum rc rc = read_range(request, &from, &len, why);
    if (rc == RC_ABSENT) return RC_OK; /* the facts alone */
    if (rc != RC_OK) return rc;
    TRY(buf_reserve(reply->body, len));
    TRY(source_read(s->source, file, from, reply->body->at, len, &reply->body->len, why));
    reply->status = reply->body->len ? 206 : 416;
    return RC_OK;
}

static enum rc file_page(void *self, const struct admin_request *request, struct admin_reply *reply, struct why *why) {
    struct serve *s = self;
    struct id id;
    struct source_stat stat = {0};
    TRY(check_token(s, request, reply, why));
    LOCKED(&s->lock);
    struct str name = str_sub(request->path, sizeof FILES - 1, request->path.len);
    struct shared *shared = id_parse(name.at, name.len, &id) == RC_OK ? find(s, id) : NULL;
    if (!shared) return why_set(why, RC_ABSENT, "no job of such a file is under way here");
    TRY(give_range(s, shared->file, request, reply, why));
    TRY(source_stat(s->source, shared->file, &stat, why));
    reply->content_type = "application/octet-stream";
    reply->field = "X-Sluice-Stat";
    source_http_stat_format(&stat, reply->value);
    return RC_OK;
}

RC serve_start(const struct config *config, struct source source, struct serve **out, struct why *why) {
    *out = NULL;
    if (!config->serve.listen.len) return RC_OK;
    struct serve *s = ALLOC(struct serve);
    *s = (struct serve){.config = config, .source = source, .admin = admin_new_bare(CONNECTIONS)};
    (void)pthread_mutex_init(&s->lock, NULL);
    admin_route(s->admin, FILES, file_page, s);
    struct why inner = {0};
    if (admin_start(s->admin, config->serve.listen, &inner) != RC_OK) {
        serve_free(s);
        return config_error(config, "serve.listen", why, "%s", inner.text);
    }
    LOG_INFO("serving files", F_STR("address", config->serve.listen), F_STR("url", config->serve.url));
    *out = s;
    return RC_OK;
}

struct emitter_share serve_share(struct serve *serve) {
    return (struct emitter_share){serve, publish, forget};
}

void serve_free(struct serve *s) {
    if (!s) return;
    admin_free(s->admin);
    for (size_t i = 0; i < s->len; i++) source_close(s->source, s->files[i].file);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->files);
    free(s);
}
