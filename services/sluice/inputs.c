/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include "alloc.h"
#include "fleet.h"
#include "log.h"
#include "num.h"
#include "own.h"
#include "source_http.h"
#include "source_posix.h"
#include "source_route.h"
#include "source_s3.h"

#include <stdlib.h>

#define S3_SCHEME "s3://"
/* One emitter looks through all sources, and files shall not wait for long because a bucket is away. */
enum { TRIES = 3, CONNECT_MS = 5000 };

struct source_pattern inputs_pattern(const struct config_source *s) {
    return (struct source_pattern){s->paths.at, s->paths.count, s->exclude.at, s->exclude.count, s->follow_symlinks};
}

struct routes {
    struct source_route *at;
    size_t len, room;
};

static void routes_done(struct routes *routes) {
    for (size_t i = 0; i < routes->len; i++) source_free(routes->at[i].source);
    free(routes->at);
}

static RC add_bucket(const struct config *config, size_t i, size_t k, struct routes *routes, struct why *why) {
    struct str path = config->sources[i].paths.at[k], rest = path, bucket;
    if (!str_starts(path, STR(S3_SCHEME))) return RC_OK;
    rest = str_sub(path, sizeof S3_SCHEME - 1, path.len);
    (void)str_cut(&rest, '/', &bucket);
    for (size_t r = 0; r < routes->len; r++)
        if (str_starts(path, routes->at[r].prefix)) return RC_OK;
    struct s3_settings settings = fleet_bucket(&config->sources[i].s3);
    settings.tries = TRIES;
    settings.connect_ms = CONNECT_MS;
    struct source source = {0};
    struct why inner = {0};
    if (source_s3_open(&settings, bucket, &source, &inner) != RC_OK)
        return config_error(config, config_key("sources[%zu].paths[%zu]", i, k).text, why, "%s", inner.text);
    alloc_grow(&routes->at, &routes->room, routes->len + 1, sizeof *routes->at);
    struct str prefix = str_sub(path, 0, sizeof S3_SCHEME - 1 + bucket.len + 1);
    routes->at[routes->len++] = (struct source_route){prefix, source};
    return RC_OK;
}

/* The machines of emitters, wherever they are: jobs say it. */
static RC add_emitters(const struct config *config, struct routes *routes, struct why *why) {
    static const struct str prefixes[] = {STR("http://"), STR("https://")};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct source source = {0};
        TRY(source_http_open(config->serve.token, (unsigned)config_lanes(config) + 1, &source, why));
        alloc_grow(&routes->at, &routes->room, routes->len + 1, sizeof *routes->at);
        routes->at[routes->len++] = (struct source_route){prefixes[i], source};
    }
    return RC_OK;
}

RC inputs_open(const struct config *config, struct source *out, struct why *why) {
    AUTO(routes_done) struct routes routes = {0};
    for (size_t i = 0; i < config->source_count; i++)
        for (size_t k = 0; k < config->sources[i].paths.count; k++) TRY(add_bucket(config, i, k, &routes, why));
    if (config->serve.url.len) TRY(add_emitters(config, &routes, why));
    struct source files = {0};
    TRY(source_posix_open(&files, why));
    *out = routes.len ? source_route_new(files, routes.at, routes.len) : files;
    routes.len = 0; /* they are the router's */
    return RC_OK;
}

struct trial {
    enum rc rc;
    struct why why;
};

static enum rc first_only(void *context, const struct source_entry *entry) {
    (void)context, (void)entry;
    return RC_STOP;
}

static void note_problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    (void)uri;
    struct trial *trial = context;
    if (trial->rc == RC_OK && why) trial->why = *why;
    if (trial->rc == RC_OK) trial->rc = rc;
}

static RC check_path(const struct config *config, struct source source, size_t i, size_t k, struct why *why) {
    struct str path = config->sources[i].paths.at[k];
    if (!str_starts(path, STR(S3_SCHEME))) return RC_OK;
    const struct source_pattern pattern = {.paths = &path, .paths_len = 1};
    struct trial trial = {0};
    struct why listed = {0};
    enum rc rc = source_list(source, &pattern, first_only, note_problem, &trial, &listed);
    if (rc == RC_BUSY)
        LOG_WARN("source cannot be listed now", F_STR("place", path), F_STR("error", str_of(listed.text)));
    if (rc == RC_OK) {
        rc = trial.rc;
        listed = trial.why;
    }
    if (rc == RC_OK || rc == RC_STOP || rc == RC_BUSY) return RC_OK;
    return config_error(config, config_key("sources[%zu].paths[%zu]", i, k).text, why, "%s", listed.text);
}

RC inputs_check(const struct config *config, struct source source, struct why *why) {
    for (size_t i = 0; i < config->source_count; i++)
        for (size_t k = 0; k < config->sources[i].paths.count; k++) TRY(check_path(config, source, i, k, why));
    return RC_OK;
}
