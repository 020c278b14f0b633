/* SPDX-License-Identifier: Apache-2.0 */
/* bench_ledger [--stripes N] [--a-file N] [--threads N] [--call N] [--loaders N] [--claims N]: the ledger of a fleet on
 * the Redis at SLUICE_TEST_REDIS (tools/bench --ledger starts one): calls a second, and memory a stripe at rest, that
 * is, converted, durable and with its history forgotten. A call carries an array, as the committer's do; each thread is
 * one committer. What records take that are kept once is measured here and for the ledger of one machine. Prints;
 * judges nothing. */
#include "alloc.h"
#include "clock.h"
#include "ledger_redis.h"
#include "ledger_sqlite.h"
#include "must.h"
#include "snapshot.h"
#include "store_memory.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STRIPE_BYTES = 64 << 20,
    ENROLL_AT_ONCE = 500,
    THREADS_MAX = 64,
    DURABLE_AT_ONCE = 1000,
    GIVEN_AT_ONCE = 512,
    CLAIMS_AT_ONCE = 1000
};

struct plan {
    uint64_t stripes, a_file, threads, call, loaders, claims;
    struct ledger ledger;
    struct id *files;
    uint64_t files_len;
};

struct part {
    struct plan *plan;
    uint64_t number, from, to; /* stripes, counted over all files */
    bool verdicts;
    pthread_t thread;
};

static void ok(enum rc rc, const struct why *why) {
    if (rc == RC_OK) return;
    (void)fprintf(stderr, "bench_ledger: %s: %s\n", rc_name(rc), why->text);
    exit(1);
}

static double seconds_since(uint64_t ms) { return (double)(clock_ms(clock_real()) - ms + 1) / 1000; }

static struct id attempt_id(uint64_t stripe) {
    struct id id = {{1}};
    uint64_t mixed = (stripe + 1) * 0x9e3779b97f4a7c15u;
    memcpy(id.bytes + 1, &mixed, sizeof mixed);
    memcpy(id.bytes + 8, &stripe, sizeof stripe);
    return id;
}

static struct attempt attempt_of(const struct plan *p, uint64_t n) {
    uint64_t stripe = n % p->a_file;
    return (struct attempt){.generation = 1,
                            .file = p->files[n / p->a_file],
                            .stripe = stripe,
                            .from = stripe * STRIPE_BYTES,
                            .to = (stripe + 1) * STRIPE_BYTES,
                            .id = attempt_id(n),
                            .epoch = p->ledger.at.epoch};
}

static void advance(struct plan *p, uint64_t from, uint64_t n) {
    struct ledger_advance *asks = alloc_zero(n, sizeof *asks);
    enum ledger_decision *out = alloc_zero(n, sizeof *out);
    struct why why = {0};
    for (uint64_t i = 0; i < n; i++)
        asks[i] = (struct ledger_advance){.attempt = attempt_of(p, from + i),
                                          .counts = {250000 + i, 249990 + i, 10, 0, 0, 249990 + i},
                                          .tail_hash = (from + i) * 0x9e3779b97f4a7c15u,
                                          .messages = 33,
                                          .ends_seen = UINT32_MAX};
    ok(ledger_advance(p->ledger, asks, n, NULL, 0, out, &why), &why);
    for (uint64_t i = 0; i < n; i++) MUST(out[i] == LEDGER_WON);
    free(asks);
    free(out);
}

static void ask_verdicts(struct plan *p, uint64_t from, uint64_t n) {
    struct attempt *asks = alloc_zero(n, sizeof *asks);
    struct ledger_verdict *out = alloc_zero(n, sizeof *out);
    struct why why = {0};
    for (uint64_t i = 0; i < n; i++) asks[i] = attempt_of(p, from + i);
    ok(ledger_verdicts(p->ledger, asks, n, out, &why), &why);
    for (uint64_t i = 0; i < n; i++) MUST(out[i].decision == LEDGER_WON);
    free(asks);
    free(out);
}

static void *run_part(void *arg) {
    struct part *part = arg;
    struct plan *p = part->plan;
    for (uint64_t at = part->from; at < part->to; at += p->call) {
        uint64_t n = part->to - at < p->call ? part->to - at : p->call;
        if (part->verdicts)
            ask_verdicts(p, at, n);
        else
            advance(p, at, n);
    }
    return NULL;
}

