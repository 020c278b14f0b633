/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: the keys of a fleet are read as the reference says, what belongs to another kind of URL is refused instead
 * of ignored, and a secret stands in no message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config.h"
#include "num.h"
#include "own.h"

#define SOURCES "pipeline: web\nsources: [{name: a, paths: [/l], converter: raw}]\n"
#define FLEET SOURCES "broker: {url: \"kafka://k1:9092,k2:9092\"}\nledger: {url: \"redis://r\"}\n"

static struct config *load(const char *text) {
    struct config *config = NULL;
    struct why why = {0};
    if (config_from_text(str_of(text), "c.yaml", "/etc", &config, &why) != RC_OK) fail_msg("%s: %s", text, why.text);
    return config;
}

static void assert_str(struct str have, const char *want) {
    if (!str_equal(have, str_of(want))) fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(have), want);
}

static void check_refused(const char *text, const char *want) {
    struct config *config = NULL;
    struct why why = {0};
    if (config_from_text(str_of(text), "c.yaml", "/etc", &config, &why) != RC_DENIED) fail_msg("accepted: %s", text);
    assert_string_equal(why.text, want);
}

static void every_key_of_a_fleet_is_read(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c = load(
        SOURCES
        "broker:\n  url: kafka://k1:9092,k2:9092\n  properties: {security.protocol: SASL_SSL, linger.ms: 5}\n"
        "  job_partitions: 32\n  replication: 2\n  instance: w-0\n  cache: var\n  cache_bytes_max: 1GiB\n"
        "ledger: {url: \"rediss://r:6380/3\", user: u, password: p, ca_file: ca.pem, cert_file: /c, key_file: k,\n"
        "  snapshot: 5m}\n"
        "output: {url: \"s3://my-bucket//a/b/\", endpoint: \"http://127.0.0.1:9000\", region: eu, style: host,\n"
        "  access_key: A, secret_key: S, session_token: T, profile: p, ca_file: x, part_bytes: 16MiB,\n"
        "  connections: 8, parts_parallel: 3, tries: 7, connect_timeout: 1s, stall_timeout: 5s, request_timeout: 2m}\n"
        "events: {topic: false, webhook: {url: \"https://h/x\", secret: s, timeout: 3s}}\n"
        "drain: 10s\n");
    assert_str(c->broker.servers, "k1:9092,k2:9092");
    assert_int_equal(c->broker.properties.count, 2);
    assert_str(c->broker.properties.at[0].name, "security.protocol");
    assert_str(c->broker.properties.at[0].value, "SASL_SSL");
    assert_str(c->broker.properties.at[1].value, "5");
    assert_int_equal(c->broker.job_partitions, 32);
    assert_int_equal(c->broker.replication, 2);
    assert_str(c->broker.instance, "w-0");
    assert_str(c->broker.cache, "/etc/var");
    assert_int_equal(c->broker.cache_bytes_max, 1u << 30);
    assert_str(c->ledger.url, "rediss://r:6380/3");
    assert_str(c->ledger.user, "u");
    assert_str(c->ledger.password, "p");
    assert_str(c->ledger.ca_file, "/etc/ca.pem");
    assert_str(c->ledger.cert_file, "/c");
    assert_str(c->ledger.key_file, "/etc/k");
    assert_int_equal(c->ledger.snapshot_ms, 300000);
    assert_str(c->output.bucket, "my-bucket");
    assert_str(c->output.prefix, "a/b");
    assert_int_equal(c->output.dir.len, 0);
    assert_str(c->output.s3.endpoint, "http://127.0.0.1:9000");
    assert_str(c->output.s3.region, "eu");
    assert_int_equal(c->output.s3.style, CONFIG_STYLE_HOST);
    assert_str(c->output.s3.access_key, "A");
    assert_str(c->output.s3.secret_key, "S");
    assert_str(c->output.s3.session_token, "T");
    assert_str(c->output.s3.profile, "p");
    assert_str(c->output.s3.ca_file, "/etc/x");
    assert_int_equal(c->output.s3.part_bytes, 16u << 20);
    assert_int_equal(c->output.s3.connections, 8);
    assert_int_equal(c->output.s3.parts_parallel, 3);
    assert_int_equal(c->output.s3.tries, 7);
    assert_int_equal(c->output.s3.connect_ms, 1000);
    assert_int_equal(c->output.s3.stall_ms, 5000);
    assert_int_equal(c->output.s3.request_ms, 120000);
    assert_false(c->events.topic);
    assert_str(c->events.webhook_url, "https://h/x");
    assert_str(c->events.webhook_secret, "s");
    assert_int_equal(c->events.webhook_timeout_ms, 3000);
    assert_int_equal(c->drain_ms, 10000);
    assert_false(config_broker_is_local(c) || config_ledger_is_local(c));
}

