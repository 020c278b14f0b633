/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include "alloc.h"
#include "must.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX_ROOM_MIN = 64 };

static uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

static uint64_t hash_of(uint16_t source, uint64_t inode, int64_t birth_ns, uint64_t volume) {
    return mix(inode * 31 + mix((uint64_t)birth_ns ^ volume) + source);
}

static uint64_t entry_hash(const struct catalog_entry *e) {
    return hash_of(e->source, e->inode, e->birth_ns, e->volume);
}

void catalog_done(struct catalog *catalog) {
    if (!catalog) return;
    for (size_t i = 0; i < catalog->len; i++) free(catalog->entries[i].name);
    free(catalog->entries);
    free(catalog->index);
    free(catalog->free_places);
    folders_done(&catalog->folders);
    *catalog = (struct catalog){0};
}

static bool same(const struct catalog_entry *e, uint16_t source, const struct source_stat *stat) {
    return e->inode == stat->inode && e->birth_ns == stat->birth_ns && e->volume == stat->volume && e->source == source;
}

struct catalog_entry *catalog_find(struct catalog *catalog, uint16_t source, const struct source_stat *stat) {
    if (!catalog->index_room) return NULL;
    size_t mask = catalog->index_room - 1;
    size_t at = hash_of(source, stat->inode, stat->birth_ns, stat->volume) & mask;
    for (; catalog->index[at] != CATALOG_NONE; at = (at + 1) & mask) {
        struct catalog_entry *e = &catalog->entries[catalog->index[at]];
        if (same(e, source, stat)) return e;
    }
    return NULL;
}

static void index_put(struct catalog *catalog, uint32_t place) {
    size_t mask = catalog->index_room - 1, at = entry_hash(&catalog->entries[place]) & mask;
    while (catalog->index[at] != CATALOG_NONE) at = (at + 1) & mask;
    catalog->index[at] = place;
}

static void index_grow(struct catalog *catalog) {
    size_t room = catalog->index_room ? catalog->index_room * 2 : INDEX_ROOM_MIN;
    free(catalog->index);
    catalog->index = alloc_bytes(room * sizeof *catalog->index);
    memset(catalog->index, 0xff, room * sizeof *catalog->index);
    catalog->index_room = room;
    for (size_t i = 0; i < catalog->len; i++)
        if (catalog->entries[i].state != CATALOG_FREE) index_put(catalog, (uint32_t)i);
}

static uint32_t place_take(struct catalog *catalog) {
    if (catalog->free_len) return catalog->free_places[--catalog->free_len];
    MUST(catalog->len < CATALOG_NONE - 1);
    alloc_grow(&catalog->entries, &catalog->room, catalog->len + 1, sizeof *catalog->entries);
    catalog->entries[catalog->len].state = CATALOG_FREE;
    return (uint32_t)catalog->len++;
}

static size_t folder_len(struct str uri) {
    size_t len = uri.len;
    while (len > 0 && uri.at[len - 1] != '/') len--;
    return len;
}

static void name_take(struct catalog *catalog, struct catalog_entry *entry, struct str uri) {
    size_t len = folder_len(uri);
    entry->folder = folders_take(&catalog->folders, str_sub(uri, 0, len));
    entry->name = alloc_text(uri.at + len, uri.len - len);
}

static void name_drop(struct catalog *catalog, struct catalog_entry *entry) {
    folders_drop(&catalog->folders, entry->folder);
    free(entry->name);
}

struct catalog_entry *catalog_add(struct catalog *catalog, uint16_t source, const struct source_entry *seen) {
    if ((catalog->live + 1) * 4 > catalog->index_room * 3) index_grow(catalog);
    uint32_t place = place_take(catalog);
    struct catalog_entry *e = &catalog->entries[place];
    *e = (struct catalog_entry){.inode = seen->stat.inode,
                                .volume = seen->stat.volume,
                                .birth_ns = seen->stat.birth_ns,
                                .mtime_ns = seen->stat.mtime_ns,
                                .size = seen->stat.size,
                                .raw_size = seen->stat.size,
                                .source = source,
                                .state = CATALOG_NEW,
                                .fixed = seen->stat.fixed};
    name_take(catalog, e, seen->uri);
    index_put(catalog, place);
    catalog->live++;
    return e;
}

void catalog_rename(struct catalog *catalog, struct catalog_entry *entry, struct str uri) {
    name_drop(catalog, entry);
    name_take(catalog, entry, uri);
}

struct str catalog_uri(const struct catalog *catalog, const struct catalog_entry *entry, struct arena *arena) {
    struct str folder = folders_text(&catalog->folders, entry->folder);
    size_t len = strlen(entry->name);
    char *text = arena_alloc(arena, folder.len + len + 1);
    memcpy(text, folder.at, folder.len);
    memcpy(text + folder.len, entry->name, len);
    return (struct str){text, folder.len + len};
}

bool catalog_is_named(const struct catalog *catalog, const struct catalog_entry *entry, struct str uri) {
    struct str folder = folders_text(&catalog->folders, entry->folder);
    return uri.len >= folder.len && str_equal(str_sub(uri, 0, folder.len), folder) &&
           str_equal(str_sub(uri, folder.len, uri.len), str_of(entry->name));
}

/* Backward-shift deletion (Knuth, TAOCP 3, 6.4 R), so that no tombstones slow the look-ups of a long-running emitter.
 */
static void index_remove(struct catalog *catalog, uint32_t place) {
    size_t mask = catalog->index_room - 1, hole = entry_hash(&catalog->entries[place]) & mask;
    while (catalog->index[hole] != place) {
        MUST(catalog->index[hole] != CATALOG_NONE);
        hole = (hole + 1) & mask;
    }
    for (size_t at = (hole + 1) & mask; catalog->index[at] != CATALOG_NONE; at = (at + 1) & mask) {
        size_t home = entry_hash(&catalog->entries[catalog->index[at]]) & mask;
        bool stays = hole <= at ? (hole < home && home <= at) : (hole < home || home <= at);
        if (stays) continue;
        catalog->index[hole] = catalog->index[at];
        hole = at;
    }
    catalog->index[hole] = CATALOG_NONE;
}

void catalog_remove(struct catalog *catalog, struct catalog_entry *entry) {
    MUST(!entry->held && entry->state != CATALOG_FREE);
    uint32_t place = catalog_place(catalog, entry);
    index_remove(catalog, place);
    name_drop(catalog, entry);
    *entry = (struct catalog_entry){.state = CATALOG_FREE};
    alloc_grow(&catalog->free_places, &catalog->free_room, catalog->free_len + 1, sizeof *catalog->free_places);
    catalog->free_places[catalog->free_len++] = place;
    catalog->live--;
}

struct source_stat catalog_stat(const struct catalog_entry *entry) {
    return (struct source_stat){.inode = entry->inode,
                                .birth_ns = entry->birth_ns,
                                .volume = entry->volume,
                                .size = entry->raw_size,
                                .mtime_ns = entry->mtime_ns,
                                .links = 1,
                                .fixed = entry->fixed};
}
