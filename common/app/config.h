/* SPDX-License-Identifier: Apache-2.0 */
/* config: the configuration file, read, checked and turned into one plain struct.
 *
 * One table (config_table.c) says for every key its kind, default, bounds and description; the reader, the reference
 * (config_reference.h), the JSON Schema (config_schema.h) and the suggestions for typos all come from it. Whatever is
 * not understood is an error, never a warning: a pipeline that runs with half of its settings is worse than one that
 * does not start.
 *
 * A value that is secret (the table says which) stands in no message.
 *
 * The file is YAML 1.1 by libyaml without aliases, anchors, tags and a second document. In every value ${NAME} is the
 * environment's variable (unset is an error), ${NAME:-text} has a text for when it is unset or empty, and $$ is a
 * dollar sign; ${file:/PATH} is what the file at that absolute path holds, without the line end behind it: for
 * secrets. JSON is YAML too: a program that makes a configuration writes JSON, with $ doubled, and gives it to
 * config_from_text().
 *
 * Paths (sources[].paths, exclude but for s3://, lua.file, after_durable's folder, output.url, state) are absolute
 * here; relative ones in the file start at the folder of the file. Scripts (lua.file) are read; no other path is
 * opened, and no glob is matched.
 *
 * Memory: one arena in the config; all texts and lists point into it, texts end in a NUL. Threads: loading, one at a
 * time (it reads the environment); a loaded config is read-only and may be shared. Limits: a file of CONFIG_BYTES_MAX,
 * nesting of CONFIG_DEPTH_MAX, values of CONFIG_VALUE_MAX bytes. Fails: RC_DENIED with one line that a person can act
 * on: `FILE:LINE:COLUMN: KEY: what is wrong, what is allowed; did you mean "..."?` */
#ifndef SLUICE_CONFIG_H
#define SLUICE_CONFIG_H

#include "arena.h"
#include "time_parse.h"

#include <stdint.h>

enum {
    CONFIG_BYTES_MAX = 1024 * 1024,
    CONFIG_DEPTH_MAX = 16,
    CONFIG_VALUE_MAX = 4096, /* Linux's PATH_MAX */
    CONFIG_SOURCES_MAX = 256,
    CONFIG_PATHS_MAX = 1024,
    CONFIG_PAIRS_MAX = 1024,
    CONFIG_SCRIPT_MAX = 256 * 1024,
    CONFIG_STRETCH_MIN = 256 * 1024, /* max_line_bytes of telemetry, whose framed records can have 215,311 bytes */
    CONFIG_KEY_MAX = 96,
};

/* In the order of the table's names. */
enum config_converter {
    CONFIG_NDJSON,
    CONFIG_COMBINED,
    CONFIG_RAW,
    CONFIG_CSV,
    CONFIG_TSV,
    CONFIG_DELIMITED,
    CONFIG_LOGFMT,
    CONFIG_REGEX,
    CONFIG_SYSLOG,
    CONFIG_CRI,
    CONFIG_LUA,
    CONFIG_TELEMETRY,
};
enum config_order { CONFIG_ORDER_FOUND, CONFIG_ORDER_OLDEST_FIRST };
enum config_header { CONFIG_HEADER_FIRST, CONFIG_HEADER_REPEATED, CONFIG_HEADER_NONE };
enum config_on_error { CONFIG_TIME_REJECT, CONFIG_TIME_PARTITION };
enum config_compression {
    CONFIG_COMPRESSION_AUTO,
    CONFIG_COMPRESSION_NONE,
    CONFIG_COMPRESSION_GZIP,
    CONFIG_COMPRESSION_ZSTD,
    CONFIG_COMPRESSION_XZ,
    CONFIG_COMPRESSION_BZIP2
};
enum config_encoding_errors { CONFIG_ENCODING_REJECT, CONFIG_ENCODING_REPLACE };
enum config_emit { CONFIG_EMIT_V2LOG, CONFIG_EMIT_JSON };
enum config_rule { CONFIG_RULE_STRICT };
enum config_framing { CONFIG_FRAMING_V1, CONFIG_FRAMING_V2 };
enum config_after { CONFIG_KEEP, CONFIG_DELETE, CONFIG_MOVE, CONFIG_TAG };
enum config_format { CONFIG_JSONL_ZST, CONFIG_JSONL_GZ };
enum config_style { CONFIG_STYLE_AUTO, CONFIG_STYLE_PATH, CONFIG_STYLE_HOST };
enum config_log_level { CONFIG_LOG_DEBUG, CONFIG_LOG_INFO, CONFIG_LOG_WARN, CONFIG_LOG_ERROR };
enum config_log_format { CONFIG_LOG_LOGFMT, CONFIG_LOG_JSON };

/* Where a value stands in the file, both from 1; 0 means that it is a default. */
struct config_place {
    uint32_t line, column;
};

