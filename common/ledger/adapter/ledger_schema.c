/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_schema.h"

/* Ledgers of before records could be kept once get it when a writer opens them. */
#define LEDGER_CLAIM_TABLE                                                                                             \
    "CREATE TABLE IF NOT EXISTS claim(generation INTEGER, key BLOB, file INTEGER NOT NULL, stripe INTEGER NOT NULL,"   \
    " at INTEGER NOT NULL, PRIMARY KEY(generation, key)) WITHOUT ROWID;"

/* The last winner of a stripe lies in its own row, so that the usual advance reads and writes one row; `history` has
 * those before it. `progress` is what the stripes of a file add up to: it makes due, lists and lookups cheap. */
const char ledger_schema_create[] =
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one=1), ledger BLOB NOT NULL, queue BLOB NOT NULL,"
    " epoch INTEGER NOT NULL, target INTEGER NOT NULL, token BLOB NOT NULL);"
    "CREATE TABLE source(n INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);"
    "CREATE TABLE file(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, source INTEGER NOT NULL,"
    " inode INTEGER NOT NULL, birth INTEGER NOT NULL, volume INTEGER NOT NULL, version INTEGER NOT NULL,"
    " uri BLOB NOT NULL, prefix_len INTEGER NOT NULL, prefix_hash INTEGER NOT NULL, stripe_bytes INTEGER NOT NULL,"
    " closed_end INTEGER NOT NULL, ends INTEGER NOT NULL, gone INTEGER NOT NULL, restored INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX file_key ON file(source, inode, birth, volume, version);"
    "CREATE TABLE closed(file INTEGER, at INTEGER, PRIMARY KEY(file, at)) WITHOUT ROWID;"
    "CREATE TABLE progress(file INTEGER, generation INTEGER, reach INTEGER NOT NULL, tail INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, stripes INTEGER NOT NULL, durable_stripes INTEGER NOT NULL,"
    " outstanding INTEGER NOT NULL, set_aside INTEGER NOT NULL, receipted INTEGER NOT NULL,"
    " lines INTEGER NOT NULL, converted INTEGER NOT NULL, rejects INTEGER NOT NULL, filtered INTEGER NOT NULL,"
    " blank INTEGER NOT NULL, records INTEGER NOT NULL, PRIMARY KEY(file, generation)) WITHOUT ROWID;"
    "CREATE TABLE work(generation INTEGER, file INTEGER, PRIMARY KEY(generation, file)) WITHOUT ROWID;"
    "CREATE TABLE stripe(file INTEGER, generation INTEGER, stripe INTEGER, at INTEGER NOT NULL, since INTEGER NOT NULL,"
    " winner BLOB NOT NULL, messages INTEGER NOT NULL, durable INTEGER NOT NULL, tail INTEGER NOT NULL,"
    " own_lines INTEGER NOT NULL, own_converted INTEGER NOT NULL, own_rejects INTEGER NOT NULL,"
    " own_filtered INTEGER NOT NULL, own_blank INTEGER NOT NULL, own_records INTEGER NOT NULL,"
    " lines INTEGER NOT NULL, converted INTEGER NOT NULL, rejects INTEGER NOT NULL, filtered INTEGER NOT NULL,"
    " blank INTEGER NOT NULL, records INTEGER NOT NULL, outstanding INTEGER NOT NULL, history INTEGER NOT NULL,"
    " voids INTEGER NOT NULL, pruned INTEGER NOT NULL, failures INTEGER NOT NULL, reason BLOB,"
    " PRIMARY KEY(file, generation, stripe)) WITHOUT ROWID;"
    "CREATE TABLE history(file INTEGER, generation INTEGER, stripe INTEGER, since INTEGER, until INTEGER NOT NULL,"
    " attempt BLOB NOT NULL, messages INTEGER NOT NULL, durable INTEGER NOT NULL, tail INTEGER NOT NULL,"
    " lines INTEGER NOT NULL, converted INTEGER NOT NULL, rejects INTEGER NOT NULL, filtered INTEGER NOT NULL,"
    " blank INTEGER NOT NULL, records INTEGER NOT NULL,"
    " PRIMARY KEY(file, generation, stripe, since)) WITHOUT ROWID;"
    "CREATE TABLE void(file INTEGER, generation INTEGER, stripe INTEGER, since INTEGER, attempt BLOB,"
    " PRIMARY KEY(file, generation, stripe, since, attempt)) WITHOUT ROWID;"
    "CREATE TABLE batch(file INTEGER, generation INTEGER, partition INTEGER, at INTEGER,"
    " PRIMARY KEY(file, generation, partition, at)) WITHOUT ROWID;"
    "CREATE TABLE partition(generation INTEGER, partition INTEGER, next INTEGER NOT NULL, acknowledged INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(generation, partition)) WITHOUT ROWID;"
    "CREATE TABLE forgotten(generation INTEGER PRIMARY KEY);"
    "CREATE TABLE staged(file INTEGER, generation INTEGER, stripe INTEGER, since INTEGER, attempt BLOB,"
    " until INTEGER NOT NULL, predecessor BLOB NOT NULL, has_counts INTEGER NOT NULL, tail INTEGER NOT NULL,"
    " messages INTEGER NOT NULL, lines INTEGER NOT NULL, converted INTEGER NOT NULL, rejects INTEGER NOT NULL,"
    " filtered INTEGER NOT NULL, blank INTEGER NOT NULL, records INTEGER NOT NULL,"
    " PRIMARY KEY(file, generation, stripe, since, attempt)) WITHOUT ROWID;"
    "CREATE TABLE staged_reset(generation INTEGER PRIMARY KEY);" LEDGER_CLAIM_TABLE;

