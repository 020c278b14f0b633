/* SPDX-License-Identifier: Apache-2.0 */
/* make_logs: writes an invented access log to standard output, the same for the same options.
 *
 *   make_logs --bytes N [--format ndjson|combined] [--seed S] [--start EPOCH] [--span HOURS] [--errors RATE]
 *
 * N takes units ("200MiB"). Times run evenly from EPOCH over HOURS, each up to half a second early, as servers write
 * requests when they end. RATE is the share of lines that no converter can take. What was written stands on standard
 * error as one JSON object. Limits: ends with the first line that reaches N bytes. */
#include "line.h"

#include "alloc.h"
#include "own.h"
#include "rng.h"
#include "str.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUT_BYTES = 1 << 20, JITTER_MS = 500, USAGE = 2 };

struct options {
    uint64_t bytes, seed;
    int64_t start_s;
    double span_hours, error_rate;
    enum line_format format;
};

/* counts: what was written so far. */
struct counts {
    uint64_t lines, bad, bytes;
};

static bool write_whole(const char *from, size_t len) {
    while (len) {
        ssize_t n = write(STDOUT_FILENO, from, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        from += n;
        len -= (size_t)n;
    }
    return true;
}

static int64_t time_at(const struct options *options, uint64_t bytes, struct rng *rng) {
    double share = (double)bytes / (double)options->bytes;
    return options->start_s * 1000 + (int64_t)(share * options->span_hours * 3600e3) + JITTER_MS -
           (int64_t)rng_below(rng, JITTER_MS);
}

static bool write_log(const struct options *options, struct line *line, struct counts *counts) {
    AUTO(own_free) char *out = alloc_bytes(OUT_BYTES);
    /* In 2^64ths; a rate of 1 would not fit and means always. */
    uint64_t bad_below = options->error_rate >= 1 ? UINT64_MAX : (uint64_t)(options->error_rate * 0x1p64);
    struct rng rng = rng_from_seed(options->seed + 1);
    size_t len = 0;
    while (counts->bytes < options->bytes) {
        int64_t ms = time_at(options, counts->bytes, &rng);
        bool bad = bad_below && rng_next(&rng) < bad_below;
        size_t n = bad ? line_write_bad(line, ms, out + len) : line_write(line, ms, out + len);
        *counts = (struct counts){counts->lines + 1, counts->bad + bad, counts->bytes + n};
        len += n;
        if (len <= OUT_BYTES - LINE_BYTES_MAX) continue;
        if (!write_whole(out, len)) return false;
        len = 0;
    }
    return write_whole(out, len);
}

static bool parse_share(const char *text, double most, double *out) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0) || value > most) return false;
    *out = value;
    return true;
}

static bool parse_format(const char *text, enum line_format *out) {
    *out = strcmp(text, "ndjson") == 0 ? LINE_NDJSON : LINE_COMBINED;
    return *out == LINE_NDJSON || strcmp(text, "combined") == 0;
}

static bool parse_option(int letter, const char *text, struct options *options) {
    uint64_t start = 0;
    switch (letter) {
    case 'b': return str_parse_bytes(str_of(text), &options->bytes) == RC_OK && options->bytes;
    case 'f': return parse_format(text, &options->format);
    case 's': return str_parse_u64(str_of(text), &options->seed) == RC_OK;
    case 't':
        if (str_parse_u64(str_of(text), &start) != RC_OK || start > INT32_MAX) return false;
        options->start_s = (int64_t)start;
        return true;
    case 'h': return parse_share(text, 1e6, &options->span_hours);
    case 'e': return parse_share(text, 1, &options->error_rate);
    default: return false;
    }
}

int main(int argc, char **argv) {
    static const struct option known[] = {{"bytes", required_argument, NULL, 'b'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"start", required_argument, NULL, 't'},
                                          {"span", required_argument, NULL, 'h'},
                                          {"errors", required_argument, NULL, 'e'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.seed = 1, .start_s = 1772323200 /* 2026-03-01 */, .span_hours = 24};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) { // NOLINT(concurrency-mt-unsafe): one thread
        if (parse_option(letter, optarg, &options)) continue;
        (void)fprintf(stderr, "make_logs: bad option; the head of make_logs.c lists them\n");
        return USAGE;
    }
    if (!options.bytes || optind != argc) {
        (void)fprintf(stderr, "make_logs: --bytes N is needed, and nothing but options\n");
        return USAGE;
    }
    AUTO(own_free) struct world *world = world_new(options.seed);
    struct line line = {.world = world, .rng = rng_from_seed(options.seed + 2), .format = options.format};
    struct counts counts = {0};
    if (!write_log(&options, &line, &counts)) {
        (void)fprintf(stderr, "make_logs: cannot write: %m\n");
        return 1;
    }
    (void)fprintf(stderr, "{\"lines\":%" PRIu64 ",\"bad\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n", counts.lines,
                  counts.bad, counts.bytes);
    return 0;
}
