/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts against the attempts that manifests list. A receipt is written when all up to its end is durable, so it can
 * be judged when the manifests that were read hold all of that; one that is newer than they are is judged by what the
 * ledger says now. */
#include "audit_inner.h"
#include "names.h"
#include "num.h"
#include "receipt.h"
#include "own.h"

#include <inttypes.h>
#include <string.h>

/* What the attempts of a file come to. */
struct account {
    bool covered; /* every byte up to the end */
    struct counts counts;
    uint64_t records_seen, rejects_seen; /* behind the end too */
};

static struct audit_finding about(enum audit_kind kind, struct id file, struct str key) {
    return (struct audit_finding){.kind = kind, .has_file = true, .file = file, .key = key};
}

/* The attempts are sorted by stripe and place. */
static struct account account_of(const struct audit *a, const struct audit_known *file, uint64_t end) {
    const struct audit_attempt *t = (const struct audit_attempt *)a->attempts.at;
    struct account sum = {0};
    size_t i = 0, to = 0;
    uint64_t grid = MAX(file->stripe_bytes, (uint64_t)1),
             whole = 0; /* stripes covered up to their end, or the file's */
    audit_attempts_of(a, file->id, &i, &to);
    while (i < to) {
        uint64_t stripe = t[i].stripe, reached = stripe_start(stripe, grid);
        for (; i < to && t[i].stripe == stripe; i++) {
            sum.records_seen += t[i].records_seen;
            sum.rejects_seen += t[i].rejects_seen;
            if (t[i].to <= end) counts_add(&sum.counts, &t[i].said);
            bool complete = t[i].trailers && t[i].blocks_seen >= t[i].blocks_said;
            if (complete && t[i].from <= reached) reached = MAX(reached, t[i].to);
        }
        whole += stripe == whole && reached >= MIN(end, stripe_end(stripe, grid));
    }
    sum.covered = whole >= stripe_count(end, grid);
    return sum;
}

static RC check_early(struct audit *a, const struct audit_known *file, const struct receipt *r, struct str key,
                      struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_stripe_listing *stripes = NULL;
    size_t n = 0;
    bool known = false;
    uint64_t grid = MAX(file->stripe_bytes, (uint64_t)1), complete = 0, needed = stripe_count(r->end, grid);
    TRY(audit_stripes_now(a, r->file, &arena, &known, &stripes, &n, why));
    for (size_t i = 0; i < n; i++)
        complete += stripes[i].stripe < needed && stripes[i].at >= MIN(r->end, stripe_end(stripes[i].stripe, grid));
    if (complete < needed)
        audit_found(a, about(AUDIT_RECEIPT_EARLY, r->file, key),
                    "%" PRIu64 " of the %" PRIu64 " stripes before its end are converted to their ends", complete,
                    needed);
    return RC_OK;
}

static bool is_manifested(const struct audit *a, const struct name_object *name) {
    const struct audit_chain *chain = audit_chain_find(a, name->partition);
    const struct audit_link *links = chain ? (const struct audit_link *)chain->links.at : NULL;
    for (size_t i = 0; chain && i < chain->links.len; i++)
        if (links[i].readable && links[i].start == name->start && links[i].end != name->start)
            return links[i].manifested;
    return false;
}

static bool is_listed(const struct audit *a, const struct receipt_object *o) {
    struct name_object name;
    if (name_object_parse(o->key, &name) != RC_OK || name.generation != a->report->generation ||
        !id_equal(name.queue, a->queue) || name.rejects != o->rejects)
        return false;
    uint64_t spot = hash_bytes(o->key);
    return audit_in_window(a, spot) ? audit_object_listed(a, spot) : is_manifested(a, &name);
}

static void check_objects(struct audit *a, const struct receipt *r, const struct account *sum, struct str key) {
    uint64_t records = 0, rejects = 0;
    for (size_t i = 0; i < r->objects_len; i++) {
        if (!is_listed(a, &r->objects[i]))
            audit_found(a, about(AUDIT_RECEIPT_OBJECTS, r->file, key), "no manifest lists its object %.*s",
                        STR_ARG(r->objects[i].key));
        if (r->objects[i].rejects)
            rejects += r->objects[i].records;
        else
            records += r->objects[i].records;
    }
    /* The batches of the file may hold records from behind the end too. */
    if (records < sum->counts.records || rejects < sum->counts.rejects || records > sum->records_seen ||
        rejects > sum->rejects_seen)
        audit_found(a, about(AUDIT_RECEIPT_OBJECTS, r->file, key),
                    "its objects hold %" PRIu64 " records and %" PRIu64
                    " rejects of the file, those of manifests %" PRIu64 " and %" PRIu64,
                    records, rejects, sum->records_seen, sum->rejects_seen);
}