static double all_parts(struct plan *p, bool verdicts) {
    struct part parts[THREADS_MAX];
    uint64_t began = clock_ms(clock_real());
    for (uint64_t i = 0; i < p->threads; i++) {
        parts[i] = (struct part){.plan = p,
                                 .number = i,
                                 .from = p->stripes * i / p->threads,
                                 .to = p->stripes * (i + 1) / p->threads,
                                 .verdicts = verdicts};
        MUST(pthread_create(&parts[i].thread, NULL, run_part, &parts[i]) == 0);
    }
    for (uint64_t i = 0; i < p->threads; i++) MUST(pthread_join(parts[i].thread, NULL) == 0);
    return seconds_since(began);
}

static void enroll(struct plan *p) {
    struct ledger_enroll asks[ENROLL_AT_ONCE];
    enum rc out[ENROLL_AT_ONCE];
    struct rng rng = rng_from_kernel();
    struct why why = {0};
    char uris[ENROLL_AT_ONCE][64];
    for (uint64_t at = 0; at < p->files_len; at += ENROLL_AT_ONCE) {
        uint64_t n = p->files_len - at < ENROLL_AT_ONCE ? p->files_len - at : ENROLL_AT_ONCE;
        for (uint64_t i = 0; i < n; i++) {
            (void)snprintf(uris[i], sizeof uris[i], "file:///var/log/nginx/access-%010" PRIu64 ".ndjson", at + i);
            p->files[at + i] = id_make(&rng);
            asks[i] = (struct ledger_enroll){.id = p->files[at + i],
                                             .facts = {.source = STR("access"),
                                                       .uri = str_of(uris[i]),
                                                       .inode = 1000000 + at + i,
                                                       .birth_ns = 1700000000000000000 + (int64_t)(at + i),
                                                       .prefix_len = 4096,
                                                       .prefix_hash = rng_next(&rng),
                                                       .stripe_bytes = STRIPE_BYTES}};
        }
        ok(ledger_enroll(p->ledger, asks, n, out, &why), &why);
    }
}

static double durable(struct plan *p) {
    struct ledger_durable *adds = alloc_zero(DURABLE_AT_ONCE, sizeof *adds);
    uint64_t began = clock_ms(clock_real());
    struct why why = {0};
    for (uint64_t at = 0, index = 0; at < p->stripes; at += DURABLE_AT_ONCE, index++) {
        uint64_t n = p->stripes - at < DURABLE_AT_ONCE ? p->stripes - at : DURABLE_AT_ONCE;
        for (uint64_t i = 0; i < n; i++) {
            struct attempt a = attempt_of(p, at + i);
            adds[i] = (struct ledger_durable){a.file, a.stripe, a.id, 33};
        }
        ok(ledger_durable(p->ledger, (struct ledger_batch){0, index}, adds, n, &why), &why);
    }
    free(adds);
    return seconds_since(began);
}

/* As after a loss: every attempt is given, as if by seals, and united with what is there. */
static void recover(struct plan *p, double *out_given_s, double *out_united_s) {
    struct ledger_winner *winners = alloc_zero(GIVEN_AT_ONCE, sizeof *winners);
    struct ledger_epochs seen = {p->ledger.at.epoch, 0, 0};
    struct id token = {{9}};
    struct why why = {0};
    uint64_t target = 0, epoch = 0, began = clock_ms(clock_real());
    ok(ledger_recover_begin(p->ledger, seen, token, &target, &why), &why);
    for (uint64_t at = 0; at < p->stripes; at += GIVEN_AT_ONCE) {
        uint64_t n = p->stripes - at < GIVEN_AT_ONCE ? p->stripes - at : GIVEN_AT_ONCE;
        for (uint64_t i = 0; i < n; i++)
            winners[i] = (struct ledger_winner){.attempt = attempt_of(p, at + i),
                                                .facts = {.source = STR("access"), .stripe_bytes = STRIPE_BYTES},
                                                .has_counts = true,
                                                .counts = {250000, 250000, 0, 0, 0, 250000},
                                                .messages = 33};
        ok(ledger_recover_winners(p->ledger, token, winners, n, &why), &why);
    }
    *out_given_s = seconds_since(began);
    began = clock_ms(clock_real());
    ok(ledger_recover_end(p->ledger, token, &epoch, &why), &why);
    *out_united_s = seconds_since(began);
    free(winners);
}

