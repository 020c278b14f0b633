/* SPDX-License-Identifier: Apache-2.0 */
/* driver: runs a fuzz target over every file of the folders that it is given, once each and in the order of their
 * names, so that a corpus is an ordinary test under every compiler and sanitizer. The name of the file that is being
 * run stands on standard error before it runs: a crash shows whose it is.
 *
 * Each input is handed over in memory of exactly its length, so that ASan sees a read behind its end.
 * Limits: INPUT_BYTES_MAX a file. Fails: exit code 1 for a folder without a file, or what cannot be read. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_BYTES_MAX = 64 << 20, PATH_BYTES_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may define it, to prepare what all its runs share. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static _Noreturn void stop(const char *path, const char *what) {
    (void)fprintf(stderr, "%s: %s\n", path, what);
    _Exit(1);
}

static uint8_t *read_whole(const char *path, size_t len) {
    uint8_t *bytes = malloc(len ? len : 1);
    FILE *file = fopen(path, "rb");
    if (!bytes || !file || fread(bytes, 1, len, file) != len) stop(path, "cannot be read");
    (void)fclose(file);
    return bytes;
}

static void run_file(const char *path, size_t len) {
    if (len > INPUT_BYTES_MAX) stop(path, "is too large for a corpus");
    uint8_t *bytes = read_whole(path, len);
    (void)fprintf(stderr, "%s (%zu bytes)\n", path, len);
    (void)LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
}

static int run_folder(const char *folder) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort), runs = 0;
    if (n < 0) stop(folder, strerror(errno)); // NOLINT(concurrency-mt-unsafe): one thread
    for (int i = 0; i < n; i++) {
        char path[PATH_BYTES_MAX];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        struct stat facts;
        if (stat(path, &facts) != 0) stop(path, "cannot be looked at");
        if (S_ISREG(facts.st_mode)) {
            run_file(path, (size_t)facts.st_size);
            runs++;
        }
        free(entries[i]);
    }
    free(entries);
    return runs;
}

int main(int argc, char **argv) {
    if (LLVMFuzzerInitialize) (void)LLVMFuzzerInitialize(&argc, &argv);
    int runs = 0;
    for (int i = 1; i < argc; i++) runs += run_folder(argv[i]);
    if (!runs) stop(argv[0], "no input was run: give a folder that holds some");
    (void)printf("%d inputs run\n", runs);
    return 0;
}
