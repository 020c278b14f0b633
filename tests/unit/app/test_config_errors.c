/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: every mistake in a configuration is refused with one line that names file, line, column and key, says what
 * is allowed and suggests a near name; every key of the table has rows here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config.h"
#include "num.h"

struct row {
    const char *text, *why;
};

static void check(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct config *config = NULL;
        struct why why = {0};
        if (config_from_text(str_of(rows[i].text), "c.yaml", "/etc", &config, &why) != RC_DENIED || config)
            fail_msg("accepted: %s", rows[i].text);
        assert_string_equal(why.text, rows[i].why);
        assert_int_equal(config_from_text(str_of(rows[i].text), "c.yaml", "/etc", &config, NULL), RC_DENIED);
    }
}

/* What a row is put into; its first line is the number in the name. */
#define SOURCE_OF(converter, line_6)                                                                                   \
    "pipeline: web\nsources:\n  - name: a\n    paths: [/l]\n    converter: " converter "\n" line_6                     \
    "output: {url: /out}\nstate: /s\n"
#define SOURCE(line_6) SOURCE_OF("ndjson", line_6)
#define TOP_NO_OUTPUT(line_4) "pipeline: web\nstate: /s\nsources: [{name: a, paths: [/l], converter: raw}]\n" line_4
#define TOP(line_5) TOP_NO_OUTPUT("output: {url: /out}\n" line_5)
#define OUTPUT(line_6) TOP_NO_OUTPUT("output:\n  url: /out\n" line_6)
#define STATE(value)                                                                                                   \
    "pipeline: web\nsources: [{name: a, paths: [/l], converter: raw}]\noutput: {url: /out}\nstate: " value "\n"

static void a_file_that_is_no_configuration_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"", "c.yaml:1:1: the file is empty"},
        {"# nothing\n", "c.yaml:1:1: the file is empty"},
        {"- a\n", "c.yaml:1:1: the file must be a map of keys"},
        {"web\n", "c.yaml:1:1: the file must be a map of keys"},
        {"pipeline: web\n", "c.yaml:1:1: the key \"sources\" is missing"},
        {"pipeline: web\nsources: []\n", "c.yaml:2:10: sources: has 0 entries; allowed: 1 to 256"},
        {"pipeline: web\nsources: [{name: a, paths: [/l], converter: raw}]\noutput: {url: /out}\n",
         "c.yaml:1:1: the key \"state\" is missing; broker or ledger is local and needs the folder"},
        {"sources: [{name: a, paths: [/l], converter: raw}]\noutput: {url: /out}\nstate: /s\n",
         "c.yaml:1:1: the key \"pipeline\" is missing"},
        {"pipeline: web\nsources: [{name: a, paths: [/l], converter: raw}]\nstate: /s\n",
         "c.yaml:1:1: the key \"output\" is missing"},
        {TOP("generatoin: 1\n"),
         "c.yaml:5:1: \"generatoin\" is not one of the keys pipeline, generation, sources, output, broker, ledger, "
         "events, state, lanes, lane_bytes, rescan, drain, jobs, http, serve, log; did you mean \"generation\"?"},
        {TOP("x: 1\n"), "c.yaml:5:1: \"x\" is not one of the keys pipeline, generation, sources, output, broker, "
                        "ledger, events, state, lanes, lane_bytes, rescan, drain, jobs, http, serve, log"},
        {TOP("pipeline: again\n"), "c.yaml:5:1: pipeline: the key is given twice"},
        {TOP("\"a\\tb\": 1\n"),
         "c.yaml:5:1: \"a?b\" is not one of the keys pipeline, generation, sources, output, "
         "broker, ledger, events, state, lanes, lane_bytes, rescan, drain, jobs, http, serve, log"},
        {TOP("\"\": 1\n"), "c.yaml:5:1: \"\" is not one of the keys pipeline, generation, sources, output, broker, "
                           "ledger, events, state, lanes, lane_bytes, rescan, drain, jobs, http, serve, log"},
        {TOP("Lanes: 1\n"), "c.yaml:5:1: \"Lanes\" is not one of the keys pipeline, generation, sources, output, "
                            "broker, ledger, events, state, "
                            "lanes, lane_bytes, rescan, drain, jobs, http, serve, log; did you mean \"lanes\"?"},
    };
    check(rows, COUNT_OF(rows));
}

