/* SPDX-License-Identifier: Apache-2.0 */
/* librdkafka uses the C11 threads of glibc, which TSan (up to clang 14 at least) does not know: it crashes in a thread
 * that it did not see begin, and sees no lock. These stand in front of glibc's and use the POSIX functions that TSan
 * does know; glibc's types are the same underneath. Linked into tests under TSan only matters there, and harms nowhere.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t), "glibc's types");

/* librdkafka destroys the lock of a topic when the last reference to it goes. It counts them with atomics that TSan
 * does not see, for librdkafka is not instrumented, and so sees a lock that one thread used and another destroys. We
 * have no such locks, and that hides nothing else.
 * And a message's bytes are read by us and later freed by a thread of librdkafka, in order by a
 * count of references in atomics that TSan does not see. It also hides races below a callback of librdkafka; ours only
 * add to counters and queues of their own, and what our threads share among themselves has none of its frames. */
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the name is TSan's
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) { return "race_top:pthread_rwlock_destroy\nrace:librdkafka.so\n"; }
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

struct start {
    thrd_start_t run;
    void *argument;
};

static int outcome(int error) {
    return error == 0 ? thrd_success : error == EBUSY ? thrd_busy : error == ETIMEDOUT ? thrd_timedout : thrd_error;
}

static void *begin(void *context) {
    struct start start = *(struct start *)context;
    free(context);
    return (void *)(intptr_t)start.run(start.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *argument) {
    struct start *start = malloc(sizeof *start);
    if (!start) return thrd_nomem;
    *start = (struct start){run, argument};
    int error = pthread_create((pthread_t *)thread, NULL, begin, start);
    if (error) free(start);
    return outcome(error);
}

int thrd_join(thrd_t thread, int *out) {
    void *result = NULL;
    int error = pthread_join((pthread_t)thread, &result);
    if (!error && out) *out = (int)(intptr_t)result;
    return outcome(error);
}

int mtx_init(mtx_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    (void)pthread_mutexattr_init(&attributes);
    if (type & mtx_recursive) (void)pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    int error = pthread_mutex_init((pthread_mutex_t *)mutex, &attributes);
    (void)pthread_mutexattr_destroy(&attributes);
    return outcome(error);
}

int mtx_lock(mtx_t *mutex) { return outcome(pthread_mutex_lock((pthread_mutex_t *)mutex)); }
int mtx_trylock(mtx_t *mutex) { return outcome(pthread_mutex_trylock((pthread_mutex_t *)mutex)); }
int mtx_unlock(mtx_t *mutex) { return outcome(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }
void mtx_destroy(mtx_t *mutex) { (void)pthread_mutex_destroy((pthread_mutex_t *)mutex); }

int cnd_init(cnd_t *condition) { return outcome(pthread_cond_init((pthread_cond_t *)condition, NULL)); }
int cnd_signal(cnd_t *condition) { return outcome(pthread_cond_signal((pthread_cond_t *)condition)); }
int cnd_broadcast(cnd_t *condition) { return outcome(pthread_cond_broadcast((pthread_cond_t *)condition)); }
int cnd_wait(cnd_t *condition, mtx_t *mutex) {
    return outcome(pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex));
}
int cnd_timedwait(cnd_t *condition, mtx_t *mutex, const struct timespec *until) {
    return outcome(pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, until));
}
void cnd_destroy(cnd_t *condition) { (void)pthread_cond_destroy((pthread_cond_t *)condition); }
