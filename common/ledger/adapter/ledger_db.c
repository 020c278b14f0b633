/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_db.h"

#include "alloc.h"
#include "ledger_vfs.h"
#include "must.h"
#include "own.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>

enum { BUSY_MS = 5000 }; /* how long another process's lock is waited for */

struct ledger_db {
    sqlite3 *handle;
    char *path;
    sqlite3_stmt *statements[SQL_COUNT];
    bool used[SQL_COUNT]; /* since the transaction began: to be reset at its end */
};

/* SQLite's primary result codes as ours; what is not here is RC_BROKEN. */
static const struct {
    int code;
    enum rc rc;
} map[] = {
    {SQLITE_BUSY, RC_BUSY},       {SQLITE_LOCKED, RC_BUSY}, {SQLITE_PROTOCOL, RC_BUSY}, {SQLITE_FULL, RC_LIMIT},
    {SQLITE_TOOBIG, RC_LIMIT},    {SQLITE_NOMEM, RC_LIMIT}, {SQLITE_PERM, RC_DENIED},   {SQLITE_READONLY, RC_DENIED},
    {SQLITE_CANTOPEN, RC_DENIED}, {SQLITE_AUTH, RC_DENIED},
};

static enum rc rc_of(int code) {
    if (code == SQLITE_IOERR_SHMSIZE) return RC_LIMIT; /* the log's index cannot grow; of files see ledger_vfs.c */
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (map[i].code == (code & 0xff)) return map[i].rc;
    return RC_BROKEN;
}

/* A damaged file must not be written when it is closed either. */
static void checkpoint_on_close(struct ledger_db *db, bool on) {
    MUST(sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on ? 0 : 1, NULL) == SQLITE_OK);
}

static enum rc fail(struct ledger_db *db, int code, struct why *why) {
    enum rc rc = rc_of(code);
    const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);
    int primary = code & 0xff;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || code == SQLITE_IOERR_DATA) {
        if (db->handle) checkpoint_on_close(db, false);
        return why_set(why, rc,
                       "ledger %s is damaged (%s); this call changed nothing: stop, look at the disk, and put back a "
                       "copy of the state folder",
                       db->path, text);
    }
    if (rc == RC_LIMIT)
        return why_set(why, rc, "ledger %s cannot grow (%s): is the disk full, or is there a limit of file sizes?",
                       db->path, text);
    return why_set(why, rc, "ledger %s: %s (SQLite's code %d)", db->path, text, code);
}

/* ---- opening ---- */

static uint32_t big_endian(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Reads the header by way of SQLite's own handle, before SQLite itself looks: a foreign database with a journal would
 * be rolled back by the first look. Offsets are of the file format's description. */
static RC check_header(struct ledger_db *db, struct why *why) {
    sqlite3_file *file = NULL;
    unsigned char head[100] = {0};
    int code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK) code = file->pMethods->xRead(file, head, sizeof head, 0);
    if (code == SQLITE_IOERR_SHORT_READ)
        return why_set(why, RC_BROKEN, "%s is damaged: too short for a ledger; nothing was changed", db->path);
    if (code != SQLITE_OK) return fail(db, code, why);
    if (memcmp(head, "SQLite format 3", 16) != 0 || big_endian(head + 68) != LEDGER_SCHEMA_APPLICATION)
        return why_set(why, RC_BROKEN, "%s is not a ledger of sluice, or its start is damaged; nothing was changed",
                       db->path);
    if (head[18] != 2 || head[19] != 2 || head[20] != LEDGER_VFS_BYTES || head[16] << 8 != LEDGER_SCHEMA_PAGE_BYTES)
        return why_set(why, RC_BROKEN, "ledger %s is damaged: its header is not that of a ledger; nothing was changed",
                       db->path);
    return RC_OK;
}

static RC configure(struct ledger_db *db, enum ledger_db_mode mode, struct why *why) {
    char *script = sqlite3_mprintf("PRAGMA cache_size=-%d; PRAGMA synchronous=FULL; PRAGMA mmap_size=0;"
                                   "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                                   "PRAGMA journal_size_limit=%d; PRAGMA query_only=%d;",
                                   (int)LEDGER_DB_CACHE_KIB, (int)LEDGER_DB_WAL_BYTES, mode == LEDGER_DB_READ);
    enum rc rc = ledger_db_script(db, script, why);
    sqlite3_free(script);
    return rc;
}

static RC create(struct ledger_db *db, bool memory, struct why *why) {
    int reserve = LEDGER_VFS_BYTES;
    int code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    if (code != SQLITE_OK) return fail(db, code, why);
    char *script = sqlite3_mprintf("PRAGMA page_size=%d; PRAGMA application_id=%d; PRAGMA user_version=%d; %s",
                                   (int)LEDGER_SCHEMA_PAGE_BYTES, (int)LEDGER_SCHEMA_APPLICATION,
                                   (int)LEDGER_SCHEMA_VERSION, memory ? "" : "PRAGMA journal_mode=WAL;");
    enum rc rc = ledger_db_script(db, script, why);
    sqlite3_free(script);
    TRY(rc);
    return ledger_db_script(db, ledger_schema_create, why);
}