static void a_bad_pipeline_generation_or_state_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"pipeline: Web\n", "c.yaml:1:11: pipeline: \"Web\" does not fit; allowed: 1 to 64 of a-z, 0-9, _ and -"},
        {"pipeline: \"\"\n", "c.yaml:1:11: pipeline: \"\" does not fit; allowed: 1 to 64 of a-z, 0-9, _ and -"},
        {"pipeline:\n", "c.yaml:1:10: pipeline: has no value; an empty text is \"\""},
        {"pipeline: ~\n", "c.yaml:1:11: pipeline: has no value; an empty text is \"\""},
        {"pipeline: [web]\n", "c.yaml:1:11: pipeline: must be one value, not a list"},
        {"pipeline: {a: b}\n", "c.yaml:1:11: pipeline: must be one value, not a map of keys"},
        {"pipeline: a.b\n", "c.yaml:1:11: pipeline: \"a.b\" does not fit; allowed: 1 to 64 of a-z, 0-9, _ and -"},
        {"pipeline: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
         "c.yaml:1:11: pipeline: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" does not fit; "
         "allowed: 1 to 64 of a-z, 0-9, _ and -"},
        {TOP("generation: 0\n"), "c.yaml:5:13: generation: 0 is not between 1 and 999999999"},
        {TOP("generation: 1000000000\n"), "c.yaml:5:13: generation: 1000000000 is not between 1 and 999999999"},
        {TOP("generation: one\n"), "c.yaml:5:13: generation: \"one\" is not a whole number between 1 and 999999999"},
        {TOP("generation: -1\n"), "c.yaml:5:13: generation: \"-1\" is not a whole number between 1 and 999999999"},
        {TOP("generation: 1.0\n"), "c.yaml:5:13: generation: \"1.0\" is not a whole number between 1 and 999999999"},
        {TOP("generation: 010\n"), "c.yaml:5:13: generation: \"010\" is not a whole number between 1 and 999999999"},
        {TOP("generation: 0x10\n"), "c.yaml:5:13: generation: \"0x10\" is not a whole number between 1 and 999999999"},
        {TOP("generation: \"1\"\n"), "c.yaml:5:13: generation: must be a number without quotes"},
        {TOP("generation: null\n"), "c.yaml:5:13: generation: has no value"},
        {TOP("generation: 99999999999999999999\n"),
         "c.yaml:5:13: generation: \"99999999999999999999\" is not a whole number between 1 and 999999999"},
        {STATE("\"\""), "c.yaml:4:8: state: \"\" does not fit; allowed: the path of a folder"},
        {STATE("/out/."), "c.yaml:4:8: state: is the folder of output.url; the two must differ"},
        {STATE("[a]"), "c.yaml:4:8: state: must be one value, not a list"},
    };
    check(rows, COUNT_OF(rows));
}

