/* SPDX-License-Identifier: Apache-2.0 */
#include "source_fault.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <stdlib.h>

struct fault_source {
    struct source inner;
    struct source_fault *control;
};

static bool is_effect(enum source_call call) { return call >= SOURCE_REMOVE; }

static enum source_verdict by_number(struct source_fault *control, enum source_call call) {
    uint64_t at = control->calls;
    if (at == control->crash_at) return SOURCE_CRASH;
    if (at == control->fail_at) return SOURCE_FAIL;
    if (at == control->lose_at && is_effect(call)) return SOURCE_LOSE;
    if (control->fail_per_million && rng_below(&control->rng, 1000000) < control->fail_per_million) return SOURCE_FAIL;
    return SOURCE_PASS;
}

static enum rc told(const struct source_fault *control, const char *what, struct why *why) {
    return why_set(why, control->rc == RC_OK ? RC_BUSY : control->rc, "injected fault: %s", what);
}

static enum rc dead(struct why *why) { return why_set(why, RC_STOP, "injected fault: this process is dead"); }

/* Counts and decides; the call is made when RC_OK is returned. */
static RC before(struct source_fault *control, enum source_call call, enum source_verdict *out_verdict,
                 struct why *why) {
    LOCKED(&control->lock);
    if (control->crashed) return dead(why);
    control->calls++;
    *out_verdict = control->decide ? control->decide(control->context, call) : by_number(control, call);
    if (*out_verdict == SOURCE_CRASH) {
        control->crashed = true;
        return dead(why);
    }
    if (*out_verdict == SOURCE_LOSE && !is_effect(call)) *out_verdict = SOURCE_FAIL;
    if (*out_verdict != SOURCE_FAIL) return RC_OK;
    control->failed++;
    return told(control, "not done", why);
}

/* What the caller is told once the call was made, with `rc` as its true outcome. */
static enum rc behind(struct source_fault *control, enum source_verdict verdict, enum rc rc, struct why *why) {
    LOCKED(&control->lock);
    if (verdict == SOURCE_LOSE) {
        control->lost++;
        return told(control, "done, but the answer was lost", why);
    }
    if (verdict != SOURCE_CRASH_BEHIND) return rc;
    control->crashed = true;
    return dead(why);
}

static enum rc fault_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                          void *context, struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    TRY(before(source->control, SOURCE_LIST, &verdict, why));
    enum rc rc = source_list(source->inner, pattern, visit, problem, context, why);
    return behind(source->control, verdict, rc, why);
}

static enum rc fault_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                          struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    struct source_file *file = NULL;
    TRY(before(source->control, SOURCE_OPEN, &verdict, why));
    enum rc rc = behind(source->control, verdict, source_open(source->inner, uri, expected, &file, why), why);
    if (rc == RC_OK)
        *out = file;
    else
        source_close(source->inner, file);
    return rc;
}

static enum rc fault_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    struct source_stat stat = {0};
    TRY(before(source->control, SOURCE_STAT, &verdict, why));
    TRY(behind(source->control, verdict, source_stat(source->inner, file, &stat, why), why));
    *out = stat;
    return RC_OK;
}

static enum rc fault_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                          struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    size_t n = 0;
    TRY(before(source->control, SOURCE_READ, &verdict, why));
    TRY(behind(source->control, verdict, source_read(source->inner, file, from, out, len, &n, why), why));
    *out_len = n;
    return RC_OK;
}

static void fault_close(void *self, struct source_file *file) {
    struct fault_source *source = self;
    source_close(source->inner, file);
}

static enum rc fault_watch(void *self, const struct source_pattern *pattern, struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    TRY(before(source->control, SOURCE_WATCH, &verdict, why));
    return behind(source->control, verdict, source_watch(source->inner, pattern, why), why);
}

static bool is_dead(struct source_fault *control) {
    LOCKED(&control->lock);
    return control->crashed;
}

static enum rc fault_wait(void *self, uint64_t wait_ms, bool *out_changed, struct why *why) {
    struct fault_source *source = self;
    if (is_dead(source->control)) return dead(why);
    return source_wait(source->inner, wait_ms, out_changed, why);
}

static void fault_wake(void *self) {
    struct fault_source *source = self;
    source_wake(source->inner);
}

static enum rc fault_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    TRY(before(source->control, SOURCE_REMOVE, &verdict, why));
    return behind(source->control, verdict, source_remove(source->inner, uri, expected, why), why);
}

static enum rc fault_move(void *self, struct str uri, const struct source_stat *expected, struct str to_directory,
                          struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    TRY(before(source->control, SOURCE_MOVE, &verdict, why));
    return behind(source->control, verdict, source_move(source->inner, uri, expected, to_directory, why), why);
}

static enum rc fault_mark(void *self, struct str uri, const struct source_stat *expected, struct str key,
                          struct str value, struct why *why) {
    struct fault_source *source = self;
    enum source_verdict verdict = SOURCE_PASS;
    TRY(before(source->control, SOURCE_MARK, &verdict, why));
    return behind(source->control, verdict, source_mark(source->inner, uri, expected, key, value, why), why);
}

static void fault_free(void *self) {
    struct fault_source *source = self;
    source_free(source->inner);
    free(source);
}

static const struct source_ops ops = {
    .list = fault_list,
    .open = fault_open,
    .stat = fault_stat,
    .read = fault_read,
    .close = fault_close,
    .watch = fault_watch,
    .wait = fault_wait,
    .wake = fault_wake,
    .remove = fault_remove,
    .move = fault_move,
    .mark = fault_mark,
    .free = fault_free,
};

struct source source_fault_new(struct source inner, struct source_fault *control) {
    MUST(inner.ops && control);
    struct fault_source *source = ALLOC(struct fault_source);
    *source = (struct fault_source){.inner = inner, .control = control};
    return (struct source){&ops, source};
}
