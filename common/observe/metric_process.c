/* SPDX-License-Identifier: Apache-2.0 */
#include "metric.h"

#include "own.h"
#include "str.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>

/* The first bytes of a small file of /proc as text; false when it cannot be read. */
static bool read_text(const char *path, char *out, size_t room) {
    AUTO(own_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, out, room - 1);
    if (n <= 0) return false;
    out[n] = '\0';
    return true;
}

/* The number in field `i`, counted from 0, of fields with one blank between them. */
static bool number_in(struct str text, unsigned i, uint64_t *out) {
    struct str field = {0};
    for (unsigned k = 0; k <= i; k++)
        if (!str_cut(&text, ' ', &field)) return false;
    return str_parse_u64(str_trim(field), out) == RC_OK;
}

/* proc(5), statm: size and resident, in pages. */
static void update_memory(void) {
    char text[128];
    uint64_t pages = 0, resident = 0;
    if (!read_text("/proc/self/statm", text, sizeof text)) return;
    if (!number_in(str_of(text), 0, &pages) || !number_in(str_of(text), 1, &resident)) return;
    const int64_t page = sysconf(_SC_PAGESIZE);
    metric_set(METRIC_PROCESS_VIRTUAL, (int64_t)pages * page);
    metric_set(METRIC_PROCESS_RESIDENT, (int64_t)resident * page);
}

static uint64_t ns_of(struct timeval t) { return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u; }

static void update_cpu(void) {
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0) return;
    const uint64_t now = ns_of(used.ru_utime) + ns_of(used.ru_stime);
    const uint64_t told = (uint64_t)metric_value(METRIC_PROCESS_CPU, 0);
    if (now > told) metric_add(METRIC_PROCESS_CPU, now - told);
}

static void update_fds(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) metric_set(METRIC_PROCESS_FDS_MAX, (int64_t)limit.rlim_cur);
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return;
    int64_t count = -1; /* the folder's own descriptor */
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.') count++;
    (void)closedir(folder);
    metric_set(METRIC_PROCESS_FDS, count);
}

/* Seconds since 1970 when the machine booted: the line "btime N" of /proc/stat. That file has a line for every
 * processor and one of all interrupts before it, so it is read line by line. */
static bool boot_time(uint64_t *out) {
    AUTO(own_fclose) FILE *file = fopen("/proc/stat", "re");
    AUTO(own_free) char *line = NULL;
    size_t room = 0;
    while (file && getline(&line, &room, file) > 0) {
        struct str rest = str_of(line), text;
        if (str_starts(rest, STR("btime ")) && str_cut(&rest, '\n', &text)) return number_in(text, 1, out);
    }
    return false;
}

/* proc(5), stat: field 22, in clock ticks since the boot; the name in field 2 may hold blanks and brackets. */
static void update_start(void) {
    char text[1024];
    uint64_t ticks = 0, boot = 0;
    if (metric_value(METRIC_PROCESS_START, 0) != 0 || !read_text("/proc/self/stat", text, sizeof text)) return;
    const char *name_end = strrchr(text, ')');
    if (!name_end || !number_in(str_of(name_end), 22 - 2, &ticks) || !boot_time(&boot)) return;
    const uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    metric_set(METRIC_PROCESS_START, (int64_t)(boot * 1000000000u + ticks * (1000000000u / per_second)));
}

void metric_process_update(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* two updates at once would add the CPU time twice */
    LOCKED(&lock);
    update_memory();
    update_cpu();
    update_fds();
    update_start();
}
