/* SPDX-License-Identifier: Apache-2.0 */
/* made_world: a pipeline that has done its work, small enough to know by heart, with everything that an audit compares:
 * a ledger, seals, manifests, objects and a receipt, put there by hand. Then a test damages one thing.
 *
 *   file A  /in/a.log  2500 bytes, closed and receipted; stripes of 1000 bytes
 *             attempt 0  stripe 0  [0, 400)      4 records
 *             attempt 1  stripe 0  [400, 1010)   5 records, 1 reject
 *             attempt 2  stripe 1  [1000, 2005)  9 records, 1 blank line
 *             attempt 3  stripe 2  [2000, 2500)  4 records, 1 reject
 *   file B  /in/b.log  open
 *             attempt 4  stripe 0  [0, 300)      3 records
 *
 *   partition 0: seal 0 [0, 4): blocks of attempts 0 and 1;  seal 1 [4, 8): of attempts 2 and 4
 *   partition 1: seal 0 [0, 5): of attempts 1 and 3
 *   outputs: dt=1/k=x, dt=2/k=y%2Fz, rejects of source=app. Record n has n minutes after 2026-01-01T00:00:00Z. */
#ifndef SLUICE_TEST_MADE_WORLD_H
#define SLUICE_TEST_MADE_WORLD_H

#include "audit.h"
#include "frame.h"
#include "manifest.h"
#include "receipt.h"
#include "seal.h"

enum { MADE_ATTEMPTS = 5, MADE_BLOCKS = 8, MADE_FOUND_MAX = 64, MADE_TEXT_MAX = 1024 * 1024 };

struct made_found {
    enum audit_kind kind;
    bool has_file, has_range;
    struct id file, attempt;
    uint64_t stripe, from, to;
    char key[1025], words[AUDIT_WORDS_MAX], uri[64];
};

struct made_world {
    struct store store;
    struct ledger ledger;
    struct report report;
    enum frame_format format;
    struct id a, b;
    struct arena arena;
    struct made_found found[MADE_FOUND_MAX];
    size_t found_len;
    struct audit_result result;
};

struct made_settings {
    enum frame_format format;
    bool not_durable; /* the ledger was not told of partition 0, seal 1, and the receipt is not written */
};

void made_world_new(const struct made_settings *settings, struct made_world *out);
void made_world_done(struct made_world *world);
struct attempt made_attempt(const struct made_world *world, size_t attempt);
struct facts made_facts(const struct made_world *world, struct id file);

/* What is in the store, changed and put back. The structs' arrays have room for one element more. */
void made_edit_seal(struct made_world *world, uint32_t partition, uint64_t index,
                    void (*edit)(struct made_world *, struct seal *));
void made_edit_manifest(struct made_world *world, uint32_t partition, uint64_t index,
                        void (*edit)(struct made_world *, struct manifest *));
void made_edit_receipt(struct made_world *world, void (*edit)(struct made_world *, struct receipt *));
/* Puts any text in the place of what is there. */
void made_put(struct made_world *world, struct str key, struct str bytes);
void made_remove(struct made_world *world, struct str key);
struct str made_seal_key(struct made_world *world, uint32_t partition, uint64_t index);
struct str made_manifest_key(struct made_world *world, uint32_t partition, uint64_t index);
struct str made_receipt_key(struct made_world *world);
/* The key of the object of this seal and output. */
struct str made_object_key(struct made_world *world, uint32_t partition, uint64_t index, struct str output);
/* A copy in the world's arena. */
struct str made_get(struct made_world *world, struct str key);

/* Runs an audit; findings and result are then in the world. */
void made_audit(struct made_world *world, bool deep, size_t rows_max);
/* Audits, and insists on exactly these kinds of findings, in any order. */
void made_expect(struct made_world *world, bool deep, const enum audit_kind *kinds, size_t count);
#define MADE_EXPECT(world, deep, ...)                                                                                  \
    made_expect(world, deep, (enum audit_kind[]){__VA_ARGS__}, sizeof(enum audit_kind[]){__VA_ARGS__} / sizeof(int))
/* The one finding of the kind. */
const struct made_found *made_finding(const struct made_world *world, enum audit_kind kind);

#endif
