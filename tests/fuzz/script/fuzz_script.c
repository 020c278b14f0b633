/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a text and a pattern of Lua, and as a script: nothing runs away, and the same line gives the same twice.
 */
#include "must.h"
#include "own.h"
#include "script.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct script_limits limits = {
    .instructions_max = 20000, .bytes_max = 2 << 20, .record_bytes_max = 1 << 16};

static void twice(struct script *script, struct str line) {
    struct script_result first, second;
    enum script_verdict verdict = script_convert(script, line, &(struct script_meta){0}, &first);
    size_t count = first.count, bytes = count ? first.records[count - 1].len : 0;
    MUST(script_convert(script, line, &(struct script_meta){0}, &second) == verdict);
    MUST(second.count == count && (!count || second.records[count - 1].len == bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char matches[] = "function convert(line)\n"
                                  "  local cut = line:find('\\n', 1, true) or 1\n"
                                  "  local s, p = line:sub(1, cut - 1), line:sub(cut + 1)\n"
                                  "  local n = 0\n"
                                  "  for _ in s:gmatch(p) do n = n + 1 end\n"
                                  "  return {a = s:find(p), b = (s:gsub(p, '%0%%')), n = n}\n"
                                  "end";
    static struct script *matcher;
    if (!matcher) MUST(script_new(str_of(matches), "matches", limits, &matcher, NULL) == RC_OK);
    struct str bytes = {(const char *)data, size};
    twice(matcher, bytes);
    AUTO(script_done) struct script *script = NULL;
    if (script_new(bytes, "fuzz", limits, &script, NULL) == RC_OK) twice(script, STR("a line"));
    return 0;
}
