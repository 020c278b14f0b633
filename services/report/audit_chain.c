/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of each queue partition: which seals and manifests are there, and whether they hang together. Barriers
 * (S = E) need no manifest. At most the last batch may be without one: its uploader is at work, or will be. */
#include "audit_inner.h"
#include "identity.h"
#include "names.h"
#include "num.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

enum { PARTITIONS_MAX = 65536 }; /* more than any queue has */

struct audit_chain *audit_chain_find(const struct audit *a, uint32_t partition) {
    struct audit_chain *chains = (struct audit_chain *)a->chains.at;
    for (size_t i = 0; i < a->chains.len; i++)
        if (chains[i].partition == partition) return &chains[i];
    return NULL;
}

void audit_chains_done(struct audit *a) {
    struct audit_chain *chains = (struct audit_chain *)a->chains.at;
    for (size_t i = 0; i < a->chains.len; i++) audit_rows_done(&chains[i].links);
    audit_rows_done(&a->chains);
}

static struct audit_chain *chain_of(struct audit *a, uint32_t partition) {
    struct audit_chain *chain = audit_chain_find(a, partition);
    if (chain) return chain;
    chain = audit_rows_add(&a->chains);
    *chain = (struct audit_chain){.partition = partition, .links = {.size = sizeof(struct audit_link)}};
    return chain;
}

/* Indices come ascending. */
static struct audit_link *link_of(struct audit *a, uint32_t partition, uint64_t index) {
    struct audit_chain *chain = chain_of(a, partition);
    struct audit_link *links = (struct audit_link *)chain->links.at;
    size_t low = 0, high = chain->links.len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (links[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < chain->links.len && links[low].index == index) return &links[low];
    (void)audit_rows_add(&chain->links);
    links = (struct audit_link *)chain->links.at;
    memmove(&links[low + 1], &links[low], (chain->links.len - 1 - low) * sizeof *links);
    links[low] = (struct audit_link){.index = index};
    return &links[low];
}

struct listing {
    struct audit *a;
    bool seals;
};

static enum rc see(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    const struct listing *listing = context;
    struct audit *a = listing->a;
    struct id queue;
    uint64_t generation = 0, index = 0;
    uint32_t partition = 0;
    if (name_is_removed(key)) return RC_OK; /* put since the audit began */
    enum rc rc = listing->seals ? name_seal_parse(key, &queue, &generation, &partition, &index)
                                : name_manifest_parse(key, &queue, &generation, &partition, &index);
    if (rc != RC_OK) {
        if (a->first)
            audit_found(
                a, (struct audit_finding){.kind = listing->seals ? AUDIT_SEAL_BAD : AUDIT_MANIFEST_BAD, .key = key},
                "no such thing has this name");
        return RC_OK;
    }
    struct audit_link *link = link_of(a, partition, index);
    if (listing->seals)
        link->sealed = true;
    else
        link->manifested = true;
    return RC_OK;
}

/* Partitions whose whole chain is gone are known from the identity of the output. */
static RC expect_chains(struct audit *a, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(IDENTITY_BYTES_MAX);
    struct identity identity;
    enum rc rc = store_get(a->report->store, NAME_LEDGER_IDENTITY, 0, IDENTITY_BYTES_MAX, &bytes, why);
    if (rc == RC_ABSENT) return RC_OK;
    TRY(rc);
    arena_reset(&a->arena);
    if (identity_decode(buf_str(&bytes), &a->arena, &identity, NULL) != RC_OK) return RC_OK;
    for (uint32_t k = 0; k < MIN(identity.partitions, (uint32_t)PARTITIONS_MAX); k++) (void)chain_of(a, k);
    return RC_OK;
}

/* Manifests first: the seal of each one that is seen was there before, and so the seals that are listed behind hold
 * them all. */
RC audit_read_chains(struct audit *a, struct why *why) {
    AUTO(buf_done) struct buf seals = BUF_INIT(NAME_MAX_BYTES), manifests = BUF_INIT(NAME_MAX_BYTES);
    audit_chains_done(a);
    TRY(expect_chains(a, why));
    TRY(name_seals_prefix(a->queue, a->report->generation, &seals));
    TRY(name_manifests_prefix(a->queue, a->report->generation, &manifests));
    TRY(store_list(a->report->store, buf_str(&manifests), STR(""), see, &(struct listing){a, false}, why));
    return store_list(a->report->store, buf_str(&seals), STR(""), see, &(struct listing){a, true}, why);
}

/* ---- checks ---- */

static struct audit_finding about_link(enum audit_kind kind, struct str key) {
    return (struct audit_finding){.kind = kind, .key = key};
}

/* Is the key there now? Names it in *key. */
static RC there_now(struct audit *a, uint32_t partition, uint64_t index, bool seal, struct buf *key, bool *out,
                    struct why *why) {
    uint64_t bytes = 0;
    buf_reset(key);
    TRY(seal ? name_seal(a->queue, a->report->generation, partition, index, key)
             : name_manifest(a->queue, a->report->generation, partition, index, key));
    enum rc rc = store_size(a->report->store, buf_str(key), &bytes, why);
    *out = rc == RC_OK;
    return rc == RC_ABSENT ? RC_OK : rc;
}

static RC check_missing(struct audit *a, uint32_t partition, uint64_t index, bool seal, const char *because,
                        struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    bool there = false;
    TRY(there_now(a, partition, index, seal, &key, &there, why));
    if (!there)
        audit_found(a, about_link(seal ? AUDIT_SEAL_MISSING : AUDIT_MANIFEST_MISSING, buf_str(&key)), "%s", because);
    return RC_OK;
}

static RC load_seal(struct audit *a, uint32_t partition, struct audit_link *link, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(SEAL_BYTES_MAX);
    struct seal seal;
    struct why words = {0};
    TRY(name_seal(a->queue, a->report->generation, partition, link->index, &key));
    TRY(store_get(a->report->store, buf_str(&key), 0, SEAL_BYTES_MAX, &bytes, why));
    arena_reset(&a->arena);
    enum rc rc = seal_decode(buf_str(&bytes), &a->arena, &seal, &words);
    if (rc == RC_OK && (!id_equal(seal.queue, a->queue) || seal.generation != a->report->generation ||
                        seal.partition != partition || seal.index != link->index))
        rc = why_set(&words, RC_BAD, "it is of another queue, generation, partition or index");
    if (rc != RC_OK) {
        if (a->first) audit_found(a, about_link(AUDIT_SEAL_BAD, buf_str(&key)), "%s", words.text);
        return RC_OK;
    }
    link->readable = true;
    link->start = seal.start;
    link->end = seal.end;
    return RC_OK;
}

/* In later passes only those are read whose manifests will not tell where they begin. */
static RC read_seals(struct audit *a, struct audit_chain *chain, struct why *why) {
    struct audit_link *links = (struct audit_link *)chain->links.at;
    for (size_t i = 0; i < chain->links.len; i++) {
        if (!links[i].sealed || (!a->first && links[i].manifested)) continue;
        if (a->first) a->result->seals++;
        TRY(load_seal(a, chain->partition, &links[i], why));
    }
    return RC_OK;
}

static void check_follows(struct audit *a, uint32_t partition, const struct audit_link *link, uint64_t expected) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    if (!link->readable || link->start == expected) return;
    if (name_seal(a->queue, a->report->generation, partition, link->index, &key) != RC_OK) return;
    audit_found(a, about_link(AUDIT_SEAL_CHAIN, buf_str(&key)),
                "it begins at %" PRIu64 ", and the seal before ends at %" PRIu64, link->start, expected);
}

