/* SPDX-License-Identifier: Apache-2.0 */
/* script: a user's Lua 5.4, which stays in this folder: function convert(line, meta) makes records of a line.
 *
 *   return {a = 1, b = {"x"}}      one record; its keys are written in the order of their bytes
 *   return {{a = 1}, {a = 2}}      several
 *   return nil                     none: the line is filtered
 *   return nil, "why"              the line is a reject
 * `null` is JSON's null. A table with [1] is an array, any other an object whose keys are strings; numbers are finite,
 * strings UTF-8. An error is a reject that names the script's line.
 *
 * What it gives is a function of the line and of meta, for ever: the whole file is run anew for each line, so that no
 * variable remembers another; there is no io, os, package, load, debug, coroutine, metatable, math.random and
 * table.move; pairs() goes in the order of the keys, table.sort() is stable; tostring() and string.format() know no
 * addresses.
 *
 * It ends: instructions are counted, the steps of string.find, match, gmatch and gsub with them, and memory is bounded;
 * over a limit is SCRIPT_LIMIT.
 *
 * Memory: limits.bytes_max, and one line's records. Threads: one at a time. Fails: RC_BAD when the file does not
 * compile, fails when it is run, or has no function convert; the words name its line. */
#ifndef SLUICE_SCRIPT_H
#define SLUICE_SCRIPT_H

#include "str.h"

enum {
    SCRIPT_BYTES_MAX = 256 * 1024, /* of the file */
    SCRIPT_RECORDS_MAX = 10000,    /* of a line */
    SCRIPT_DEPTH_MAX = 64,         /* of nested tables */
};

struct script_limits {
    uint64_t instructions_max; /* of one line */
    size_t bytes_max;          /* of the script's memory */
    size_t record_bytes_max;   /* of all records of a line together */
};

enum script_verdict {
    SCRIPT_RECORDS,
    SCRIPT_FILTERED,
    SCRIPT_REJECTED, /* by the script; .words say why */
    SCRIPT_FAILED,   /* .words: "convert.lua:3: …" */
    SCRIPT_LIMIT,    /* too many instructions, too much memory */
    SCRIPT_TOO_LONG,
    SCRIPT_NOT_UTF8,
};

struct script_meta {
    struct str source, uri; /* meta.source, meta.uri */
};

/* Good until the next call. */
struct script_result {
    const struct str *records; /* JSON objects */
    size_t count;
    struct str words;
};

struct script;

/* `name` is what errors begin with: "convert.lua". */
RC script_new(struct str text, const char *name, struct script_limits limits, struct script **out, struct why *why);
void script_free(struct script *script);
static inline void script_done(struct script **script) { script_free(*script); }
enum script_verdict script_convert(struct script *script, struct str line, const struct script_meta *meta,
                                   struct script_result *out);

#endif
