/* SPDX-License-Identifier: Apache-2.0 */
/* walk_break: sources that lie, so that it is seen whether a walk would notice. */
#include "attempt.h"
#include "must.h"
#include "num.h"
#include "walk_world.h"

/* One walk at a time. */
static struct walk_world *here;

static uint64_t mask_of(struct str uri) { return here->broken == WALK_NAMES_ARE_IDS ? hash_bytes(uri) >> 1 : 0; }

static struct walk_told *told_of(const struct source_file *file) {
    size_t i = 0;
    while (i < here->told_len && here->told[i].file != file) i++;
    if (i == here->told_len) {
        MUST(i < COUNT_OF(here->told));
        here->told[here->told_len++] = (struct walk_told){.file = file};
    }
    return &here->told[i];
}

struct listing {
    source_visit visit;
    void *context;
};

static enum rc lying_visit(void *context, const struct source_entry *entry) {
    struct listing *l = context;
    struct source_entry told = *entry;
    told.stat.inode ^= mask_of(entry->uri);
    return l->visit(l->context, &told);
}

static enum rc lying_list(void *self, const struct source_pattern *pattern, source_visit visit, source_problem problem,
                          void *context, struct why *why) {
    struct listing l = {visit, context};
    return here->sound_ops->list(self, pattern, lying_visit, problem, &l, why);
}

static enum rc lying_open(void *self, struct str uri, const struct source_stat *expected, struct source_file **out,
                          struct why *why) {
    struct source_stat true_one = expected ? *expected : (struct source_stat){0};
    true_one.inode ^= mask_of(uri);
    enum rc rc = here->sound_ops->open(self, uri, expected ? &true_one : NULL, out, why);
    if (rc == RC_OK) told_of(*out)->mask = mask_of(uri);
    return rc;
}

static enum rc lying_stat(void *self, struct source_file *file, struct source_stat *out, struct why *why) {
    enum rc rc = here->sound_ops->stat(self, file, out, why);
    if (rc != RC_OK) return rc;
    struct walk_told *told = told_of(file);
    out->inode ^= told->mask;
    if (here->broken == WALK_CUTS_UNSEEN) out->size = told->size = MAX(told->size, out->size);
    return rc;
}

/* What a file was cut of reads as blanks. */
static enum rc lying_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                          struct why *why) {
    enum rc rc = here->sound_ops->read(self, file, from, out, len, out_len, why);
    if (rc == RC_OK && here->broken == WALK_CUTS_UNSEEN) {
        memset((char *)out + *out_len, ' ', len - *out_len);
        *out_len = len;
    }
    return rc;
}

struct source walk_broken_source(struct walk_world *w, struct source source) {
    if (w->broken == WALK_SOUND) return source;
    here = w;
    w->sound_ops = source.ops;
    w->broken_ops = *source.ops;
    w->told_len = 0;
    w->broken_ops.list = lying_list;
    w->broken_ops.open = lying_open;
    w->broken_ops.stat = lying_stat;
    w->broken_ops.read = lying_read;
    return (struct source){&w->broken_ops, source.self};
}
