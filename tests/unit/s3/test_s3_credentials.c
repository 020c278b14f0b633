/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: credentials are found in each of their places and in their order, those that end are fetched anew before
 * they do, a failure to do so does no harm while they last, and whatever goes wrong is told with the place and no
 * secret. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock_fake.h"
#include "fake_http.h"
#include "num.h"
#include "own.h"
#include "s3_credentials.h"
#include "scratch.h"

#include <stdatomic.h>
#include <stdio.h>

#define NOW_NS 1700000000000000000 /* 2023-11-14T22:13:20Z */
#define SECRET "very-secret"

/* What credentials find in the environment: pairs, ended by NULL. */
static const char *const *the_env;
static const char *env_of(const char *name) {
    for (const char *const *pair = the_env; *pair; pair += 2)
        if (strcmp(pair[0], name) == 0) return pair[1];
    return NULL;
}

/* A service that plays STS, a container's and an instance's at once. */
struct service {
    const char *expiration;
    int status;       /* of the last answer; 0: 200 */
    bool gone;        /* closes without an answer */
    atomic_int given; /* how often credentials were given */
    char form[1024], authorization[64], token_header[64];
};

static void keep(char *out, size_t room, struct str text) {
    (void)snprintf(out, room, "%.*s", (int)MIN(text.len, room - 1), text.len ? text.at : "");
}

static void give_json(struct service *s, struct buf *out) {
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"Code\":\"Success\",\"AccessKeyId\":\"AK%d\",\"SecretAccessKey\":\"" SECRET
                   "\",\"Token\":\"tok\",\"Expiration\":\"%s\"}",
                   atomic_fetch_add(&s->given, 1) + 1, s->expiration);
    fake_http_say(out, s->status ? s->status : 200, "", str_of(body));
}

static void give_xml(struct service *s, struct buf *out) {
    char body[1024];
    (void)snprintf(
        body, sizeof body,
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Result><Credentials>"
        "<SessionToken>tok</SessionToken><SecretAccessKey>" SECRET "</SecretAccessKey><Expiration>%s</Expiration>"
        "<AccessKeyId>AK%d</AccessKeyId></Credentials></Result></AssumeRoleWithWebIdentityResponse>",
        s->expiration, atomic_fetch_add(&s->given, 1) + 1);
    if (s->status)
        fake_http_say(out, s->status, "",
                      STR("<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>old</Message></Error></"
                          "ErrorResponse>"));
    else
        fake_http_say(out, 200, "", str_of(body));
}

#define ROLES "/latest/meta-data/iam/security-credentials/"

static void serve(void *context, const struct fake_request *request, struct buf *out) {
    struct service *s = context;
    if (s->gone) return;
    keep(s->authorization, sizeof s->authorization, fake_http_field(request, "authorization"));
    keep(s->token_header, sizeof s->token_header, fake_http_field(request, "x-aws-ec2-metadata-token"));
    if (str_equal(request->target, STR("/latest/api/token"))) {
        bool right = str_equal(request->method, STR("PUT")) &&
                     fake_http_field(request, "x-aws-ec2-metadata-token-ttl-seconds").len > 0;
        fake_http_say(out, right ? 200 : 400, "", STR("session-token"));
    } else if (str_equal(request->target, STR(ROLES))) {
        fake_http_say(out, strcmp(s->token_header, "session-token") == 0 ? 200 : 401, "", STR("the-role\n"));
    } else if (str_equal(request->target, STR(ROLES "the-role")) || str_equal(request->target, STR("/creds"))) {
        give_json(s, out);
    } else if (str_equal(request->method, STR("POST"))) {
        keep(s->form, sizeof s->form, request->body);
        give_xml(s, out);
    } else {
        fake_http_say(out, 404, "", STR(""));
    }
}

struct fixture {
    struct scratch scratch;
    struct service service;
    struct clock_fake clock;
    struct fake_http *server;
    struct s3_http *http;
    struct s3_credentials *credentials;
    struct s3_credentials_settings settings;
};

static void begin(struct fixture *f) {
    *f = (struct fixture){.scratch = scratch_make(), .clock = {.wall_ns = NOW_NS}};
    f->service.expiration = "2023-11-14T23:13:20Z"; /* in an hour */
    f->server = fake_http_start(serve, &f->service);
    struct s3_http_settings http = {.connections = 2, .connect_ms = 5000, .stall_ms = 5000, .request_ms = 5000};
    assert_int_equal(s3_http_new(&http, &f->http, NULL), RC_OK);
    f->settings = (struct s3_credentials_settings){.env = env_of, .clock = clock_fake(&f->clock)};
}

