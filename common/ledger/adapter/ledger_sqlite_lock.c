/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_sqlite_parts.h"

#include "buf.h"
#include "ledger_wal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { PATH_BYTES_MAX = 4096 };

static RC beside(const char *path, const char *end, struct buf *out, struct why *why) {
    buf_reset(out);
    buf_add(out, str_of(path));
    buf_add(out, str_of(end));
    return buf_rc(out) == RC_OK ? RC_OK : why_set(why, RC_DENIED, "the ledger's path is too long");
}

static RC denied(int fd, const char *path, struct why *why) {
    char pid[24] = {0};
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    while (n > 0 && (pid[n - 1] < '0' || pid[n - 1] > '9')) pid[--n] = '\0';
    return why_set(why, RC_DENIED, "ledger %s is in use by process %s", path, n > 0 ? pid : "(unknown)");
}

/* A lock of the open file description: it also keeps out a second opener of this process, it is not lost when some
 * other descriptor of the file is closed, and the kernel drops it when the process dies, however it dies. */
RC ledger_sqlite_lock(const char *path, int *out_fd, struct why *why) {
    AUTO(buf_done) struct buf name = BUF_INIT(PATH_BYTES_MAX);
    TRY(beside(path, ".lock", &name, why));
    AUTO(own_close) int fd = open(buf_text(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return why_errno(why, RC_DENIED, errno, "cannot open %s", buf_text(&name));
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) return denied(fd, path, why);
        return why_errno(why, RC_DENIED, errno, "cannot lock %s", buf_text(&name));
    }
    char pid[24];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n)
        return why_errno(why, errno == ENOSPC ? RC_LIMIT : RC_DENIED, errno, "cannot write %s", buf_text(&name));
    *out_fd = fd;
    fd = -1;
    return RC_OK;
}

/* A file that lost all its bytes, or is gone while its log is there, is damage: SQLite would take it for a new one. */
RC ledger_sqlite_look(const char *path, bool writer, struct why *why) {
    AUTO(buf_done) struct buf wal = BUF_INIT(PATH_BYTES_MAX);
    struct stat st;
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode)) return why_set(why, RC_DENIED, "ledger %s is not a file", path);
        TRY(beside(path, "-wal", &wal, why));
        if (st.st_size > 0) return writer ? ledger_wal_check(buf_text(&wal), why) : RC_OK;
        return why_set(why, RC_BROKEN, "ledger %s is damaged: it is empty; nothing was changed", path);
    }
    if (errno != ENOENT) return why_errno(why, RC_DENIED, errno, "cannot look at ledger %s", path);
    TRY(beside(path, "-wal", &wal, why));
    if (stat(buf_text(&wal), &st) == 0 && st.st_size > 0)
        return why_set(why, RC_BROKEN, "ledger %s is gone while its log %s is there; nothing was changed", path,
                       buf_text(&wal));
    return why_set(why, RC_ABSENT, "there is no ledger %s", path);
}

static RC fill(const struct id *ledger, const struct id *queue, const char *path, struct why *why) {
    struct ledger_db *db = NULL;
    TRY(ledger_db_open(path, LEDGER_DB_CREATE, &db, why));
    enum rc rc = ledger_db_run(db, why, SQL_META_PUT, "dd", *ledger, *queue);
    ledger_db_free(db); /* moves the log into the file */
    return rc;
}

static RC sync_path(const char *path, int flags, struct why *why) {
    AUTO(own_close) int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return why_errno(why, RC_BROKEN, errno, "cannot sync %s", path);
    return RC_OK;
}

static RC sync_folder(const char *path, struct why *why) {
    AUTO(buf_done) struct buf folder = BUF_INIT(PATH_BYTES_MAX);
    const char *slash = strrchr(path, '/');
    if (slash == path)
        buf_add_char(&folder, '/');
    else
        buf_add(&folder, slash ? (struct str){path, (size_t)(slash - path)} : STR("."));
    TRY(buf_rc(&folder));
    return sync_path(buf_text(&folder), O_DIRECTORY, why);
}

RC ledger_sqlite_create(const struct id *ledger, const struct id *queue, const char *path, struct why *why) {
    static const char *const ends[] = {".new", ".new-wal", ".new-shm", ".new-journal"};
    AUTO(buf_done) struct buf name = BUF_INIT(PATH_BYTES_MAX);
    if (id_is_none(*ledger) || id_is_none(*queue)) return why_set(why, RC_BAD, "a ledger and its queue need ids");
    /* What an earlier attempt left behind: never a ledger, since only the rename makes one. */
    for (size_t i = 4; i-- > 0;) {
        TRY(beside(path, ends[i], &name, why));
        if (unlink(buf_text(&name)) != 0 && errno != ENOENT)
            return why_errno(why, RC_DENIED, errno, "cannot remove %s", buf_text(&name));
    }
    TRY(fill(ledger, queue, buf_text(&name), why));
    TRY(sync_path(buf_text(&name), 0, why));
    if (rename(buf_text(&name), path) != 0) return why_errno(why, RC_DENIED, errno, "cannot make ledger %s", path);
    return sync_folder(path, why);
}
