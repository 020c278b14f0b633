/* SPDX-License-Identifier: Apache-2.0 */
/* script_inner: what the files of this folder share. */
#ifndef SLUICE_SCRIPT_INNER_H
#define SLUICE_SCRIPT_INNER_H

#include "buf.h"
#include "script.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

struct script {
    lua_State *lua;
    struct script_limits limits;
    size_t bytes;                /* that Lua holds */
    uint64_t steps;              /* of this line */
    bool over;                   /* a limit was passed: nothing runs any more for this line */
    enum script_verdict verdict; /* of what script_json.c refuses */
    int chunk, base;             /* in the registry: the compiled file, and what it sees */
    struct buf json;             /* the records of the line, back to back */
    struct str *records;
    size_t count, room;
    struct buf words;
};

struct script *script_of(lua_State *lua);
/* Counts `steps` more; raises an error when they are too many. */
void script_step(lua_State *lua, uint64_t steps);
/* script_json.c: the table at the top of the stack as one more record; raises an error when it cannot be. */
void script_add_record(struct script *s);
/* script_match.c: string.find with its own bounded matching, as function(text, pattern, from): from, to, captures… */
int script_match(lua_State *lua);
/* script_prelude.c: Lua that makes the library deterministic; run once with the table of what scripts see. */
extern const char script_prelude[];

#endif
