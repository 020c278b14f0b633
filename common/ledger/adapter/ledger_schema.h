/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_schema: the tables of the SQLite ledger and every statement that is run on them, in one place.
 *
 * Rows of one file lie together, generation by generation, in the order of stripes. Unsigned 64-bit hashes, inodes and
 * volumes are stored as the signed number of the same bits; everything that is compared is below 2^63.
 * Threads: constants. */
#ifndef SLUICE_LEDGER_SCHEMA_H
#define SLUICE_LEDGER_SCHEMA_H

enum {
    LEDGER_SCHEMA_APPLICATION = 0x736c6c67, /* "sllg", in the file's header: it is a ledger of sluice */
    LEDGER_SCHEMA_VERSION = 2,
    LEDGER_SCHEMA_PAGE_BYTES = 4096
};

/* Creates all tables; one script. */
extern const char ledger_schema_create[], ledger_schema_upgrade[];

enum ledger_sql {
    SQL_BEGIN_READ,
    SQL_BEGIN_WRITE,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_META_GET,
    SQL_META_PUT,
    SQL_META_SET,

    SQL_SOURCE_GET,
    SQL_SOURCE_PUT,
    SQL_SOURCE_NAME,
    SQL_FILE_BY_KEY,
    SQL_FILE_BY_ID,
    SQL_FILE_BY_N,
    SQL_FILE_AFTER,
    SQL_FILE_NEWER,
    SQL_FILE_PUT,
    SQL_FILE_VERSION,
    SQL_FILE_AMEND,
    SQL_FILE_CLOSE,
    SQL_RESTORED_NEXT,
    SQL_CLOSED_PUT,
    SQL_CLOSED_HAS,
    SQL_CLOSED_COUNT,
    SQL_CLOSED_NTH,
    SQL_CLOSED_FROM,

    SQL_PROGRESS_OF,
    SQL_PROGRESS_REACH,
    SQL_PROGRESS_GET,
    SQL_PROGRESS_ADD,
    SQL_PROGRESS_RECEIPTED,
    SQL_WORK_PUT,
    SQL_WORK_NEXT,
    SQL_WORK_DELETE,

    SQL_STRIPE_GET,
    SQL_STRIPE_PUT,
    SQL_STRIPES_OF,
    SQL_STRIPE_REASON,
    SQL_HISTORY_OF,
    SQL_HISTORY_PUT,
    SQL_HISTORY_DURABLE,
    SQL_HISTORY_DELETE,
    SQL_VOID_OF,
    SQL_VOID_PUT,
    SQL_VOID_FADE,

    SQL_CLAIM_GET,
    SQL_CLAIM_PUT,
    SQL_CLAIM_ANY,

    SQL_BATCH_PUT,
    SQL_BATCH_HAS,
    SQL_BATCHES_OF,
    SQL_PARTITION_GET,
    SQL_PARTITION_ACK,
    SQL_PARTITION_NEXT,

    SQL_FORGOTTEN_GET,
    SQL_FORGOTTEN_PUT,
    SQL_FORGET_STRIPES,
    SQL_FORGET_HISTORY,
    SQL_FORGET_VOIDS,
    SQL_FORGET_BATCHES,
    SQL_FORGET_CLAIMS,
    SQL_FORGET_PROGRESS,
    SQL_FORGET_PARTITIONS,
    SQL_FORGET_STAGED,
    SQL_FORGET_LEFT,
    SQL_FORGET_LEFT_HISTORY,
    SQL_CLAIMS_FALLEN,
    SQL_FORGET_LEFT_CLAIMS,
    SQL_GENERATIONS,

    SQL_STAGED_CLEAR,
    SQL_STAGED_PUT,
    SQL_STAGED_NEXT,
    SQL_DOUBTED_NEXT,
    SQL_STAGED_OF,
    SQL_RESET_PUT,
    SQL_DOUBT_GET,
    SQL_RESET_CLEAR,
    SQL_RESET_STRIPES,
    SQL_RESET_HISTORY,
    SQL_RESET_OUTSTANDING,
    SQL_RESET_BATCHES,
    SQL_RESET_PARTITIONS,
    SQL_VOIDS_CLEAR,
    SQL_STRIPE_VOIDS_CLEAR,
    SQL_PROGRESS_ZERO,
    SQL_PROGRESS_REBUILD,
    SQL_WORK_REBUILD,
    SQL_COUNT
};

extern const char *const ledger_schema_sql[SQL_COUNT];

#endif
