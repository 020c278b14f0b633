/* SPDX-License-Identifier: Apache-2.0 */
#include "sim_reader.h"

#include "alloc.h"
#include "chain.h"
#include "names.h"
#include "own.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum { OBJECT_MAX = 16 * 1024 * 1024 };

/* ---- bytes of an object to its records ---- */

static RC inflate_zst(struct str bytes, struct buf *out, struct why *why) {
    while (bytes.len) {
        size_t taken = ZSTD_findFrameCompressedSize(bytes.at, bytes.len);
        if (ZSTD_isError(taken)) return why_set(why, RC_BROKEN, "no zstd frame");
        unsigned long long raw = ZSTD_getFrameContentSize(bytes.at, bytes.len); /* 0 of a skippable one */
        if (raw > OBJECT_MAX) return why_set(why, RC_BROKEN, "a zstd frame without its size");
        TRY(buf_reserve(out, raw + 1));
        size_t got = ZSTD_decompress(out->at + out->len, raw + 1, bytes.at, taken);
        if (ZSTD_isError(got)) return why_set(why, RC_BROKEN, "%s", ZSTD_getErrorName(got));
        out->len += got;
        bytes = str_sub(bytes, taken, bytes.len);
    }
    return RC_OK;
}

static RC inflate_gz(struct str bytes, struct buf *out, struct why *why) {
    while (bytes.len) {
        z_stream z = {.next_in = (Bytef *)(uintptr_t)bytes.at, .avail_in = (uInt)bytes.len};
        if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return why_set(why, RC_BROKEN, "zlib");
        int rc = Z_OK;
        while (rc == Z_OK) {
            TRY(buf_reserve(out, 4096));
            z.next_out = (Bytef *)out->at + out->len;
            z.avail_out = 4096;
            rc = inflate(&z, Z_NO_FLUSH);
            out->len += 4096 - z.avail_out;
        }
        size_t left = z.avail_in;
        (void)inflateEnd(&z);
        if (rc != Z_STREAM_END) return why_set(why, RC_BROKEN, "a gzip member does not end");
        bytes = str_sub(bytes, bytes.len - left, bytes.len);
    }
    return RC_OK;
}

static void record_add(struct sim_read *r, const struct manifest_object *o, struct id attempt, struct str bytes) {
    alloc_grow(&r->records, &r->records_room, r->records_len + 1, sizeof *r->records);
    r->records[r->records_len++] = (struct sim_record){.attempt = attempt,
                                                       .reject = o->rejects,
                                                       .bytes = arena_str(&r->arena, bytes),
                                                       .output = o->output,
                                                       .key = o->key};
}

/* The manifest says, in the object's order, how many records are whose. */
static RC give_records(struct sim_read *r, const struct manifest_object *o, struct str raw, struct why *why) {
    uint64_t records = 0;
    if (raw.len && raw.at[raw.len - 1] != '\n') return why_set(why, RC_BROKEN, "its last record has no end");
    if (raw.len != o->raw_bytes)
        return why_set(why, RC_BROKEN, "it holds %zu bytes, not %" PRIu64, raw.len, o->raw_bytes);
    for (size_t i = 0; i < o->parts_len; i++) {
        size_t before = raw.len;
        for (uint64_t k = 0; k < o->parts[i].records; k++) {
            struct str record;
            if (!raw.len || !str_cut(&raw, '\n', &record)) return why_set(why, RC_BROKEN, "it has too few records");
            record_add(r, o, o->parts[i].attempt, record);
            records++;
        }
        if (before - raw.len != o->parts[i].raw_bytes) return why_set(why, RC_BROKEN, "part %zu has other bytes", i);
    }
    if (raw.len || records != o->records) return why_set(why, RC_BROKEN, "it has too many records");
    return RC_OK;
}

