/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_http.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "s3_http_easy.h"

#include <pthread.h>
#include <stdlib.h>

enum { POLL_MS = 1000 }; /* a wakeup comes through the poll; this only bounds what a lost one would cost */

struct s3_http {
    struct s3_http_settings settings;
    char *ca_file;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;              /* an exchange is done */
    struct s3_exchange *first, *last; /* waiting for a connection */
    struct s3_exchange *running;      /* only the thread changes this list */
    unsigned running_len;
    bool stop;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;
static void start_curl(void) { curl_ready = curl_global_init(CURL_GLOBAL_ALL); }

static void finish(struct s3_http *http, struct s3_exchange *exchange) {
    LOCKED(&http->lock);
    exchange->done = true;
    (void)pthread_cond_broadcast(&http->over);
}

static struct s3_exchange *take_waiting(struct s3_http *http, bool *out_stop) {
    LOCKED(&http->lock);
    *out_stop = http->stop;
    struct s3_exchange *exchange = http->running_len < http->settings.connections ? http->first : NULL;
    if (!exchange) return NULL;
    http->first = exchange->next;
    if (!http->first) http->last = NULL;
    exchange->next = http->running;
    http->running = exchange;
    http->running_len++;
    return exchange;
}

static void drop_running(struct s3_http *http, struct s3_exchange *exchange) {
    LOCKED(&http->lock);
    for (struct s3_exchange **at = &http->running; *at; at = &(*at)->next) {
        if (*at != exchange) continue;
        *at = exchange->next;
        exchange->next = NULL;
        http->running_len--;
        return;
    }
}

static void end(struct s3_http *http, struct s3_exchange *exchange, CURLcode code) {
    easy_read_end(exchange, code);
    (void)curl_multi_remove_handle(http->multi, exchange->easy);
    easy_free(exchange);
    drop_running(http, exchange);
    finish(http, exchange);
}

/* The first running exchange that somebody wants to be ended. */
static struct s3_exchange *find_cancelled(struct s3_http *http) {
    LOCKED(&http->lock);
    for (struct s3_exchange *e = http->running; e; e = e->next)
        if (e->cancelled) return e;
    return NULL;
}

static void begin_waiting(struct s3_http *http, bool *out_stop) {
    struct s3_exchange *exchange;
    while ((exchange = take_waiting(http, out_stop))) {
        easy_make(exchange, &http->settings);
        MUST(curl_multi_add_handle(http->multi, exchange->easy) == CURLM_OK);
    }
}

static void *run(void *context) {
    struct s3_http *http = context;
    for (bool stop = false; !stop;) {
        begin_waiting(http, &stop);
        for (struct s3_exchange *e; (e = find_cancelled(http));) {
            e->reply.failure = S3_CANCELLED;
            end(http, e, CURLE_ABORTED_BY_CALLBACK);
        }
        int left = 0;
        MUST(curl_multi_perform(http->multi, &left) == CURLM_OK);
        for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
            char *exchange = NULL;
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
            if (message->msg == CURLMSG_DONE) end(http, (struct s3_exchange *)(void *)exchange, message->data.result);
        }
        begin_waiting(http, &stop);
        if (!stop) (void)curl_multi_poll(http->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

RC s3_http_new(const struct s3_http_settings *settings, struct s3_http **out, struct why *why) {
    (void)pthread_once(&curl_once, start_curl);
    if (curl_ready != CURLE_OK) return why_set(why, RC_LIMIT, "libcurl: %s", curl_easy_strerror(curl_ready));
    struct s3_http *http = ALLOC(struct s3_http);
    http->settings = *settings;
    if (settings->ca_file) http->ca_file = alloc_text(settings->ca_file, strlen(settings->ca_file));
    http->settings.ca_file = http->ca_file;
    (void)pthread_mutex_init(&http->lock, NULL);
    (void)pthread_cond_init(&http->over, NULL);
    http->multi = curl_multi_init();
    MUST(http->multi && settings->connections > 0);
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)settings->connections);
    int error = pthread_create(&http->thread, NULL, run, http);
    if (error) {
        (void)curl_multi_cleanup(http->multi);
        free(http->ca_file);
        free(http);
        return why_errno(why, RC_LIMIT, error, "cannot start a thread for the connections to a bucket");
    }
    *out = http;
    return RC_OK;
}

static void tell_stop(struct s3_http *http) {
    LOCKED(&http->lock);
    MUST(!http->first && !http->running);
    http->stop = true;
}

void s3_http_free(struct s3_http *http) {
    if (!http) return;
    tell_stop(http);
    (void)curl_multi_wakeup(http->multi);
    (void)pthread_join(http->thread, NULL);
    (void)curl_multi_cleanup(http->multi);
    (void)pthread_cond_destroy(&http->over);
    (void)pthread_mutex_destroy(&http->lock);
    free(http->ca_file);
    free(http);
}

static void put_last(struct s3_http *http, struct s3_exchange *exchange) {
    LOCKED(&http->lock);
    MUST(!http->stop);
    if (http->last)
        http->last->next = exchange;
    else
        http->first = exchange;
    http->last = exchange;
}

void s3_http_start(struct s3_http *http, struct s3_exchange *exchange) {
    MUST(!exchange->easy && exchange->headers_len <= S3_SIGNED_MAX);
    exchange->done = exchange->cancelled = exchange->head_whole = false;
    exchange->sent = 0;
    exchange->passed = 0;
    exchange->next = NULL;
    exchange->reply = (struct s3_reply){.length = -1, .range_all = UINT64_MAX, .body = BUF_INIT(S3_ANSWER_MAX)};
    put_last(http, exchange);
    (void)curl_multi_wakeup(http->multi);
}

void s3_http_wait(struct s3_http *http, struct s3_exchange *exchange) {
    LOCKED(&http->lock);
    while (!exchange->done) (void)pthread_cond_wait(&http->over, &http->lock);
}

void s3_http_cancel(struct s3_http *http, struct s3_exchange *exchange) {
    {
        LOCKED(&http->lock);
        exchange->cancelled = true;
    }
    (void)curl_multi_wakeup(http->multi);
}

void s3_exchange_done(struct s3_exchange *exchange) { buf_done(&exchange->reply.body); }
