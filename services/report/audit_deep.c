/* SPDX-License-Identifier: Apache-2.0 */
/* Every object is read back: all checksums, its footer against the manifest, its records counted. */
#include "alloc.h"
#include "audit_inner.h"
#include "stored.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct deep {
    struct audit *a;
    struct stored stored;
    uint64_t done;
};

static void deep_done(struct deep *d) { stored_done(&d->stored); }

static void bad(struct audit *a, const struct manifest_object *o, const char *words) {
    audit_found(a, (struct audit_finding){.kind = AUDIT_OBJECT_BAD, .key = o->key}, "%s", words);
}

/* ---- the footer against the manifest ---- */

static int part_order(const void *one, const void *two) {
    const struct manifest_part *a = one, *b = two;
    int order = id_compare(a->file, b->file);
    if (!order) order = (a->stripe > b->stripe) - (a->stripe < b->stripe);
    if (!order) order = (a->from > b->from) - (a->from < b->from);
    if (!order) order = (a->to > b->to) - (a->to < b->to);
    return order ? order : id_compare(a->attempt, b->attempt);
}

/* Sorts, and adds up the parts of the same attempt; gives how many are left. */
static size_t sum_parts(struct manifest_part *parts, size_t n) {
    size_t kept = 0;
    if (n) qsort(parts, n, sizeof *parts, part_order);
    for (size_t i = 0; i < n; i++) {
        if (!kept || part_order(&parts[kept - 1], &parts[i]) != 0) {
            parts[kept++] = parts[i];
            continue;
        }
        parts[kept - 1].blocks += parts[i].blocks;
        parts[kept - 1].records += parts[i].records;
        parts[kept - 1].raw_bytes += parts[i].raw_bytes;
    }
    return kept;
}

static size_t footer_parts(const struct footer *f, struct arena *arena, struct manifest_part **out) {
    size_t n = 0;
    for (size_t i = 0; i < f->blocks_len; i++) n += f->blocks[i].parts_len;
    struct manifest_part *parts = ARENA_ARRAY(arena, struct manifest_part, n);
    n = 0;
    for (size_t i = 0; i < f->blocks_len; i++)
        for (size_t k = 0; k < f->blocks[i].parts_len; k++) {
            const struct footer_part *p = &f->blocks[i].parts[k];
            parts[n++] =
                (struct manifest_part){p->file, p->stripe, p->from, p->to, p->attempt, 1, p->records, p->raw_bytes};
        }
    *out = parts;
    return sum_parts(parts, n);
}

static bool same_parts(const struct footer *f, const struct manifest_object *o, struct arena *arena) {
    struct manifest_part *theirs = NULL, *ours = ARENA_ARRAY(arena, struct manifest_part, o->parts_len);
    size_t n = footer_parts(f, arena, &theirs);
    if (o->parts_len) memcpy(ours, o->parts, o->parts_len * sizeof *ours);
    if (sum_parts(ours, o->parts_len) != n) return false;
    for (size_t i = 0; i < n; i++)
        if (part_order(&theirs[i], &ours[i]) != 0 || theirs[i].blocks != ours[i].blocks ||
            theirs[i].records != ours[i].records || theirs[i].raw_bytes != ours[i].raw_bytes)
            return false;
    return true;
}

static void check_footer(struct deep *d, const struct manifest *m, const struct manifest_object *o) {
    const struct object *object = &d->stored.object;
    const struct footer *f = &object->footer;
    if (!id_equal(f->queue, m->queue) || f->generation != m->generation || f->partition != m->partition ||
        f->seal != m->index || f->rejects != o->rejects || !str_equal(f->output, o->output))
        bad(d->a, o, "its footer is of another batch or output than its manifest");
    if (object->records != o->records || object->raw_bytes != o->raw_bytes)
        bad(d->a, o, "its footer and its manifest count other records or bytes");
    if (!same_parts(f, o, &d->stored.arena)) bad(d->a, o, "the parts in its footer are others than in its manifest");
}

/* ---- the data ---- */

static RC check_checksum(struct deep *d, const struct manifest_object *o, struct why *why) {
    struct stored *s = &d->stored;
    TRY(object_check(&s->object, o->checksum, s->decoders[s->format], &s->compressed, &s->raw, why));
    d->a->result->deep_records += s->object.records;
    return RC_OK;
}

/* A jsonl.gz without footer: the members, their records, and the sum over the bytes. */
static RC read_members(struct deep *d, const struct manifest_object *o, struct why *why) {
    uint64_t records = 0, raw_bytes = 0;
    struct str raw, record;
    while (stored_more(&d->stored)) {
        TRY(stored_next(&d->stored, &raw, why));
        raw_bytes += raw.len;
        while (object_next_record(&raw, &record)) records++;
    }
    if (records != o->records || raw_bytes != o->raw_bytes)
        return why_set(why, RC_BROKEN,
                       "it holds %" PRIu64 " records in %" PRIu64 " bytes, and the manifest says %" PRIu64
                       " in %" PRIu64,
                       records, raw_bytes, o->records, o->raw_bytes);
    d->a->result->deep_records += records;
    return stored_check_sum(&d->stored, why);
}

/* Damage is RC_BROKEN here; what the store cannot do now is not. */
static RC check_object(struct deep *d, const struct manifest *m, const struct manifest_object *o, struct why *why) {
    struct why words = {0};
    uint64_t bytes = 0;
    enum rc rc = store_size(d->a->report->store, o->key, &bytes, why);
    if (rc == RC_ABSENT || (rc == RC_OK && bytes != o->bytes)) return RC_OK; /* told already */
    TRY(rc);
    rc = stored_open(&d->stored, d->a->report->store, o, m->settings.format, &words);
    if (rc == RC_OK && d->stored.has_footer) check_footer(d, m, o);
    if (rc == RC_OK) rc = d->stored.has_footer ? check_checksum(d, o, &words) : read_members(d, o, &words);
    if (rc == RC_BROKEN || rc == RC_BAD || rc == RC_LIMIT)
        bad(d->a, o, words.text);
    else if (rc != RC_OK)
        return why_set(why, rc, "%s", words.text);
    d->a->result->deep_objects++;
    d->a->result->deep_bytes += o->bytes;
    return RC_OK;
}

static RC check_manifest(struct deep *d, const struct manifest *m, struct why *why) {
    for (size_t i = 0; i < m->objects_len; i++) {
        TRY(check_object(d, m, &m->objects[i], why));
        d->done += m->objects[i].bytes;
        if (d->a->options->progress)
            TRY(d->a->options->progress(d->a->options->context, d->done, d->a->result->object_bytes));
    }
    return RC_OK;
}

RC audit_check_deep(struct audit *a, struct why *why) {
    AUTO(deep_done) struct deep d = {.a = a, .stored = STORED_INIT};
    const struct audit_chain *chains = (const struct audit_chain *)a->chains.at;
    for (size_t c = 0; c < a->chains.len; c++) {
        const struct audit_link *links = (const struct audit_link *)chains[c].links.at;
        for (size_t i = 0; i < chains[c].links.len; i++) {
            struct manifest m;
            bool good = false;
            if (!links[i].manifested) continue;
            TRY(audit_manifest_load(a, chains[c].partition, links[i].index, &m, &good, why));
            if (good) TRY(check_manifest(&d, &m, why));
        }
    }
    return RC_OK;
}