/* As a fleet does: a snapshot into a store, and out of it into another ledger that is empty. */
static void copy(struct plan *p, const char *url, double *out_saved_s, double *out_taken_s) {
    struct ledger_redis_settings settings = {
        .url = str_of(url), .pipeline = STR("bench-copy"), .generation = 1, .call_ms = 60000};
    struct snapshot_settings of = {.queue = {{7}}, .partitions = 1};
    struct ledger_redis_init init = {0};
    struct id token = {{9}};
    struct arena arena = ARENA_INIT;
    struct rng rng = rng_from_kernel();
    struct store store = store_memory_new();
    struct snapshot snapshot;
    struct ledger other;
    struct why why = {0};
    uint64_t target = 0, epoch = 0, files = 0, began = clock_ms(clock_real());
    bool made = false;
    ok(snapshot_write(store, p->ledger, &of, &rng, &files, &why), &why);
    MUST(files >= p->files_len); /* and the one of the claims */
    *out_saved_s = seconds_since(began);
    ok(ledger_redis_init(&settings, &init, &made, &why), &why);
    ok(ledger_redis_open(&settings, &other, &why), &why);
    began = clock_ms(clock_real());
    ok(ledger_recover_begin(other, (struct ledger_epochs){other.at.epoch, 0, 0}, token, &target, &why), &why);
    ok(snapshot_find(store, of.queue, &arena, &snapshot, &why), &why);
    ok(snapshot_load(store, other, token, &snapshot, (unsigned)p->loaders, &why), &why);
    ok(ledger_recover_end(other, token, &epoch, &why), &why);
    *out_taken_s = seconds_since(began);
    arena_done(&arena);
    ledger_free(other);
    store_free(store);
}

/* One file, whose stripes keep CLAIMS_AT_ONCE records each. */
static double claim(struct ledger ledger, uint64_t claims) {
    struct rng rng = rng_from_kernel();
    struct ledger_enroll enroll = {
        .id = id_make(&rng),
        .facts = {.source = STR("idle"), .uri = STR("file:///idle"), .inode = 7, .stripe_bytes = STRIPE_BYTES}};
    enum rc enrolled = RC_OK;
    enum ledger_decision won = LEDGER_UNDECIDED;
    struct why why = {0};
    char *bytes = alloc_bytes((size_t)CLAIMS_AT_ONCE * CLAIM_BYTES);
    ok(ledger_enroll(ledger, &enroll, 1, &enrolled, &why), &why);
    uint64_t began = clock_ms(clock_real());
    for (uint64_t stripe = 0; stripe * CLAIMS_AT_ONCE < claims; stripe++) {
        struct ledger_advance ask = {.attempt = {.generation = ledger.at.generation,
                                                 .file = enroll.id,
                                                 .stripe = stripe,
                                                 .from = stripe * STRIPE_BYTES,
                                                 .to = (stripe + 1) * STRIPE_BYTES,
                                                 .id = id_make(&rng),
                                                 .epoch = ledger.at.epoch},
                                     .messages = 1,
                                     .ends_seen = UINT32_MAX,
                                     .claims = {bytes, (size_t)CLAIMS_AT_ONCE * CLAIM_BYTES}};
        for (size_t i = 0; i < CLAIMS_AT_ONCE; i++)
            claim_pack(&(struct claim){id_make(&rng), ask.attempt.from + i * 4096}, bytes + i * CLAIM_BYTES);
        ok(ledger_advance(ledger, &ask, 1, NULL, 0, &won, &why), &why);
        MUST(won == LEDGER_WON);
    }
    free(bytes);
    return seconds_since(began);
}

static uint64_t memory_of(const char *url) {
    char host[64];
    int port = 0;
    MUST(sscanf(url, "redis://%63[^:]:%d", host, &port) == 2);
    redisContext *c = redisConnect(host, port);
    MUST(c && !c->err);
    redisReply *reply = redisCommand(c, "INFO memory");
    MUST(reply && reply->type == REDIS_REPLY_STRING);
    const char *at = strstr(reply->str, "used_memory:");
    MUST(at);
    uint64_t bytes = strtoull(at + strlen("used_memory:"), NULL, 10);
    freeReplyObject(reply);
    redisFree(c);
    return bytes;
}

static void row(const char *name, double value, const char *unit) {
    (void)printf("%-48s %12.0f %s\n", name, value, unit);
    (void)fflush(stdout);
}

static void claims_in_redis(const struct plan *p, const char *url) {
    struct ledger ledger = p->ledger;
    ledger.at.generation = 2;
    uint64_t before = memory_of(url);
    double claims = (double)p->claims, took = claim(ledger, p->claims);
    row("claims", claims / took, "a second");
    row("memory a claim", (double)(memory_of(url) - before) / claims, "bytes");
}

