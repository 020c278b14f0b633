/* SPDX-License-Identifier: Apache-2.0 */
/* sim_once: records that are kept once: each attempt says by its claims which it keeps, and over all manifested
 * attempts of a generation each key that is there is kept exactly once. */
#include "sim_inner.h"

#include "alloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* A line that goes on where another one was cut may have lost it: such records are all kept. */
static bool has_key(struct str text) { return memmem(text.at, text.len, "\"d\":", 4) != NULL; }

bool sim_once_kept(const struct sim *sim, int source, const struct sim_line *line, struct str claims) {
    if (!sim->knobs.dedupe || source != SIM_NDJSON || !has_key(line->text)) return true;
    for (size_t i = 0; i < claims_count(claims); i++)
        if (claims_at(claims, i).offset == line->offset) return true;
    return false;
}

static uint64_t number_of(struct str text, const char *name) {
    const char *at = memmem(text.at, text.len, name, strlen(name));
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

void sim_once_note(const struct sim *sim, int source, const struct sim_line *line, bool kept, struct sim_keys *keys) {
    if (!sim->knobs.dedupe || source != SIM_NDJSON || !keys || !has_key(line->text)) return;
    alloc_grow(&keys->at, &keys->room, keys->len + 1, sizeof *keys->at);
    keys->at[keys->len++] =
        (struct sim_key){number_of(line->text, "\"n\":") / SIM_WINDOW, number_of(line->text, "\"d\":"), kept};
}

static int by_key(const void *a, const void *b) {
    const struct sim_key *x = a, *y = b;
    if (x->window != y->window) return x->window < y->window ? -1 : 1;
    return (x->d > y->d) - (x->d < y->d);
}

bool sim_once_check(struct sim *sim, struct sim_keys *keys) {
    bool right = true;
    if (keys->len) qsort(keys->at, keys->len, sizeof *keys->at, by_key);
    for (size_t i = 0, next; i < keys->len && right; i = next) {
        uint64_t kept = 0;
        for (next = i; next < keys->len && by_key(&keys->at[i], &keys->at[next]) == 0; next++)
            kept += keys->at[next].kept;
        sim->result->duplicates += next - i - kept;
        if (kept != 1)
            right = sim_fail(sim, "of %zu lines with d %" PRIu64 " in window %" PRIu64 ", %" PRIu64 " are kept",
                             next - i, keys->at[i].d, keys->at[i].window, kept);
    }
    free(keys->at);
    return right;
}
