/* SPDX-License-Identifier: Apache-2.0 */
/* sim_check: the end of a run. sim_is_done() says whether there is anything left to wait for; sim_check() compares what
 * is in the store with what was in the files: for each file and stripe the manifested attempts follow one another from
 * the stripe's start, each holds exactly the lines of its range, each line once; every file that is there to be read is
 * there to its end, and has a receipt that says so. */
#include "sim_inner.h"

#include "alloc.h"
#include "must.h"
#include "names.h"
#include "num.h"
#include "own.h"
#include "receipt.h"
#include "sim_lines.h"
#include "sim_reader.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- is it done? ---- */

static bool is_uploaded(struct sim *sim, uint64_t generation, struct why *why) {
    struct broker broker = broker_memory_port(sim->brokers[generation - 1]);
    for (uint32_t p = 0; p < sim->partitions; p++) {
        uint64_t start = 0, end = 0;
        MUST(broker_bounds(broker, p, &start, &end, NULL) == RC_OK);
        if (sim->watch.chains[generation][p].end == end) continue;
        (void)!why_set(why, RC_BUSY,
                       "partition %u of generation %" PRIu64 " has %" PRIu64 " messages, %" PRIu64
                       " are in manifested seals",
                       p, generation, end, sim->watch.chains[generation][p].end);
        return false;
    }
    return true;
}

struct ledger_file sim_look_up(struct sim *sim, uint64_t generation, const struct sim_content *c, struct arena *arena) {
    struct ledger ledger = sim->ledger;
    struct ledger_identity who;
    struct ledger_file file = {0};
    MUST(ledger_identity(ledger, &who, NULL) == RC_OK);
    ledger.at = (struct ledger_at){who.epoch, generation};
    struct ledger_key key = {sim->emitter_sources[c->source].name, c->inode, c->birth_ns, 0};
    MUST(ledger_lookup(ledger, &key, 1, arena, &file, NULL) == RC_OK);
    return file;
}

static bool is_receipted(struct sim *sim, uint64_t generation, const struct sim_name *name, struct why *why) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    const struct sim_content *c = &sim->files.contents[name->content];
    struct ledger_file file = sim_look_up(sim, generation, c, &arena);
    if (file.found && file.closed && file.closed_end == c->len && file.receipted) {
        sim_notify_check(sim, generation, file.id, file.closed_end);
        return true;
    }
    char id[ID_TEXT];
    (void)!why_set(why, RC_BUSY,
                   "%s of %zu bytes (inode %" PRIu64 ", %s, reach %" PRIu64 ") is %s at %" PRIu64
                   " and has no receipt in generation %" PRIu64,
                   name->path, c->len, c->inode, id_format(file.id, id), file.reach, file.closed ? "closed" : "open",
                   file.closed_end, generation);
    return false;
}

bool sim_is_done(struct sim *sim, struct why *why) {
    for (uint64_t g = 1; g <= sim->generations; g++) {
        if (!is_uploaded(sim, g, why)) return false;
        for (size_t i = 0; i < sim->files.names_len; i++)
            if (sim->files.names[i].listed && !is_receipted(sim, g, &sim->files.names[i], why)) return false;
    }
    return true;
}

/* ---- what a file's attempts should hold ---- */

/* The attempts of one file of one generation. */
struct group {
    struct sim *sim;
    const struct sim_won *won;
    size_t len;
    uint64_t *ends; /* line starts that are no LF's doing */
    size_t ends_len;
    uint64_t generation;
    struct sim_keys *keys;
};

/* Did a winner cut a line there? A ledger that was set back may have forgotten the end before anybody used it; and that
 * a range ends there says nothing, for a stripe in which no line starts may end at the same place. */
static bool ended_there(const struct group *g, uint64_t end) {
    for (size_t i = 0; i < g->len; i++) {
        const struct sim_won *won = &g->won[i];
        if ((won->closed && won->trailer.attempt.to == end) || won->first_end == end) return true;
    }
    return false;
}

static void find_ends(struct group *g, struct id file, struct arena *arena) {
    const struct sim_watch *w = &g->sim->watch;
    g->ends = ARENA_ARRAY(arena, uint64_t, w->ends_len);
    for (size_t i = 0; i < w->ends_len; i++)
        if (id_equal(w->ends[i].file, file) && (w->ends[i].sure || ended_there(g, w->ends[i].end)))
            g->ends[g->ends_len++] = w->ends[i].end;
}

