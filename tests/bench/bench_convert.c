/* SPDX-License-Identifier: Apache-2.0 */
/* bench_convert: what each stage of converting costs, in ns of CPU time a byte of input, over generated access-log
 * records. A program to run by hand and to compare; nothing is asserted about time.
 *
 *   bench_convert [MiB of input, default 64] [rounds, default 5; the best counts] [only stages whose name holds this]
 */
#include "alloc.h"
#include "json.h"
#include "lines.h"
#include "must.h"
#include "num.h"
#include "rng.h"
#include "slice.h"
#include "time_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLICE = 8 * 1024 * 1024, HOSTS = 2000, RECORD_MAX = 1024 };

static const char *only = "";

struct input {
    char *at;
    size_t len, lines;
};

static uint64_t cpu_ns(void) {
    struct timespec t;
    MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const char *const agents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15", "curl/8.4.0",
    "Googlebot/2.1 (+http://www.google.com/bot.html)"};
static const char *const methods[] = {"GET", "GET", "GET", "GET", "GET", "POST", "PUT", "HEAD"};
static const int statuses[] = {200, 200, 200, 200, 200, 200, 304, 404, 301, 500};

struct request {
    int64_t ns;
    unsigned ip, id, bytes, ms, host;
    const char *method, *agent, *referer;
    int status;
};

static struct request make(struct rng *rng, size_t number) {
    return (struct request){.ns = 1700000000000000000 + (int64_t)number * 8000000, /* 125 a second */
                            .ip = (unsigned)rng_below(rng, UINT32_MAX),
                            .id = (unsigned)rng_below(rng, 1 << 20),
                            .bytes = (unsigned)rng_below(rng, 100000),
                            .ms = (unsigned)rng_below(rng, 20000),
                            .host = (unsigned)rng_below(rng, HOSTS),
                            .method = methods[rng_below(rng, COUNT_OF(methods))],
                            .agent = agents[rng_below(rng, COUNT_OF(agents))],
                            .referer = rng_below(rng, 2) ? "https://www.example.com/" : "-",
                            .status = statuses[rng_below(rng, COUNT_OF(statuses))]};
}

static int write_ndjson(const struct request *r, char *to) {
    char time[TIME_FORMAT_RFC3339_MAX];
    return snprintf(to, RECORD_MAX,
                    "{\"time\":\"%s\",\"remote\":\"%u.%u.%u.%u\",\"method\":\"%s\",\"path\":\"/products/%u/reviews\","
                    "\"status\":%d,\"bytes\":%u,\"duration_ms\":%u.%02u,\"referer\":\"%s\",\"agent\":\"%s\","
                    "\"host\":\"www%u.example.com\",\"shard\":%u}\n",
                    time_format_rfc3339(r->ns, 3, time), r->ip >> 24, r->ip >> 16 & 255, r->ip >> 8 & 255, r->ip & 255,
                    r->method, r->id, r->status, r->bytes, r->ms / 100, r->ms % 100, r->referer, r->agent, r->host,
                    r->host % 24);
}

