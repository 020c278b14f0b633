/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_vfs.h"

#include "attempt.h"
#include "ledger_schema.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

enum { PAGE = LEDGER_SCHEMA_PAGE_BYTES, BODY = PAGE - LEDGER_VFS_BYTES };

static const char name[] = "sluice-ledger";

/* A file; the real one lies behind it in the same allocation. */
struct checked {
    sqlite3_file base;
};

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((struct checked *)file + 1); }

static bool is_page(int amount, sqlite3_int64 offset) { return amount == PAGE && offset % PAGE == 0; }

/* The number goes in, so that a page that lies in another's place is noticed. */
static void checksum(const unsigned char *page, sqlite3_int64 offset, unsigned char out[LEDGER_VFS_BYTES]) {
    uint64_t sum = hash_bytes((struct str){(const char *)page, BODY}) ^ (uint64_t)(offset / PAGE);
    for (int i = 0; i < LEDGER_VFS_BYTES; i++) out[i] = (unsigned char)(sum >> (8 * i));
}

static int checked_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset) {
    unsigned char sum[LEDGER_VFS_BYTES];
    int code = real(file)->pMethods->xRead(real(file), to, amount, offset);
    if (code != SQLITE_OK || !is_page(amount, offset)) return code;
    checksum(to, offset, sum);
    return memcmp(sum, (unsigned char *)to + BODY, sizeof sum) == 0 ? SQLITE_OK : SQLITE_IOERR_DATA;
}

/* SQLite calls only ENOSPC a full disk. The file forgets its errno with the next read. */
static int write_below(sqlite3_file *below, const void *from, int amount, sqlite3_int64 offset) {
    int code = below->pMethods->xWrite(below, from, amount, offset), error = 0;
    if (code != SQLITE_IOERR_WRITE) return code;
    bool known = below->pMethods->xFileControl(below, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK;
    return known && (error == EFBIG || error == EDQUOT) ? SQLITE_FULL : code;
}

static int checked_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset) {
    unsigned char page[PAGE];
    if (!is_page(amount, offset)) return write_below(real(file), from, amount, offset);
    memcpy(page, from, BODY);
    checksum(page, offset, page + BODY);
    return write_below(real(file), page, amount, offset);
}

/* The log and the journal: their pages have checksums of SQLite's own. */
static int other_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), to, amount, offset);
}
static int other_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset) {
    return write_below(real(file), from, amount, offset);
}

/* ---- what is only handed on ---- */

static int checked_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }
static int checked_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}
static int checked_sync(sqlite3_file *file, int flags) { return real(file)->pMethods->xSync(real(file), flags); }
static int checked_size(sqlite3_file *file, sqlite3_int64 *out) {
    return real(file)->pMethods->xFileSize(real(file), out);
}
static int checked_lock(sqlite3_file *file, int kind) { return real(file)->pMethods->xLock(real(file), kind); }
static int checked_unlock(sqlite3_file *file, int kind) { return real(file)->pMethods->xUnlock(real(file), kind); }
static int checked_reserved(sqlite3_file *file, int *out) {
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
static int checked_control(sqlite3_file *file, int what, void *arg) {
    return real(file)->pMethods->xFileControl(real(file), what, arg);
}
static int checked_sector(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }
static int checked_device(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
static int checked_shm_map(sqlite3_file *file, int region, int bytes, int extend, void volatile **out) {
    return real(file)->pMethods->xShmMap(real(file), region, bytes, extend, out);
}
static int checked_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
static void checked_shm_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }
static int checked_shm_unmap(sqlite3_file *file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

/* Version 2: no xFetch, for pages that are mapped are not read through here. */
#define HANDED_ON                                                                                                      \
    .iVersion = 2, .xClose = checked_close, .xTruncate = checked_truncate, .xSync = checked_sync,                      \
    .xFileSize = checked_size, .xLock = checked_lock, .xUnlock = checked_unlock,                                       \
    .xCheckReservedLock = checked_reserved, .xFileControl = checked_control, .xSectorSize = checked_sector,            \
    .xDeviceCharacteristics = checked_device, .xShmMap = checked_shm_map, .xShmLock = checked_shm_lock,                \
    .xShmBarrier = checked_shm_barrier, .xShmUnmap = checked_shm_unmap
static const sqlite3_io_methods methods = {HANDED_ON, .xRead = checked_read, .xWrite = checked_write};
static const sqlite3_io_methods methods_of_others = {HANDED_ON, .xRead = other_read, .xWrite = other_write};
#undef HANDED_ON

static int checked_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    sqlite3_vfs *below = vfs->pAppData;
    file->pMethods = NULL;
    int code = below->xOpen(below, path, real(file), flags, out_flags);
    if (real(file)->pMethods) file->pMethods = flags & SQLITE_OPEN_MAIN_DB ? &methods : &methods_of_others;
    return code;
}

/* SQLite keeps the pointer for the life of the process, so this one object is global. */
static sqlite3_vfs vfs;
static int registered = SQLITE_ERROR;

static void register_once(void) {
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    if (!below) return;
    /* The rest of its functions are used as they are: SQLite's own look at their first argument in xOpen only. */
    vfs = *below;
    vfs.pNext = NULL;
    vfs.zName = name;
    vfs.szOsFile = (int)sizeof(struct checked) + below->szOsFile;
    vfs.pAppData = below;
    vfs.xOpen = checked_open;
    registered = sqlite3_vfs_register(&vfs, 0);
}

const char *ledger_vfs_name(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_once);
    return registered == SQLITE_OK ? name : NULL;
}