static void claims_in_sqlite(const struct plan *p) {
    char path[] = "/tmp/bench-ledger-XXXXXX";
    struct why why = {0};
    struct stat stat_of;
    MUST(mkdtemp(path));
    char *names[3];
    static const char *const ends[] = {"", "-wal", ".lock"};
    for (size_t i = 0; i < 3; i++) MUST(asprintf(&names[i], "%s/ledger.db%s", path, ends[i]) > 0);
    struct ledger_sqlite_settings settings = {
        .path = names[0], .generation = 1, .create = true, .ledger = {{1}}, .queue = {{2}}};
    struct ledger ledger;
    ok(ledger_sqlite_open(&settings, &ledger, &why), &why);
    double claims = (double)p->claims, took = claim(ledger, p->claims);
    ledger_free(ledger);
    MUST(stat(names[0], &stat_of) == 0);
    row("one machine: claims", claims / took, "a second");
    row("one machine: disk a claim", (double)stat_of.st_size / claims, "bytes");
    for (size_t i = 0; i < 3; i++) {
        (void)unlink(names[i]);
        free(names[i]);
    }
    (void)rmdir(path);
}

static void run(struct plan *p, const char *url) {
    struct ledger_redis_settings settings = {
        .url = str_of(url), .pipeline = STR("bench"), .generation = 1, .connections = p->threads, .call_ms = 60000};
    struct ledger_redis_init init = {0};
    struct why why = {0};
    bool made = false;
    ok(ledger_redis_init(&settings, &init, &made, &why), &why);
    ok(ledger_redis_open(&settings, &p->ledger, &why), &why);
    p->files_len = (p->stripes + p->a_file - 1) / p->a_file;
    p->files = alloc_zero(p->files_len, sizeof *p->files);
    uint64_t empty = memory_of(url);
    enroll(p);
    uint64_t enrolled = memory_of(url);
    double stripes = (double)p->stripes;
    (void)printf("%" PRIu64 " stripes, %" PRIu64 " a file; %" PRIu64 " threads, %" PRIu64 " a call\n", p->stripes,
                 p->a_file, p->threads, p->call);
    row("memory a file", (double)(enrolled - empty) / (double)p->files_len, "bytes");
    row("advance", stripes / all_parts(p, false), "a second");
    row("verdicts", stripes / all_parts(p, true), "a second");
    row("durable, batches of 1,000", stripes / durable(p), "a second");
    row("memory a stripe", (double)(memory_of(url) - enrolled) / stripes, "bytes");
    claims_in_redis(p, url);
    claims_in_sqlite(p);
    double given = 0, united = 0, saved = 0, taken = 0, files = (double)p->files_len;
    copy(p, url, &saved, &taken);
    row("snapshot, files saved", files / saved, "a second");
    row("snapshot, files taken back", files / taken, "a second");
    row("snapshot, a ledger taken back, whole", taken * 1000, "ms");
    recover(p, &given, &united);
    row("recovery, winners given", stripes / given, "a second");
    row("recovery, winners united", stripes / united, "a second");
    ledger_free(p->ledger);
    free(p->files);
}

int main(int argc, char **argv) {
    struct plan p = {.stripes = 200000, .a_file = 640, .threads = 8, .call = 64, .loaders = 4, .claims = 1000000};
    const struct {
        const char *name;
        uint64_t *value;
    } options[] = {{"--stripes", &p.stripes}, {"--a-file", &p.a_file},   {"--threads", &p.threads},
                   {"--call", &p.call},       {"--loaders", &p.loaders}, {"--claims", &p.claims}};
    const char *url = getenv("SLUICE_TEST_REDIS");
    bool good = url != NULL;
    for (int i = 1; i < argc && good; i += 2) {
        good = false;
        for (size_t k = 0; k < sizeof options / sizeof options[0] && i + 1 < argc; k++)
            if (strcmp(argv[i], options[k].name) == 0) good = (*options[k].value = strtoull(argv[i + 1], NULL, 10)) > 0;
    }
    if (!good || p.threads > THREADS_MAX) {
        (void)fprintf(stderr,
                      "bench_ledger [--stripes N] [--a-file N] [--threads N, at most 64] [--call N] [--loaders N] "
                      "[--claims N], with "
                      "SLUICE_TEST_REDIS=redis://host:port\n");
        return 2;
    }
    run(&p, url);
    return 0;
}