static void bad_sources_are_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {"pipeline: web\nsources: {name: a}\n", "c.yaml:2:10: sources: must be a list, not a map of keys"},
        {"pipeline: web\nsources: [a]\n", "c.yaml:2:11: sources[0]: must be a map of keys, not one value"},
        {"pipeline: web\nsources:\n", "c.yaml:2:9: sources: has no value"},
        {"pipeline: web\nsources:\n  -\n", "c.yaml:3:4: sources[0]: has no value"},
        {"pipeline: web\nsources:\n  - paths: [/l]\n    converter: raw\n",
         "c.yaml:3:5: sources[0]: the key \"name\" is missing"},
        {"pipeline: web\nsources:\n  - name: a\n    converter: raw\n",
         "c.yaml:3:5: sources[0]: the key \"paths\" is missing"},
        {"pipeline: web\nsources:\n  - name: a\n    paths: [/l]\n",
         "c.yaml:3:5: sources[0]: the key \"converter\" is missing"},
        {SOURCE("    convertor: raw\n"),
         "c.yaml:6:5: sources[0]: \"convertor\" is not one of the keys name, paths, "
         "exclude, compression, inflate, encoding, encoding_errors, "
         "converter, types, table, record, time, max_line_bytes, stripe_bytes, order, weight, "
         "after_durable, close_after, rotated_after, ignore_older, follow_symlinks, s3, regex, syslog, "
         "lua, telemetry, where, fields, dedupe, aggregate; did you mean \"converter\"?"},
        {SOURCE("    name: b\n"), "c.yaml:6:5: sources[0].name: the key is given twice"},
        {"pipeline: web\nsources: [{name: a b}]\n",
         "c.yaml:2:18: sources[0].name: \"a b\" does not fit; allowed: 1 to 64 of A-Z, a-z, 0-9, _, . and -"},
        {"pipeline: web\nstate: /s\noutput: {url: /out}\nsources: [{name: a, paths: [/l], converter: raw},\n          "
         "{name: a, paths: [/m], converter: raw}]\n",
         "c.yaml:5:18: sources[1].name: \"a\" is the name of sources[0] already"},
        {"pipeline: web\nsources: [{name: a, paths: /l}]\n",
         "c.yaml:2:28: sources[0].paths: must be a list, not one value"},
        {"pipeline: web\nsources: [{name: a, paths: []}]\n",
         "c.yaml:2:28: sources[0].paths: has 0 entries; allowed: 1 to 1024"},
        {"pipeline: web\nsources: [{name: a, paths: [\"\"]}]\n", "c.yaml:2:29: sources[0].paths[0]: is empty"},
        {"pipeline: web\nsources: [{name: a, paths: [/l, [/m]]}]\n",
         "c.yaml:2:33: sources[0].paths[1]: must be one value, not a list"},
        {"pipeline: web\nsources: [{name: a, paths: [/l, ~]}]\n", "c.yaml:2:33: sources[0].paths[1]: has no value"},
        {SOURCE("    exclude: x\n"), "c.yaml:6:14: sources[0].exclude: must be a list, not one value"},
        {SOURCE("    exclude: [{a: b}]\n"), "c.yaml:6:15: sources[0].exclude[0]: must be one value, not a map of keys"},
        {"pipeline: web\nsources:\n  - converter: ndsjon\n",
         "c.yaml:3:16: sources[0].converter: \"ndsjon\" is not one of ndjson, combined, raw, csv, tsv, "
         "delimited, logfmt, regex, syslog, cri, lua, telemetry; did you mean \"ndjson\"?"},
        {"pipeline: web\nsources:\n  - converter: tvs\n",
         "c.yaml:3:16: sources[0].converter: \"tvs\" is not one of ndjson, combined, raw, csv, tsv, delimited, logfmt, "
         "regex, syslog, cri, lua, telemetry"},
        {"pipeline: web\nsources:\n  - converter: \"\"\n",
         "c.yaml:3:16: sources[0].converter: \"\" is not one of ndjson, combined, raw, csv, tsv, delimited, logfmt, "
         "regex, syslog, cri, lua, telemetry"},
        {"pipeline: web\nsources:\n  - converter: [raw]\n",
         "c.yaml:3:16: sources[0].converter: must be one value, not a list"},
    };
    check(rows, COUNT_OF(rows));
}