static void a_fleet_needs_no_state_folder(void **state) {
    (void)state;
    assert_int_equal(unsetenv("TMPDIR"), 0);
    AUTO(config_done) struct config *c = load(FLEET "output: {url: \"s3://bucket\"}\n");
    assert_str(c->broker.cache, "/tmp/sluice-web");
    assert_int_equal(c->output.prefix.len, 0);
    assert_int_equal(c->broker.replication, 3);
    assert_true(c->events.topic);
    AUTO(config_done) struct config *with = load(FLEET "output: {url: /out}\nstate: /s\n");
    assert_str(with->broker.cache, "/s/cache");
    assert_str(with->output.dir, "/out");
    assert_int_equal(setenv("TMPDIR", "/scratch", 1), 0);
    AUTO(config_done) struct config *elsewhere = load(FLEET "output: {url: /out}\n");
    assert_str(elsewhere->broker.cache, "/scratch/sluice-web");
}

static void what_belongs_to_another_kind_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {SOURCES "output: {url: /out}\nstate: /s\nbroker: {url: \"kafka://k\"}\n",
         "c.yaml:5:15: broker.url: broker and ledger are both local (one machine), or kafka:// and redis:// (a fleet)"},
        {SOURCES "output: {url: /out}\nstate: /s\nledger: {url: \"redis://k\"}\n",
         "c.yaml:5:15: ledger.url: broker and ledger are both local (one machine), or kafka:// and redis:// (a fleet)"},
        {SOURCES "output: {url: /out}\nstate: /s\nbroker: {instance: a}\n",
         "c.yaml:5:20: broker.instance: is for a broker of kafka:// only; take this key out"},
        {SOURCES "output: {url: /out}\nstate: /s\nledger: {password: a}\n",
         "c.yaml:5:20: ledger.password: is for a ledger of redis:// only; take this key out"},
        {SOURCES "output: {url: /out, region: a}\nstate: /s\n",
         "c.yaml:3:29: output.region: is for an output of s3:// only; take this key out"},
        {SOURCES "output: {url: /out}\nstate: /s\nevents: {topic: true}\n",
         "c.yaml:5:17: events.topic: is for a broker of kafka:// only; take this key out"},
        {SOURCES "output: {url: /out}\nstate: /s\nevents: {webhook: {secret: x}}\n",
         "c.yaml:5:28: events.webhook.secret: is for an events.webhook.url only; take this key out"},
        {FLEET "output: {url: \"s3://b/x\"}\n",
         "c.yaml:5:15: output.url: \"b\" is no bucket's name: 3 to 63 of a-z, 0-9, . and -, with a letter or digit at "
         "both ends"},
        {FLEET "output: {url: \"s3://Bucket/x\"}\n", "c.yaml:5:15: output.url: \"Bucket\" is no bucket's name: 3 to 63 "
                                                     "of a-z, 0-9, . and -, with a letter or digit "
                                                     "at both ends"},
        {FLEET "output: {url: \"s3://bucket/a/../b\"}\n",
         "c.yaml:5:15: output.url: the prefix of an s3:// URL has a part \".\" or \"..\""},
        {FLEET "output: {url: \"s3://bucket\", access_key: A}\n",
         "c.yaml:5:42: output.access_key: output.access_key and output.secret_key go together; the other one is "
         "missing"},
        {FLEET "output: {url: \"s3://bucket\", session_token: A}\n",
         "c.yaml:5:45: output.session_token: output.access_key and output.secret_key are missing beside it"},
        {FLEET "output: {url: \"s3://bucket\", endpoint: localhost}\n",
         "c.yaml:5:40: output.endpoint: \"localhost\" does not fit; allowed: http://HOST[:PORT] or "
         "https://HOST[:PORT]"},
        {SOURCES "output: {url: /out}\nbroker: {url: \"kafka://u:p@k\"}\nledger: {url: \"redis://r\"}\n",
         "c.yaml:4:15: broker.url: is not kafka://HOST:PORT[,HOST:PORT]; credentials go to broker.properties"},
        {FLEET "output: {url: /out}\nevents: {webhook: {url: \"ftp://u:p@k/p\"}}\n",
         "c.yaml:6:25: events.webhook.url: the value (which is secret) does not fit; allowed: http://HOST[:PORT] or "
         "https://HOST[:PORT]"},
        {SOURCES "output: {url: /out, seal_bytes_max: 2GiB}\nledger: {url: \"redis://r\"}\n"
                 "broker: {url: \"kafka://k\", cache_bytes_max: 1GiB}\n",
         "c.yaml:5:45: broker.cache_bytes_max: 1GiB is less than 2GiB of output.seal_bytes_max; it must be at least "
         "that"},
        {SOURCES "output: {url: /out}\nbroker: {url: \"kafka://k\", properties: [a]}\nledger: {url: \"redis://r\"}\n",
         "c.yaml:4:40: broker.properties: must be a map of keys, not a list"},
        {SOURCES "output: {url: /out}\nbroker: {url: \"kafka://k\", properties: {a.b: 1, a.b: 2}}\n"
                 "ledger: {url: \"redis://r\"}\n",
         "c.yaml:4:49: broker.properties.a.b: the key is given twice"},
        {SOURCES "output: {url: /out}\nbroker: {url: \"kafka://k\"}\nledger: {url: \"redis://r\", key_file: x}\n",
         "c.yaml:5:38: ledger.key_file: ledger.cert_file and ledger.key_file go together; the other one is missing"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) check_refused(rows[i].text, rows[i].want);
}

