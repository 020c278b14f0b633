/* SPDX-License-Identifier: Apache-2.0 */
#include "json_path.h"

#define ALLOWED "a field is a key, keys joined by '.', or a JSON Pointer such as /user/name"

static RC step_add(struct json_path *path, uint16_t from, uint16_t to, struct why *why) {
    if (path->step_count == JSON_STEPS_MAX) {
        return why_set(why, RC_BAD, "more than %d steps; " ALLOWED, (int)JSON_STEPS_MAX);
    }
    path->steps[path->step_count].from = from;
    path->steps[path->step_count++].to = to;
    return RC_OK;
}

static RC compile_dotted(struct str text, struct json_path *path, struct why *why) {
    uint16_t from = 0, used = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.at[i] != '.') {
            path->text[used++] = text.at[i];
            continue;
        }
        if (used == from) return why_set(why, RC_BAD, "empty key at position %zu; " ALLOWED, i + 1);
        TRY(step_add(path, from, used, why));
        from = used;
    }
    return RC_OK;
}

static RC compile_pointer(struct str text, struct json_path *path, struct why *why) {
    uint16_t from = 0, used = 0;
    for (size_t i = 1; i <= text.len; i++) {
        if (i == text.len || text.at[i] == '/') {
            TRY(step_add(path, from, used, why));
            from = used;
            continue;
        }
        char c = text.at[i];
        if (c == '~') {
            char next = i + 1 < text.len ? text.at[i + 1] : '\0';
            if (next != '0' && next != '1') {
                return why_set(why, RC_BAD, "'~' at position %zu; in a JSON Pointer only ~0 (for ~) and ~1 (for /)",
                               i + 1);
            }
            c = next == '0' ? '~' : '/';
            i++;
        }
        path->text[used++] = c;
    }
    return RC_OK;
}

RC json_path_compile(struct str text, struct json_path *out, struct why *why) {
    if (text.len == 0) return why_set(why, RC_BAD, "empty; " ALLOWED);
    if (text.len > JSON_PATH_MAX) return why_set(why, RC_BAD, "over %d bytes", (int)JSON_PATH_MAX);
    struct json_path path = {0};
    TRY(text.at[0] == '/' ? compile_pointer(text, &path, why) : compile_dotted(text, &path, why));
    *out = path;
    return RC_OK;
}

bool json_path_index(struct str step, size_t *out) {
    if (step.len == 0 || step.len > 9 || (step.len > 1 && step.at[0] == '0')) return false;
    uint64_t index = 0;
    if (str_parse_u64(step, &index) != RC_OK) return false;
    *out = (size_t)index;
    return true;
}