static RC check_receipt(struct audit *a, const struct receipt *r, struct str key, struct why *why) {
    struct audit_known *file = audit_known_find(a, r->file);
    if (!file) {
        bool known = false;
        TRY(audit_knows_now(a, r->file, &known, why)); /* it may be new */
        /* An empty file has nothing in any seal: a ledger that was set back cannot know it again, and nothing is
         * missing. */
        if (!known && r->end)
            audit_found(a, about(AUDIT_FILE_UNKNOWN, r->file, key),
                        "it has a receipt, and the ledger does not know it");
        return RC_OK;
    }
    file->receipt_seen |= r->end == file->closed_end;
    struct account sum = account_of(a, file, r->end);
    if (!sum.covered) return check_early(a, file, r, key, why);
    if (memcmp(&sum.counts, &r->counts, sizeof sum.counts) != 0)
        audit_found(a, about(AUDIT_RECEIPT_COUNTS, r->file, key),
                    "it says lines %" PRIu64 ", converted %" PRIu64 ", rejects %" PRIu64 ", filtered %" PRIu64
                    ", blank %" PRIu64 ", records %" PRIu64 "; the manifests %" PRIu64 ", %" PRIu64 ", %" PRIu64
                    ", %" PRIu64 ", %" PRIu64 ", %" PRIu64,
                    r->counts.lines, r->counts.converted, r->counts.rejects, r->counts.filtered, r->counts.blank,
                    r->counts.records, sum.counts.lines, sum.counts.converted, sum.counts.rejects, sum.counts.filtered,
                    sum.counts.blank, sum.counts.records);
    check_objects(a, r, &sum, key);
    return RC_OK;
}

/* ---- the listing ---- */

struct walk {
    struct audit *a;
    struct str prefix;
    struct why *why;
};

/* "<file>-<N>.json" behind the prefix */
static RC parse_key(struct str name, struct id *out_file, uint64_t *out_end) {
    struct str file;
    if (!str_ends(name, STR(".json"))) return RC_BAD;
    name.len -= STR(".json").len;
    if (!str_cut(&name, '-', &file)) return RC_BAD;
    TRY(id_parse(file.at, file.len, out_file));
    return str_parse_u64(name, out_end);
}

static RC load(struct audit *a, struct str key, struct id file, uint64_t end, struct why *why) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(RECEIPT_BYTES_MAX);
    struct receipt receipt;
    struct why words = {0};
    TRY(store_get(a->report->store, key, 0, RECEIPT_BYTES_MAX, &bytes, why));
    arena_reset(&a->arena);
    enum rc rc = receipt_decode(buf_str(&bytes), &a->arena, &receipt, &words);
    if (rc == RC_OK &&
        (!id_equal(receipt.file, file) || receipt.end != end || receipt.generation != a->report->generation))
        rc = why_set(&words, RC_BAD, "it is of another file, end or generation than its name");
    if (rc == RC_OK) return check_receipt(a, &receipt, key, why);
    audit_found(a, about(AUDIT_RECEIPT_BAD, file, key), "%s", words.text);
    return RC_OK;
}

static enum rc see(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    const struct walk *walk = context;
    struct id file = {0};
    uint64_t end = 0;
    if (parse_key(str_sub(key, walk->prefix.len, key.len), &file, &end) != RC_OK) {
        if (walk->a->first)
            audit_found(walk->a, (struct audit_finding){.kind = AUDIT_RECEIPT_BAD, .key = key},
                        "no receipt has this name");
        return RC_OK;
    }
    if (audit_spot(file) > walk->a->high) return RC_STOP; /* keys are in the order of the ids */
    if (audit_spot(file) < walk->a->low) return RC_OK;
    walk->a->result->receipts++;
    return load(walk->a, key, file, end, walk->why);
}

static RC check_missing(struct audit *a, const struct audit_known *file, struct why *why) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    uint64_t bytes = 0;
    TRY(name_receipt(a->report->generation, file->id, file->closed_end, &key));
    enum rc rc = store_size(a->report->store, buf_str(&key), &bytes, why);
    if (rc == RC_ABSENT)
        audit_found(a, about(AUDIT_RECEIPT_MISSING, file->id, buf_str(&key)), "the ledger says that it was written");
    return rc == RC_ABSENT ? RC_OK : rc;
}

RC audit_check_receipts(struct audit *a, struct why *why) {
    AUTO(buf_done) struct buf prefix = BUF_INIT(NAME_MAX_BYTES), after = BUF_INIT(NAME_MAX_BYTES);
    TRY(name_receipts_prefix(a->report->generation, &prefix));
    buf_add(&after, buf_str(&prefix));
    buf_add_format(&after, "%016" PRIx64, a->low);
    struct walk walk = {a, buf_str(&prefix), why};
    enum rc rc = store_list(a->report->store, buf_str(&prefix), a->first ? STR("") : buf_str(&after), see, &walk, why);
    if (rc != RC_OK && rc != RC_STOP) return rc;
    const struct audit_known *files = (const struct audit_known *)a->known.at;
    for (size_t i = 0; i < a->known.len; i++)
        if (files[i].receipted && !files[i].receipt_seen) TRY(check_missing(a, &files[i], why));
    return RC_OK;
}