#define OBJECTS(paths, more)                                                                                           \
    "pipeline: p\nstate: /s\noutput: {url: /out}\nsources:\n  - {name: a, converter: raw, paths: [" paths "]" more "}" \
    "\n"

static void a_source_of_objects_is_read(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c =
        load(OBJECTS("\"s3://logs/a/**/*.log\"",
                     ", exclude: [\"s3://logs/a/x\", \"*.gz\"], after_durable: tag:by=x y, "
                     "s3: {endpoint: \"http://h:9\", region: r, style: path, access_key: A, secret_key: B, "
                     "session_token: C, profile: P, ca_file: ca.pem, connections: 3}"));
    const struct config_source *s = &c->sources[0];
    assert_str(s->paths.at[0], "s3://logs/a/**/*.log");
    assert_str(s->exclude.at[0], "s3://logs/a/x");
    assert_int_equal(s->after_durable, CONFIG_TAG);
    assert_str(s->tag_key, "by");
    assert_str(s->tag_value, "x y");
    assert_str(s->s3.endpoint, "http://h:9");
    assert_int_equal(s->s3.connections, 3);
    assert_true(s->s3.ca_file.at[0] == '/');
    AUTO(config_done) struct config *plain = load(OBJECTS("\"s3://logs/*\"", ", after_durable: tag"));
    assert_str(plain->sources[0].tag_key, "sluice");
    assert_str(plain->sources[0].tag_value, "durable");
}

static void objects_and_files_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {
        {OBJECTS("\"s3://\"", ""), "c.yaml:5:39: sources[0].paths[0]: \"\" is no bucket's name"},
        {OBJECTS("\"s3://B/x\"", ""), "c.yaml:5:39: sources[0].paths[0]: \"B\" is no bucket's name"},
        {OBJECTS("\"s3://logs\"", ""), "c.yaml:5:39: sources[0].paths[0]: \"s3://logs\" names no keys; s3://logs/** is "
                                       "all of the bucket's"},
        {OBJECTS("/l", ", s3: {region: x}"),
         "c.yaml:5:48: sources[0].s3: is for paths of s3:// only; take this key out"},
        {OBJECTS("\"s3://logs/*\"", ", exclude: [\"s3://other/*\"]"),
         "c.yaml:5:65: sources[0].exclude[0]: is of the bucket other, which no path of this source names"},
        {OBJECTS("\"s3://logs/*\"", ", after_durable: move:done"),
         "c.yaml:5:70: sources[0].after_durable: objects of a bucket are not moved; say keep, delete or tag"},
        {OBJECTS("\"s3://logs/*\", /l", ", after_durable: tag"),
         "c.yaml:5:74: sources[0].after_durable: tags are for objects, and not all paths of this source begin with "
         "s3://"},
        {OBJECTS("\"s3://logs/*\"", ", after_durable: \"tag:a\""),
         "c.yaml:5:70: sources[0].after_durable: \"tag:a\" is no "
         "tag:KEY=VALUE"},
        {OBJECTS("\"s3://logs/*\"", ", s3: {access_key: A}"),
         "c.yaml:5:72: sources[0].s3.access_key: s3.access_key and s3.secret_key go together; the other one is "
         "missing"},
        {OBJECTS("\"s3://logs/*\"", "") "  - {name: b, converter: raw, paths: [\"s3://logs/b\"], s3: {region: x}}\n",
         "c.yaml:6:59: sources[1].s3: the bucket logs is reached in another way by sources[0]; give both the same "
         "keys"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config *c = NULL;
        struct why why = {0};
        if (config_from_text(str_of(rows[i].text), "c.yaml", "/etc", &c, &why) != RC_DENIED ||
            strncmp(why.text, rows[i].want, strlen(rows[i].want)) != 0)
            fail_msg("row %zu: %s", i, why.text);
    }
}

