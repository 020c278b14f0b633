/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fault.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <stdlib.h>

struct fault_store {
    struct store inner;
    struct store_fault *control;
};

struct fault_upload {
    struct store_upload inner;
    struct store_fault *control;
    size_t key_len;
    char key[STORE_KEY_MAX];
};

static bool chance(struct store_fault *control, uint32_t per_million) {
    return per_million && rng_below(&control->rng, 1000000) < per_million;
}

static bool is_effect(enum store_call call) { return call < STORE_READ; }

static enum store_verdict by_number(struct store_fault *control, enum store_call call) {
    uint64_t at = is_effect(call) ? control->effects : 0;
    if (at && at == control->crash_at) return STORE_CRASH;
    if (at && at == control->fail_at) return STORE_FAIL;
    if (at && at == control->lose_at) return STORE_LOSE;
    if (chance(control, control->fail_per_million)) return STORE_FAIL;
    if (is_effect(call) && chance(control, control->lose_per_million)) return STORE_LOSE;
    return STORE_PASS;
}

static enum rc told(const struct store_fault *control, const char *what, struct why *why) {
    return why_set(why, control->rc == RC_OK ? RC_BUSY : control->rc, "injected fault: %s", what);
}

static enum rc dead(struct why *why) { return why_set(why, RC_STOP, "injected fault: this process is dead"); }

/* Counts and decides. *out_verdict is STORE_PASS, STORE_LOSE or STORE_CRASH_BEHIND when RC_OK is returned. */
static RC before(struct store_fault *control, enum store_call call, struct str key, enum store_verdict *out_verdict,
                 struct why *why) {
    LOCKED(&control->lock);
    if (control->crashed) return dead(why);
    if (is_effect(call))
        control->effects++;
    else
        control->reads++;
    *out_verdict = control->decide ? control->decide(control->context, call, key) : by_number(control, call);
    if (*out_verdict == STORE_CRASH) {
        control->crashed = true;
        return dead(why);
    }
    if (*out_verdict != STORE_FAIL) return RC_OK;
    control->failed++;
    return told(control, "not done", why);
}

/* What the caller is told once the call was made, with `rc` as its true outcome. */
static enum rc behind(struct store_fault *control, enum store_verdict verdict, enum rc rc, struct why *why) {
    LOCKED(&control->lock);
    if (verdict == STORE_LOSE) {
        control->lost++;
        return told(control, "done, but the answer was lost", why);
    }
    if (verdict != STORE_CRASH_BEHIND) return rc;
    control->crashed = true;
    return dead(why);
}

static enum rc fault_put(void *self, struct str key, struct str bytes, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_PUT, key, &verdict, why));
    return behind(store->control, verdict, store_put(store->inner, key, bytes, why), why);
}

static enum rc fault_put_absent(void *self, struct str key, struct str bytes, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_PUT_ABSENT, key, &verdict, why));
    return behind(store->control, verdict, store_put_absent(store->inner, key, bytes, why), why);
}

/* Each item is an effect of its own. They are done from another place on each time, so that what a crash in the middle
 * leaves is no beginning of the list. */
static void fault_put_absent_many(void *self, const struct store_item *items, size_t n, enum rc *out_rcs,
                                  struct why *why) {
    struct fault_store *store = self;
    size_t first = 0;
    {
        LOCKED(&store->control->lock);
        if (n) first = (size_t)(store->control->effects % n);
    }
    bool told = false;
    for (size_t k = 0; k < n; k++) {
        size_t i = (first + k) % n;
        if (out_rcs[i] != RC_OK) continue;
        out_rcs[i] = fault_put_absent(self, items[i].key, items[i].bytes, told ? NULL : why);
        told = told || (out_rcs[i] != RC_OK && out_rcs[i] != RC_STALE);
    }
}

static enum rc fault_remove(void *self, struct str key, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_REMOVE, key, &verdict, why));
    return behind(store->control, verdict, store_remove(store->inner, key, why), why);
}