static void end(struct fixture *f) {
    s3_credentials_free(f->credentials);
    s3_http_free(f->http);
    fake_http_stop(f->server);
    scratch_done(&f->scratch);
}

static void get(struct fixture *f, const char *access, const char *token, const char *source) {
    struct s3_keys keys;
    struct why why = {0};
    if (!f->credentials) f->credentials = s3_credentials_new(&f->settings, f->http);
    if (s3_credentials_get(f->credentials, &keys, &why) != RC_OK) fail_msg("%s", why.text);
    assert_string_equal(keys.access, access);
    assert_string_equal(keys.secret, SECRET);
    assert_string_equal(keys.token, token);
    assert_non_null(strstr(s3_credentials_source(f->credentials), source));
}

static void get_fails(struct fixture *f, enum rc expected, const char *words) {
    struct s3_keys keys;
    struct why why = {0};
    if (!f->credentials) f->credentials = s3_credentials_new(&f->settings, f->http);
    enum rc rc = s3_credentials_get(f->credentials, &keys, &why);
    if (rc != expected || !strstr(why.text, words) || strstr(why.text, SECRET))
        fail_msg("%s: %s", rc_name(rc), why.text);
}

static void write_text(const struct fixture *f, const char *name, const char *text) {
    scratch_write(&f->scratch, name, text, strlen(text));
}

/* ---- what lies ready ---- */

static void settings_go_before_the_environment_and_that_before_a_file(void **state) {
    (void)state;
    struct fixture f;
    char path[SCRATCH_PATH];
    begin(&f);
    write_text(&f, "file", "[default]\naws_access_key_id=FILE\naws_secret_access_key=" SECRET "\n");
    (void)scratch_path(&f.scratch, "file", path);
    const char *const all[] = {"AWS_ACCESS_KEY_ID",
                               "ENV",
                               "AWS_SECRET_ACCESS_KEY",
                               SECRET,
                               "AWS_SESSION_TOKEN",
                               "envtok",
                               "AWS_SHARED_CREDENTIALS_FILE",
                               path,
                               "AWS_EC2_METADATA_DISABLED",
                               "true",
                               NULL};
    the_env = all;
    f.settings.access = "SET", f.settings.secret = SECRET;
    get(&f, "SET", "", "configuration");
    s3_credentials_free(TAKE(f.credentials));
    f.settings.access = f.settings.secret = NULL;
    get(&f, "ENV", "envtok", "environment");
    s3_credentials_free(TAKE(f.credentials));
    the_env = all + 6;
    get(&f, "FILE", "", "shared credentials file");
    end(&f);
}

static void a_profile_is_found_among_others(void **state) {
    (void)state;
    struct fixture f;
    char path[SCRATCH_PATH], home[SCRATCH_PATH];
    begin(&f);
    write_text(&f, ".aws/credentials",
               "# a comment\n[default]\naws_access_key_id = D\naws_secret_access_key = x\n\n[ other ]\r\n; more\r\n"
               "region = eu-west-1\r\naws_access_key_id=O=P\r\naws_secret_access_key =  " SECRET "\r\n"
               "aws_session_token = t=\r\n[third]\naws_access_key_id=T\n");
    const char *const env[] = {"HOME", scratch_path(&f.scratch, "", home), "AWS_PROFILE", "other", NULL};
    the_env = env;
    get(&f, "O=P", "t=", "shared credentials file");
    s3_credentials_free(TAKE(f.credentials));
    f.settings.file = scratch_path(&f.scratch, ".aws/credentials", path);
    f.settings.profile = "third";
    get_fails(&f, RC_DENIED, "profile third: an access key needs its secret key");
    s3_credentials_free(TAKE(f.credentials));
    f.settings.profile = "none";
    get_fails(&f, RC_DENIED, "profile none: no aws_access_key_id");
    s3_credentials_free(TAKE(f.credentials));
    f.settings.file = "/no/such/file";
    get_fails(&f, RC_DENIED, "/no/such/file");
    end(&f);
}

static void where_there_are_none_the_places_are_named(void **state) {
    (void)state;
    struct fixture f;
    static const char *const env[] = {"AWS_EC2_METADATA_DISABLED", "true", NULL};
    begin(&f);
    the_env = env;
    get_fails(&f, RC_DENIED, "AWS_ACCESS_KEY_ID");
    s3_credentials_free(TAKE(f.credentials));
    f.settings.access = "only half";
    get_fails(&f, RC_DENIED, "needs its secret key");
    end(&f);
}

/* ---- what is given for a time ---- */