static int by_bytes(const void *a, const void *b) {
    const struct sim_record *x = a, *y = b;
    return x->reject != y->reject ? x->reject - y->reject : str_compare(x->bytes, y->bytes);
}

/* The reject of a line, as far as the reference says what is in it. */
static struct str reject_of(struct arena *arena, const struct sim_line *line) {
    AUTO(buf_done) struct buf text = BUF_INIT(200);
    buf_add_format(&text, "\"offset\":%" PRIu64 ",\"length\":%zu,", line->offset, line->text.len);
    return arena_str(arena, buf_str(&text));
}

/* The same part of a reject that was read. */
static struct str reject_place(struct str record) {
    const char *from = memmem(record.at, record.len, "\"offset\":", 9);
    const char *to = memmem(record.at, record.len, "\"reason\":", 9);
    return from && to && to > from ? (struct str){from, (size_t)(to - from)} : record;
}

struct expected {
    struct sim_record *records;
    size_t len;
    struct counts counts;
};

static void expect(const struct group *g, const struct sim_content *c, const struct sim_won *won, struct arena *arena,
                   struct expected *out) {
    const struct attempt *a = &won->trailer.attempt;
    const struct worker_source *source = &g->sim->worker_sources[c->source];
    struct str content = {c->bytes, c->len};
    uint64_t at = a->from;
    struct sim_line line;
    *out = (struct expected){.records = ARENA_ARRAY(arena, struct sim_record, a->to - a->from + 1)};
    while (at < a->to && sim_line_next(content, g->ends, g->ends_len, &at, &line) && line.offset < a->to) {
        enum sim_line_kind kind =
            sim_line_kind(line.text, c->source == SIM_NDJSON, g->sim->knobs.dedupe, source->max_line_bytes);
        out->counts.lines++;
        if (kind == SIM_LINE_BLANK) {
            out->counts.blank++;
            continue;
        }
        bool reject = kind == SIM_LINE_REJECT;
        if (!reject && !sim_once_kept(g->sim, c->source, &line, won->claims)) {
            out->counts.filtered++;
            continue;
        }
        out->counts.rejects += reject;
        out->counts.converted += !reject;
        out->counts.records += !reject;
        out->records[out->len++] =
            (struct sim_record){.reject = reject, .bytes = reject ? reject_of(arena, &line) : line.text};
        if (line.end > a->to) out->counts.lines = UINT64_MAX; /* it reaches over the attempt's end: never right */
    }
    if (out->len) qsort(out->records, out->len, sizeof *out->records, by_bytes);
}

static bool counts_equal(const struct counts *a, const struct counts *b) {
    return a->lines == b->lines && a->converted == b->converted && a->rejects == b->rejects &&
           a->filtered == b->filtered && a->blank == b->blank && a->records == b->records;
}

static bool matches(const struct group *g, const struct sim_won *won, const struct sim_content *c) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    const struct attempt *a = &won->trailer.attempt;
    struct expected expected;
    if (a->to > c->len) return false;
    expect(g, c, won, &arena, &expected);
    if (!counts_equal(&expected.counts, &won->trailer.counts) || expected.len != won->records_len) return false;
    struct sim_record *got = ARENA_ARRAY(&arena, struct sim_record, won->records_len);
    for (size_t i = 0; i < won->records_len; i++) {
        got[i] = won->records[i];
        if (got[i].reject) got[i].bytes = reject_place(got[i].bytes);
    }
    if (won->records_len) qsort(got, won->records_len, sizeof *got, by_bytes);
    for (size_t i = 0; i < expected.len; i++)
        if (got[i].reject != expected.records[i].reject || !str_equal(got[i].bytes, expected.records[i].bytes))
            return false;
    return true;
}

static void show(const struct group *g, const struct sim_won *won, const struct sim_content *c) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct expected expected;
    const struct counts *n = &won->trailer.counts;
    if (!g->sim->options.verbose || won->trailer.attempt.to > c->len) return;
    expect(g, c, won, &arena, &expected);
    for (size_t i = 0; i < expected.len; i++)
        sim_tell(g->sim, "  expected %s|%.*s|", expected.records[i].reject ? "reject " : "",
                 STR_ARG(expected.records[i].bytes));
    for (size_t i = 0; i < won->records_len; i++)
        sim_tell(g->sim, "  found    %s|%.*s| in %.*s", won->records[i].reject ? "reject " : "",
                 STR_ARG(won->records[i].bytes), STR_ARG(won->records[i].key));
    sim_tell(g->sim,
             "  expected lines %" PRIu64 " rejects %" PRIu64 " blank %" PRIu64 "; found %" PRIu64 " %" PRIu64
             " %" PRIu64,
             expected.counts.lines, expected.counts.rejects, expected.counts.blank, n->lines, n->rejects, n->blank);
}