static RC read_object(struct sim_read *r, struct store store, const struct manifest_object *o, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(OBJECT_MAX), raw = BUF_INIT(OBJECT_MAX);
    enum rc rc = store_get(store, o->key, 0, OBJECT_MAX, &bytes, why);
    if (rc == RC_OK && (bytes.len != o->bytes || hash_bytes(buf_str(&bytes)) != o->checksum))
        rc = why_set(why, RC_BROKEN, "size or checksum are not the manifest's");
    if (rc == RC_OK)
        rc = str_ends(o->key, STR(".gz")) ? inflate_gz(buf_str(&bytes), &raw, why)
                                          : inflate_zst(buf_str(&bytes), &raw, why);
    if (rc == RC_OK) rc = give_records(r, o, buf_str(&raw), why);
    return rc == RC_OK ? RC_OK : why_wrap(why, RC_BROKEN, "object %.*s", STR_ARG(o->key));
}

/* ---- manifests ---- */

struct listing {
    struct sim_read *read;
    struct store store;
    uint64_t generation;
    struct why *why;
};

static RC read_manifest(struct listing *l, struct str key) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(OBJECT_MAX);
    struct manifest m;
    struct seal seal;
    TRY(store_get(l->store, key, 0, OBJECT_MAX, &bytes, l->why));
    TRY(manifest_decode(buf_str(&bytes), &l->read->arena, &m, l->why));
    struct chain chain = {l->store, m.queue, m.generation, m.partition};
    TRY(chain_get_seal(&chain, m.index, &l->read->arena, &seal, l->why));
    for (size_t i = 0; i < m.objects_len; i++) TRY(read_object(l->read, l->store, &m.objects[i], l->why));
    for (size_t i = 0; i < m.attempts_len; i++) {
        alloc_grow(&l->read->won, &l->read->won_room, l->read->won_len + 1, sizeof *l->read->won);
        struct sim_won *won = &l->read->won[l->read->won_len++];
        *won = (struct sim_won){.trailer = m.attempts[i]};
        for (size_t k = 0; k < seal.trailers_len; k++) {
            const struct block_trailer *t = &seal.trailers[k];
            if (!id_equal(t->attempt.id, won->trailer.attempt.id)) continue;
            won->claims = t->claims;
            won->closed = t->closed;
            won->first_end = t->first_end;
        }
    }
    return RC_OK;
}

static enum rc visit(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    return read_manifest(context, key);
}

static int by_place(const void *a, const void *b) {
    const struct attempt *x = &((const struct sim_won *)a)->trailer.attempt;
    const struct attempt *y = &((const struct sim_won *)b)->trailer.attempt;
    int order = id_compare(x->file, y->file);
    if (!order) order = (x->stripe > y->stripe) - (x->stripe < y->stripe);
    return order ? order : (x->from > y->from) - (x->from < y->from);
}

static int by_attempt(const void *a, const void *b) {
    return id_compare(((const struct sim_record *)a)->attempt, ((const struct sim_record *)b)->attempt);
}

/* Each attempt gets its records; one that has records and no trailer cannot be. */
static RC give_to_attempts(struct sim_read *r, struct why *why) {
    size_t given = 0;
    if (r->records_len) qsort(r->records, r->records_len, sizeof *r->records, by_attempt);
    for (size_t i = 0; i < r->won_len; i++) {
        struct sim_record key = {.attempt = r->won[i].trailer.attempt.id};
        struct sim_record *hit =
            r->records_len ? bsearch(&key, r->records, r->records_len, sizeof key, by_attempt) : NULL;
        if (!hit) continue;
        while (hit > r->records && id_equal(hit[-1].attempt, key.attempt)) hit--;
        r->won[i].records = hit;
        for (; hit < r->records + r->records_len && id_equal(hit->attempt, key.attempt); hit++) r->won[i].records_len++;
        given += r->won[i].records_len;
    }
    if (given != r->records_len)
        return why_set(why, RC_BROKEN, "%zu records are of attempts without a trailer, or with two",
                       r->records_len - given);
    return RC_OK;
}

RC sim_read_all(struct sim_read *r, struct store store, struct id queue, uint64_t generation, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES);
    struct listing l = {r, store, generation, why};
    *r = (struct sim_read){0};
    TRY(name_manifests_prefix(queue, generation, &prefix));
    TRY(store_list(store, buf_str(&prefix), STR(""), visit, &l, why));
    if (r->won_len) qsort(r->won, r->won_len, sizeof *r->won, by_place);
    return give_to_attempts(r, why);
}

void sim_read_done(struct sim_read *r) {
    arena_done(&r->arena);
    free(r->won);
    free(r->records);
}
