/* SPDX-License-Identifier: Apache-2.0 */
#include "local_home.h"

#include "alloc.h"
#include "broker_contract.h"
#include "must.h"
#include "own.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

char *local_home_new(void) {
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    MUST(asprintf(&path, "%s/sluice-broker-XXXXXX", base ? base : "/tmp") > 0);
    MUST(mkdtemp(path) != NULL);
    char *inner = NULL;
    MUST(asprintf(&inner, "%s/broker", path) > 0);
    free(path);
    return inner;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place) {
    (void)stat, (void)kind, (void)place;
    return remove(path);
}

void local_home_remove(char *path) {
    *strrchr(path, '/') = 0;
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

struct broker_local_options local_home_options(const char *path) {
    struct id queue = {{1, 2, 3}};
    return (struct broker_local_options){.dir = str_of(path),
                                         .queue = queue,
                                         .generation = 1,
                                         .job_partitions = 3,
                                         .block_partitions = 2,
                                         .jobs_max = CONTRACT_JOBS_MAX,
                                         .message_bytes_max = CONTRACT_MESSAGE_MAX};
}

char *local_home_file(const char *path, const char *name) {
    char *file = NULL;
    MUST(asprintf(&file, "%s/g1/p0/%s", path, name) > 0);
    return file;
}

char *local_home_load(const char *file, size_t *out_len) {
    AUTO(own_fclose) FILE *in = fopen(file, "rb");
    MUST(in != NULL);
    struct stat stat;
    MUST(fstat(fileno(in), &stat) == 0);
    char *bytes = alloc_bytes((size_t)stat.st_size + 1);
    *out_len = fread(bytes, 1, (size_t)stat.st_size, in);
    return bytes;
}

void local_home_save(const char *file, const char *bytes, size_t len) {
    AUTO(own_fclose) FILE *out = fopen(file, "wb");
    MUST(out != NULL && fwrite(bytes, 1, len, out) == len);
}
