/* SPDX-License-Identifier: Apache-2.0 */
/* sim_source: what sluice itself does to inputs: an input that after_durable takes away has to be durable to its last
 * byte, with a receipt that says so; at the end it is looked at again. */
#include "sim_inner.h"

#include "alloc.h"
#include "must.h"
#include "own.h"

#include <inttypes.h>

/* One simulation runs at a time. */
static struct sim *here;
static const struct source_ops *below;
static struct source_ops watched[2];

static struct sim_name *name_of(struct str uri) {
    struct str path = str_sub(uri, 7, uri.len); /* file:// */
    for (size_t i = 0; i < here->files.names_len; i++)
        if (str_equal(str_of(here->files.names[i].path), path)) return &here->files.names[i];
    MUST_NOT_REACH();
}

/* Before it goes: afterwards nobody can tell any more. */
static void note(struct str uri) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct sim_name *name = name_of(uri);
    const struct sim_content *c = &here->files.contents[name->content];
    struct ledger_file file = sim_look_up(here, 1, c, &arena);
    if (!file.found || !file.closed || file.closed_end != c->len || !file.receipted)
        (void)sim_fail(here, "%s of %zu bytes is taken away, closed at %" PRIu64 ", and has no receipt for its end",
                       name->path, c->len, file.closed_end);
    alloc_grow(&here->taken, &here->taken_room, here->taken_len + 1, sizeof *here->taken);
    here->taken[here->taken_len++] = (struct sim_taken){file.id, name->content};
    here->result->taken++;
    sim_tell(here, "  %s is taken away", name->path);
    sim_files_forget(&here->files, name);
}

static enum rc watched_remove(void *self, struct str uri, const struct source_stat *expected, struct why *why) {
    enum rc rc = below->remove(self, uri, expected, why);
    if (rc == RC_OK) note(uri);
    return rc;
}

static enum rc watched_move(void *self, struct str uri, const struct source_stat *expected, struct str to,
                            struct why *why) {
    enum rc rc = below->move(self, uri, expected, to, why);
    if (rc == RC_OK) note(uri);
    return rc;
}

/* What a worker has read is cut and written anew behind its back, before it reads on. */
static enum rc watched_read(void *self, struct source_file *file, uint64_t from, void *out, size_t len, size_t *out_len,
                            struct why *why) {
    enum rc rc = below->read(self, file, from, out, len, out_len, why);
    bool by_worker = here->running && here->running->service == SIM_WORKER;
    if (rc != RC_OK || !here->wild || !by_worker || !sim_chance(&here->rng, here->knobs.regrow)) return rc;
    struct source_stat stat;
    MUST(below->stat(self, file, &stat, NULL) == RC_OK);
    sim_files_regrow(&here->files, stat.inode, from);
    sim_tell(here, "files, between two reads: %s", here->files.told);
    return rc;
}

static void free_nothing(void *self) { (void)self; }

struct source sim_source(struct sim *sim, struct source source, bool shared) {
    here = sim;
    below = source.ops;
    struct source_ops *ops = &watched[shared];
    *ops = *source.ops;
    ops->read = watched_read;
    ops->remove = watched_remove;
    ops->move = watched_move;
    if (shared) ops->free = free_nothing;
    return (struct source){ops, source.self};
}