/* Notes the keys of an attempt's lines. What it dropped is told by no byte of its records: where several contents of
 * the inode fit, only what it kept. */
static void note_keys(const struct group *g, const struct sim_won *won, const struct sim_content *c, bool sure) {
    const struct attempt *a = &won->trailer.attempt;
    struct str content = {c->bytes, c->len};
    uint64_t at = a->from;
    struct sim_line line;
    while (at < a->to && sim_line_next(content, g->ends, g->ends_len, &at, &line) && line.offset < a->to) {
        size_t max = g->sim->worker_sources[c->source].max_line_bytes;
        if (sim_line_kind(line.text, c->source == SIM_NDJSON, g->sim->knobs.dedupe, max) != SIM_LINE_RECORD) continue;
        bool kept = sim_once_kept(g->sim, c->source, &line, won->claims);
        if (kept || sure) sim_once_note(g->sim, c->source, &line, kept, g->keys);
    }
}

/* Some content that the inode had must be what the attempt holds. */
static bool check_attempt(const struct group *g, const struct sim_won *won) {
    const struct sim *sim = g->sim;
    const struct attempt *a = &won->trailer.attempt;
    const struct sim_enrolled *who = sim_enrolled(sim, a->file);
    char id[ID_TEXT];
    size_t fits = 0;
    const struct sim_content *fitting = NULL;
    if (!who) return sim_fail(g->sim, "attempt %s is of a file that nobody enrolled", id_format(a->id, id));
    for (size_t i = sim->files.contents_len; i-- > 0;) {
        const struct sim_content *c = &sim->files.contents[i];
        if (c->inode != who->inode || c->birth_ns != who->birth_ns || !matches(g, won, c)) continue;
        fits++;
        fitting = c;
    }
    if (fits) {
        note_keys(g, won, fitting, fits == 1);
        return true;
    }
    for (size_t i = 0; i < sim->files.contents_len; i++)
        if (sim->files.contents[i].inode == who->inode && sim->files.contents[i].birth_ns == who->birth_ns)
            show(g, won, &sim->files.contents[i]);
    return sim_fail(g->sim,
                    "attempt %s of inode %" PRIu64 ", stripe %" PRIu64 ", [%" PRIu64 ",%" PRIu64
                    ") of generation %" PRIu64 " holds other lines than its range",
                    id_format(a->id, id), who->inode, a->stripe, a->from, a->to, g->generation);
}

/* Attempts of a stripe begin at its start, and each where the one before ends. */
static bool check_chain(const struct group *g) {
    uint64_t grid = g->sim->emitter_sources[0].stripe_bytes;
    char id[ID_TEXT];
    for (size_t i = 0; i < g->len; i++) {
        const struct attempt *a = &g->won[i].trailer.attempt;
        const struct attempt *before = i ? &g->won[i - 1].trailer.attempt : NULL;
        uint64_t due = before && before->stripe == a->stripe ? before->to : a->stripe * grid;
        if (a->from != due)
            return sim_fail(g->sim,
                            "attempt %s of stripe %" PRIu64 " begins at %" PRIu64 ", the one before ends at %" PRIu64,
                            id_format(a->id, id), a->stripe, a->from, due);
    }
    return true;
}

static uint64_t reached(const struct group *g, uint64_t stripe, uint64_t start) {
    uint64_t at = start;
    for (size_t i = 0; i < g->len; i++)
        if (g->won[i].trailer.attempt.stripe == stripe) at = g->won[i].trailer.attempt.to;
    return at;
}

