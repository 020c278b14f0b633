/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include "must.h"

RC source_list(struct source source, const struct source_pattern *pattern, source_visit visit, source_problem problem,
               void *context, struct why *why) {
    return source.ops->list(source.self, pattern, visit, problem, context, why);
}

RC source_open(struct source source, struct str uri, const struct source_stat *expected, struct source_file **out,
               struct why *why) {
    return source.ops->open(source.self, uri, expected, out, why);
}

RC source_stat(struct source source, struct source_file *file, struct source_stat *out, struct why *why) {
    return source.ops->stat(source.self, file, out, why);
}

RC source_measure(struct source source, struct source_file *file, struct source_stat *out, struct why *why) {
    struct source_stat stat;
    TRY(source.ops->stat(source.self, file, &stat, why));
    if (source.ops->measure) TRY(source.ops->measure(source.self, file, &stat, why));
    *out = stat;
    return RC_OK;
}

RC source_read(struct source source, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
               struct why *why) {
    return source.ops->read(source.self, file, from, out, len, out_len, why);
}

RC source_stop(struct source source, struct source_file *file, uint64_t at, struct source_stop *out, struct why *why) {
    *out = (struct source_stop){.stopped = false};
    return source.ops->stop ? source.ops->stop(source.self, file, at, out, why) : RC_OK;
}

void source_close(struct source source, struct source_file *file) {
    if (file) source.ops->close(source.self, file);
}

RC source_watch(struct source source, const struct source_pattern *pattern, struct why *why) {
    return source.ops->watch(source.self, pattern, why);
}

RC source_wait(struct source source, uint64_t wait_ms, bool *out_changed, struct why *why) {
    return source.ops->wait(source.self, wait_ms, out_changed, why);
}

void source_wake(struct source source) { source.ops->wake(source.self); }

RC source_remove(struct source source, struct str uri, const struct source_stat *expected, struct why *why) {
    MUST(expected);
    return source.ops->remove(source.self, uri, expected, why);
}

RC source_move(struct source source, struct str uri, const struct source_stat *expected, struct str to_directory,
               struct why *why) {
    MUST(expected);
    return source.ops->move(source.self, uri, expected, to_directory, why);
}

RC source_mark(struct source source, struct str uri, const struct source_stat *expected, struct str key,
               struct str value, struct why *why) {
    MUST(expected);
    return source.ops->mark(source.self, uri, expected, key, value, why);
}

void source_free(struct source source) {
    if (source.ops) source.ops->free(source.self);
}
