/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: files that an emitter serves keep the source's contract for whoever reads them over HTTP, as if they were
 * here: what is opened goes through the server, what else a source does is the file system's. */
#include "../../../services/sluice/serve.h"
#include "source_contract.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "scratch.h"
#include "source_http.h"
#include "source_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { FILES_MAX = 64 };

/* Files with their servers and a client. */
struct served {
    struct source files, remote;
    struct serve *serve;
    struct config config;
    char listen[64], url[64];
    pthread_mutex_t lock;
    struct held {
        struct id id;
        unsigned holders;
    } held[FILES_MAX];
};

struct source_file {
    struct source_file *remote; /* the client's */
    struct id id;
};

static struct id id_of(const struct source_stat *stat) {
    struct id id = {{1}};
    memcpy(id.bytes, &stat->inode, 8);
    memcpy(id.bytes + 8, &stat->birth_ns, 8);
    return id;
}

static struct held *held_of(struct served *s, struct id id) {
    struct held *unused = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (s->held[i].holders && id_equal(s->held[i].id, id)) return &s->held[i];
        if (!s->held[i].holders) unused = &s->held[i];
    }
    MUST(unused);
    unused->id = id;
    return unused;
}

/* As an emitter: it knows the file by its facts, says where it is, and forgets it when it is done with. */
static enum rc served_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                           struct why *why) {
    struct served *s = self;
    struct source_stat now = {0};
    struct source_file *file = NULL, *remote = NULL;
    AUTO(buf_done) struct buf url = BUF_INIT(512);
    if (expected) {
        now = *expected;
    } else {
        TRY(source_open(s->files, uri, NULL, &file, why));
        enum rc rc = source_stat(s->files, file, &now, why);
        source_close(s->files, file);
        TRY(rc);
    }
    LOCKED(&s->lock);
    struct held *held = held_of(s, id_of(&now));
    struct emitter_share share = serve_share(s->serve);
    enum rc rc = share.publish(share.self, held->id, uri, &now, &url);
    if (rc != RC_OK) return why_set(why, rc, "not published");
    held->holders++;
    rc = source_open(s->remote, buf_str(&url), &now, &remote, why);
    if (rc != RC_OK) return rc;
    *out = ALLOC(struct source_file);
    **out = (struct source_file){remote, held->id};
    return RC_OK;
}

static enum rc served_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    return source_stat(((struct served *)self)->remote, file->remote, out, why);
}

static enum rc served_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                           struct why *why) {
    return source_read(((struct served *)self)->remote, file->remote, from, out, len, out_len, why);
}

static void served_close(void *self, struct source_file *file) {
    struct served *s = self;
    source_close(s->remote, file->remote);
    LOCKED(&s->lock);
    struct held *held = held_of(s, file->id);
    struct emitter_share share = serve_share(s->serve);
    if (--held->holders == 0) share.forget(share.self, file->id);
    free(file);
}

static enum rc served_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                           void *context, struct why *why) {
    return source_list(((struct served *)self)->files, pattern, visit, problem, context, why);
}
static enum rc served_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    return source_watch(((struct served *)self)->files, pattern, why);
}
static enum rc served_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    return source_wait(((struct served *)self)->files, wait_ms, out_changed, why);
}
static void served_wake(void *self) { source_wake(((struct served *)self)->files); }
static enum rc served_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    return source_remove(((struct served *)self)->files, uri, expected, why);
}
static enum rc served_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                           struct why *why) {
    return source_move(((struct served *)self)->files, uri, expected, to_directory, why);
}

static void served_free(void *self) {
    struct served *s = self;
    serve_free(s->serve);
    source_free(s->remote);
    source_free(s->files);
    free(s);
}

static const struct source_ops ops = {
    .list = served_list,
    .open = served_open,
    .stat = served_stat,
    .read = served_read,
    .close = served_close,
    .watch = served_watch,
    .wait = served_wait,
    .wake = served_wake,
    .remove = served_remove,
    .move = served_move,
    .free = served_free,
};

/* A port that was free a moment ago. */
static unsigned free_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    AUTO(own_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    return ntohs(at.sin_port);
}

static struct source served_new(void *context) {
    (void)context;
    struct served *s = ALLOC(struct served);
    (void)pthread_mutex_init(&s->lock, NULL);
    MUST(source_posix_open(&s->files, NULL) == RC_OK);
    enum rc rc = RC_BUSY;
    for (int i = 0; i < 20 && rc != RC_OK; i++) {
        unsigned port = free_port();
        (void)snprintf(s->listen, sizeof s->listen, "127.0.0.1:%u", port);
        (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", port);
        s->config.serve = (struct config_serve){str_of(s->listen), str_of(s->url), STR("0123456789abcdef")};
        rc = serve_start(&s->config, s->files, &s->serve, NULL);
    }
    MUST(rc == RC_OK && source_http_open(s->config.serve.token, 4, &s->remote, NULL) == RC_OK);
    return (struct source){&ops, s};
}

static void *begin(void) {
    struct scratch *scratch = ALLOC(struct scratch);
    *scratch = scratch_make();
    return scratch;
}

static const char *root(void *context) { return ((const struct scratch *)context)->path; }

static void end(void *context) {
    scratch_done(context);
    free(context);
}

static void put(const char *path, struct str bytes, int flags) {
    char text[4096];
    (void)snprintf(text, sizeof text, "%s", path);
    for (char *slash = text + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        MUST(mkdir(text, 0777) == 0 || errno == EEXIST);
        *slash = '/';
    }
    AUTO(own_close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    MUST(fd >= 0 && write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
}

static void write_it(void *context, const char *path, struct str bytes) {
    (void)context;
    put(path, bytes, O_TRUNC);
}
static void append(void *context, const char *path, struct str bytes) {
    (void)context;
    put(path, bytes, O_APPEND);
}
static void cut(void *context, const char *path, uint64_t size) {
    (void)context;
    MUST(truncate(path, (off_t)size) == 0);
}
static void rename_it(void *context, const char *from, const char *to) {
    (void)context;
    MUST(rename(from, to) == 0);
}
static void unlink_it(void *context, const char *path) {
    (void)context;
    MUST(unlink(path) == 0);
}
static bool exists(void *context, const char *path) {
    (void)context;
    return access(path, F_OK) == 0;
}

int main(void) {
    const struct source_world world = {.name = "source_http behind serve",
                                       .begin = begin,
                                       .open = served_new,
                                       .root = root,
                                       .end = end,
                                       .write = write_it,
                                       .append = append,
                                       .truncate = cut,
                                       .rename = rename_it,
                                       .unlink = unlink_it,
                                       .exists = exists};
    return source_contract_run(&world) != 0;
}
