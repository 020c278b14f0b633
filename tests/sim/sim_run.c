/* SPDX-License-Identifier: Apache-2.0 */
/* sim_run [--seed N] [--seeds N] [--class C] [--mutation M] [--strike emitter|worker|uploader before|after|crash|
 * crash-after K] [--verbose]: runs one seed, or `--seeds` of them from `--seed` on; a failing one is told with the
 * command that runs it again. */
#include "sim.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sim_options options = {.seed = 1, .class = SIM_ALL};

static void show_command(void) {
    (void)printf("tools/sim --seed %" PRIu64 " --class %s", options.seed, sim_class_name(options.class));
    if (options.mutation) (void)printf(" --mutation %s", sim_mutation_name(options.mutation));
    (void)printf(" --verbose\n");
    (void)fflush(stdout);
}

static void on_abort(int signal) {
    (void)signal;
    (void)printf("aborted: ");
    show_command();
    _exit(1);
}

static int usage(void) {
    (void)fprintf(stderr,
                  "usage: sim_run [--seed N] [--seeds N] [--class C|each] [--mutation M] [--strike SERVICE KIND K] "
                  "[--verbose]\n");
    return 2;
}

static void strike(const char *service, const char *kind, const char *at) {
    static const char *const services[] = {"emitter", "worker", "uploader"};
    static const char *const kinds[] = {"none", "before", "after", "crash", "crash-after"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(services[i], service) == 0) options.strike_service = (enum sim_service)i;
    for (unsigned i = 0; i < 5; i++)
        if (strcmp(kinds[i], kind) == 0) options.strike = (enum sim_strike)i;
    options.strike_at = strtoull(at, NULL, 0);
}

int main(int argc, char **argv) {
    uint64_t seeds = 1, failed = 0, sums[7] = {0};
    bool each = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--verbose") == 0)
            options.verbose = true;
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(argv[++i] ? value : "1", NULL, 0);
        else if (strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[++i] ? value : "1", NULL, 0);
        else if (strcmp(argv[i], "--class") == 0) {
            i++;
            each = strcmp(value, "each") == 0;
            if (!each && (options.class = sim_class_parse(value)) == SIM_CLASSES) return usage();
        } else if (strcmp(argv[i], "--mutation") == 0) {
            i++;
            if ((options.mutation = sim_mutation_parse(value)) == SIM_MUTATIONS) return usage();
        } else if (strcmp(argv[i], "--strike") == 0 && i + 3 < argc) {
            strike(argv[i + 1], argv[i + 2], argv[i + 3]);
            i += 3;
        } else
            return usage();
    }
    (void)signal(SIGABRT, on_abort);
    for (uint64_t i = 0, first = options.seed; i < seeds; i++) {
        struct sim_result r;
        options.seed = first + i;
        if (each) options.class = (enum sim_class)(i % SIM_CLASSES);
        sim_run(&options, &r);
        uint64_t parts[7] = {r.steps, r.lines, r.attempts, r.objects, r.crashes, r.voids, r.duplicates};
        for (size_t k = 0; k < 7; k++) sums[k] += parts[k];
        if (r.ok) continue;
        failed++;
        (void)printf("seed %" PRIu64 ": %s\n  ", options.seed, r.text);
        show_command();
    }
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " failed; steps %" PRIu64 " lines %" PRIu64 " attempts %" PRIu64
                 " objects %" PRIu64 " crashes %" PRIu64 " voids %" PRIu64 " duplicates %" PRIu64 "\n",
                 seeds, failed, sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]);
    return failed ? 1 : 0;
}