static void a_bad_time_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {SOURCE("    time: rfc3339\n"), "c.yaml:6:11: sources[0].time: must be a map of keys, not one value"},
        {SOURCE("    time:\n"), "c.yaml:6:10: sources[0].time: has no value"},
        {SOURCE("    time: {format: clf}\n"), "c.yaml:6:11: sources[0].time: the key \"field\" is missing"},
        {SOURCE("    time: {field: \"\"}\n"),
         "c.yaml:6:19: sources[0].time.field: \"\" does not fit; allowed: any text that is not empty"},
        {SOURCE("    time: {field: a..b}\n"), "c.yaml:6:19: sources[0].time.field: empty key at position 3; a field is "
                                              "a key, keys joined by '.', or a JSON Pointer such as /user/name"},
        {SOURCE("    time: {field: /a~2}\n"),
         "c.yaml:6:19: sources[0].time.field: '~' at position 3; in a JSON Pointer only ~0 (for ~) and ~1 (for /)"},
        {SOURCE("    time: {field: t, format: rfc3389}\n"),
         "c.yaml:6:30: sources[0].time.format: \"rfc3389\" is not one of rfc3339, epoch_s, epoch_ms, clf, or a pattern "
         "with %; did you mean \"rfc3339\"?"},
        {SOURCE("    time: {field: t, format: \"%Y-%Q\"}\n"),
         "c.yaml:6:30: sources[0].time.format: position 4: %Q is not one of %Y %m %d %H %M %S %f %z %Z %b %B %a %A %e "
         "%j %y %p %I %s %T %D %F %n %t %%"},
        {SOURCE("    time: {field: t, format: \"\"}\n"), "c.yaml:6:30: sources[0].time.format: \"\" is not one of "
                                                         "rfc3339, epoch_s, epoch_ms, clf, or a pattern with %"},
        {SOURCE("    time: {field: t, on_error: ignore}\n"),
         "c.yaml:6:32: sources[0].time.on_error: \"ignore\" is not one of reject, partition"},
        {SOURCE("    time: {field: t, on_error: rejects}\n"), "c.yaml:6:32: sources[0].time.on_error: \"rejects\" is "
                                                              "not one of reject, partition; did you mean \"reject\"?"},
        {SOURCE("    time: {feild: t}\n"), "c.yaml:6:12: sources[0].time: \"feild\" is not one of the keys field, "
                                           "format, on_error; did you mean \"field\"?"},
        {SOURCE_OF("combined", "    time: {field: t}\n"),
         "c.yaml:6:19: sources[0].time.field: combined lines have their time built in; take this key out"},
        {SOURCE_OF("combined", "    time: {format: clf}\n"),
         "c.yaml:6:20: sources[0].time.format: combined lines have their time built in; take this key out"},
        {SOURCE_OF("raw", "    time: {field: t}\n"),
         "c.yaml:6:11: sources[0].time: raw lines have no time; take this key out"},
        {SOURCE_OF("raw", "    time: {on_error: reject}\n"),
         "c.yaml:6:11: sources[0].time: raw lines have no time; take this key out"},
    };
    check(rows, COUNT_OF(rows));
}

static void bad_settings_of_a_source_are_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {SOURCE("    max_line_bytes: 63\n"), "c.yaml:6:21: sources[0].max_line_bytes: 63 is not between 64B and 4MiB"},
        {SOURCE("    max_line_bytes: 2GiB\n"),
         "c.yaml:6:21: sources[0].max_line_bytes: 2GiB is not between 64B and 4MiB"},
        {SOURCE("    max_line_bytes: 1 MB/s\n"), "c.yaml:6:21: sources[0].max_line_bytes: \"1 MB/s\" is not a number "
                                                 "of bytes such as 4096, 64KiB or 1MiB, between 64B and 4MiB"},
        {SOURCE("    max_line_bytes: -1\n"), "c.yaml:6:21: sources[0].max_line_bytes: \"-1\" is not a number of bytes "
                                             "such as 4096, 64KiB or 1MiB, between 64B and 4MiB"},
        {SOURCE("    stripe_bytes: 63\n"), "c.yaml:6:19: sources[0].stripe_bytes: 63 is not between 64B and 2GiB"},
        {SOURCE("    stripe_bytes: 2TiB\n"), "c.yaml:6:19: sources[0].stripe_bytes: 2TiB is not between 64B and 2GiB"},
        {SOURCE("    stripe_bytes: 1.5GiB\n"), "c.yaml:6:19: sources[0].stripe_bytes: \"1.5GiB\" is not a number of "
                                               "bytes such as 4096, 64KiB or 1MiB, between 64B and 2GiB"},
        {SOURCE("    after_durable: delet\n"), "c.yaml:6:20: sources[0].after_durable: \"delet\" is not one of keep, "
                                               "delete, move:FOLDER, tag, tag:KEY=VALUE; did you mean \"delete\"?"},
        {SOURCE("    after_durable: \"move:\"\n"),
         "c.yaml:6:20: sources[0].after_durable: \"move:\" is not one of keep, delete, move:FOLDER, tag, "
         "tag:KEY=VALUE"},
        {SOURCE("    after_durable: archive\n"),
         "c.yaml:6:20: sources[0].after_durable: \"archive\" is not one of keep, delete, move:FOLDER, tag, "
         "tag:KEY=VALUE"},
        {SOURCE("    close_after: 5\n"), "c.yaml:6:18: sources[0].close_after: \"5\" is not a time such as 500ms, 10s, "
                                         "5m or 1h30m, between 10ms and 365d"},
        {SOURCE("    close_after: 9ms\n"), "c.yaml:6:18: sources[0].close_after: 9ms is not between 10ms and 365d"},
        {SOURCE("    close_after: 366d\n"), "c.yaml:6:18: sources[0].close_after: 366d is not between 10ms and 365d"},
        {SOURCE("    rotated_after: 5 m\n"), "c.yaml:6:20: sources[0].rotated_after: \"5 m\" is not a time such as "
                                             "500ms, 10s, 5m or 1h30m, between 10ms and 365d"},
        {SOURCE("    rotated_after: 0\n"), "c.yaml:6:20: sources[0].rotated_after: 0 is not between 10ms and 365d"},
        {SOURCE("    follow_symlinks: yes\n"),
         "c.yaml:6:22: sources[0].follow_symlinks: \"yes\" is not one of true, false"},
        {SOURCE("    follow_symlinks: \"true\"\n"),
         "c.yaml:6:22: sources[0].follow_symlinks: must be true or false without quotes"},
        {SOURCE("    follow_symlinks: True\n"),
         "c.yaml:6:22: sources[0].follow_symlinks: \"True\" is not one of true, false"},
    };
    check(rows, COUNT_OF(rows));
}

