/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "scan.h"

#include <stdio.h>

void names_reset(struct names *names) {
    if (arena_used(&names->arena)) arena_reset(&names->arena);
    names->count = 0;
    names->seen = 0;
}

void names_done(struct names *names) { arena_done(&names->arena); }

static bool is_known(const struct names *names, struct str key) {
    for (size_t i = 0; i < names->count; i++)
        if (str_equal(names->at[i], key)) return true;
    return false;
}

static struct str own_name(struct names *names, struct str key) {
    unsigned mixed = (unsigned)key.len * 31u + (unsigned char)key.at[0] * 7u + (unsigned char)key.at[key.len - 1];
    uint64_t bit = (uint64_t)1 << (mixed & 63);
    if (!(names->seen & bit)) {
        names->seen |= bit;
        return key;
    }
    struct str found = key;
    for (unsigned n = 2; is_known(names, found); n++) {
        char *made = arena_alloc(&names->arena, key.len + NAMES_EXTRA + 1 + SCAN_STEP);
        memcpy(made, key.at, key.len);
        int len = snprintf(made + key.len, NAMES_EXTRA + 1, "_%u", n);
        found = (struct str){made, key.len + (size_t)len};
    }
    if (found.at != key.at) names->seen = UINT64_MAX; /* a name that was made is looked for, too */
    return found;
}

struct str names_add(struct names *names, struct str key) {
    if (names->count == NAMES_MAX) return (struct str){0};
    struct str own = own_name(names, key); /* which looks at ->count */
    names->at[names->count++] = own;
    return own;
}
