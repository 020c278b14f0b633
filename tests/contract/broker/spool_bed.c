/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_bed.h"

#include "alloc.h"
#include "local_home.h"
#include "must.h"
#include "own.h"
#include "spool_format.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static void no_progress(void *context) { (void)context; }

/* These tests end no machine's power, and waiting for the disk would be most of their time. */
static int no_sync(int fd) {
    (void)fd;
    return 0;
}

static const struct spool_sys *quick_sys(void) {
    static struct spool_sys quick;
    quick = *spool_sys_kernel();
    quick.fdatasync = quick.fsync_dir = no_sync;
    return &quick;
}

void spool_bed_init(struct spool_bed *bed) {
    *bed = (struct spool_bed){.path = local_home_new()};
    struct id queue = {{9}};
    bed->options = (struct spool_log_options){.path = bed->path,
                                              .queue = queue,
                                              .generation = 4,
                                              .partition = 2,
                                              .message_bytes_max = 1 << 20,
                                              .segment_bytes = 1 << 20,
                                              .open_segments_max = 2,
                                              .sys = quick_sys(),
                                              .progress = no_progress};
}

void spool_bed_done(struct spool_bed *bed) { local_home_remove(TAKE(bed->path)); }

enum rc spool_bed_open(struct spool_bed *bed, struct spool_log **out) {
    return spool_log_open(&bed->options, out, &bed->opening, &bed->why);
}

struct str spool_bed_text(uint64_t i, char out[64]) {
    size_t len = (size_t)(i * 13 % 61);
    for (size_t j = 0; j < len; j++) out[j] = (char)('a' + (i * 7 + j) % 26);
    return (struct str){out, len};
}

enum rc spool_bed_append(struct spool_bed *bed, struct spool_log *log, uint64_t i) {
    char text[64];
    struct str whole = spool_bed_text(i, text);
    size_t cut = whole.len / 3;
    uint64_t offset;
    return spool_log_append(log, str_sub(whole, 0, cut), str_sub(whole, cut, whole.len), &offset, &bed->why);
}

enum rc spool_bed_read(struct spool_bed *bed, struct spool_log *log, uint64_t i, uint64_t text) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(1 << 20);
    char expected[64];
    TRY(spool_log_read(log, i, &bytes, &bed->why));
    MUST(str_equal(buf_str(&bytes), spool_bed_text(text, expected)));
    return RC_OK;
}

void spool_bed_fill(struct spool_bed *bed, uint64_t count) {
    struct spool_log *log;
    MUST(spool_bed_open(bed, &log) == RC_OK);
    for (uint64_t i = 0; i < count; i++) MUST(spool_bed_append(bed, log, i) == RC_OK);
    MUST(spool_log_commit(log, NULL) == RC_OK);
    spool_log_free(log);
}

static char *file_of(const struct spool_bed *bed, const char *name) {
    char *file = NULL;
    MUST(asprintf(&file, "%s/%s", bed->path, name) > 0);
    return file;
}

char *spool_bed_load(const struct spool_bed *bed, const char *name, size_t *out_len) {
    AUTO(own_free) char *file = file_of(bed, name);
    return local_home_load(file, out_len);
}

void spool_bed_save(const struct spool_bed *bed, const char *name, const char *bytes, size_t len) {
    AUTO(own_free) char *file = file_of(bed, name);
    local_home_save(file, bytes, len);
}

bool spool_bed_has(const struct spool_bed *bed, const char *name) {
    AUTO(own_free) char *file = file_of(bed, name);
    return access(file, F_OK) == 0;
}

void spool_bed_remove(const struct spool_bed *bed, const char *name) {
    AUTO(own_free) char *file = file_of(bed, name);
    MUST(unlink(file) == 0);
}

void spool_bed_mark(const struct spool_bed *bed, uint64_t end) {
    uint8_t bytes[SPOOL_MARK_BYTES];
    spool_format_mark(end, bytes);
    spool_bed_save(bed, "acknowledged", (const char *)bytes, sizeof bytes);
}

void spool_bed_clear(const struct spool_bed *bed) {
    DIR *dir = opendir(bed->path);
    MUST(dir != NULL);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') spool_bed_remove(bed, entry->d_name);
    (void)closedir(dir);
}