static void a_bad_output_is_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {TOP_NO_OUTPUT("output: /out\n"), "c.yaml:4:9: output: must be a map of keys, not one value"},
        {TOP_NO_OUTPUT("output: {}\n"), "c.yaml:4:9: output: the key \"url\" is missing"},
        {TOP_NO_OUTPUT("output: {url: \"\"}\n"),
         "c.yaml:4:15: output.url: \"\" does not fit; allowed: any text that is not empty"},
        {TOP_NO_OUTPUT("output: {url: \"gs://bucket/x\"}\n"),
         "c.yaml:4:15: output.url: \"gs://bucket/x\" is not one of file:///FOLDER, /FOLDER, a path relative to this "
         "file, s3://BUCKET/PREFIX"},
        {TOP_NO_OUTPUT("output: {url: \"file://host/x\"}\n"),
         "c.yaml:4:15: output.url: \"file://host/x\" is not one of file:///FOLDER, /FOLDER, a path relative to this "
         "file, s3://BUCKET/PREFIX"},
        {TOP_NO_OUTPUT("output: {url: \"file:///a%2\"}\n"),
         "c.yaml:4:15: output.url: a % in a file:// URL starts a byte as two hexadecimal digits (%25 is a %)"},
        {TOP_NO_OUTPUT("output: {url: \"file:///a%00\"}\n"),
         "c.yaml:4:15: output.url: a % in a file:// URL starts a byte as two hexadecimal digits (%25 is a %)"},
        {TOP_NO_OUTPUT("output: {url: \"file:///a%zz\"}\n"),
         "c.yaml:4:15: output.url: a % in a file:// URL starts a byte as two hexadecimal digits (%25 is a %)"},
        {OUTPUT("  partition:\n"), "c.yaml:6:13: output.partition: has no value; an empty text is \"\""},
        {OUTPUT("  partition: [a]\n"), "c.yaml:6:14: output.partition: must be one value, not a list"},
        {OUTPUT("  format: jsonl.zstd\n"),
         "c.yaml:6:11: output.format: \"jsonl.zstd\" is not one of jsonl.zst, jsonl.gz; did you mean \"jsonl.zst\"?"},
        {OUTPUT("  format: parquet\n"), "c.yaml:6:11: output.format: \"parquet\" is not one of jsonl.zst, jsonl.gz"},
        {OUTPUT("  level: 0\n"), "c.yaml:6:10: output.level: 0 is not between 1 and 19"},
        {OUTPUT("  level: 20\n"), "c.yaml:6:10: output.level: 20 is not between 1 and 19"},
        {OUTPUT("  level: 10\n  format: jsonl.gz\n"),
         "c.yaml:6:10: output.level: 10 is not between 1 and 9, the levels of jsonl.gz"},
        {OUTPUT("  object_bytes: 65535\n"), "c.yaml:6:17: output.object_bytes: 65535 is not between 64KiB and 100GiB"},
        {OUTPUT("  object_bytes: 101GiB\n"),
         "c.yaml:6:17: output.object_bytes: 101GiB is not between 64KiB and 100GiB"},
        {OUTPUT("  object_bytes: 1MiB\n"),
         "c.yaml:6:17: output.object_bytes: 1MiB is less than 2MiB of output.block_bytes; it must be at least that"},
        {OUTPUT("  object_bytes: 2GiB\n"),
         "c.yaml:6:17: output.object_bytes: 2GiB is more than 1GiB of output.seal_bytes_max; it must be at most that"},
        {OUTPUT("  flush: 0s\n"), "c.yaml:6:10: output.flush: 0s is not between 10ms and 30d"},
        {OUTPUT("  flush: 31d\n"), "c.yaml:6:10: output.flush: 31d is not between 10ms and 30d"},
        {OUTPUT("  block_bytes: 4MiB\n"), "c.yaml:6:16: output.block_bytes: 4MiB is not between 64KiB and 3MiB"},
        {OUTPUT("  block_bytes: 32KiB\n"), "c.yaml:6:16: output.block_bytes: 32KiB is not between 64KiB and 3MiB"},
        {OUTPUT("  seal_bytes_max: 1MiB\n"), "c.yaml:6:19: output.seal_bytes_max: 1MiB is less than 256MiB of "
                                             "output.object_bytes; it must be at least that"},
        {OUTPUT("  seal_bytes_max: 5GiB\n"), "c.yaml:6:19: output.seal_bytes_max: 5GiB is more than 4GiB of "
                                             "broker.backlog_bytes_max; it must be at most that"},
        {OUTPUT("  seal_bytes_max: 2TiB\n"), "c.yaml:6:19: output.seal_bytes_max: 2TiB is not between 64KiB and 1TiB"},
        {OUTPUT("  urls: x\n"),
         "c.yaml:6:3: output: \"urls\" is not one of the keys url, partition, format, level, "
         "object_bytes, flush, block_bytes, seal_bytes_max, endpoint, region, style, access_key, "
         "secret_key, session_token, profile, ca_file, part_bytes, connections, "
         "parts_parallel, tries, connect_timeout, stall_timeout, request_timeout; did you mean \"url\"?"},
    };
    check(rows, COUNT_OF(rows));
}

