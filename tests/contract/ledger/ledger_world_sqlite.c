/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite ledger under the contract: in memory and in a file. */
#include "ledger_world.h"

#include "ledger_sqlite.h"

static RC open_sqlite(struct world *world, const char *path, struct ledger *out) {
    struct rng rng = rng_from_seed(7);
    struct ledger_sqlite_settings settings = {path, 1, true, id_make(&rng), id_make(&rng)};
    return ledger_sqlite_open(&settings, out, &world->why);
}

static RC open_memory(struct world *world, struct ledger *out, struct why *why) {
    (void)why;
    return open_sqlite(world, ":memory:", out);
}

static RC open_file(struct world *world, struct ledger *out, struct why *why) {
    (void)why;
    return open_sqlite(world, world->path, out);
}

static RC save(struct world *world, void **out, size_t *out_len, struct why *why) {
    return ledger_sqlite_save(world->ledger, out, out_len, why);
}

static RC load(struct world *world, const void *bytes, size_t len, struct why *why) {
    return ledger_sqlite_load(world->ledger, bytes, len, why);
}

const struct world_adapter world_adapters[] = {
    {"sqlite memory", false, open_memory, save, load, NULL},
    {"sqlite file", true, open_file, NULL, NULL, NULL},
};
const size_t world_adapters_len = sizeof world_adapters / sizeof world_adapters[0];