static enum rc fault_get(void *self, struct str key, uint64_t from, uint64_t len, struct buf *out, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_READ, key, &verdict, why));
    size_t len_before = out->len;
    enum rc rc = behind(store->control, verdict, store_get(store->inner, key, from, len, out, why), why);
    if (rc != RC_OK) out->len = len_before;
    return rc;
}

static enum rc fault_size(void *self, struct str key, uint64_t *out_bytes, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    uint64_t bytes = 0;
    TRY(before(store->control, STORE_READ, key, &verdict, why));
    TRY(behind(store->control, verdict, store_size(store->inner, key, &bytes, why), why));
    *out_bytes = bytes;
    return RC_OK;
}

static enum rc fault_list(void *self, struct str prefix, struct str after, store_visit visit, void *context,
                          struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_READ, prefix, &verdict, why));
    return behind(store->control, verdict, store_list(store->inner, prefix, after, visit, context, why), why);
}

static enum rc upload_part(void *self, struct str bytes, struct why *why) {
    struct fault_upload *upload = self;
    enum store_verdict verdict = STORE_PASS;
    struct str key = {upload->key, upload->key_len};
    TRY(before(upload->control, STORE_PREPARE, key, &verdict, why));
    return behind(upload->control, verdict, store_upload_part(&upload->inner, bytes, why), why);
}

static void upload_abort(void *self) {
    struct fault_upload *upload = self;
    store_upload_abort(&upload->inner);
    free(upload);
}

static enum rc upload_finish(void *self, struct why *why) {
    struct fault_upload *upload = self;
    enum store_verdict verdict = STORE_PASS;
    struct str key = {upload->key, upload->key_len};
    enum rc rc = before(upload->control, STORE_FINISH, key, &verdict, why);
    if (rc == RC_OK) rc = behind(upload->control, verdict, store_upload_finish_absent(&upload->inner, why), why);
    upload_abort(upload);
    return rc;
}

static const struct store_upload_ops upload_ops = {
    .part = upload_part, .finish_absent = upload_finish, .abort = upload_abort};

static enum rc fault_upload(void *self, struct str key, struct store_upload *out, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    AUTO(store_upload_abort) struct store_upload inner = {0};
    TRY(before(store->control, STORE_PREPARE, key, &verdict, why));
    TRY(behind(store->control, verdict, store_upload_begin(store->inner, key, &inner, why), why));
    struct fault_upload *upload = ALLOC(struct fault_upload);
    upload->control = store->control;
    upload->key_len = key.len;
    memcpy(upload->key, key.at, key.len);
    upload->inner = inner;
    inner = (struct store_upload){0};
    *out = (struct store_upload){&upload_ops, upload};
    return RC_OK;
}

static enum rc fault_uploads(void *self, struct str prefix, store_upload_visit visit, void *context, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_READ, prefix, &verdict, why));
    return behind(store->control, verdict, store_uploads(store->inner, prefix, visit, context, why), why);
}

static enum rc fault_upload_remove(void *self, struct str key, struct str upload, struct why *why) {
    struct fault_store *store = self;
    enum store_verdict verdict = STORE_PASS;
    TRY(before(store->control, STORE_REMOVE, key, &verdict, why));
    return behind(store->control, verdict, store_upload_remove(store->inner, key, upload, why), why);
}

static void fault_free(void *self) {
    struct fault_store *store = self;
    store_free(store->inner);
    free(store);
}

static const struct store_ops ops = {
    .put = fault_put,
    .put_absent = fault_put_absent,
    .put_absent_many = fault_put_absent_many,
    .get = fault_get,
    .size = fault_size,
    .list = fault_list,
    .remove = fault_remove,
    .upload = fault_upload,
    .uploads = fault_uploads,
    .upload_remove = fault_upload_remove,
    .free = fault_free,
};

struct store store_fault_new(struct store inner, struct store_fault *control) {
    MUST(inner.ops && control);
    struct fault_store *store = ALLOC(struct fault_store);
    *store = (struct fault_store){.inner = inner, .control = control};
    return (struct store){&ops, store};
}
