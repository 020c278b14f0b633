/* SPDX-License-Identifier: Apache-2.0 */
/* Every object that a manifest lists is in the store with its size, and every object of this queue that is in the store
 * is listed, or of a batch that is not manifested yet. */
#include "audit_inner.h"
#include "names.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

static struct audit_finding about_key(enum audit_kind kind, struct str key) {
    return (struct audit_finding){.kind = kind, .key = key};
}

/* ---- one object in its manifest ---- */

void audit_check_parts(struct audit *a, const struct manifest *m, const struct manifest_object *o) {
    struct name_object name;
    if (name_object_parse(o->key, &name) != RC_OK || name.generation != m->generation ||
        !id_equal(name.queue, m->queue) || name.partition != m->partition || name.start != m->start ||
        name.rejects != o->rejects || !str_equal(name.output, o->output) || !str_equal(name.format, m->settings.format))
        audit_found(a, about_key(AUDIT_OBJECT_NAME, o->key),
                    "manifest %" PRIu64 " of partition %" PRIu32 " lists it, and its name is of something else",
                    m->index, m->partition);
    uint64_t records = 0, raw_bytes = 0;
    for (size_t i = 0; i < o->parts_len; i++) {
        records += o->parts[i].records;
        raw_bytes += o->parts[i].raw_bytes;
    }
    if (records != o->records || raw_bytes != o->raw_bytes)
        audit_found(a, about_key(AUDIT_OBJECT_PARTS, o->key),
                    "its parts have %" PRIu64 " records in %" PRIu64 " bytes together, the object %" PRIu64
                    " in %" PRIu64,
                    records, raw_bytes, o->records, o->raw_bytes);
}

/* ---- the store's listing ---- */

static int object_order(const void *one, const void *two) {
    const struct audit_object *a = one, *b = two;
    return (a->spot > b->spot) - (a->spot < b->spot);
}

/* The first row of the spot; .len without one. */
static size_t first_of(const struct audit_rows *rows, uint64_t spot) {
    const struct audit_object *at = (const struct audit_object *)rows->at;
    size_t low = 0, high = rows->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (at[middle].spot < spot)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->len && at[low].spot == spot ? low : rows->len;
}

bool audit_object_listed(const struct audit *a, uint64_t spot) { return first_of(&a->objects, spot) < a->objects.len; }

/* Of a batch that has no manifest yet: sealed, or to be sealed behind the chain's end (parts may go up before). */
static bool is_in_progress(const struct audit_chain *chain, uint64_t start) {
    uint64_t end = 0;
    const struct audit_link *links = chain ? (const struct audit_link *)chain->links.at : NULL;
    for (size_t i = 0; chain && i < chain->links.len; i++) {
        if (!links[i].readable || links[i].start == links[i].end) continue;
        if (links[i].start == start) return !links[i].manifested;
        if (links[i].end > end) end = links[i].end;
    }
    return start >= end;
}

static void check_unlisted(struct audit *a, struct str key) {
    struct name_object name;
    if (name_object_parse(key, &name) != RC_OK)
        audit_found(a, about_key(AUDIT_OBJECT_UNLISTED, key), "no manifest lists it, and its name is none of sluice's");
    else if (!id_equal(name.queue, a->queue))
        a->result->objects_foreign++;
    else if (is_in_progress(audit_chain_find(a, name.partition), name.start))
        a->result->objects_in_progress++;
    else
        audit_found(a, about_key(AUDIT_OBJECT_UNLISTED, key), "no manifest lists it");
}

static enum rc see(void *context, struct str key, uint64_t bytes) {
    struct audit *a = context;
    struct audit_object *rows = (struct audit_object *)a->objects.at;
    uint64_t spot = hash_bytes(key);
    if (!audit_in_window(a, spot)) return RC_OK;
    size_t at = first_of(&a->objects, spot);
    if (at == a->objects.len) {
        check_unlisted(a, key);
        return RC_OK;
    }
    rows[at].seen = true;
    if (rows[at].bytes != bytes)
        audit_found(a, about_key(AUDIT_OBJECT_SIZE, key), "it has %" PRIu64 " bytes, and the manifest says %" PRIu64,
                    bytes, rows[at].bytes);
    return RC_OK;
}

/* ---- what was not seen ---- */

/* The key of a row, from its manifest; good until the next manifest is loaded. */
static RC key_of(struct audit *a, const struct audit_object *row, struct str *out, struct why *why) {
    struct manifest m;
    bool good = false;
    *out = STR("");
    TRY(audit_manifest_load(a, row->partition, row->seal, &m, &good, why));
    if (good && row->number < m.objects_len) *out = m.objects[row->number].key;
    return RC_OK;
}

static RC check_twice(struct audit *a, const struct audit_object *row, const struct audit_object *again,
                      struct why *why) {
    AUTO(buf_done) struct buf first = BUF_INIT(NAME_MAX_BYTES);
    struct str key;
    TRY(key_of(a, row, &key, why));
    buf_add(&first, key);
    TRY(key_of(a, again, &key, why));
    if (str_equal(buf_str(&first), key)) /* else only their hashes are the same */
        audit_found(a, about_key(AUDIT_OBJECT_NAME, key),
                    "manifest %" PRIu64 " of partition %" PRIu32 " and manifest %" PRIu64 " of partition %" PRIu32
                    " list it",
                    row->seal, row->partition, again->seal, again->partition);
    return RC_OK;
}

static RC check_missing(struct audit *a, const struct audit_object *row, struct why *why) {
    struct str key;
    uint64_t bytes = 0;
    TRY(key_of(a, row, &key, why));
    enum rc rc = store_size(a->report->store, key, &bytes, why); /* a listing may be older than the manifest */
    if (rc == RC_ABSENT)
        audit_found(a, about_key(AUDIT_OBJECT_MISSING, key), "manifest %" PRIu64 " of partition %" PRIu32 " lists it",
                    row->seal, row->partition);
    return rc == RC_ABSENT ? RC_OK : rc;
}

static RC list_generation(struct audit *a, const char *folder, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    buf_add_format(&prefix, "%sg%" PRIu64 "/", folder, a->report->generation);
    return store_list(a->report->store, buf_str(&prefix), STR(""), see, a, why);
}

RC audit_check_objects(struct audit *a, struct why *why) {
    audit_rows_sort(&a->objects, object_order);
    TRY(list_generation(a, "", why));
    TRY(list_generation(a, "_rejects/", why));
    const struct audit_object *rows = (const struct audit_object *)a->objects.at;
    for (size_t i = 0; i < a->objects.len; i++) {
        bool again = i && rows[i].spot == rows[i - 1].spot;
        if (again)
            TRY(check_twice(a, &rows[i - 1], &rows[i], why));
        else if (!rows[i].seen)
            TRY(check_missing(a, &rows[i], why));
    }
    return RC_OK;
}
