/* SPDX-License-Identifier: Apache-2.0 */
#include "generations.h"

#include "alloc.h"
#include "names.h"
#include "own.h"

#include <stdlib.h>

struct found {
    struct generations_one *at;
    size_t len, room;
};

static void found_done(struct found *found) { free(found->at); }

/* The row of a generation, in its place. */
static struct generations_one *row_of(struct found *f, uint64_t generation) {
    size_t i = 0;
    while (i < f->len && f->at[i].generation < generation) i++;
    if (i < f->len && f->at[i].generation == generation) return &f->at[i];
    alloc_grow(&f->at, &f->room, f->len + 1, sizeof *f->at);
    memmove(&f->at[i + 1], &f->at[i], (f->len - i) * sizeof *f->at);
    f->len++;
    f->at[i] = (struct generations_one){.generation = generation};
    return &f->at[i];
}

/* "g12" */
static bool is_generation(struct str name, uint64_t *out) {
    if (name.len < 2 || name.at[0] != 'g' || name.at[1] == '0') return false;
    return str_parse_u64(str_sub(name, 1, name.len), out) == RC_OK;
}

struct first {
    struct buf *key;
    bool found;
};

static enum rc take_first(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    struct first *first = context;
    buf_reset(first->key);
    buf_add(first->key, key);
    first->found = true;
    return RC_STOP;
}

/* Folders `<above>g…/`: the first key behind the folder that was seen last, and so on. '0' comes right behind '/'. */
static RC look_below(const struct upkeep *upkeep, struct str above, struct found *found, struct why *why) {
    AUTO(buf_done)
    struct buf prefix = BUF_INIT(NAME_MAX_BYTES), after = BUF_INIT(NAME_MAX_BYTES + 1), key = BUF_INIT(NAME_MAX_BYTES);
    buf_add(&prefix, above);
    buf_add_char(&prefix, 'g');
    for (;;) {
        struct first first = {&key, false};
        enum rc rc = store_list(upkeep->store, buf_str(&prefix), buf_str(&after), take_first, &first, why);
        if (!first.found) return rc;
        struct str rest = str_sub(buf_str(&key), above.len, key.len), name;
        uint64_t generation = 0;
        buf_reset(&after);
        if (!memchr(rest.at, '/', rest.len) || !str_cut(&rest, '/', &name)) {
            buf_add(&after, buf_str(&key));
            continue;
        }
        if (is_generation(name, &generation)) row_of(found, generation)->in_output = true;
        buf_add(&after, str_sub(buf_str(&key), 0, above.len + name.len));
        buf_add_char(&after, '0');
    }
}

static RC look_in_output(const struct upkeep *upkeep, struct found *found, struct why *why) {
    AUTO(buf_done) struct buf seals = BUF_INIT(NAME_MAX_BYTES), manifests = BUF_INIT(NAME_MAX_BYTES);
    char queue[ID_TEXT];
    buf_add_format(&seals, "_seals/%s/", id_format(upkeep->queue, queue));
    buf_add_format(&manifests, "_manifests/%s/", queue);
    const struct str folders[] = {STR(""), STR("_rejects/"), STR("_receipts/"), buf_str(&seals), buf_str(&manifests)};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) TRY(look_below(upkeep, folders[i], found, why));
    return RC_OK;
}

static RC look_in_ledger(const struct upkeep *upkeep, struct found *found, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_generation *known = NULL;
    size_t n = 0;
    TRY(ledger_generations(upkeep->ledger, &arena, &known, &n, why));
    for (size_t i = 0; i < n; i++) {
        struct generations_one *row = row_of(found, known[i].generation);
        row->in_ledger = true;
        row->forgotten = known[i].forgotten;
    }
    return RC_OK;
}

RC generations_find(const struct upkeep *upkeep, struct generations_one **out, size_t *out_n, struct why *why) {
    AUTO(found_done) struct found found = {0};
    (void)row_of(&found, upkeep->generation);
    if (upkeep->store.ops) TRY(look_in_output(upkeep, &found, why));
    if (upkeep->ledger.ops) TRY(look_in_ledger(upkeep, &found, why));
    *out = TAKE(found.at);
    *out_n = found.len;
    return RC_OK;
}
