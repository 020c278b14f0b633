/* SPDX-License-Identifier: Apache-2.0 */
#include "rc.h"

#include "must.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Exit codes: 0 done, 1 is left to commands whose answer is "no" (audit), 2 to usage. */
static const struct {
    const char *name;
    int exit_code;
} rows[RC_COUNT] = {
    [RC_OK] = {"ok", 0},          [RC_BUSY] = {"busy", 75},     [RC_STALE] = {"stale", 70},
    [RC_ABSENT] = {"absent", 66}, [RC_BAD] = {"bad", 65},       [RC_LIMIT] = {"limit", 69},
    [RC_STOP] = {"stop", 0},      [RC_DENIED] = {"denied", 78}, [RC_BROKEN] = {"broken", 74},
};

const char *rc_name(enum rc rc) {
    MUST((unsigned)rc < RC_COUNT);
    return rows[rc].name;
}

int rc_exit_code(enum rc rc) {
    MUST((unsigned)rc < RC_COUNT);
    return rows[rc].exit_code;
}

enum rc(why_set)(struct why *why, enum rc rc, const char *format, ...) {
    if (!why) return rc;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why->text, sizeof why->text, format, list);
    va_end(list);
    return rc;
}

enum rc(why_errno)(struct why *why, enum rc rc, int error, const char *format, ...) {
    if (!why) return rc;
    va_list list;
    va_start(list, format);
    int n = vsnprintf(why->text, sizeof why->text, format, list);
    va_end(list);
    size_t at = n < 0 ? 0 : (size_t)n;
    char room[128];
    if (at < sizeof why->text)
        (void)snprintf(why->text + at, sizeof why->text - at, ": %s", strerror_r(error, room, sizeof room));
    return rc;
}

enum rc(why_wrap)(struct why *why, enum rc rc, const char *format, ...) {
    if (!why) return rc;
    char inner[WHY_TEXT_MAX];
    memcpy(inner, why->text, sizeof inner);
    va_list list;
    va_start(list, format);
    int n = vsnprintf(why->text, sizeof why->text, format, list);
    va_end(list);
    size_t at = n < 0 ? 0 : (size_t)n, room = sizeof why->text;
    if (!inner[0] || at + 3 > room) return rc;
    size_t len = strnlen(inner, room - at - 3);
    memcpy(why->text + at, ": ", 2);
    memcpy(why->text + at + 2, inner, len);
    why->text[at + 2 + len] = '\0';
    return rc;
}
