/* SPDX-License-Identifier: Apache-2.0 */
#include "config_table.h"
#include "config_table_s3.h"
#include "config_table_telemetry.h"

#include "config_fits.h"
#include "num.h"

#include <stdio.h>

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define TIB (1ull << 40)
#define SECOND_MS 1000ull
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (86400 * SECOND_MS)

#define IN_CONFIG(member) .offset = offsetof(struct config, member)
#define IN_SOURCE(member) .offset = offsetof(struct config_source, member)
#define IN_OUTPUT_S3(member) IN_CONFIG(output.s3.member)
#define IN_SOURCE_S3(member) IN_SOURCE(s3.member)
#define NAMES(...)                                                                                                     \
    .names = (const char *const[]) { __VA_ARGS__, NULL }
#define SOME_TEXT .fits = config_fits_some_text, .allowed = "any text that is not empty", .pattern = "^.+$"

const struct config_row config_table[] = {
    {"pipeline", CONFIG_TEXT, .required = true, IN_CONFIG(pipeline), .fits = config_fits_pipeline,
     .allowed = "1 to 64 of a-z, 0-9, _ and -", .pattern = "^[a-z0-9_-]{1,64}$",
     .about = "The name of this conversion: in metrics, logs and names of queues."},
    {"generation", CONFIG_COUNT, IN_CONFIG(generation), .fallback = "1", .low = 1, .high = 999999999,
     .about = "Names one conversion of the data. Raise it to convert everything again, beside what is there."},

    {"sources", CONFIG_LIST, .required = true, IN_CONFIG(sources), .low = 1, .high = CONFIG_SOURCES_MAX,
     .about = "What is read."},
    {"sources[].name", CONFIG_TEXT, .required = true, IN_SOURCE(name), .fits = config_fits_source_name,
     .allowed = "1 to 64 of A-Z, a-z, 0-9, _, . and -", .pattern = "^[A-Za-z0-9_.-]{1,64}$",
     .about = "The source's name, used by no other: {source} in the partition template, and in rejects and metrics."},
    {"sources[].paths", CONFIG_STRS, .required = true, IN_SOURCE(paths), .low = 1, .high = CONFIG_PATHS_MAX,
     .about = "Files to read, as globs: absolute, or relative to the folder of this file. `s3://BUCKET/GLOB`: objects; "
              "the glob is over keys, with their slashes as of folders (`s3://logs/app/**/*.log`)."},
    {"sources[].exclude", CONFIG_STRS, IN_SOURCE(exclude), .low = 0, .high = CONFIG_PATHS_MAX,
     .about = "Globs of files to leave out. One without a / is matched against the file's name alone (`*.gz`)."},
    {"sources[].compression", CONFIG_ENUM, IN_SOURCE(text.compression), .fallback = "auto",
     NAMES("auto", "none", "gzip", "zstd", "xz", "bzip2"),
     .about = "How the files are compressed; `auto`: each as it begins, `none`: they are read as they are. Offsets, "
              "checkpoints and rejects count the bytes of the text. A file that is damaged or cut off is read up to "
              "there, and the place is a reject (`damaged`). A compressed file is one stripe. Of a bucket's objects "
              "`auto` looks only into those whose keys end in .gz, .zst, .xz or .bz2."},
    {"sources[].inflate", CONFIG_MAP, .about = "How far compressed files may go."},
    {"sources[].inflate.bytes_max", CONFIG_BYTES, IN_SOURCE(text.bytes_max), .fallback = "1TiB", .low = 64,
     .high = 1024 * TIB, .about = "The text of a file ends there, with a reject (`damaged`)."},
    {"sources[].inflate.ratio_max", CONFIG_COUNT, IN_SOURCE(text.ratio_max), .fallback = "250", .low = 1,
     .high = 1000000,
     .about =
         "The same where it is so many times as large as the file, beyond its first 64 MiB. Logs are 5 to 50 times "
         "as large."},
    {"sources[].inflate.memory_max", CONFIG_BYTES, IN_SOURCE(text.memory_max), .fallback = "128MiB", .low = 64 * KIB,
     .high = 4 * GIB,
     .about = "zstd, xz: a file that needs a larger window or dictionary is read up to there, with a reject "
              "(`damaged`). Each lane may need so much."},
    {"sources[].encoding", CONFIG_ENUM, IN_SOURCE(text.encoding), .fallback = "utf-8",
     NAMES("utf-8", "utf-16", "utf-16le", "utf-16be", "latin-1", "windows-1252", "shift_jis", "euc-jp", "gbk",
           "gb18030", "big5", "euc-kr"),
     .about = "The encoding of the files, which become UTF-8. A byte order mark is left out; with `utf-16` it says the "
              "order, which is little-endian without one. `utf-8` changes nothing. Other encodings make a file one "
              "stripe, and offsets count the bytes of the UTF-8."},
    {"sources[].encoding_errors", CONFIG_ENUM, IN_SOURCE(text.encoding_errors), .fallback = "reject",
     NAMES("reject", "replace"),
     .about = "What is no character of the encoding makes its line a reject (`utf8`), or becomes U+FFFD."},
    {"sources[].converter", CONFIG_ENUM, .required = true, IN_SOURCE(converter),
     NAMES("ndjson", "combined", "raw", "csv", "tsv", "delimited", "logfmt", "regex", "syslog", "cri", "lua",
           "telemetry"),
     .about =
         "What a line is: a JSON object; an access log line of Apache or nginx (combined or common); just bytes (raw); "
         "a row of RFC 4180 (csv, tsv); fields between separators without quotes (delimited); key=value pairs "
         "(logfmt); "
         "what a pattern takes out of it (regex); RFC 5424 or RFC 3164 (syslog); a container's log in CRI's or "
         "Docker's "
         "form (cri); what your function makes of it (lua); a framed record of Mozilla's telemetry (telemetry)."},
    {"sources[].types", CONFIG_PAIRS, IN_SOURCE(types), .low = 0, .high = CONFIG_PAIRS_MAX,
     NAMES("text", "integer", "number", "boolean", "auto"),
     .about =
         "The types of fields by their names, `*` for all others; `text` where nothing is said. A value that is not "
         "of its type makes the line a reject; an empty one is null. Digits stay as they are written. `auto`: what "
         "is a JSON number, true, false or null is that, the rest is text. For csv, tsv, delimited, logfmt, regex, "
         "syslog, cri."},
    {"sources[].table", CONFIG_MAP, .about = "The columns of csv, tsv and delimited."},
    {"sources[].table.header", CONFIG_ENUM, IN_SOURCE(table.header), .fallback = "first",
     NAMES("first", "repeated", "none"),
     .about = "`first`: the first line of each file has the names of its columns. `repeated`: the same, and each line "
              "equal to it is a header too (files that were put together). `none`: `columns` has the names."},
    {"sources[].table.columns", CONFIG_STRS, IN_SOURCE(table.columns), .low = 1, .high = CONFIG_PAIRS_MAX,
     .about = "The names of the columns, where no line of the file has them."},
    {"sources[].table.separator", CONFIG_TEXT, IN_SOURCE(table.separator), .fallback = "",
     .about = "What is between two fields: one ASCII character for csv (default `,`), a tab for tsv, any text for "
              "delimited (required)."},
    {"sources[].table.quoted_newlines", CONFIG_BOOL, IN_SOURCE(table.quoted_newlines), .fallback = "false",
     .about = "csv, tsv: whether a field in quotes may hold newlines. Where a row begins is then known only from the "
              "start of the file on, so a file is one stripe (`stripe_bytes` does not count), and `max_line_bytes` is "
              "of a row. A quote that stays open for that long costs one line."},
    {"sources[].record", CONFIG_MAP,
     .about =
         "Records of several lines, such as stack traces. For regex, lua and syslog, and the bounds for cri, whose "
         "parts are always joined. Raise `generation` where you change it, or `max_line_bytes`, for files that are "
         "half converted."},
    {"sources[].record.start", CONFIG_TEXT, IN_SOURCE(record.start), .fallback = "",
     .about =
         "A pattern as of regex: each line that matches begins a record, and the lines behind it belong to it up to "
         "the next one. `^` is the line's begin; only its first 4 KiB are looked at. A file's last record is whole "
         "when the next begins or the file is closed (`close_after`)."},
    {"sources[].record.lines_max", CONFIG_COUNT, IN_SOURCE(record.lines_max), .fallback = "1000", .low = 1,
     .high = 100000, .about = "A record of more lines is cut behind so many, and goes on as another one."},
    {"sources[].record.bytes_max", CONFIG_BYTES, IN_SOURCE(record.bytes_max), .fallback = "1MiB", .low = 64,
     .high = 2 * MIB,
     .about =
         "The same for its bytes. A record of more than that may also be cut at other places, which do not depend on "
         "`stripe_bytes`; one of fewer bytes and lines is never cut."},
    {"sources[].time", CONFIG_MAP,
     .about = "Where a record's time is. ndjson: without it there is no {time} in the partition template. combined, "
              "syslog, cri: built in, only `on_error` may be given. raw: has no time."},
    {"sources[].time.field", CONFIG_TEXT, IN_SOURCE(time.field), SOME_TEXT,
     .about =
         "The field that holds the time: `time`, a path of keys such as `event.created`, or a JSON Pointer such as "
         "`/event/created`. Required for ndjson."},
    {"sources[].time.format", CONFIG_TEXT, IN_SOURCE(time.format_text), .fallback = "rfc3339",
     .allowed = "rfc3339, epoch_s, epoch_ms, clf, or a strptime pattern of " TIME_PARSE_ALLOWED,
     .pattern = "^(rfc3339|epoch_s|epoch_ms|clf|.*%.*)$",
     .about = "How the time is written. A time without an offset is UTC."},
    {"sources[].time.on_error", CONFIG_ENUM, IN_SOURCE(time.on_error), .fallback = "reject",
     NAMES("reject", "partition"),
     .about = "What becomes of a record whose time is missing or bad: a reject, or a record of the default partition."},
    {"sources[].max_line_bytes", CONFIG_BYTES, IN_SOURCE(max_line_bytes), .fallback = "1MiB", .low = 64,
     .high = 4 * MIB,
     .about =
         "A longer line is a reject with its place and length; it is never in memory whole. A record travels in one "
         "block, which has at most 4 MiB."},
    {"sources[].stripe_bytes", CONFIG_BYTES, IN_SOURCE(stripe_bytes), .fallback = "64MiB", .low = 64, .high = 2 * GIB,
     .about =
         "Large files are worked on in parallel in pieces of so many bytes. Fixed for a file when it is first seen."},
    {"sources[].order", CONFIG_ENUM, IN_SOURCE(order), .fallback = "found", NAMES("found", "oldest_first"),
     .about = "Which of the source's files come first, where there are more than can be worked on at once: as they are "
              "found, or by their times of modification. Large files and small ones take turns in any case."},
    {"sources[].weight", CONFIG_COUNT, IN_SOURCE(weight), .fallback = "1", .low = 1, .high = 1000,
     .about = "Where sources wait for each other, one of weight 3 gets three times the bytes of one of weight 1."},
    {"sources[].after_durable", CONFIG_TEXT, IN_SOURCE(after_text), .fallback = "keep",
     .allowed = "keep, delete, move:FOLDER, tag, tag:KEY=VALUE", .pattern = "^(keep|delete|move:.+|tag|tag:.+=.*)$",
     .about = "What becomes of an input file when all of it is durable and it is closed by rotation or --once. Objects "
              "are never moved; `tag` (of objects only) gives them the tag `sluice=durable`."},
    {"sources[].close_after", CONFIG_DURATION, IN_SOURCE(close_after_ms), .fallback = "5m", .low = 10,
     .high = 365 * DAY_MS,
     .about = "A file that did not grow for so long is closed: an unterminated last line is then a line, and the "
              "receipt is written. If it grows again it goes on."},
    {"sources[].rotated_after", CONFIG_DURATION, IN_SOURCE(rotated_after_ms), .fallback = "30s", .low = 10,
     .high = 365 * DAY_MS, .about = "The same for a file that was renamed or deleted."},
    {"sources[].ignore_older", CONFIG_DURATION, IN_SOURCE(ignore_older_ms), .fallback = "0s", .low = 0,
     .high = 36500 * DAY_MS,
     .about =
         "A file whose last change lies back longer than this when it is found is left alone until it changes, and "
         "is then read from its start. What was begun is read to its end, however old. 0s: none is too old."},
    {"sources[].follow_symlinks", CONFIG_BOOL, IN_SOURCE(follow_symlinks), .fallback = "true",
     .about = "Whether a path may be, or lead through, a symbolic link."},

    {"sources[].s3", CONFIG_MAP,
     .about =
         "How the buckets of this source's `s3://` paths are reached. Sources that name the same bucket say the same."},
    CONFIG_S3_ROWS("sources[].s3.", IN_SOURCE_S3, ""),
    {"sources[].s3.connections", CONFIG_COUNT, IN_SOURCE(s3.connections), .fallback = "16", .low = 1, .high = 64,
     .about = "Requests to a bucket at the same time, of all lanes."},

    {"sources[].regex", CONFIG_MAP, .about = "The pattern of the converter regex."},
    {"sources[].regex.pattern", CONFIG_TEXT, IN_SOURCE(pattern), SOME_TEXT,
     .about =
         "A regular expression of PCRE2 for UTF-8. Its named groups, `(?<status>\\d+)`, are the record's fields; a "
         "group that takes no part in a match is left out. It may match anywhere in the first 4 KiB of a line: write "
         "`^` and `$` (in this file `$$`). A line that it does not match is a reject, and so is one that needs too "
         "much work."},

    {"sources[].syslog", CONFIG_MAP, .about = "Settings of the converter syslog."},
    {"sources[].syslog.since", CONFIG_TEXT, IN_SOURCE(syslog_since_text), .fallback = "", .allowed = "YYYY-MM",
     .pattern = "^([0-9]{4}-(0[1-9]|1[0-2]))?$",
     .about =
         "Times without a year (RFC 3164) lie in the twelve months that begin with this one, and are UTC: the same "
         "line is the same record whenever it is converted. Without it such a time does not parse."},

    {"sources[].lua", CONFIG_MAP, .about = "The script of the converter lua."},
    {"sources[].lua.file", CONFIG_TEXT, IN_SOURCE(script.file), SOME_TEXT,
     .about =
         "A file of Lua 5.4 with `function convert(line, meta)`. It returns a table (a record), a list of tables, "
         "nothing (the line is filtered), or nil and a reason (a reject). `meta.source` and `meta.uri` say where the "
         "line is from, `null` is JSON's. What it gives must depend on nothing else: the file is run anew for each "
         "line, without io, os, load, debug, coroutines, metatables and random numbers, and pairs() goes in the order "
         "of the keys."},
    {"sources[].lua.instructions", CONFIG_COUNT, IN_SOURCE(script.instructions), .fallback = "1000000", .low = 1000,
     .high = 1000000000, .about = "A line that takes more is a reject (`limit`)."},
    {"sources[].lua.memory", CONFIG_BYTES, IN_SOURCE(script.memory_bytes), .fallback = "16MiB", .low = MIB, .high = GIB,
     .about = "What a lane's script may hold; a line that takes more is a reject (`limit`)."},
    CONFIG_TABLE_TELEMETRY{
        "sources[].where",
        CONFIG_TEXT, IN_SOURCE(where), .fallback = "",
        .allowed = "a condition such as status >= 500 and not path matches '^/health'",
        .about =
            "Only records for which it holds are written; lines without any are counted as filtered. Fields by name, "
            "path or JSON Pointer; `=`, `!=`, `<`, `<=`, `>`, `>=`, `in [...]`, `not in [...]`, `matches 'PATTERN'`; "
            "`not`, `and`, `or`, parentheses; texts in quotes. What is missing is null. Not for raw."},
    {"sources[].fields", CONFIG_MAP,
     .about =
         "Which top-level fields of a record are written, in this order: keep, drop, rename, add. Conditions, times "
         "and partitions see the record as it was before. Not for raw."},
    {"sources[].fields.keep", CONFIG_STRS, IN_SOURCE(fields.keep), .low = 1, .high = CONFIG_PAIRS_MAX,
     .about = "Only these are written."},
    {"sources[].fields.drop", CONFIG_STRS, IN_SOURCE(fields.drop), .low = 1, .high = CONFIG_PAIRS_MAX,
     .about = "These are left out."},
    {"sources[].fields.rename", CONFIG_PAIRS, IN_SOURCE(fields.rename), .low = 0, .high = CONFIG_PAIRS_MAX,
     .about = "Names to new ones. One that would stand twice gets `_2` behind it."},
    {"sources[].fields.add", CONFIG_PAIRS, IN_SOURCE(fields.add), .low = 0, .high = CONFIG_PAIRS_MAX,
     .about = "Constant texts, where the record has no field of that name."},
    {"sources[].dedupe", CONFIG_MAP,
     .about =
         "Records that are kept once, however often they are there: in one line, one file or many, on any worker, "
         "under any retry. What is dropped is counted as filtered. Each kept one stays in the ledger for as long as "
         "its generation: 50 bytes of Redis's memory, or 40 of one machine's disk. Needs a time that is not optional. "
         "Not for records of several "
         "lines (`record.start`, cri)."},
    {"sources[].dedupe.key", CONFIG_STRS, IN_SOURCE(dedupe.key), .low = 1, .high = 8,
     .about =
         "Fields by name, path or JSON Pointer: records that agree in all of them are one. A record that lacks one, "
         "or has null, an object or an array there, is always kept."},
    {"sources[].dedupe.when", CONFIG_TEXT, IN_SOURCE(dedupe.when), .fallback = "",
     .allowed = "a condition as in `where`",
     .about = "Only records for which it holds are kept once; all others always."},
    {"sources[].dedupe.window", CONFIG_DURATION, IN_SOURCE(dedupe.window_ms), .fallback = "1d", .low = 1,
     .high = 36500 * DAY_MS,
     .about =
         "Once for each window of the record's time. Windows begin at multiples of their length since "
         "1970-01-01T00:00:00Z, so `1d` is a day in UTC. Which of several records is kept is the one whose range of "
         "its file was won first."},

    {"sources[].aggregate", CONFIG_MAP,
     .about =
         "Writes sums instead of records: one record a group and slice of work, for `sluice totals`. Not for raw."},
    {"sources[].aggregate.group_by", CONFIG_STRS, IN_SOURCE(aggregate.group_by), .low = 1, .high = 8,
     .about = "Fields by name, path or JSON Pointer, as `fields` leaves them; without one the line is a reject."},
    {"sources[].aggregate.sum", CONFIG_STRS, IN_SOURCE(aggregate.sum), .low = 1, .high = 8,
     .about = "Fields to add up exactly: numbers, or texts, of up to 20 digits before the point and 9 behind it, "
              "without an exponent; a line with anything else is a reject. `count` is the number of records added."},

    {"output", CONFIG_MAP, .required = true, .about = "Where the objects go, and how they are made."},
    {"output.url", CONFIG_TEXT, .required = true, IN_CONFIG(output.url), SOME_TEXT,
     .about = "`file:///FOLDER` with an absolute path (%20 is a space), a plain path, absolute or relative to the "
              "folder of this file, or `s3://BUCKET/PREFIX`."},
    {"output.partition", CONFIG_TEXT, IN_CONFIG(output.partition), .fallback = "",
     .about = "The template of an object's folder: `dt={time:%Y-%m-%d}/status={status}`. Empty: one output."},
    {"output.format", CONFIG_ENUM, IN_CONFIG(output.format), .fallback = "jsonl.zst", NAMES("jsonl.zst", "jsonl.gz"),
     .about = "JSON lines, compressed by zstd or gzip."},
    {"output.level", CONFIG_COUNT, IN_CONFIG(output.level), .fallback = "1", .low = 1, .high = 19,
     .about = "The level of compression: 1 to 19 for jsonl.zst, 1 to 9 for jsonl.gz."},
    {"output.object_bytes", CONFIG_BYTES, IN_CONFIG(output.object_bytes), .fallback = "256MiB", .low = 64 * KIB,
     .high = 100 * GIB, .about = "The size of an object to aim at, compressed. At least `output.block_bytes`."},
    {"output.flush", CONFIG_DURATION, IN_CONFIG(output.flush_ms), .fallback = "10m", .low = 10, .high = 30 * DAY_MS,
     .about = "What was converted becomes an object after so long at the latest, however small it is."},
    {"output.block_bytes", CONFIG_BYTES, IN_CONFIG(output.block_bytes), .fallback = "2MiB", .low = 64 * KIB,
     .high = 3 * MIB, .about = "Records are compressed in blocks of so many bytes before compression."},
    {"output.seal_bytes_max", CONFIG_BYTES, IN_CONFIG(output.seal_bytes_max), .fallback = "1GiB", .low = 64 * KIB,
     .high = TIB,
     .about =
         "When so many compressed bytes wait they become objects, before `flush`. At least `output.object_bytes`."},

    CONFIG_S3_ROWS("output.", IN_OUTPUT_S3, "s3://: "),
    {"output.part_bytes", CONFIG_BYTES, IN_CONFIG(output.s3.part_bytes), .fallback = "8MiB", .low = 5 * MIB,
     .high = GIB,
     .about = "s3://: larger objects go up in parts of so many bytes; they grow where 10,000 would not do."},
    {"output.connections", CONFIG_COUNT, IN_CONFIG(output.s3.connections), .fallback = "4", .low = 1, .high = 64,
     .about = "s3://: requests at the same time, an uploader's partition."},
    CONFIG_S3_SENDING_ROWS,

    {"broker", CONFIG_MAP, .about = "What carries jobs and blocks."},
    {"broker.url", CONFIG_TEXT, IN_CONFIG(broker.url), .fallback = "local", .fits = config_fits_broker,
     .allowed = "local, or kafka://HOST:PORT[,HOST:PORT]", .pattern = "^(local|kafka://.+)$",
     .about = "`local`: files in the state folder. `kafka://HOST:PORT[,HOST:PORT]`: a fleet."},
    {"broker.properties", CONFIG_PAIRS, IN_CONFIG(broker.properties), .low = 0, .high = 128, .secret = true,
     .about =
         "Any property of librdkafka, such as `security.protocol: SASL_SSL`; what sluice sets itself for exactly-once "
         "cannot be overruled."},
    {"broker.partitions", CONFIG_COUNT, IN_CONFIG(broker.partitions), .fallback = "1", .low = 1, .high = 1024,
     .about = "Queue partitions of blocks; each is uploaded on its own."},
    {"broker.job_partitions", CONFIG_COUNT, IN_CONFIG(broker.job_partitions), .fallback = "16", .low = 1, .high = 1024,
     .about = "Queue partitions of jobs: as many lanes at most work at the same time in a fleet."},
    {"broker.replication", CONFIG_COUNT, IN_CONFIG(broker.replication), .fallback = "3", .low = 1, .high = 9,
     .about =
         "Kafka: replicas of each topic that `sluice init` makes. 1 survives the end of a process, not the loss of "
         "a machine."},
    {"broker.instance", CONFIG_TEXT, IN_CONFIG(broker.instance), .fallback = "",
     .about = "Kafka: a name of this process that survives its restart, `${HOSTNAME}` of a StatefulSet: its partitions "
              "wait for it instead of moving. Unique in the fleet; empty: none."},
    {"broker.cache", CONFIG_TEXT, IN_CONFIG(broker.cache), .fallback = "",
     .about = "Kafka: the folder where an uploader keeps what it fetched until it is in objects; can be lost. Empty: "
              "`cache` in the state folder, or else in the system's folder for temporary files."},
    {"broker.cache_bytes_max", CONFIG_BYTES, IN_CONFIG(broker.cache_bytes_max), .fallback = "4GiB", .low = 64 * MIB,
     .high = 1024 * TIB,
     .about = "Kafka: the most that the cache takes; what does not fit is fetched again, and is slow. At least "
              "`output.seal_bytes_max`, better that for each partition that an uploader looks after."},
    {"broker.backlog_bytes_max", CONFIG_BYTES, IN_CONFIG(broker.backlog_bytes_max), .fallback = "4GiB", .low = 64 * KIB,
     .high = 1024 * TIB,
     .about = "Reading pauses while so many bytes of blocks wait. At least `output.seal_bytes_max`."},
    {"broker.keep", CONFIG_DURATION, IN_CONFIG(broker.keep_ms), .fallback = "0s", .low = 0, .high = 365 * DAY_MS,
     .about = "How long blocks stay after they are durable in objects."},

    {"ledger", CONFIG_MAP, .about = "What decides who converted what."},
    {"ledger.url", CONFIG_TEXT, IN_CONFIG(ledger.url), .fallback = "local", .secret = true, .fits = config_fits_ledger,
     .allowed = "local, redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB] or unix:///PATH",
     .pattern = "^(local|(rediss?|unix)://.+)$",
     .about =
         "`local`: a database in the state folder. `redis://HOST:PORT/DB`, `rediss://…` with TLS or `unix:///PATH`: "
         "Redis, for a fleet."},
    {"ledger.user", CONFIG_TEXT, IN_CONFIG(ledger.user), .fallback = "",
     .about = "Redis: the ACL user; empty: the default one."},
    {"ledger.password", CONFIG_TEXT, IN_CONFIG(ledger.password), .fallback = "", .secret = true,
     .about = "Redis: the password, best as `${file:/run/secrets/NAME}`."},
    {"ledger.ca_file", CONFIG_TEXT, IN_CONFIG(ledger.ca_file), .fallback = "",
     .about = "Redis: the certificates (PEM) to trust; empty: the system's."},
    {"ledger.cert_file", CONFIG_TEXT, IN_CONFIG(ledger.cert_file), .fallback = "",
     .about = "Redis: our certificate (PEM), where the server wants one."},
    {"ledger.key_file", CONFIG_TEXT, IN_CONFIG(ledger.key_file), .fallback = "",
     .about = "Redis: the key of our certificate (PEM)."},
    {"ledger.snapshot", CONFIG_DURATION, IN_CONFIG(ledger.snapshot_ms), .fallback = "1h", .low = 1000,
     .high = 30 * DAY_MS,
     .about = "Redis: how often a snapshot of the ledger goes to the output, which keeps the recovery of an emptied "
              "ledger short."},

    {"events", CONFIG_MAP, .about = "Who is told of receipts, at least once each."},
    {"events.topic", CONFIG_BOOL, IN_CONFIG(events.topic), .fallback = "true",
     .about = "Kafka: each receipt also goes to the topic `<pipeline>.events`."},
    {"events.webhook", CONFIG_MAP, .about = "Each receipt is also sent by HTTP POST."},
    {"events.webhook.url", CONFIG_TEXT, IN_CONFIG(events.webhook_url), .fallback = "", .secret = true, HTTP_URL,
     .about = "Where to; empty: nowhere. Anything but an answer of 200 to 299 is tried again."},
    {"events.webhook.secret", CONFIG_TEXT, IN_CONFIG(events.webhook_secret), .fallback = "", .secret = true,
     .about = "The key of the HMAC-SHA256 in the header `X-Sluice-Signature`; empty: not signed."},
    {"events.webhook.timeout", CONFIG_DURATION, IN_CONFIG(events.webhook_timeout_ms), .fallback = "10s", .low = 100,
     .high = 300 * SECOND_MS, .about = "How long one request may take."},

    {"state", CONFIG_TEXT, IN_CONFIG(state), .fits = config_fits_some_text, .allowed = "the path of a folder",
     .pattern = "^.+$",
     .about = "The folder of what is local: ledger and queues. Required while broker or ledger is "
              "`local`. Never remove it while the output is kept."},
    {"lanes", CONFIG_COUNT, IN_CONFIG(lanes), .fallback = "0", .low = 0, .high = 1024,
     .about = "Threads that convert; 0: one per core."},
    {"lane_bytes", CONFIG_BYTES, IN_CONFIG(lane_bytes), .fallback = "64MiB", .low = 8 * MIB, .high = 16 * GIB,
     .about = "Memory of a lane for what it converts and what is not yet acknowledged."},
    {"rescan", CONFIG_DURATION, IN_CONFIG(rescan_ms), .fallback = "10s", .low = 10, .high = DAY_MS,
     .about = "How often the paths are looked through for volumes that tell of no changes."},

    {"drain", CONFIG_DURATION, IN_CONFIG(drain_ms), .fallback = "25s", .low = 0, .high = 3600 * SECOND_MS,
     .about =
         "How long SIGTERM may wait for the attempts under way. Whatever is not finished then is made again, nothing "
         "is lost."},

    {"jobs", CONFIG_MAP, .about = "What happens to work that fails."},
    {"jobs.attempts_max", CONFIG_COUNT, IN_CONFIG(jobs.attempts_max), .fallback = "5", .low = 1, .high = 1000,
     .about = "A job that failed so often is set aside with its reason; the rest goes on."},
    {"jobs.void_after", CONFIG_DURATION, IN_CONFIG(jobs.void_after_ms), .fallback = "5m", .low = 10, .high = 7 * DAY_MS,
     .about = "How long an attempt without an outcome is waited for before it is declared void and made again."},

    {"http", CONFIG_MAP, .about = "The port for /metrics, /healthz and /readyz."},
    {"http.listen", CONFIG_TEXT, IN_CONFIG(http.listen), .fallback = "",
     .allowed = "IPV4:PORT or [IPV6]:PORT such as 127.0.0.1:9464, or \"\" for off",
     .pattern = "^(([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5})?$",
     .about = "A numeric address and a port, `127.0.0.1:9464` or `[::1]:9464`; empty: off. Port 0: a free one."},

    {"serve", CONFIG_MAP,
     .about = "For workers that cannot get at the files: each emitter serves those that it says jobs of."},
    {"serve.listen", CONFIG_TEXT, IN_CONFIG(serve.listen), .fallback = "",
     .about = "The numeric address and port that an emitter listens on, such as `0.0.0.0:7070`. Empty: off."},
    {"serve.url", CONFIG_TEXT, IN_CONFIG(serve.url), .fallback = "", HTTP_URL,
     .about = "How workers reach this emitter: `http://${HOSTNAME}:7070`. Each emitter has its own."},
    {"serve.token", CONFIG_TEXT, IN_CONFIG(serve.token), .fallback = "", .secret = true,
     .about =
         "What a worker has to know to be answered, best as `${file:/run/secrets/NAME}`: 16 to 1,024 characters, the "
         "same for all."},

    {"log", CONFIG_MAP, .about = "Messages on standard error."},
    {"log.level", CONFIG_ENUM, IN_CONFIG(log.level), .fallback = "info", NAMES("debug", "info", "warn", "error"),
     .about = "The least important messages to write."},
    {"log.format", CONFIG_ENUM, IN_CONFIG(log.format), .fallback = "logfmt", NAMES("logfmt", "json"),
     .about = "key=value, or a JSON object a line."},
};

const size_t config_table_count = COUNT_OF(config_table);

const char *config_table_name(const struct config_row *row) {
    const char *dot = strrchr(row->path, '.');
    return dot ? dot + 1 : row->path;
}

bool config_table_is_in(const struct config_row *row, const char *path) {
    size_t len = strlen(path);
    const char *name = config_table_name(row);
    if (!len) return name == row->path;
    return (size_t)(name - row->path) == len + 1 && memcmp(row->path, path, len) == 0;
}