/* By way of SQLite, which reads page 1 whole, checked, and from the log where that has it. */
static RC check_version(struct ledger_db *db, struct why *why) {
    sqlite3_stmt *statement = NULL;
    int version = 0, code = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) version = sqlite3_column_int(statement, 0);
    enum rc rc = code == SQLITE_ROW ? RC_OK : fail(db, code, why);
    (void)sqlite3_finalize(statement);
    TRY(rc);
    if (version == LEDGER_SCHEMA_VERSION) return RC_OK;
    return why_set(why, RC_DENIED, "ledger %s is of version %d, this sluice knows %d", db->path, version,
                   (int)LEDGER_SCHEMA_VERSION);
}

static RC open_checked(struct ledger_db *db, enum ledger_db_mode mode, struct why *why) {
    static const int flags[] = {
        [LEDGER_DB_MEMORY] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY,
        [LEDGER_DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [LEDGER_DB_WRITE] = SQLITE_OPEN_READWRITE,
        [LEDGER_DB_READ] = SQLITE_OPEN_READONLY,
    };
    const char *vfs = mode == LEDGER_DB_MEMORY ? NULL : ledger_vfs_name();
    if (mode != LEDGER_DB_MEMORY && !vfs) return why_set(why, RC_LIMIT, "SQLite gives no file system");
    int code = sqlite3_open_v2(db->path, &db->handle, flags[mode] | SQLITE_OPEN_NOMUTEX, vfs);
    if (code != SQLITE_OK) return fail(db, code, why);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    /* From the first look on: another process that opens or closes the same file locks it whole for a moment. */
    (void)sqlite3_busy_timeout(db->handle, BUSY_MS);
    bool there = mode == LEDGER_DB_WRITE || mode == LEDGER_DB_READ;
    checkpoint_on_close(db, !there);
    if (there) TRY(check_header(db, why));
    TRY(configure(db, mode, why));
    if (!there) return create(db, mode == LEDGER_DB_MEMORY, why);
    TRY(check_version(db, why));
    TRY(ledger_db_script(db, "SELECT count(*) FROM meta", why));
    if (mode == LEDGER_DB_WRITE) TRY(ledger_db_script(db, ledger_schema_upgrade, why));
    checkpoint_on_close(db, mode == LEDGER_DB_WRITE);
    return RC_OK;
}

RC ledger_db_open(const char *path, enum ledger_db_mode mode, struct ledger_db **out, struct why *why) {
    struct ledger_db *db = ALLOC(struct ledger_db);
    db->path = alloc_text(path, strlen(path));
    enum rc rc = open_checked(db, mode, why);
    if (rc == RC_OK)
        *out = db;
    else
        ledger_db_free(db);
    return rc;
}

void ledger_db_free(struct ledger_db *db) {
    if (!db) return;
    for (int i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->handle);
    free(db->path);
    free(db);
}

RC ledger_db_script(struct ledger_db *db, const char *script, struct why *why) {
    int code = sqlite3_exec(db->handle, script, NULL, NULL, NULL);
    return code == SQLITE_OK ? RC_OK : fail(db, code, why);
}

/* ---- statements ---- */

static RC prepared(struct ledger_db *db, enum ledger_sql sql, struct why *why) {
    db->used[sql] = true;
    if (db->statements[sql]) {
        (void)sqlite3_reset(db->statements[sql]); /* its code is that of the last step, told then */
        return RC_OK;
    }
    int code = sqlite3_prepare_v3(db->handle, ledger_schema_sql[sql], -1, SQLITE_PREPARE_PERSISTENT,
                                  &db->statements[sql], NULL);
    return code == SQLITE_OK ? RC_OK : fail(db, code, why);
}

static int bind_counts(sqlite3_stmt *statement, int at, const struct counts *counts) {
    const uint64_t values[] = {counts->lines,    counts->converted, counts->rejects,
                               counts->filtered, counts->blank,     counts->records};
    for (int i = 0; i < 6; i++) {
        int code = sqlite3_bind_int64(statement, at + i, (int64_t)values[i]);
        if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
}

/* Ids and strings live in the caller until the step is done, except ids given by value: those are copied. */
static int bind_all(sqlite3_stmt *statement, const char *types, va_list *list) {
    int code = SQLITE_OK, at = 1;
    for (const char *type = types; *type && code == SQLITE_OK; type++, at++) {
        if (*type == 'u')
            code = sqlite3_bind_int64(statement, at, (int64_t)va_arg(*list, uint64_t));
        else if (*type == 'i')
            code = sqlite3_bind_int64(statement, at, va_arg(*list, int64_t));
        else if (*type == 'n')
            code = sqlite3_bind_null(statement, at);
        else if (*type == 'd') {
            struct id id = va_arg(*list, struct id);
            code = sqlite3_bind_blob(statement, at, id.bytes, ID_BYTES, SQLITE_TRANSIENT);
        } else if (*type == 's') {
            struct str s = va_arg(*list, struct str);
            code = sqlite3_bind_blob64(statement, at, s.len ? s.at : "", s.len, SQLITE_TRANSIENT);
        } else {
            MUST(*type == 'c');
            code = bind_counts(statement, at, va_arg(*list, const struct counts *));
            at += 5;
        }
    }
    MUST(code != SQLITE_OK || at - 1 == sqlite3_bind_parameter_count(statement));
    return code;
}

RC ledger_db_next(struct ledger_db *db, bool *out_row, struct why *why, enum ledger_sql sql) {
    int code = sqlite3_step(db->statements[sql]);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(db, code, why);
    *out_row = code == SQLITE_ROW;
    return RC_OK;
}

static RC start(struct ledger_db *db, struct why *why, enum ledger_sql sql, const char *types, va_list *list) {
    TRY(prepared(db, sql, why));
    int code = bind_all(db->statements[sql], types, list);
    return code == SQLITE_OK ? RC_OK : fail(db, code, why);
}

RC ledger_db_first(struct ledger_db *db, bool *out_row, struct why *why, enum ledger_sql sql, const char *types, ...) {
    va_list list;
    va_start(list, types);
    enum rc rc = start(db, why, sql, types, &list);
    va_end(list);
    TRY(rc);
    return ledger_db_next(db, out_row, why, sql);
}

RC ledger_db_run(struct ledger_db *db, struct why *why, enum ledger_sql sql, const char *types, ...) {
    va_list list;
    va_start(list, types);
    enum rc rc = start(db, why, sql, types, &list);
    va_end(list);
    TRY(rc);
    bool row = false;
    rc = ledger_db_next(db, &row, why, sql);
    (void)sqlite3_reset(db->statements[sql]);
    return rc;
}

/* ---- transactions ---- */

RC ledger_db_begin(struct ledger_db *db, bool write, struct why *why) {
    return ledger_db_run(db, why, write ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, "");
}

static void reset_all(struct ledger_db *db) {
    for (int i = 0; i < SQL_COUNT; i++) {
        if (!db->used[i]) continue;
        (void)sqlite3_reset(db->statements[i]);
        db->used[i] = false;
    }
}

RC ledger_db_end(struct ledger_db *db, enum rc rc, struct why *why) {
    reset_all(db); /* a read that is left open would hold its snapshot */
    if (rc == RC_OK) rc = ledger_db_run(db, why, SQL_COMMIT, "");
    /* Some failures have rolled back already. */
    if (rc != RC_OK && !sqlite3_get_autocommit(db->handle)) {
        enum rc back = ledger_db_run(db, NULL, SQL_ROLLBACK, "");
        MUST(back == RC_OK || sqlite3_get_autocommit(db->handle));
    }
    return rc;
}

/* ---- columns ---- */

uint64_t ledger_db_u64(struct ledger_db *db, enum ledger_sql sql, int column) {
    return (uint64_t)sqlite3_column_int64(db->statements[sql], column);
}

int64_t ledger_db_i64(struct ledger_db *db, enum ledger_sql sql, int column) {
    return sqlite3_column_int64(db->statements[sql], column);
}

bool ledger_db_null(struct ledger_db *db, enum ledger_sql sql, int column) {
    return sqlite3_column_type(db->statements[sql], column) == SQLITE_NULL;
}

struct str ledger_db_str(struct ledger_db *db, enum ledger_sql sql, int column) {
    const char *at = sqlite3_column_blob(db->statements[sql], column);
    return (struct str){at, at ? (size_t)sqlite3_column_bytes(db->statements[sql], column) : 0};
}

struct id ledger_db_id(struct ledger_db *db, enum ledger_sql sql, int column) {
    struct str bytes = ledger_db_str(db, sql, column);
    struct id id = {{0}};
    if (bytes.len == ID_BYTES) memcpy(id.bytes, bytes.at, ID_BYTES);
    return id;
}

struct counts ledger_db_counts(struct ledger_db *db, enum ledger_sql sql, int column) {
    return (struct counts){ledger_db_u64(db, sql, column),     ledger_db_u64(db, sql, column + 1),
                           ledger_db_u64(db, sql, column + 2), ledger_db_u64(db, sql, column + 3),
                           ledger_db_u64(db, sql, column + 4), ledger_db_u64(db, sql, column + 5)};
}

/* ---- saving and loading ---- */

RC ledger_db_save(struct ledger_db *db, void **out, size_t *out_len, struct why *why) {
    sqlite3_int64 len = 0;
    unsigned char *bytes = sqlite3_serialize(db->handle, "main", &len, 0);
    if (!bytes) return why_set(why, RC_LIMIT, "ledger %s cannot be saved: no memory", db->path);
    *out = memcpy(alloc_bytes((size_t)len), bytes, (size_t)len);
    *out_len = (size_t)len;
    sqlite3_free(bytes);
    return RC_OK;
}

RC ledger_db_load(struct ledger_db *db, const void *bytes, size_t len, struct why *why) {
    unsigned char *copy = sqlite3_malloc64(len);
    MUST(copy);
    memcpy(copy, bytes, len);
    int code = sqlite3_deserialize(db->handle, "main", copy, (sqlite3_int64)len, (sqlite3_int64)len,
                                   SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    return code == SQLITE_OK ? RC_OK : fail(db, code, why);
}