static void bad_settings_of_the_machinery_are_refused(void **state) {
    (void)state;
    static const struct row rows[] = {
        {TOP("broker: local\n"), "c.yaml:5:9: broker: must be a map of keys, not one value"},
        {TOP("broker: {url: \"amqp://h\"}\n"), "c.yaml:5:15: broker.url: \"amqp://h\" does not fit; allowed: local, or "
                                               "kafka://HOST:PORT[,HOST:PORT]"},
        {TOP("broker: {partitions: 0}\n"), "c.yaml:5:22: broker.partitions: 0 is not between 1 and 1024"},
        {TOP("broker: {partitions: 1025}\n"), "c.yaml:5:22: broker.partitions: 1025 is not between 1 and 1024"},
        {TOP("broker: {backlog_bytes_max: 1MiB}\n"), "c.yaml:5:29: broker.backlog_bytes_max: 1MiB is less than 1GiB of "
                                                     "output.seal_bytes_max; it must be at least that"},
        {TOP("broker: {keep: forever}\n"),
         "c.yaml:5:16: broker.keep: \"forever\" is not a time such as 500ms, 10s, 5m or 1h30m, between 0s and 365d"},
        {TOP("broker: {keep: 366d}\n"), "c.yaml:5:16: broker.keep: 366d is not between 0s and 365d"},
        {TOP("ledger: {uri: local}\n"), "c.yaml:5:10: ledger: \"uri\" is not one of the keys url, user, password, "
                                        "ca_file, cert_file, key_file, snapshot; did you mean \"url\"?"},
        {TOP("lanes: 1025\n"), "c.yaml:5:8: lanes: 1025 is not between 0 and 1024"},
        {TOP("lanes: all\n"), "c.yaml:5:8: lanes: \"all\" is not a whole number between 0 and 1024"},
        {TOP("lane_bytes: 1MiB\n"), "c.yaml:5:13: lane_bytes: 1MiB is not between 8MiB and 16GiB"},
        {TOP("lane_bytes: 17GiB\n"), "c.yaml:5:13: lane_bytes: 17GiB is not between 8MiB and 16GiB"},
        {TOP("rescan: 25h\n"), "c.yaml:5:9: rescan: 25h is not between 10ms and 1d"},
        {TOP("rescan: 9ms\n"), "c.yaml:5:9: rescan: 9ms is not between 10ms and 1d"},
        {TOP("jobs: {attempts_max: 0}\n"), "c.yaml:5:22: jobs.attempts_max: 0 is not between 1 and 1000"},
        {TOP("jobs: {attempts_max: 1001}\n"), "c.yaml:5:22: jobs.attempts_max: 1001 is not between 1 and 1000"},
        {TOP("jobs: {void_after: 0}\n"), "c.yaml:5:20: jobs.void_after: 0 is not between 10ms and 7d"},
        {TOP("jobs: {void_after: 8d}\n"), "c.yaml:5:20: jobs.void_after: 8d is not between 10ms and 7d"},
        {TOP("http: {listen: 9464}\n"),
         "c.yaml:5:16: http.listen: \"9464\" is not a numeric address and a port such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("http: {listen: \"localhost:9464\"}\n"), "c.yaml:5:16: http.listen: \"localhost:9464\" is not a numeric "
                                                      "address and a port such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("http: {listen: \"127.0.0.1:65536\"}\n"), "c.yaml:5:16: http.listen: \"127.0.0.1:65536\" is not a numeric "
                                                       "address and a port such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("http: {listen: \"127.0.0.1:\"}\n"), "c.yaml:5:16: http.listen: \"127.0.0.1:\" is not a numeric address "
                                                  "and a port such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("http: {listen: \"::1:9464\"}\n"), "c.yaml:5:16: http.listen: \"::1:9464\" is not a numeric address and a "
                                                "port such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("http: {listen: \"[::1]\"}\n"), "c.yaml:5:16: http.listen: \"[::1]\" is not a numeric address and a port "
                                             "such as 127.0.0.1:9464 or [::1]:9464"},
        {TOP("log: {level: wran}\n"),
         "c.yaml:5:14: log.level: \"wran\" is not one of debug, info, warn, error; did you mean \"warn\"?"},
        {TOP("log: {level: trace}\n"), "c.yaml:5:14: log.level: \"trace\" is not one of debug, info, warn, error"},
        {TOP("log: {format: xml}\n"), "c.yaml:5:15: log.format: \"xml\" is not one of logfmt, json"},
        {TOP("log:\n"), "c.yaml:5:5: log: has no value"},
    };
    check(rows, COUNT_OF(rows));
}
static void a_row_that_is_not_wrong_is_accepted(void **state) {
    (void)state;
    static const char *const rows[] = {SOURCE(""), SOURCE_OF("combined", ""), SOURCE_OF("raw", ""), TOP(""), OUTPUT(""),
                                       STATE("/s")};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct config *config = NULL;
        struct why why = {0};
        if (config_from_text(str_of(rows[i]), "c.yaml", "/etc", &config, &why) != RC_OK) fail_msg("%s", why.text);
        config_free(config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_no_configuration_is_refused),
        cmocka_unit_test(a_bad_pipeline_generation_or_state_is_refused),
        cmocka_unit_test(bad_sources_are_refused),
        cmocka_unit_test(a_bad_time_is_refused),
        cmocka_unit_test(bad_settings_of_a_source_are_refused),
        cmocka_unit_test(a_bad_output_is_refused),
        cmocka_unit_test(bad_settings_of_the_machinery_are_refused),
        cmocka_unit_test(a_row_that_is_not_wrong_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
