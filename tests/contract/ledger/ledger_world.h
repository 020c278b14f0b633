/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_world: what every contract test of the ledger starts from: an adapter out of a table, a ledger that is opened
 * (and opened again), and short words for files, attempts and calls. Threads: as the ledger. Fails: by cmocka. */
#ifndef SLUICE_LEDGER_WORLD_H
#define SLUICE_LEDGER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena.h"
#include "id.h"
#include "ledger.h"

struct world;

/* One adapter under the contract. */
struct world_adapter {
    const char *name;
    bool keeps; /* what was acknowledged is there after reopening */
    RC (*open)(struct world *world, struct ledger *out, struct why *why);
    /* All of it as bytes, and back to them; NULL: the adapter has no such way. free() the bytes. */
    RC (*save)(struct world *world, void **out, size_t *out_len, struct why *why);
    RC (*load)(struct world *world, const void *bytes, size_t len, struct why *why);
    void (*remove)(struct world *world); /* what is not in the folder; NULL: nothing */
};
extern const struct world_adapter world_adapters[];
extern const size_t world_adapters_len;

enum { WORLD_PATH_MAX = 256 };

struct world {
    const struct world_adapter *adapter;
    struct ledger ledger;
    struct arena arena;
    struct rng rng;
    struct why why;
    char folder[WORLD_PATH_MAX]; /* removed at the end */
    char path[WORLD_PATH_MAX];
};

struct world *world_new(const struct world_adapter *adapter, uint64_t seed);
void world_free(struct world *world);
/* Closes and opens again where the adapter keeps what it has; else does nothing. */
void world_reopen(struct world *world);
/* Sets the handle's epoch from the ledger. */
void world_follow_epoch(struct world *world);

/* One sentence of the contract; it runs on every adapter, each in a world of its own. */
struct world_sentence {
    const char *name;
    void (*run)(struct world *world);
};
#define WORLD_SENTENCE(name)                                                                                           \
    { #name, name }
/* The exit code of a test's main(). */
int world_run(const char *suite, const struct world_sentence *sentences, size_t n);

#define WORLD_OK(world, call)                                                                                          \
    do {                                                                                                               \
        enum rc world_rc_ = (call);                                                                                    \
        if (world_rc_ != RC_OK) fail_msg("%s: %s: %s", #call, rc_name(world_rc_), (world)->why.text);                  \
    } while (0)

/* Facts of file number `n`: its own inode, stripes of 100 bytes. */
struct facts world_facts(uint64_t n);
struct ledger_key world_key(uint64_t n);
/* Enrolls file number `n` as a new file under its key. */
struct id world_file(struct world *world, uint64_t n);
struct ledger_file world_lookup(struct world *world, uint64_t n);

struct attempt world_attempt(struct world *world, struct id file, uint64_t stripe, uint64_t from, uint64_t to,
                             struct id predecessor);
/* An advance of one line of `messages` messages that has seen every end there is. */
struct ledger_advance world_advance(struct attempt attempt, uint32_t messages);
enum ledger_decision world_win(struct world *world, struct ledger_advance ask);
enum ledger_decision world_verdict(struct world *world, struct attempt attempt);
enum ledger_decision world_void(struct world *world, struct attempt attempt);
struct ledger_checkpoint world_checkpoint(struct world *world, struct id file, uint64_t stripe);
enum rc world_close(struct world *world, struct id file, uint64_t end, bool gone);
enum rc world_durable(struct world *world, uint32_t partition, uint64_t index, struct attempt attempt,
                      uint32_t messages);
/* As the ledger lists it. */
struct ledger_listing *world_listing(struct world *world, struct id file);
/* All that is due, up to 64. */
size_t world_due(struct world *world, struct ledger_due **out);
void world_receipted(struct world *world, struct id file, uint64_t end);

#endif