struct config_mark {
    struct str key;
    struct config_place place;
};

/* Sorted by key. */
struct config_marks {
    struct config_mark *at;
    size_t count;
};

struct config_strs {
    struct str *at;
    size_t count;
};

/* A map whose keys are the user's: in the order of the file. */
struct config_pairs {
    struct str_pair *at;
    size_t count;
};

/* csv, tsv, delimited. */
struct config_columns {
    bool given;
    enum config_header header;
    struct config_strs columns;
    struct str separator;
    bool quoted_newlines;
};

/* Records of several lines. */
struct config_record {
    struct str start; /* compiled by the converter's module */
    uint64_t lines_max, bytes_max;
};

/* lua. */
struct config_script {
    struct str file; /* absolute */
    struct str text; /* of the file */
    uint64_t instructions, memory_bytes;
};

/* telemetry. */
struct config_telemetry {
    struct str definitions; /* an absolute folder */
    struct str schema;      /* an absolute file; "": none */
    struct str schema_text; /* of it */
    enum config_emit emit;
    enum config_rule rule;
    enum config_framing framing;
    uint64_t max_inflated;
};

/* What of the records is kept. */
struct config_fields {
    struct config_strs keep, drop;
    struct config_pairs rename, add;
};

/* Which records are kept once. */
struct config_dedupe {
    struct config_strs key; /* fields; none: every record is kept */
    struct str when;        /* "": all; compiled by the converter's module */
    uint64_t window_ms;
};

/* What is added up instead of being written. */
struct config_aggregate {
    struct config_strs group_by, sum; /* none: records are written each */
};

/* How a file's bytes become text. */
struct config_text {
    enum config_compression compression;
    uint64_t bytes_max, ratio_max, memory_max; /* of what is compressed */
    unsigned encoding;                         /* as in the table's names; they are those of charset.h */
    enum config_encoding_errors encoding_errors;
};

/* Where a record's time is. */
struct config_time {
    bool given;                    /* there is a time; combined, syslog and cri have their own; raw never has one */
    struct str field;              /* `user.time`, or a JSON Pointer that starts with '/' */
    struct str format_text;        /* as written: "rfc3339" */
    struct time_parse format;      /* compiled; for combined: clf */
    enum config_on_error on_error; /* a missing or bad time: a reject, or the record without a time */
};

/* How an object store is reached. Empty texts mean: not given. */
struct config_s3 {
    struct str endpoint; /* http(s)://HOST[:PORT]; "" is the cloud's own for the region */
    struct str region;
    enum config_style style;
    struct str access_key, secret_key, session_token; /* all "": the usual chain of credentials */
    struct str profile;
    struct str ca_file; /* absolute */
    uint64_t connections;
    uint64_t part_bytes;                       /* these and what follows of an output only */
    uint64_t parts_parallel;                   /* of one object */
    uint64_t tries;                            /* of one request */
    uint64_t connect_ms, stall_ms, request_ms; /* time-outs of one try */
};

struct config_source {
    struct str name;            /* unique, [A-Za-z0-9_.-]{1,64} */
    struct config_strs paths;   /* absolute globs, what was special in the config's folder's name escaped by '\'; or
                                   s3://BUCKET/ and a glob over keys */
    struct config_strs exclude; /* absolute globs; one without '/' is for the file's name alone and stays so */
    struct config_text text;
    enum config_converter converter;
    struct config_time time;
    struct config_pairs types; /* field to text, integer, number, boolean, auto */
    struct config_columns table;
    struct config_script script;
    struct config_telemetry telemetry;
    struct config_record record;
    struct str where; /* "": all; compiled by the converter's module */
    struct config_fields fields;
    struct config_dedupe dedupe;
    struct config_aggregate aggregate;
    struct str syslog_since_text;       /* "2026-07" */
    uint32_t syslog_year, syslog_month; /* 0: not given */
    struct str pattern;                 /* regex; compiled by the converter's module */
    uint64_t max_line_bytes;            /* a longer line is a reject */
    enum config_order order;
    uint64_t weight;
    uint64_t stripe_bytes; /* grid of jobs over a file; fixed per file when it is identified */
    struct str after_text; /* after_durable as written */
    enum config_after after_durable;
    struct str move_to;            /* CONFIG_MOVE: an absolute folder */
    struct str tag_key, tag_value; /* CONFIG_TAG */
    uint64_t close_after_ms;       /* a file that did not grow for so long is closed */
    uint64_t ignore_older_ms;  /* files that did not change for so long are left alone when they are found; 0: none */
    uint64_t rotated_after_ms; /* the same for one that was renamed or deleted */
    bool follow_symlinks;
    struct config_s3 s3; /* of paths that begin with s3:// */
};

