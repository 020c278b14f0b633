/* SPDX-License-Identifier: Apache-2.0 */
/* where_impl: the compiled condition, shared by where.c (holds it?) and where_parse.c. */
#ifndef SLUICE_WHERE_IMPL_H
#define SLUICE_WHERE_IMPL_H

#include "arena.h"
#include "regex.h"
#include "where.h"

enum where_kind { WHERE_AND, WHERE_OR, WHERE_NOT, WHERE_TRUE, WHERE_COMPARE, WHERE_IN, WHERE_MATCHES };
enum where_compare { WHERE_EQ, WHERE_NE, WHERE_LT, WHERE_LE, WHERE_GT, WHERE_GE };

enum where_type { WHERE_NULL, WHERE_BOOL, WHERE_INTEGER, WHERE_DOUBLE, WHERE_TEXT, WHERE_OTHER };

struct where_value {
    enum where_type type;
    bool truth;
    int64_t integer;
    double number; /* of an integer, too */
    struct str text;
};

/* A field (number >= 0) or a literal. */
struct where_operand {
    int field;
    struct where_value literal;
};

struct where_node {
    enum where_kind kind;
    enum where_compare compare;
    const struct where_node *left, *right; /* AND, OR; NOT: left */
    struct where_operand a, b;             /* a alone: TRUE, IN, MATCHES */
    const struct where_value *list;
    size_t list_len;
    struct regex *regex;
};

struct where {
    struct arena arena;
    const struct where_node *root;
    struct json_path fields[WHERE_FIELDS_MAX];
    size_t field_count;
    struct regex *regexes[WHERE_FIELDS_MAX];
    size_t regex_count;
    struct json_node found[WHERE_FIELDS_MAX]; /* of the record that is looked at */
};

/* Fills ->root and what belongs to it. */
RC where_parse(struct where *where, struct str text, struct why *why);
/* A number's text; WHERE_OTHER when it is none that can be compared. */
struct where_value where_number(struct str text);

#endif