static bool check_receipt(const struct group *g, struct id file, uint64_t end) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(RECEIPT_BYTES_MAX);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct receipt receipt;
    struct counts counts = {0};
    uint64_t records = 0, listed = 0;
    MUST(name_receipt(g->generation, file, end, &key) == RC_OK);
    if (store_get(g->sim->store, buf_str(&key), 0, RECEIPT_BYTES_MAX, &bytes, NULL) != RC_OK)
        return sim_fail(g->sim, "there is no receipt %s", buf_text(&key));
    if (receipt_decode(buf_str(&bytes), &arena, &receipt, NULL) != RC_OK)
        return sim_fail(g->sim, "receipt %s cannot be read", buf_text(&key));
    for (size_t i = 0; i < g->len; i++) {
        counts_add(&counts, &g->won[i].trailer.counts);
        records += g->won[i].records_len;
    }
    for (size_t i = 0; i < receipt.objects_len; i++) listed += receipt.objects[i].records;
    if (!counts_equal(&counts, &receipt.counts) || !counts_hold(&receipt.counts))
        return sim_fail(g->sim, "receipt %s says %" PRIu64 " lines, there are %" PRIu64, buf_text(&key),
                        receipt.counts.lines, counts.lines);
    if (records != listed)
        return sim_fail(g->sim, "receipt %s lists objects with %" PRIu64 " records, there are %" PRIu64, buf_text(&key),
                        listed, records);
    return true;
}

/* All of a file that can be read to its end, and as it is now. */
static bool check_whole(const struct group *g, struct id file, const struct sim_content *c) {
    uint64_t grid = g->sim->emitter_sources[0].stripe_bytes;
    for (uint64_t stripe = 0; stripe * grid < c->len; stripe++)
        if (reached(g, stripe, stripe * grid) < MIN(c->len, (stripe + 1) * grid))
            return sim_fail(g->sim,
                            "of inode %" PRIu64 ", stripe %" PRIu64 " only what is before %" PRIu64
                            " is manifested in generation %" PRIu64 "; the file has %zu bytes",
                            c->inode, stripe, reached(g, stripe, stripe * grid), g->generation, c->len);
    for (size_t i = 0; i < g->len; i++)
        if (!matches(g, &g->won[i], c)) {
            show(g, &g->won[i], c);
            return sim_fail(g->sim, "of inode %" PRIu64 ", [%" PRIu64 ",%" PRIu64 ") holds what was there before",
                            c->inode, g->won[i].trailer.attempt.from, g->won[i].trailer.attempt.to);
        }
    return check_receipt(g, file, c->len);
}

/* ---- a generation ---- */

static struct group group_of(struct sim *sim, const struct sim_read *read, uint64_t generation, struct id file,
                             struct arena *arena) {
    size_t from = 0, to = 0;
    while (from < read->won_len && !id_equal(read->won[from].trailer.attempt.file, file)) from++;
    for (to = from; to < read->won_len && id_equal(read->won[to].trailer.attempt.file, file);) to++;
    struct group g = {.sim = sim, .won = read->won + from, .len = to - from, .generation = generation};
    find_ends(&g, file, arena);
    return g;
}

static bool check_generation(struct sim *sim, const struct sim_read *read, uint64_t generation) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct sim_keys keys = {0};
    bool right = true;
    for (size_t i = 0; i < read->won_len && right;) {
        struct group g = group_of(sim, read, generation, read->won[i].trailer.attempt.file, &arena);
        g.keys = &keys;
        right = check_chain(&g);
        for (size_t k = 0; k < g.len && right; k++) right = check_attempt(&g, &g.won[k]);
        i += g.len;
    }
    if (!sim_once_check(sim, &keys) || !right) return false;
    for (size_t i = 0; i < sim->files.names_len; i++) {
        const struct sim_content *c = &sim->files.contents[sim->files.names[i].content];
        if (!sim->files.names[i].listed) continue;
        struct ledger_file file = sim_look_up(sim, generation, c, &arena);
        struct group g = group_of(sim, read, generation, file.id, &arena);
        if (!check_whole(&g, file.id, c)) return false;
    }
    for (size_t i = 0; i < sim->taken_len; i++) {
        struct group g = group_of(sim, read, generation, sim->taken[i].file, &arena);
        if (!check_whole(&g, sim->taken[i].file, &sim->files.contents[sim->taken[i].content])) return false;
    }
    return true;
}

void sim_check(struct sim *sim) {
    for (uint64_t g = 1; g <= sim->generations && !sim->failed; g++) {
        struct sim_read read;
        struct why why = {0};
        if (sim_read_all(&read, sim->store, sim->queue, g, &why) == RC_OK)
            (void)check_generation(sim, &read, g);
        else
            (void)sim_fail(sim, "generation %" PRIu64 ": %s", g, why.text);
        sim_read_done(&read);
    }
}