static void a_web_identity_is_taken_to_sts(void **state) {
    (void)state;
    struct fixture f;
    char path[SCRATCH_PATH];
    begin(&f);
    write_text(&f, "token", "header.claims.signature\n");
    const char *const env[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
                               scratch_path(&f.scratch, "token", path),
                               "AWS_ROLE_ARN",
                               "arn:aws:iam::1:role/r",
                               "AWS_ENDPOINT_URL_STS",
                               fake_http_url(f.server),
                               NULL};
    the_env = env;
    get(&f, "AK1", "tok", "web identity");
    assert_string_equal(f.service.form,
                        "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&"
                        "RoleSessionName=sluice&Version=2011-06-15&WebIdentityToken=header.claims.signature");
    s3_credentials_free(TAKE(f.credentials));
    f.service.status = 400;
    get_fails(&f, RC_DENIED, "refused the web identity: InvalidIdentityToken: old");
    end(&f);
}

static void a_container_is_asked_with_its_token(void **state) {
    (void)state;
    struct fixture f;
    char path[SCRATCH_PATH], url[256];
    begin(&f);
    write_text(&f, "token", "Basic abc\n");
    (void)snprintf(url, sizeof url, "%s/creds", fake_http_url(f.server));
    const char *const env[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI", url, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                               scratch_path(&f.scratch, "token", path), NULL};
    the_env = env;
    get(&f, "AK1", "tok", "container");
    assert_string_equal(f.service.authorization, "Basic abc");
    s3_credentials_free(TAKE(f.credentials));
    f.service.status = 403;
    get_fails(&f, RC_DENIED, "answered 403");
    s3_credentials_free(TAKE(f.credentials));
    static const char *const far[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/creds", NULL};
    the_env = far;
    get_fails(&f, RC_DENIED, "plain HTTP only to this machine");
    end(&f);
}

static void an_instance_is_asked_by_its_second_version(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    const char *const env[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(f.server), NULL};
    the_env = env;
    get(&f, "AK1", "tok", "instance");
    assert_string_equal(f.service.token_header, "session-token");
    end(&f);
}

/* ---- time ---- */

static void credentials_are_fetched_anew_before_they_end(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    const char *const env[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(f.server), NULL};
    the_env = env;
    get(&f, "AK1", "tok", "instance");
    get(&f, "AK1", "tok", "instance");
    clock_fake_advance(&f.clock, 3600 * 1000 - S3_REFRESH_MS - 1000);
    get(&f, "AK1", "tok", "instance");
    clock_fake_advance(&f.clock, 2000);
    f.service.expiration = "2023-11-15T01:00:00Z";
    get(&f, "AK2", "tok", "instance");
    s3_credentials_expired(f.credentials);
    get(&f, "AK3", "tok", "instance");
    assert_int_equal(atomic_load(&f.service.given), 3);
    end(&f);
}

static void a_failure_to_refresh_does_no_harm_while_they_last(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    const char *const env[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(f.server), NULL};
    the_env = env;
    get(&f, "AK1", "tok", "instance");
    f.service.gone = true;
    clock_fake_advance(&f.clock, 3600 * 1000 - S3_REFRESH_MS + 1000);
    unsigned asked = fake_http_requests(f.server);
    get(&f, "AK1", "tok", "instance");
    assert_true(fake_http_requests(f.server) > asked);
    asked = fake_http_requests(f.server);
    get(&f, "AK1", "tok", "instance"); /* not asked again at every request */
    assert_int_equal(fake_http_requests(f.server), asked);
    clock_fake_advance(&f.clock, S3_REFRESH_MS);
    get_fails(&f, RC_BUSY, "instance");
    f.service.gone = false;
    f.service.expiration = "2023-11-15T01:00:00Z";
    get(&f, "AK2", "tok", "instance");
    end(&f);
}

static void answers_that_are_none_are_refused(void **state) {
    (void)state;
    static const char *const expirations[] = {"soon", "\\u0000", "\", \"x\":\""};
    for (size_t i = 0; i < COUNT_OF(expirations); i++) {
        struct fixture f;
        begin(&f);
        const char *const env[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(f.server), NULL};
        the_env = env;
        f.service.expiration = expirations[i];
        get_fails(&f, RC_DENIED, "Expiration");
        end(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_go_before_the_environment_and_that_before_a_file),
        cmocka_unit_test(a_profile_is_found_among_others),
        cmocka_unit_test(where_there_are_none_the_places_are_named),
        cmocka_unit_test(a_web_identity_is_taken_to_sts),
        cmocka_unit_test(a_container_is_asked_with_its_token),
        cmocka_unit_test(an_instance_is_asked_by_its_second_version),
        cmocka_unit_test(credentials_are_fetched_anew_before_they_end),
        cmocka_unit_test(a_failure_to_refresh_does_no_harm_while_they_last),
        cmocka_unit_test(answers_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
