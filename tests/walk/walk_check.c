/* SPDX-License-Identifier: Apache-2.0 */
#include "walk_check.h"

#include "alloc.h"
#include "must.h"
#include "own.h"
#include "sim_reader.h"

#include <inttypes.h>
#include <stdlib.h>

struct expected {
    struct str text;
    uint32_t min, max, found;
};

struct book {
    struct expected *at;
    size_t len, room;
};

static void book_done(struct book *b) { free(b->at); }

/* Did somebody have to read the line that ends at `end`, of this content or of the one that was cut? */
static bool had_to(const struct walk_files *f, const struct walk_content *c, size_t end) {
    while (end > c->seen) {
        if (end > c->kept) return false;
        c = &f->contents[c->before];
    }
    return true;
}

static void expect(struct book *b, const struct walk_files *f, const struct walk_content *c) {
    struct str text;
    size_t at = 0;
    while (walk_line_next(c, &at, &text)) {
        if (!text.len) continue;
        bool before = at <= c->kept && had_to(f, &f->contents[c->before], at);
        alloc_grow(&b->at, &b->room, b->len + 1, sizeof *b->at);
        b->at[b->len++] = (struct expected){.text = text, .min = at <= c->seen && !before, .max = 1};
    }
}

static int by_text(const void *a, const void *b) {
    return str_compare(((const struct expected *)a)->text, ((const struct expected *)b)->text);
}

/* One entry a text: the same line can be in a file and its copy. */
static void unite(struct book *b) {
    size_t len = 0;
    if (b->len) qsort(b->at, b->len, sizeof *b->at, by_text);
    for (size_t i = 0; i < b->len; i++) {
        if (len && str_equal(b->at[len - 1].text, b->at[i].text)) {
            b->at[len - 1].min += b->at[i].min;
            b->at[len - 1].max += b->at[i].max;
        } else {
            b->at[len++] = b->at[i];
        }
    }
    b->len = len;
}

static RC count(struct book *b, const struct sim_read *read, struct why *why) {
    for (size_t i = 0; i < read->records_len; i++) {
        struct expected key = {.text = read->records[i].bytes};
        struct expected *hit = b->len ? bsearch(&key, b->at, b->len, sizeof key, by_text) : NULL;
        if (!hit) return why_set(why, RC_BROKEN, "\"%.*s\" was never a line of a file", STR_ARG(key.text));
        hit->found++;
    }
    return RC_OK;
}

RC walk_check(const struct walk_files *f, const struct walk_world *w, struct walk_result *result, struct why *why) {
    AUTO(book_done) struct book book = {0};
    AUTO(sim_read_done) struct sim_read read = {0};
    for (size_t i = 0; i < f->contents_len; i++) expect(&book, f, &f->contents[i]);
    unite(&book);
    TRY(sim_read_all(&read, w->store, w->queue, 1, why));
    TRY(count(&book, &read, why));
    for (size_t i = 0; i < book.len; i++) {
        const struct expected *e = &book.at[i];
        result->must += e->min;
        result->missing += e->found == 0;
        result->doubled += e->min == 1 && e->found == 2;
        if (e->found < e->min || e->found > e->max)
            return why_set(why, RC_BROKEN, "\"%.*s\" is there %u times, not %u to %u times", STR_ARG(e->text), e->found,
                           e->min, e->max);
    }
    return RC_OK;
}
