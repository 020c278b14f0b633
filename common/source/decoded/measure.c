/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include "alloc.h"
#include "own.h"
#include "str.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { AT_A_TIME = 4 << 20 }; /* of text, until it is asked whether to end */

struct task {
    struct task *next;
    struct measure_job job;
    char uri[];
};

struct measure {
    struct source inner;
    struct text_pool *pool;
    pthread_mutex_t lock;
    pthread_cond_t come;
    struct task *waiting, *under_way; /* of under_way each stays until it is done */
    bool over;
    unsigned threads_len;
    pthread_t threads[];
};

static bool is_asked(const struct task *list, const struct text_key *key) {
    for (; list; list = list->next)
        if (memcmp(&list->job.key, key, sizeof *key) == 0) return true;
    return false;
}

static struct task *next_task(struct measure *m) {
    LOCKED(&m->lock);
    while (!m->over && !m->waiting) (void)pthread_cond_wait(&m->come, &m->lock);
    struct task *task = m->over ? NULL : m->waiting;
    if (!task) return NULL;
    m->waiting = task->next;
    task->next = m->under_way;
    m->under_way = task;
    return task;
}

static void done(struct measure *m, struct task *task) {
    {
        LOCKED(&m->lock);
        struct task **link = &m->under_way;
        while (*link != task) link = &(*link)->next;
        *link = task->next;
    }
    free(task);
}

static bool is_over(struct measure *m) {
    LOCKED(&m->lock);
    return m->over;
}

static void do_task(struct measure *m, const struct task *task) {
    const struct measure_job *job = &task->job;
    struct source_file *file = NULL;
    struct text_end end;
    if (source_open(m->inner, job->uri, &job->stat, &file, NULL) != RC_OK) return;
    struct text *text = text_pool_take(m->pool, &job->key, UINT64_MAX);
    if (!text) text = text_new(job->settings);
    text_of(text, m->inner, file);
    enum rc rc = RC_BUSY;
    while (rc == RC_BUSY && !is_over(m)) rc = text_measure(text, job->stat.size, AT_A_TIME, &end, NULL);
    if (rc == RC_OK) {
        text_pool_note(m->pool, &job->key, &job->stat, &end);
        text_pool_give(m->pool, &job->key, TAKE(text));
    }
    text_free(text);
    source_close(m->inner, file);
}

static void *run(void *context) {
    struct measure *m = context;
    for (struct task *task; (task = next_task(m));) {
        do_task(m, task);
        done(m, task);
    }
    return NULL;
}

struct measure *measure_new(struct source inner, struct text_pool *pool, unsigned threads) {
    struct measure *m = alloc_zero(1, sizeof *m + threads * sizeof *m->threads);
    m->inner = inner;
    m->pool = pool;
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_cond_init(&m->come, NULL);
    while (m->threads_len < threads && pthread_create(&m->threads[m->threads_len], NULL, run, m) == 0) m->threads_len++;
    return m;
}

void measure_free(struct measure *m) {
    if (!m) return;
    {
        LOCKED(&m->lock);
        m->over = true;
        (void)pthread_cond_broadcast(&m->come);
    }
    for (unsigned i = 0; i < m->threads_len; i++) (void)pthread_join(m->threads[i], NULL);
    for (struct task *task = m->waiting, *next = NULL; task; task = next) {
        next = task->next;
        free(task);
    }
    (void)pthread_cond_destroy(&m->come);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

void measure_ask(struct measure *m, const struct measure_job *job) {
    LOCKED(&m->lock);
    if (is_asked(m->waiting, &job->key) || is_asked(m->under_way, &job->key)) return;
    struct task *task = alloc_zero(1, sizeof *task + job->uri.len + 1);
    task->job = *job;
    memcpy(task->uri, job->uri.at, job->uri.len);
    task->job.uri = (struct str){task->uri, job->uri.len};
    struct task **link = &m->waiting;
    while (*link) link = &(*link)->next;
    *link = task;
    (void)pthread_cond_signal(&m->come);
}
