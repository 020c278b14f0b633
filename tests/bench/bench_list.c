/* SPDX-License-Identifier: Apache-2.0 */
/* bench_list: what a rescan costs. `bench_list DIR [GLOB] [ROUNDS]` lists DIR/GLOB (default: DIR with all below it)
 * that often and prints files, milliseconds of CPU a round (user and system) and the peak of memory. Compare with `find
 * DIR -newer REF`. */
#include "source_posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct sum {
    uint64_t files, bytes;
};

static enum rc see(void *context, const struct source_entry *entry) {
    struct sum *sum = context;
    sum->files++;
    sum->bytes += entry->stat.size + entry->uri.len;
    return RC_OK;
}

static void problem(void *context, struct str uri, enum rc rc, const struct why *why) {
    (void)context, (void)uri, (void)rc;
    (void)fprintf(stderr, "%s\n", why->text);
}

static double cpu_ms(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

int main(int argc, char **argv) {
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_list DIR [GLOB] [ROUNDS]\n");
        return 2;
    }
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", argv[1], argc > 2 ? argv[2] : "**");
    int rounds = argc > 3 ? atoi(argv[3]) : 5;
    struct source source;
    struct why why = {0};
    if (source_posix_open(&source, &why) != RC_OK) return 1;
    struct str text = str_of(path);
    const struct source_pattern pattern = {.paths = &text, .paths_len = 1};
    for (int i = 0; i < rounds; i++) {
        struct rusage before, after;
        struct sum sum = {0};
        (void)getrusage(RUSAGE_SELF, &before);
        if (source_list(source, &pattern, see, problem, &sum, &why) != RC_OK) {
            (void)fprintf(stderr, "%s\n", why.text);
            return 1;
        }
        (void)getrusage(RUSAGE_SELF, &after);
        (void)printf("files %llu user_ms %.1f system_ms %.1f peak_kib %ld\n", (unsigned long long)sum.files,
                     cpu_ms(after.ru_utime) - cpu_ms(before.ru_utime), cpu_ms(after.ru_stime) - cpu_ms(before.ru_stime),
                     after.ru_maxrss);
    }
    source_free(source);
    return 0;
}
