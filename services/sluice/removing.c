/* SPDX-License-Identifier: Apache-2.0 */
#include "removing.h"

#include "own.h"

#include <pthread.h>

struct removing {
    struct store store;
    const struct str *keys;
    size_t n, next;
    pthread_mutex_t lock;
    enum rc rc; /* the first failure */
    struct why why;
};

static bool take(struct removing *r, struct str *out) {
    LOCKED(&r->lock);
    if (r->rc != RC_OK || r->next == r->n) return false;
    *out = r->keys[r->next++];
    return true;
}

static void failed(struct removing *r, enum rc rc, const struct why *why) {
    LOCKED(&r->lock);
    if (r->rc != RC_OK) return;
    r->rc = rc;
    r->why = *why;
}

static void *work(void *self) {
    struct removing *r = self;
    struct str key;
    while (take(r, &key)) {
        struct why why = {0};
        enum rc rc = store_remove(r->store, key, &why);
        if (rc != RC_OK) failed(r, rc, &why);
    }
    return NULL;
}

static enum rc remove_many(void *context, struct store store, const struct str *keys, size_t n, struct why *why) {
    (void)context;
    struct removing r = {.store = store, .keys = keys, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[REMOVING_THREADS];
    size_t started = 0;
    while (started < REMOVING_THREADS && started + 1 < n && pthread_create(&threads[started], NULL, work, &r) == 0)
        started++;
    (void)work(&r); /* this one too, also where no thread could be started */
    for (size_t i = 0; i < started; i++) (void)pthread_join(threads[i], NULL);
    if (r.rc != RC_OK && why) *why = r.why;
    (void)pthread_mutex_destroy(&r.lock);
    return r.rc;
}

struct remover_many removing_many(void) {
    return (struct remover_many){remove_many, NULL};
}