struct config_output {
    struct str url;       /* as written, for messages */
    struct str dir;       /* of file:// or a plain path: the absolute folder, without a '/' at its end; else "" */
    struct str bucket;    /* of s3://BUCKET/PREFIX; else "" */
    struct str prefix;    /* without a '/' at its ends; "" is the whole bucket */
    struct str partition; /* the template as written; "" means one output. Compiled by the converter's module */
    enum config_format format;
    uint64_t level;          /* zstd 1..19, gzip 1..9 */
    uint64_t object_bytes;   /* compressed */
    uint64_t flush_ms;       /* the age at which a batch is sealed */
    uint64_t block_bytes;    /* raw */
    uint64_t seal_bytes_max; /* a seal is cut when so many bytes wait, whatever their age */
    struct config_s3 s3;
};

struct config_broker {
    struct str url;     /* "local" or "kafka://…" */
    struct str servers; /* of kafka://: HOST:PORT,…; "" is local */
    struct config_pairs properties;
    uint64_t partitions;
    uint64_t job_partitions;
    uint64_t replication;
    struct str instance; /* "" is none */
    struct str cache;    /* absolute; "" where the broker is local */
    uint64_t cache_bytes_max;
    uint64_t backlog_bytes_max; /* workers pause when so many bytes of blocks wait */
    uint64_t keep_ms;           /* blocks stay so long after their seal is manifested */
};

struct config_ledger {
    struct str url; /* "local", "redis://…", "rediss://…" or "unix://…"; may hold a password: never show it */
    struct str user, password;
    struct str ca_file, cert_file, key_file; /* absolute */
    uint64_t snapshot_ms;                    /* between two snapshots in the store */
};

struct config_events {
    bool topic; /* receipts also go to the topic <pipeline>.events */
    struct str webhook_url;
    struct str webhook_secret; /* signs each request */
    uint64_t webhook_timeout_ms;
};

struct config_jobs {
    uint64_t attempts_max;  /* a job that failed so often is set aside */
    uint64_t void_after_ms; /* how long an uploader waits for an undecided attempt before it voids it */
};

struct config_http {
    struct str listen; /* as written; "" is off */
    struct str host;   /* a numeric IPv4 or IPv6 address without [ ] */
    uint16_t port;     /* 0: the kernel picks one */
};

/* How workers read files of emitters' machines. */
struct config_serve {
    struct str listen; /* ADDRESS:PORT of an emitter; "": workers read files themselves */
    struct str url;    /* what workers reach it by, without a '/' at its end */
    struct str token;  /* the same for emitters and workers */
};

struct config_log {
    enum config_log_level level;
    enum config_log_format format;
};

struct config {
    struct arena arena;
    struct str file;     /* the name in error messages */
    struct str folder;   /* absolute; relative paths start here */
    struct str pipeline; /* [a-z0-9_-]{1,64} */
    uint64_t generation;
    struct config_source *sources;
    size_t source_count;
    struct config_output output;
    struct config_broker broker;
    struct config_ledger ledger;
    struct config_events events;
    struct config_jobs jobs;
    struct config_http http;
    struct config_serve serve;
    struct config_log log;
    struct str state; /* absolute; "" only where neither broker nor ledger is local */
    uint64_t lanes;   /* 0: one per core that we may run on; see config_lanes() */
    uint64_t lane_bytes;
    uint64_t rescan_ms;
    uint64_t drain_ms;         /* the most that SIGTERM may take */
    struct config_marks marks; /* the place of every value that stands in the file */
};

/* Reads and checks the file; `path` may be relative to the working directory. On success *out is the caller's, to be
 * freed by config_free(); else it is unchanged. */
RC config_load(const char *path, struct config **out, struct why *why);
/* The same from memory. `file` is the name for messages, `folder` (absolute) is where relative paths start. */
RC config_from_text(struct str text, const char *file, const char *folder, struct config **out, struct why *why);
void config_free(struct config *config);
/* For AUTO(config_done) struct config *c = NULL. */
static inline void config_done(struct config **config) { config_free(*config); }

/* A key as text: config_key("sources[%zu].time.field", i).text */
struct config_key {
    char text[CONFIG_KEY_MAX];
};
struct config_key config_key(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The place of a key such as "sources[0].paths[1]" or "output.partition"; of the nearest key around it when it is a
 * default itself. Line 0 only when nothing around it stands in the file. */
struct config_place config_place(const struct config *config, const char *key);
/* For checks that other modules make on a value (a template, an output location): sets `why` to
 * `FILE:LINE:COLUMN: KEY: <words>` and gives RC_DENIED. */
enum rc config_error(const struct config *config, const char *key, struct why *why, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether broker and ledger are files of the state folder: then one process does it all. */
bool config_broker_is_local(const struct config *config);
bool config_ledger_is_local(const struct config *config);

/* Worker lanes to start: `lanes`, or as many as there are cores that this process may run on. At least 1. */
size_t config_lanes(const struct config *config);

#endif
