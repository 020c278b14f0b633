/* SPDX-License-Identifier: Apache-2.0 */
/* partition_impl: the compiled template, shared by partition.c (compiles) and partition_path.c (writes paths). */
#ifndef SLUICE_PARTITION_IMPL_H
#define SLUICE_PARTITION_IMPL_H

#include "partition.h"
#include "time_format.h"

enum { PARTITION_PIECES_MAX = 64 };

enum partition_piece_kind {
    PARTITION_LITERAL,
    PARTITION_TIME,
    PARTITION_FIELD,
    PARTITION_SOURCE,
    PARTITION_SLASH, /* between components */
};

struct partition_piece {
    enum partition_piece_kind kind;
    uint32_t field;            /* PARTITION_FIELD: which */
    struct str text;           /* PARTITION_LITERAL: in the partition's own copy of the template */
    struct time_format format; /* PARTITION_TIME */
};

struct partition {
    char template[PARTITION_TEMPLATE_MAX];
    struct str source; /* own copy */
    struct partition_piece pieces[PARTITION_PIECES_MAX];
    uint32_t piece_count;
    uint32_t component_count;
    uint32_t field_count;
    bool uses_time;
    struct time_format finest; /* of the times: whatever it makes equal, all make equal */
    struct json_path fields[PARTITION_FIELDS_MAX];
    struct str names[PARTITION_FIELDS_MAX]; /* in template */
};

#endif