/* A manifest has to be there when a later one or a later batch is, or when the ledger was told. */
static bool has_to_be_manifested(const struct audit_chain *chain, size_t i, uint64_t told) {
    const struct audit_link *links = (const struct audit_link *)chain->links.at;
    if (links[i].index < told) return true;
    for (size_t k = chain->links.len; k-- > i + 1;)
        if (links[k].manifested || links[k].start != links[k].end) return true;
    return false;
}

static RC check_chain(struct audit *a, struct audit_chain *chain, uint64_t told, struct why *why) {
    uint64_t next = 0, expected = 0, waiting = 0;
    const struct audit_link *links = (const struct audit_link *)chain->links.at;
    for (size_t i = 0; i < chain->links.len; next = links[i++].index + 1) {
        for (; next < links[i].index; next++)
            TRY(check_missing(a, chain->partition, next, true, "later seals or manifests are there", why));
        bool follows = i == 0 ? links[i].index == 0 : links[i - 1].index + 1 == links[i].index && links[i - 1].readable;
        if (!links[i].sealed)
            TRY(check_missing(a, chain->partition, links[i].index, true, "its manifest is there", why));
        if (follows) check_follows(a, chain->partition, &links[i], expected);
        expected = links[i].end;
        if (links[i].manifested || !links[i].readable || links[i].start == links[i].end) continue;
        if (has_to_be_manifested(chain, i, told))
            TRY(check_missing(a, chain->partition, links[i].index, false,
                              "the batch is sealed, and was manifested or followed by one that is", why));
        else
            waiting++;
    }
    a->result->seals_in_progress += waiting;
    for (; next < told; next++)
        TRY(check_missing(a, chain->partition, next, true, "the ledger was told that it is durable", why));
    return RC_OK;
}

RC audit_check_chains(struct audit *a, struct why *why) {
    struct audit_chain *chains = (struct audit_chain *)a->chains.at;
    for (size_t i = 0; i < a->chains.len; i++) TRY(read_seals(a, &chains[i], why));
    for (size_t i = 0; a->first && i < a->chains.len; i++) {
        uint64_t told = 0;
        if (a->report->ledger.ops) {
            enum rc rc = ledger_durable_next(a->report->ledger, chains[i].partition, &told, why);
            if (rc == RC_STALE)
                told = 0; /* a recovery is under way, which tells all batches again */
            else
                TRY(rc);
        }
        TRY(check_chain(a, &chains[i], told, why));
    }
    return RC_OK;
}
