/* SPDX-License-Identifier: Apache-2.0 */
/* walk_run [--seed N] [--seeds N] [--break B] [--verbose]: walks one seed, or `--seeds` of them from `--seed` on; a
 * failing one is told with the command that walks it again. */
#include "walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void) {
    (void)fprintf(stderr, "usage: walk_run [--seed N] [--seeds N] [--break B] [--verbose]\n");
    return 2;
}

int main(int argc, char **argv) {
    struct walk_options options = {.seed = 1};
    struct walk_result r, sum = {0};
    uint64_t seeds = 1, failed = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--verbose") == 0)
            options.verbose = true;
        else if (strcmp(argv[i], "--seed") == 0 && ++i < argc)
            options.seed = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--seeds") == 0 && ++i < argc)
            seeds = strtoull(value, NULL, 0);
        else if (strcmp(argv[i], "--break") == 0 && ++i < argc && walk_break_parse(value) != WALK_BREAKS)
            options.broken = walk_break_parse(value);
        else
            return usage();
    }
    for (uint64_t first = options.seed; options.seed < first + seeds; options.seed++) {
        walk_run(&options, &r);
        sum.actions += r.actions;
        sum.lines += r.lines;
        sum.must += r.must;
        sum.missing += r.missing;
        sum.doubled += r.doubled;
        sum.lives += r.lives;
        if (r.ok) continue;
        failed++;
        (void)printf("seed %" PRIu64 ": %s\n  tools/walk --seed %" PRIu64, options.seed, r.text, options.seed);
        if (options.broken) (void)printf(" --break %s", walk_break_name(options.broken));
        (void)printf(" --verbose\n");
        (void)fflush(stdout);
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " failed; actions %" PRIu64 " lives %" PRIu64 " lines %" PRIu64
                 ", of which had to be there %" PRIu64 ", nobody could read %" PRIu64 ", twice of a cut file %" PRIu64
                 "\n",
                 seeds, failed, sum.actions, sum.lives, sum.lines, sum.must, sum.missing, sum.doubled);
    return failed ? 1 : 0;
}