static int write_combined(const struct request *r, char *to) {
    char text[64];
    time_t seconds = (time_t)(r->ns / 1000000000);
    struct tm tm;
    MUST(gmtime_r(&seconds, &tm) && strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", &tm) > 0);
    return snprintf(to, RECORD_MAX, "%u.%u.%u.%u - - [%s] \"%s /products/%u/reviews HTTP/1.1\" %d %u \"%s\" \"%s\"\n",
                    r->ip >> 24, r->ip >> 16 & 255, r->ip >> 8 & 255, r->ip & 255, text, r->method, r->id, r->status,
                    r->bytes, r->referer, r->agent);
}

static struct input generate(size_t bytes, int (*write)(const struct request *, char *)) {
    struct input in = {.at = alloc_bytes(bytes + RECORD_MAX + JSON_PADDING)};
    struct rng rng = rng_from_seed(1);
    while (in.len < bytes) {
        struct request r = make(&rng, in.lines++);
        in.len += (size_t)write(&r, in.at + in.len);
    }
    memset(in.at + in.len, 0, JSON_PADDING);
    return in;
}

/* One stage over the whole input; gives something that depends on the work. */
typedef uint64_t stage(const struct input *in, void *arg);

static void measure(const char *name, const struct input *in, int rounds, stage *run, void *arg) {
    uint64_t best = UINT64_MAX, check = 0;
    if (!strstr(name, only)) return;
    for (int i = 0; i < rounds; i++) {
        uint64_t from = cpu_ns();
        check = run(in, arg);
        best = MIN(best, cpu_ns() - from);
    }
    printf("%-52s %7.3f ns/byte %7.1f ns/line  (%" PRIu64 ")\n", name, (double)best / (double)in->len,
           (double)best / (double)in->lines, check);
}

static uint64_t split_memchr(const struct input *in, void *arg) {
    (void)arg;
    uint64_t sum = 0;
    for (const char *p = in->at, *end = in->at + in->len; p < end;) {
        p = memchr(p, '\n', (size_t)(end - p));
        sum += (uint64_t)(p++ - in->at);
    }
    return sum;
}

static uint64_t split_index(const struct input *in, void *arg) {
    (void)arg;
    static uint32_t ends[4096];
    uint64_t sum = 0;
    for (size_t at = 0; at < in->len;) {
        size_t window = MIN(in->len - at, (size_t)128 * 1024);
        size_t n = lines_index((struct str){in->at + at, window}, ends, COUNT_OF(ends));
        for (size_t i = 0; i < n; i++) sum += at + ends[i];
        at += (size_t)ends[n - 1] + 1;
    }
    return sum;
}

static uint64_t parse_alone(const struct input *in, void *arg) {
    struct json_node root;
    uint64_t objects = 0;
    for (const char *p = in->at, *end = in->at + in->len; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        MUST(json_parse(arg, (struct str){p, (size_t)(lf - p)}, &root, NULL) == RC_OK);
        objects += json_type(root) == JSON_OBJECT;
        p = lf + 1;
    }
    return objects;
}

struct parse {
    struct json_parser *parser;
    size_t batch;
    struct json_path *paths;
    size_t path_count;
};

static uint64_t parse_batch(const struct input *in, void *arg) {
    const struct parse *parse = arg;
    struct json_node root, nodes[4];
    struct str text;
    char digits[JSON_NUMBER_MAX];
    uint64_t sum = 0;
    for (size_t at = 0; at < in->len;) {
        size_t whole = lines_whole((struct str){in->at + at, MIN(in->len - at, parse->batch)});
        json_batch(parse->parser, (struct str){in->at + at, whole});
        for (const char *p = in->at + at, *end = p + whole; p < end;) {
            const char *lf = memchr(p, '\n', (size_t)(end - p));
            MUST(json_line(parse->parser, (struct str){p, (size_t)(lf - p)}, &root, NULL) == RC_OK);
            json_find_all(root, parse->paths, parse->path_count, nodes);
            for (size_t i = 0; i < parse->path_count; i++) {
                MUST(json_text(nodes[i], digits, &text) == RC_OK);
                sum += text.len;
            }
            p = lf + 1;
        }
        at += whole;
    }
    return sum;
}

struct convert {
    struct converter *converter;
    struct slice *slice;
};

static uint64_t whole_slice(const struct input *in, void *arg) {
    const struct convert *c = arg;
    uint64_t sum = 0;
    for (size_t at = 0; at < in->len;) {
        size_t whole = lines_whole((struct str){in->at + at, MIN(in->len - at, (size_t)SLICE)}), taken = 0;
        slice_begin(c->slice, c->converter, &(struct slice_place){.uri = STR("/bench")});
        slice_add(c->slice, (struct str){in->at + at, whole}, at, &taken);
        MUST(slice_result(c->slice)->counts.rejects == 0);
        sum += slice_result(c->slice)->output_count;
        at += taken;
    }
    return sum;
}

static void bench_slice(const char *name, const struct input *in, int rounds, enum converter_kind kind,
                        const char *template) {
    struct converter_settings settings = {.kind = kind,
                                          .source = STR("bench"),
                                          .partition = str_of(template),
                                          .time_given = kind == CONVERTER_NDJSON,
                                          .time_field = STR("time")};
    struct why why = {0};
    struct convert c = {.slice = slice_new((struct slice_limits){.bytes_max = 4 * (size_t)SLICE})};
    enum rc rc = time_parse_compile(STR("rfc3339"), &settings.time_format, &why);
    if (rc == RC_OK) rc = converter_new(&settings, &c.converter, &why);
    if (rc != RC_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    measure(name, in, rounds, whole_slice, &c);
    converter_free(c.converter);
    slice_free(c.slice);
}

static void bench_json(const struct input *in, int rounds) {
    struct json_path paths[2];
    MUST(json_path_compile(STR("time"), &paths[0], NULL) == RC_OK);
    MUST(json_path_compile(STR("host"), &paths[1], NULL) == RC_OK);
    struct json_parser *parser = json_parser_new((struct json_parser_limits){0});
    measure("parse, each line alone", in, rounds, parse_alone, parser);
    for (size_t kib = 16; kib <= 1024; kib *= 2) {
        char name[64];
        (void)snprintf(name, sizeof name, "parse, batches of %zu KiB", kib);
        measure(name, in, rounds, parse_batch, &(struct parse){parser, kib * 1024, paths, 0});
    }
    measure("parse, batches of 128 KiB, and find a field", in, rounds, parse_batch,
            &(struct parse){parser, 128 * 1024, paths, 1});
    measure("parse, batches of 128 KiB, and find two fields", in, rounds, parse_batch,
            &(struct parse){parser, 128 * 1024, paths, 2});
    json_parser_free(parser);
}

int main(int argc, char **argv) {
    size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 64;
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
    if (argc > 3) only = argv[3];
    if (mib == 0 || rounds <= 0) {
        (void)fprintf(stderr, "bench_convert [MiB] [rounds]\n");
        return 2;
    }
    struct input ndjson = generate(mib << 20, write_ndjson), combined = generate(mib << 20, write_combined);
    printf("simdjson: %s; ndjson %zu lines, %.0f bytes each; combined %zu lines, %.0f bytes each\n",
           json_implementation(), ndjson.lines, (double)ndjson.len / (double)ndjson.lines, combined.lines,
           (double)combined.len / (double)combined.lines);
    measure("split, memchr for each line", &ndjson, rounds, split_memchr, NULL);
    measure("split, lines_index in windows of 128 KiB", &ndjson, rounds, split_index, NULL);
    bench_json(&ndjson, rounds);
    bench_slice("slice, raw, one output", &ndjson, rounds, CONVERTER_RAW, "");
    bench_slice("slice, ndjson, one output", &ndjson, rounds, CONVERTER_NDJSON, "");
    bench_slice("slice, ndjson, by hour", &ndjson, rounds, CONVERTER_NDJSON, "dt={time:%Y-%m-%d}/hour={time:%H}");
    bench_slice("slice, ndjson, by day and status", &ndjson, rounds, CONVERTER_NDJSON,
                "dt={time:%Y-%m-%d}/status={status}");
    bench_slice("slice, ndjson, by a field of 24 values", &ndjson, rounds, CONVERTER_NDJSON, "shard={shard}");
    bench_slice("slice, ndjson, by a field of 2,000 values", &ndjson, rounds, CONVERTER_NDJSON, "host={host}");
    bench_slice("slice, combined, by hour", &combined, rounds, CONVERTER_COMBINED, "dt={time:%Y-%m-%d}/hour={time:%H}");
    bench_slice("slice, combined, by status", &combined, rounds, CONVERTER_COMBINED, "status={status}");
    free(ndjson.at);
    free(combined.at);
    return 0;
}
