/* SPDX-License-Identifier: Apache-2.0 */
#include "notify_webhook.h"

#include "alloc.h"
#include "buf.h"
#include "clock.h"
#include "own.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_MAX = 2048, SHOWN_MAX = 256, HEX_MAX = EVP_MAX_MD_SIZE * 2 + 1 };

struct webhook {
    CURL *curl;
    char *url, *secret;
    size_t secret_len;
    uint64_t timeout_ms;
    char shown[SHOWN_MAX]; /* the URL without what may be secret */
};

/* scheme://host[:port]: the path is the secret of some receivers. */
static RC show_url(struct webhook *w, struct why *why) {
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;
    bool fine = url && curl_url_set(url, CURLUPART_URL, w->url, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    if (fine) {
        (void)curl_url_get(url, CURLUPART_PORT, &port, 0);
        (void)snprintf(w->shown, sizeof w->shown, "%s://%s%s%s", scheme, host, port ? ":" : "", port ? port : "");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
    return fine ? RC_OK : why_set(why, RC_DENIED, "the webhook's URL is none that can be asked");
}

static void sign(const struct webhook *w, const char *timestamp, struct str body, char out[HEX_MAX]) {
    AUTO(buf_done) struct buf signed_text = BUF_INIT(SIZE_MAX / 2);
    buf_add_format(&signed_text, "%s.", timestamp);
    buf_add(&signed_text, body);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    (void)HMAC(EVP_sha256(), w->secret, (int)w->secret_len, (const unsigned char *)signed_text.at, signed_text.len, mac,
               &len);
    for (unsigned i = 0; i < len; i++) (void)snprintf(out + (size_t)i * 2, 3, "%02x", mac[i]);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static struct curl_slist *add_header(struct curl_slist *list, const char *format, ...) {
    char text[HEADER_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct curl_slist *longer = curl_slist_append(list, text);
    return longer ? longer : list; /* only out of memory: the receiver refuses what is not signed */
}

static struct curl_slist *make_headers(const struct webhook *w, const struct notify_item *item) {
    char timestamp[32], hex[HEX_MAX] = "";
    (void)snprintf(timestamp, sizeof timestamp, "%" PRId64, clock_wall_ns(clock_real()) / 1000000000);
    struct curl_slist *list = add_header(NULL, "Content-Type: application/json");
    list = add_header(list, "Expect:"); /* else curl waits a second for the leave to send larger bodies */
    list = add_header(list, "X-Sluice-Event: receipt");
    list = add_header(list, "X-Sluice-Delivery: %.*s", STR_ARG(item->name));
    list = add_header(list, "X-Sluice-Timestamp: %s", timestamp);
    if (!w->secret_len) return list;
    sign(w, timestamp, item->body, hex);
    return add_header(list, "X-Sluice-Signature: sha256=%s", hex);
}

static size_t throw_away(char *bytes, size_t size, size_t n, void *context) {
    (void)bytes;
    (void)context;
    return size * n;
}

static RC post(struct webhook *w, const struct notify_item *item, struct why *why) {
    struct curl_slist *headers = make_headers(w, item);
    (void)curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)item->body.len);
    (void)curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, item->body.at);
    CURLcode code = curl_easy_perform(w->curl);
    (void)curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK) return why_set(why, RC_BUSY, "webhook %s: %s", w->shown, curl_easy_strerror(code));
    long status = 0;
    (void)curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status <= 299) return RC_OK;
    return why_set(why, RC_BUSY, "webhook %s answered %ld; 200 to 299 means that the receipt has arrived", w->shown,
                   status);
}

static enum rc webhook_send(void *self, const struct notify_item *items, size_t n, size_t *out_sent, struct why *why) {
    struct webhook *w = self;
    uint64_t until_ms = clock_ms(clock_real()) + w->timeout_ms;
    for (*out_sent = 0; *out_sent < n && clock_ms(clock_real()) <= until_ms; (*out_sent)++)
        TRY(post(w, &items[*out_sent], why));
    return RC_OK;
}

static void webhook_free(void *self) {
    struct webhook *w = self;
    if (w->curl) curl_easy_cleanup(w->curl);
    free(w->url);
    free(w->secret);
    free(w);
}

static void prepare(struct webhook *w) {
    (void)curl_easy_setopt(w->curl, CURLOPT_URL, w->url);
    (void)curl_easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(w->curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(w->curl, CURLOPT_TIMEOUT_MS, (long)w->timeout_ms);
    (void)curl_easy_setopt(w->curl, CURLOPT_USERAGENT, "sluice");
    (void)curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, throw_away);
}

RC notify_webhook_new(const struct notify_webhook_settings *settings, struct notify *out, struct why *why) {
    static const struct notify_ops ops = {webhook_send, webhook_free};
    struct webhook *w = ALLOC(struct webhook);
    w->url = alloc_text(settings->url.at, settings->url.len);
    w->secret = alloc_text(settings->secret.at ? settings->secret.at : "", settings->secret.len);
    w->secret_len = settings->secret.len;
    w->curl = curl_easy_init();
    enum rc rc = w->curl ? show_url(w, why) : why_set(why, RC_LIMIT, "libcurl cannot be started");
    if (rc != RC_OK) {
        webhook_free(w);
        return rc;
    }
    w->timeout_ms = settings->timeout_ms;
    prepare(w);
    *out = (struct notify){&ops, w};
    return RC_OK;
}
