/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"

#include "alloc.h"
#include "must.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 1024 };

/* whose: NOBODY, or the number of the slice that keeps the key, or OTHER. */
enum { NOBODY = 0 };
#define OTHER UINT64_MAX

struct slot {
    struct id key;
    uint64_t whose;
    uint64_t at;   /* OTHER: the one offset whose record is kept all the same, UINT64_MAX: none */
    uint64_t took; /* the slice that took it */
};

struct kept {
    struct slot *slots; /* open addressing; at most half full */
    size_t slots_len, keys;
    uint64_t slice;
    char *claims;
    size_t claims_room, claims_n;
};

struct kept *kept_new(void) {
    struct kept *k = ALLOC(struct kept);
    k->slots_len = SLOTS_FIRST;
    k->slots = alloc_zero(k->slots_len, sizeof *k->slots);
    k->slice = 1;
    return k;
}

void kept_free(struct kept *k) {
    if (!k) return;
    free(k->slots);
    free(k->claims);
    free(k);
}

void kept_forget(struct kept *k) {
    memset(k->slots, 0, k->slots_len * sizeof *k->slots);
    k->keys = 0;
    kept_begin(k);
}

void kept_begin(struct kept *k) {
    k->slice++;
    k->claims_n = 0;
}

/* The key is a hash already. */
static struct slot *slot_of(struct slot *slots, size_t len, struct id key) {
    uint64_t hash = 0;
    MUST(len > 0);
    memcpy(&hash, key.bytes, sizeof hash);
    size_t at = hash % len;
    while (slots[at].whose != NOBODY && !id_equal(slots[at].key, key)) at = at + 1 == len ? 0 : at + 1;
    return &slots[at];
}

static void grow(struct kept *k) {
    if (k->keys * 2 < k->slots_len) return;
    size_t len = k->slots_len * 2;
    struct slot *slots = alloc_zero(len, sizeof *slots);
    for (size_t i = 0; i < k->slots_len; i++)
        if (k->slots[i].whose != NOBODY) *slot_of(slots, len, k->slots[i].key) = k->slots[i];
    free(k->slots);
    k->slots = slots;
    k->slots_len = len;
}

/* The slot of a key, which is in the table from then on. */
static struct slot *slot_add(struct kept *k, struct id key) {
    grow(k);
    struct slot *slot = slot_of(k->slots, k->slots_len, key);
    if (slot->whose == NOBODY) {
        k->keys++;
        slot->key = key;
    }
    return slot;
}

bool kept_take(struct kept *k, struct id key, uint64_t offset) {
    struct slot *slot = slot_add(k, key);
    bool mine = slot->whose == OTHER ? slot->at == offset : true;
    if (!mine || slot->took == k->slice) return false;
    if (slot->whose != OTHER) slot->whose = k->slice;
    slot->took = k->slice;
    alloc_grow(&k->claims, &k->claims_room, (k->claims_n + 1) * CLAIM_BYTES, 1);
    claim_pack(&(struct claim){key, offset}, k->claims + k->claims_n * CLAIM_BYTES);
    k->claims_n++;
    return true;
}

void kept_only(struct kept *k, struct id key, uint64_t offset) {
    struct slot *slot = slot_add(k, key);
    slot->whose = OTHER;
    slot->at = offset;
}

void kept_other(struct kept *k, struct id key) { kept_only(k, key, UINT64_MAX); }

void kept_settle(struct kept *k) {
    for (size_t i = 0; i < k->claims_n; i++) kept_other(k, claims_at(kept_claims(k), i).key);
    kept_begin(k);
}

struct str kept_claims(const struct kept *k) {
    return k->claims_n ? (struct str){k->claims, k->claims_n * CLAIM_BYTES} : STR("");
}

bool kept_full(const struct kept *k) { return k->claims_n >= KEPT_SLICE; }
size_t kept_keys(const struct kept *k) { return k->keys; }