#define SERVED(keys)                                                                                                   \
    SOURCES "output: {url: /out}\nbroker: {url: \"kafka://k\"}\nledger: {url: \"redis://r\"}\nserve: {" keys "}\n"

static void serving_is_all_of_its_keys_and_for_a_fleet(void **state) {
    (void)state;
    AUTO(config_done)
    struct config *c = load(SERVED("listen: \"0.0.0.0:7070\", url: \"http://h:7070//\", token: 0123456789abcdef"));
    assert_str(c->serve.listen, "0.0.0.0:7070");
    assert_true(str_equal(c->serve.url, STR("http://h:7070")));
    check_refused(SERVED("listen: \"0.0.0.0:7070\", token: 0123456789abcdef"),
                  "c.yaml:6:8: serve: serve.listen, serve.url and serve.token go together; one of them is missing");
    check_refused(SERVED("listen: \"0.0.0.0:7070\", url: \"http://h:7070\", token: \"0123456 89abcdef\""),
                  "c.yaml:6:62: serve.token: the value (which is secret) is not 16 to 1024 characters without blanks");
    check_refused(SOURCES "state: /s\noutput: {url: /out}\nserve: {listen: \"0.0.0.0:7070\"}\n",
                  "c.yaml:5:17: serve.listen: is for a broker of kafka:// only; take this key out");
}

static void a_secret_stands_in_no_message(void **state) {
    (void)state;
    check_refused(SOURCES "output: {url: /out}\nbroker: {url: \"kafka://k\"}\nledger: {url: \"redsi://:hunter2@r\"}\n",
                  "c.yaml:5:15: ledger.url: the value (which is secret) does not fit; allowed: local, "
                  "redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB] or unix:///PATH");
}

static void a_value_can_come_from_a_file(void **state) {
    (void)state;
    char path[] = "/tmp/test_config_fleet.XXXXXX", text[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hunter2\r\n", 9), 9);
    snprintf(text, sizeof text, FLEET "output: {url: \"s3://bucket\", access_key: A, secret_key: \"${file:%s}\"}\n",
             path);
    AUTO(config_done) struct config *c = load(text);
    assert_str(c->output.s3.secret_key, "hunter2");
    char large[CONFIG_VALUE_MAX] = {0};
    memset(large, 'x', sizeof large);
    assert_int_equal(pwrite(fd, large, sizeof large, 0), sizeof large);
    char want[256];
    snprintf(want, sizeof want, "c.yaml:5:57: output.secret_key: %s holds more than 4095 bytes", path);
    check_refused(text, want);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    snprintf(want, sizeof want, "c.yaml:5:57: output.secret_key: %s cannot be read: No such file or directory", path);
    check_refused(text, want);
    check_refused(FLEET "output: {url: \"${file:secret}\"}\n",
                  "c.yaml:5:15: output.url: ${file:PATH} wants the absolute path of a file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_fleet_is_read),
        cmocka_unit_test(a_fleet_needs_no_state_folder),
        cmocka_unit_test(what_belongs_to_another_kind_is_refused),
        cmocka_unit_test(a_source_of_objects_is_read),
        cmocka_unit_test(objects_and_files_are_told_apart),
        cmocka_unit_test(serving_is_all_of_its_keys_and_for_a_fleet),
        cmocka_unit_test(a_secret_stands_in_no_message),
        cmocka_unit_test(a_value_can_come_from_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