const char ledger_schema_upgrade[] = LEDGER_CLAIM_TABLE;

#define FILE_COLUMNS                                                                                                   \
    "SELECT n, id, version, uri, stripe_bytes, prefix_len, prefix_hash, closed_end, ends, gone, restored, inode,"      \
    " birth, volume, source FROM file "
#define COUNTS "lines, converted, rejects, filtered, blank, records"

const char *const ledger_schema_sql[SQL_COUNT] = {
    [SQL_BEGIN_READ] = "BEGIN DEFERRED",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_META_GET] = "SELECT ledger, queue, epoch, target, token FROM meta WHERE one=1",
    [SQL_META_PUT] = "INSERT INTO meta VALUES(1, ?, ?, 1, 0, zeroblob(16))",
    [SQL_META_SET] = "UPDATE meta SET epoch=?, target=?, token=? WHERE one=1",

    [SQL_SOURCE_GET] = "SELECT n FROM source WHERE name=?",
    [SQL_SOURCE_PUT] = "INSERT INTO source(name) VALUES(?) RETURNING n",
    [SQL_SOURCE_NAME] = "SELECT name FROM source WHERE n=?",
    [SQL_FILE_BY_KEY] = FILE_COLUMNS "WHERE source=(SELECT n FROM source WHERE name=?) AND inode=? AND birth=? AND "
                                     "volume=? ORDER BY version DESC LIMIT 1",
    [SQL_FILE_BY_ID] = FILE_COLUMNS "WHERE id=?",
    [SQL_FILE_BY_N] = FILE_COLUMNS "WHERE n=?",
    [SQL_FILE_AFTER] = FILE_COLUMNS "WHERE id>? ORDER BY id LIMIT 1",
    [SQL_FILE_NEWER] = "SELECT 1 FROM file a JOIN file b ON b.source=a.source AND b.inode=a.inode AND b.birth=a.birth"
                       " AND b.volume=a.volume AND b.version>a.version WHERE a.n=? LIMIT 1",
    [SQL_FILE_PUT] = "INSERT INTO file(id, source, inode, birth, volume, version, uri, prefix_len, prefix_hash,"
                     " stripe_bytes, closed_end, ends, gone, restored) VALUES(?,?,?,?,?,?,?,?,?,?,-1,0,0,?)",
    [SQL_FILE_VERSION] = "UPDATE file SET version=?, restored=? WHERE n=?",
    [SQL_FILE_AMEND] = "UPDATE file SET version=?, uri=?, prefix_len=?, prefix_hash=? WHERE n=?",
    [SQL_FILE_CLOSE] = "UPDATE file SET closed_end=?, ends=?, gone=? WHERE n=?",
    [SQL_RESTORED_NEXT] = "SELECT b.n FROM file a JOIN file b ON b.source=a.source AND b.inode=a.inode"
                          " AND b.birth=a.birth AND b.volume=a.volume WHERE a.n=? AND b.n<>a.n AND b.restored=1"
                          " ORDER BY b.version DESC LIMIT 1",
    [SQL_CLOSED_PUT] = "INSERT OR IGNORE INTO closed VALUES(?,?)",
    [SQL_CLOSED_HAS] = "SELECT 1 FROM closed WHERE file=? AND at=?",
    [SQL_CLOSED_COUNT] = "SELECT count(*), coalesce(max(at), -1) FROM closed WHERE file=?",
    [SQL_CLOSED_NTH] = "SELECT at FROM closed WHERE file=? ORDER BY at LIMIT 1 OFFSET ?",
    [SQL_CLOSED_FROM] = "SELECT at FROM closed WHERE file=? AND at>=? ORDER BY at",

    [SQL_PROGRESS_OF] = "SELECT generation, reach, tail, receipted FROM progress WHERE file=?",
    [SQL_PROGRESS_REACH] = "SELECT coalesce(max(reach), 0) FROM progress WHERE file=?",
    [SQL_PROGRESS_GET] = "SELECT reach, bytes, stripes, durable_stripes, outstanding, set_aside, receipted, " COUNTS
                         " FROM progress WHERE file=? AND generation=?",
    [SQL_PROGRESS_ADD] =
        "INSERT INTO progress(file, generation, reach, tail, bytes, stripes, durable_stripes, outstanding, set_aside,"
        " receipted, " COUNTS ") VALUES(?,?,?,?,?,?,?,?,?,-1,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
        " tail=CASE WHEN excluded.reach>reach THEN excluded.tail ELSE tail END, reach=max(reach, excluded.reach),"
        " bytes=bytes+excluded.bytes, stripes=stripes+excluded.stripes,"
        " durable_stripes=durable_stripes+excluded.durable_stripes, outstanding=outstanding+excluded.outstanding,"
        " set_aside=set_aside+excluded.set_aside, lines=lines+excluded.lines, converted=converted+excluded.converted,"
        " rejects=rejects+excluded.rejects, filtered=filtered+excluded.filtered, blank=blank+excluded.blank,"
        " records=records+excluded.records",
    [SQL_PROGRESS_RECEIPTED] =
        "INSERT INTO progress(file, generation, receipted, reach, tail, bytes, stripes, durable_stripes, outstanding,"
        " set_aside, " COUNTS ") VALUES(?,?,?,0,0,0,0,0,0,0,0,0,0,0,0,0)"
        " ON CONFLICT DO UPDATE SET receipted=max(receipted, excluded.receipted)",
    [SQL_WORK_PUT] = "INSERT OR IGNORE INTO work VALUES(?,?)",
    [SQL_WORK_NEXT] = "SELECT file FROM work WHERE generation=? AND file>? ORDER BY file LIMIT 1",
    [SQL_WORK_DELETE] = "DELETE FROM work WHERE generation=? AND file=?",

    [SQL_STRIPE_GET] = "SELECT at, since, winner, messages, durable, tail, own_lines, own_converted, own_rejects,"
                       " own_filtered, own_blank, own_records, " COUNTS ", history, voids, pruned, failures, reason"
                       " FROM stripe WHERE file=? AND generation=? AND stripe=?",
    [SQL_STRIPE_PUT] = "INSERT OR REPLACE INTO stripe VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_STRIPES_OF] =
        "SELECT stripe, at, outstanding, reason, " COUNTS " FROM stripe WHERE file=? AND generation=? ORDER BY stripe",
    [SQL_STRIPE_REASON] = "SELECT reason FROM stripe WHERE file=? AND generation=? AND reason IS NOT NULL"
                          " ORDER BY stripe LIMIT 1",
    [SQL_HISTORY_OF] = "SELECT since, until, attempt, messages, durable, tail, " COUNTS
                       " FROM history WHERE file=? AND generation=? AND stripe=? ORDER BY since",
    [SQL_HISTORY_PUT] = "INSERT INTO history VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_HISTORY_DURABLE] = "UPDATE history SET durable=? WHERE file=? AND generation=? AND stripe=? AND since=?",
    [SQL_HISTORY_DELETE] = "DELETE FROM history WHERE file=? AND generation=? AND stripe=?",
    [SQL_VOID_OF] = "SELECT since, attempt FROM void WHERE file=? AND generation=? AND stripe=?",
    [SQL_VOID_PUT] = "INSERT INTO void VALUES(?,?,?,?,?)",
    [SQL_VOID_FADE] = "DELETE FROM void WHERE file=? AND generation=? AND stripe=? AND since<?",

    [SQL_CLAIM_GET] = "SELECT f.id, c.stripe, c.at FROM claim c JOIN file f ON f.n=c.file WHERE c.generation=? AND"
                      " c.key=?",
    [SQL_CLAIM_PUT] = "INSERT OR REPLACE INTO claim VALUES(?,?,?,?,?)",
    [SQL_CLAIM_ANY] = "SELECT 1 FROM claim WHERE generation=? LIMIT 1",

    [SQL_BATCH_PUT] = "INSERT OR IGNORE INTO batch VALUES(?,?,?,?)",
    [SQL_BATCH_HAS] = "SELECT 1 FROM batch WHERE file=(SELECT n FROM file WHERE id=?) AND generation=? AND partition=?"
                      " AND at=?",
    [SQL_BATCHES_OF] = "SELECT partition, at FROM batch WHERE file=? AND generation=? ORDER BY partition, at",
    [SQL_PARTITION_GET] = "SELECT next, acknowledged FROM partition WHERE generation=? AND partition=?",
    [SQL_PARTITION_ACK] = "INSERT INTO partition VALUES(?,?,0,?)"
                          " ON CONFLICT DO UPDATE SET acknowledged=max(acknowledged, excluded.acknowledged)",
    [SQL_PARTITION_NEXT] = "INSERT INTO partition VALUES(?,?,?,0) ON CONFLICT DO UPDATE SET next=excluded.next",

    [SQL_FORGOTTEN_GET] = "SELECT 1 FROM forgotten WHERE generation=?",
    [SQL_FORGOTTEN_PUT] = "INSERT OR IGNORE INTO forgotten VALUES(?)",
    /* A row for each that goes, so that whoever runs it can count. */
    [SQL_FORGET_STRIPES] = "DELETE FROM stripe WHERE (file, generation, stripe) IN (SELECT file, generation, stripe"
                           " FROM stripe WHERE file=? AND generation=? ORDER BY stripe LIMIT ?) RETURNING stripe",
    [SQL_FORGET_HISTORY] = "DELETE FROM history WHERE file=? AND generation=?",
    [SQL_FORGET_VOIDS] = "DELETE FROM void WHERE file=? AND generation=?",
    [SQL_FORGET_BATCHES] = "DELETE FROM batch WHERE (file, generation, partition, at) IN (SELECT file, generation,"
                           " partition, at FROM batch WHERE file=? AND generation=? LIMIT ?) RETURNING at",
    [SQL_FORGET_CLAIMS] = "DELETE FROM claim WHERE (generation, key) IN (SELECT generation, key FROM claim"
                          " WHERE generation=? LIMIT ?) RETURNING 1",
    [SQL_FORGET_PROGRESS] = "DELETE FROM progress WHERE file=? AND generation=?",
    [SQL_FORGET_PARTITIONS] = "DELETE FROM partition WHERE generation=?",
    [SQL_FORGET_STAGED] = "DELETE FROM staged WHERE generation IN (SELECT generation FROM forgotten)",
    /* What a forgetting that was not finished left: nothing for a recovery to judge. */
    [SQL_FORGET_LEFT] = "DELETE FROM stripe WHERE generation IN (SELECT generation FROM forgotten)",
    [SQL_FORGET_LEFT_HISTORY] = "DELETE FROM history WHERE generation IN (SELECT generation FROM forgotten)",
    [SQL_CLAIMS_FALLEN] = "DELETE FROM claim WHERE at>=coalesce((SELECT s.at FROM stripe s WHERE s.file=claim.file AND"
                          " s.generation=claim.generation AND s.stripe=claim.stripe), 0)",
    [SQL_FORGET_LEFT_CLAIMS] = "DELETE FROM claim WHERE generation IN (SELECT generation FROM forgotten)",
    [SQL_GENERATIONS] = "SELECT generation, EXISTS(SELECT 1 FROM forgotten f WHERE f.generation=g.generation) FROM"
                        " (SELECT DISTINCT generation FROM partition UNION SELECT generation FROM forgotten) g"
                        " ORDER BY generation",

    [SQL_STAGED_CLEAR] = "DELETE FROM staged",
    [SQL_STAGED_PUT] =
        "INSERT INTO staged(file, generation, stripe, since, attempt, until, predecessor, has_counts, tail, "
        "messages, " COUNTS ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET"
        " messages=max(messages, excluded.messages), has_counts=excluded.has_counts, tail=excluded.tail,"
        " lines=excluded.lines, converted=excluded.converted, rejects=excluded.rejects, filtered=excluded.filtered,"
        " blank=excluded.blank, records=excluded.records WHERE excluded.has_counts>=has_counts",
    [SQL_STAGED_NEXT] = "SELECT file, generation, stripe FROM staged WHERE (file, generation, stripe)>(?,?,?)"
                        " ORDER BY file, generation, stripe LIMIT 1",
    [SQL_DOUBTED_NEXT] = "SELECT file, generation, stripe FROM stripe WHERE (file, generation, stripe)>(?,?,?)"
                         " AND outstanding>0 ORDER BY file, generation, stripe LIMIT 1",
    [SQL_STAGED_OF] = "SELECT since, until, attempt, messages, 0, tail, " COUNTS ", predecessor, has_counts"
                      " FROM staged WHERE file=? AND generation=? AND stripe=? ORDER BY since",
    [SQL_RESET_PUT] = "INSERT OR IGNORE INTO staged_reset VALUES(?)",
    [SQL_DOUBT_GET] = "SELECT 1 FROM staged_reset WHERE generation=-1",
    [SQL_RESET_CLEAR] = "DELETE FROM staged_reset",
    [SQL_RESET_STRIPES] = "UPDATE stripe SET durable=0 WHERE generation IN (SELECT generation FROM staged_reset)",
    [SQL_RESET_HISTORY] = "UPDATE history SET durable=0 WHERE generation IN (SELECT generation FROM staged_reset)",
    [SQL_RESET_OUTSTANDING] =
        "UPDATE stripe SET outstanding=messages+(SELECT coalesce(sum(h.messages), 0) FROM history h"
        " WHERE h.file=stripe.file AND h.generation=stripe.generation AND h.stripe=stripe.stripe)"
        " WHERE generation IN (SELECT generation FROM staged_reset)",
    [SQL_RESET_BATCHES] = "DELETE FROM batch WHERE generation IN (SELECT generation FROM staged_reset)",
    [SQL_RESET_PARTITIONS] = "UPDATE partition SET next=0 WHERE generation IN (SELECT generation FROM staged_reset)",
    [SQL_VOIDS_CLEAR] = "DELETE FROM void",
    [SQL_STRIPE_VOIDS_CLEAR] = "UPDATE stripe SET voids=0 WHERE voids<>0",
    [SQL_PROGRESS_ZERO] = "UPDATE progress SET reach=0, tail=0, bytes=0, stripes=0, durable_stripes=0, outstanding=0,"
                          " set_aside=0, lines=0, converted=0, rejects=0, filtered=0, blank=0, records=0",
    /* max(at) makes the bare column `tail` come from the same row. */
    [SQL_PROGRESS_REBUILD] =
        "INSERT INTO progress SELECT s.file, s.generation, max(CASE WHEN winner=zeroblob(16) THEN 0 ELSE at END), tail,"
        " sum(at-s.stripe*f.stripe_bytes), sum(winner<>zeroblob(16)), sum(winner<>zeroblob(16) AND outstanding=0),"
        " sum(outstanding), sum(reason IS NOT NULL), -1, sum(lines), sum(converted), sum(rejects), sum(filtered),"
        " sum(blank), sum(records) FROM stripe s JOIN file f ON f.n=s.file WHERE true GROUP BY s.file, s.generation"
        " ON CONFLICT DO UPDATE SET reach=excluded.reach, tail=excluded.tail, bytes=excluded.bytes,"
        " stripes=excluded.stripes, durable_stripes=excluded.durable_stripes, outstanding=excluded.outstanding,"
        " set_aside=excluded.set_aside, lines=excluded.lines, converted=excluded.converted, rejects=excluded.rejects,"
        " filtered=excluded.filtered, blank=excluded.blank, records=excluded.records",
    [SQL_WORK_REBUILD] = "INSERT OR IGNORE INTO work SELECT p.generation, p.file FROM progress p"
                         " JOIN file f ON f.n=p.file WHERE f.closed_end>p.receipted",
};
