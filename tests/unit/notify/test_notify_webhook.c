/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a webhook gets each receipt in a request of its own, signed so that it can be checked; only an answer of 200
 * to 299 counts, and no secret stands in a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "notify_webhook.h"
#include "own.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { TAKEN_MAX = 8 };

/* What the server was sent, and what it answers. */
static struct {
    unsigned status[TAKEN_MAX];
    size_t taken;
    struct buf body;
    char signature[128], timestamp[32], delivery[128], content_type[64];
} server;

static enum MHD_Result note(void *context, enum MHD_ValueKind kind, const char *key, const char *value) {
    (void)context;
    (void)kind;
    static const struct {
        const char *name;
        char *to;
        size_t room;
    } wanted[] = {{"X-Sluice-Signature", server.signature, sizeof server.signature},
                  {"X-Sluice-Timestamp", server.timestamp, sizeof server.timestamp},
                  {"X-Sluice-Delivery", server.delivery, sizeof server.delivery},
                  {"Content-Type", server.content_type, sizeof server.content_type}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (strcmp(key, wanted[i].name) == 0) snprintf(wanted[i].to, wanted[i].room, "%s", value);
    return MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **request) {
    (void)context;
    (void)url;
    (void)version;
    static int seen;
    if (!*request) { /* the headers alone */
        *request = &seen;
        buf_reset(&server.body);
        return strcmp(method, "POST") == 0 ? MHD_YES : MHD_NO;
    }
    if (*data_len) {
        buf_add(&server.body, (struct str){data, *data_len});
        *data_len = 0;
        return MHD_YES;
    }
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, note, NULL);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *)(uintptr_t) "ok", MHD_RESPMEM_PERSISTENT);
    (void)MHD_add_response_header(response, "Location", "http://127.0.0.1:1/elsewhere");
    enum MHD_Result result = MHD_queue_response(connection, server.status[server.taken++ % TAKEN_MAX], response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Daemon *serve(char url[64]) {
    memset(&server, 0, sizeof server);
    server.body = BUF_INIT(1 << 20);
    for (size_t i = 0; i < TAKEN_MAX; i++) server.status[i] = 200;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, NULL,
                                                 MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END);
    assert_non_null(daemon);
    snprintf(url, 64, "http://u:hunter2@127.0.0.1:%u/hook?key=hunter2",
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    return daemon;
}

static struct notify make(const char *url, const char *secret) {
    struct notify notify;
    struct why why = {0};
    struct notify_webhook_settings settings = {str_of(url), str_of(secret), 20000};
    if (notify_webhook_new(&settings, &notify, &why) != RC_OK) fail_msg("%s", why.text);
    return notify;
}

static void check_signature(const char *secret, const char *body) {
    char text[512], want[128] = "sha256=";
    snprintf(text, sizeof text, "%s.%s", server.timestamp, body);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text), mac, &len);
    for (unsigned i = 0; i < len; i++) snprintf(want + 7 + (size_t)i * 2, 3, "%02x", mac[i]);
    assert_string_equal(server.signature, want);
}

static void each_item_is_a_signed_request(void **state) {
    (void)state;
    char url[64];
    struct MHD_Daemon *daemon = serve(url);
    struct notify notify = make(url, "top secret");
    const struct notify_item items[] = {{STR("_receipts/g1/a-1.json"), STR("{\"n\":1}")},
                                        {STR("_receipts/g1/b-2.json"), STR("{\"n\":2}")}};
    size_t sent = 0;
    struct why why = {0};
    assert_int_equal(notify_send(notify, items, 2, &sent, &why), RC_OK);
    assert_int_equal(sent, 2);
    assert_int_equal(server.taken, 2);
    assert_string_equal(buf_text(&server.body), "{\"n\":2}");
    assert_string_equal(server.delivery, "_receipts/g1/b-2.json");
    assert_string_equal(server.content_type, "application/json");
    check_signature("top secret", "{\"n\":2}");
    notify_free(notify);
    MHD_stop_daemon(daemon);
    buf_done(&server.body);
}

static void without_a_secret_nothing_is_signed(void **state) {
    (void)state;
    char url[64];
    struct MHD_Daemon *daemon = serve(url);
    struct notify notify = make(url, "");
    size_t sent = 0;
    assert_int_equal(notify_send(notify, &(struct notify_item){STR("a"), STR("{}")}, 1, &sent, NULL), RC_OK);
    assert_string_equal(server.signature, "");
    notify_free(notify);
    MHD_stop_daemon(daemon);
    buf_done(&server.body);
}

static void what_is_not_welcome_is_told_again(void **state) {
    (void)state;
    static const unsigned refused[] = {500, 404, 302, 503};
    char url[64];
    struct MHD_Daemon *daemon = serve(url);
    struct notify notify = make(url, "s");
    const struct notify_item items[] = {{STR("a"), STR("{}")}, {STR("b"), STR("{}")}, {STR("c"), STR("{}")}};
    for (size_t i = 0; i < 4; i++) {
        server.taken = 0;
        server.status[1] = refused[i];
        size_t sent = 9;
        struct why why = {0};
        assert_int_equal(notify_send(notify, items, 3, &sent, &why), RC_BUSY);
        assert_int_equal(sent, 1);
        assert_int_equal(server.taken, 2);
        assert_non_null(strstr(why.text, " answered "));
        assert_null(strstr(why.text, "/hook")); /* some receivers know their senders by it */
        assert_null(strstr(why.text, "hunter2"));
    }
    MHD_stop_daemon(daemon);
    size_t sent = 9;
    struct why why = {0};
    assert_int_equal(notify_send(notify, items, 3, &sent, &why), RC_BUSY);
    assert_int_equal(sent, 0);
    assert_null(strstr(why.text, "hunter2"));
    notify_free(notify);
    buf_done(&server.body);
}

static void a_url_that_is_none_is_refused(void **state) {
    (void)state;
    struct notify notify;
    struct why why = {0};
    struct notify_webhook_settings settings = {STR("http://"), STR(""), 1000};
    assert_int_equal(notify_webhook_new(&settings, &notify, &why), RC_DENIED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_a_signed_request), cmocka_unit_test(without_a_secret_nothing_is_signed),
        cmocka_unit_test(what_is_not_welcome_is_told_again), cmocka_unit_test(a_url_that_is_none_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
