/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_definitions.h"

#include "alloc.h"
#include "arena.h"
#include "own.h"
#include "telemetry_members.h"

#include <stdlib.h>

struct telemetry_definition {
    struct str name;
    uint64_t hash;
    struct telemetry_range range;
    bool bad, tried;
    struct telemetry_buckets *buckets;
};

struct telemetry_definitions {
    struct arena names;
    struct telemetry_definition *at;
    size_t count;
    uint32_t *slots; /* index + 1 */
    size_t mask;
};

static struct telemetry_definition *find(const struct telemetry_definitions *d, struct str name, uint64_t hash,
                                         size_t *out_slot) {
    size_t i = hash & d->mask;
    for (; d->slots[i]; i = (i + 1) & d->mask) {
        struct telemetry_definition *here = &d->at[d->slots[i] - 1];
        if (here->hash == hash && str_equal(here->name, name)) return here;
    }
    if (out_slot) *out_slot = i;
    return NULL;
}

static void take(struct telemetry_definitions *d, struct str name, struct json_node node) {
    uint64_t hash = telemetry_hash(name);
    size_t slot = 0;
    struct telemetry_definition *here = find(d, name, hash, &slot);
    if (!here) {
        here = &d->at[d->count++];
        d->slots[slot] = (uint32_t)d->count;
    }
    *here = (struct telemetry_definition){.name = arena_str(&d->names, name), .hash = hash};
    here->bad = telemetry_range_of(node, &here->range) != RC_OK;
}

RC telemetry_definitions_new(struct str text, struct telemetry_definitions **out, struct why *why) {
    AUTO(json_parser_done)
    struct json_parser *parser =
        json_parser_new((struct json_parser_limits){.bytes_max = TELEMETRY_DEFINITIONS_BYTES, .any_number = true});
    AUTO(own_free) char *padded = alloc_zero(1, text.len + JSON_PADDING);
    struct json_node root, node;
    struct str name;
    if (text.len) memcpy(padded, text.at, text.len);
    TRY(json_parse(parser, (struct str){padded, text.len}, &root, why));
    if (json_type(root) != JSON_OBJECT) return why_set(why, RC_BAD, "is no JSON object of histograms");
    struct telemetry_definitions *d = ALLOC(struct telemetry_definitions);
    size_t total = json_count(root);
    d->at = alloc_zero(total, sizeof *d->at);
    for (d->mask = 63; d->mask < total * 2; d->mask = d->mask * 2 + 1) {
    }
    d->slots = alloc_zero(d->mask + 1, sizeof *d->slots);
    struct json_iter each = json_each(root);
    while (json_next(&each, &name, &node)) take(d, name, node);
    *out = d;
    return RC_OK;
}

void telemetry_definitions_free(struct telemetry_definitions *d) {
    if (!d) return;
    for (size_t i = 0; i < d->count; i++) free(d->at[i].buckets);
    free(d->at);
    free(d->slots);
    arena_done(&d->names);
    free(d);
}

struct telemetry_definition *telemetry_definitions_find(struct telemetry_definitions *d, struct str name,
                                                        uint64_t hash) {
    static const struct str startup = {"STARTUP_", 8};
    struct telemetry_definition *found = find(d, name, hash, NULL);
    if (found || !str_starts(name, startup)) return found;
    name = str_sub(name, startup.len, name.len);
    return find(d, name, telemetry_hash(name), NULL);
}

const struct telemetry_buckets *telemetry_definition_buckets(struct telemetry_definition *d) {
    if (!d->tried && !d->bad) d->bad = telemetry_buckets_new(&d->range, &d->buckets) != RC_OK;
    d->tried = true;
    return d->buckets;
}

static struct telemetry_cached *known(struct telemetry_cache *cache, struct str revision) {
    for (size_t i = 0; i < cache->count; i++)
        if (str_equal(str_of(cache->at[i].revision), revision)) return &cache->at[i];
    return NULL;
}

static struct telemetry_cached *place_for_one(struct telemetry_cache *cache) {
    if (cache->count < TELEMETRY_CACHED) return &cache->at[cache->count++];
    struct telemetry_cached *oldest = &cache->at[0];
    for (size_t i = 1; i < cache->count; i++)
        if (cache->at[i].used < oldest->used) oldest = &cache->at[i];
    telemetry_definitions_free(oldest->definitions);
    return oldest;
}

RC telemetry_cache_get(struct telemetry_cache *cache, struct str revision, struct telemetry_definitions **out,
                       struct why *why) {
    struct telemetry_cached *here = known(cache, revision);
    if (!here) {
        AUTO(buf_done) struct buf text = BUF_INIT(TELEMETRY_DEFINITIONS_BYTES);
        struct telemetry_definitions *made = NULL;
        if (revision.len > TELEMETRY_REVISION_MAX)
            return why_set(why, RC_ABSENT, "a revision of more than %d digits", (int)TELEMETRY_REVISION_MAX);
        TRY(cache->library.read(cache->library.self, revision, &text, why));
        TRY(telemetry_definitions_new(buf_str(&text), &made, why));
        here = place_for_one(cache);
        memcpy(here->revision, revision.at, revision.len);
        here->revision[revision.len] = '\0';
        here->definitions = made;
    }
    here->used = ++cache->clock;
    *out = here->definitions;
    return RC_OK;
}

void telemetry_cache_done(struct telemetry_cache *cache) {
    for (size_t i = 0; i < cache->count; i++) telemetry_definitions_free(cache->at[i].definitions);
    cache->count = 0;
}

static bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

RC telemetry_revision(struct str url, struct str *out) {
    size_t scheme = str_starts(url, STR("http://")) ? 7 : str_starts(url, STR("https://")) ? 8 : 0;
    struct str rest = str_sub(url, scheme, url.len), host;
    if (!scheme || !str_cut(&rest, '/', &host) || !host.len) return RC_BAD;
    if (str_ends(rest, STR("/"))) rest.len--;
    size_t from = rest.len;
    while (from > 0 && is_hex(rest.at[from - 1])) from--;
    struct str before = str_sub(rest, 0, from);
    if (from == rest.len || !str_ends(before, STR("/rev/")) || before.len == 5) return RC_BAD;
    if (memchr(before.at, '\n', before.len)) return RC_BAD;
    *out = str_sub(rest, from, rest.len);
    return RC_OK;
}
