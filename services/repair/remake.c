/* SPDX-License-Identifier: Apache-2.0 */
#include "remake.h"

#include "alloc.h"
#include "blocks.h"
#include "claims.h"
#include "cut.h"
#include "must.h"
#include "num.h"
#include "stop.h"
#include "own.h"
#include "reader.h"
#include "records.h"
#include "reject_uri.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_WORK = 256 * 1024, QUEUE_BYTES = 32 * 1024 * 1024, ACKS = 256, ACK_WAIT_MS = 1000 };

struct remake {
    struct remake_settings settings;
    struct broker_producer producer;
    struct slice *slice;
    struct kept *kept;
    struct blocks *blocks;
    char *window, *line_work;
    /* of the attempt in work */
    struct converter *converter;
    struct lost_attempt *now;
    const struct slice_result *result; /* NULL: a range without lines */
    uint64_t first_end;
    struct records_start start; /* where lines go together */
    bool sending;
    uint32_t made, sent, unacked;
    struct source view;      /* opens the file of .now */
    struct source_stop stop; /* of its text, where the attempt ends */
};

static enum rc on_message(void *context, uint32_t partition, struct str head, struct str body, struct why *why);

RC remake_new(const struct remake_settings *settings, struct remake **out, struct why *why) {
    struct broker_producer producer;
    TRY(broker_producer_new(settings->broker, QUEUE_BYTES, &producer, why));
    struct remake *r = ALLOC(struct remake);
    const struct worker_settings *w = settings->worker;
    r->settings = *settings;
    r->producer = producer;
    r->slice = slice_new((struct slice_limits){0});
    r->kept = kept_new();
    r->line_work = alloc_bytes(LINE_WORK);
    r->blocks = blocks_new(&(struct blocks_settings){.format = w->format,
                                                     .level = w->level,
                                                     .block_bytes = w->block_bytes,
                                                     .small_bytes = w->block_small_bytes,
                                                     .large_bytes = w->block_large_bytes,
                                                     .partitions = settings->partitions,
                                                     .append = on_message,
                                                     .context = r});
    *out = r;
    return RC_OK;
}

void remake_free(struct remake *r) {
    if (!r) return;
    broker_producer_free(r->producer);
    blocks_free(r->blocks);
    slice_free(r->slice);
    kept_free(r->kept);
    converter_free(r->converter);
    free(r->window);
    free(r->line_work);
    free(r);
}

/* ---- the messages ---- */

static RC differs(struct why *why, uint32_t index, const char *what) {
    return why_set(why, RC_BROKEN,
                   "block %u comes out with %s than it had: the configuration of its source or output is another one "
                   "than when it was converted, or this is another version of sluice; repair with those of then",
                   index, what);
}

static RC compare(const struct remake *r, const struct block_header *h, struct why *why) {
    const struct lost_attempt *a = r->now;
    if (h->index + 1 >= a->won.messages) return differs(why, h->index, "more blocks");
    const struct lost_block *b = &a->blocks[h->index];
    if (!b->there) return RC_OK;
    if (!b->described)
        return why_set(why, RC_BROKEN, "block %u is in an object that does not tell which of its bytes it is",
                       h->index);
    if (b->rejects != h->rejects || b->output_hash != hash_bytes(h->output))
        return differs(why, h->index, "another output");
    if (b->records != h->records || b->raw_bytes != h->raw_bytes || b->raw_checksum != h->raw_checksum)
        return differs(why, h->index, "other records");
    return RC_OK;
}

static RC take_acks(struct remake *r, struct why *why) {
    struct broker_ack acks[ACKS];
    size_t n = 0;
    TRY(broker_poll(r->producer, ACK_WAIT_MS, acks, ACKS, &n, why));
    r->unacked -= (uint32_t)n;
    return RC_OK;
}

static RC send(struct remake *r, uint32_t partition, struct str head, struct str body, struct why *why) {
    for (;;) {
        enum rc rc = broker_append(r->producer, BROKER_BLOCKS, partition, head, body, 0, why);
        if (rc == RC_OK) break;
        if (rc != RC_BUSY || !r->unacked) return rc;
        TRY(take_acks(r, why));
    }
    r->unacked++;
    r->sent++;
    return RC_OK;
}

static enum rc on_message(void *context, uint32_t partition, struct str head, struct str body, struct why *why) {
    struct remake *r = context;
    struct block_message m;
    TRY(block_decode(head, &m, why)); /* the payload is not looked at */
    r->made++;
    bool there = m.kind == BLOCK_TRAILER ? r->now->trailer : false;
    if (m.kind == BLOCK_RECORDS) {
        TRY(compare(r, &m.header, why));
        there = r->now->blocks[m.header.index].there;
    }
    return r->sending && !there ? send(r, partition, head, body, why) : RC_OK;
}

static bool is_end(const struct lost_attempt *a, uint64_t at) {
    return at && cut_next_end(a->ends, a->ends_len, at) == at;
}

static struct counts counts_of(const struct slice_result *r) {
    if (!r) return (struct counts){0};
    const struct slice_counts *c = &r->counts;
    return (struct counts){c->lines, c->converted, c->rejects, c->filtered, c->blank, c->records};
}

static RC publish(struct remake *r, uint64_t epoch, bool sending, struct why *why) {
    const struct lost_attempt *a = r->now;
    struct block_trailer trailer = {.attempt = a->attempt,
                                    .facts = a->facts,
                                    .counts = counts_of(r->result),
                                    .tail_hash = a->won.tail_hash,
                                    .closed = is_end(a, a->won.to),
                                    .first_end = r->first_end,
                                    .claims = kept_claims(r->kept)};
    uint32_t messages = 0;
    if (!trailer.attempt.epoch) trailer.attempt.epoch = epoch;
    if (memcmp(&trailer.counts, &a->won.counts, sizeof trailer.counts) != 0)
        return why_set(why, RC_BROKEN,
                       "its %llu lines come out as %llu converted and %llu rejects, and were %llu, %llu and %llu: the "
                       "configuration of its source is another one than when it was converted",
                       (unsigned long long)trailer.counts.lines, (unsigned long long)trailer.counts.converted,
                       (unsigned long long)trailer.counts.rejects, (unsigned long long)a->won.counts.lines,
                       (unsigned long long)a->won.counts.converted, (unsigned long long)a->won.counts.rejects);
    r->made = 0;
    r->sending = sending;
    TRY(blocks_publish(r->blocks, r->result, &trailer, &messages, why));
    if (messages == a->won.messages) return RC_OK;
    return why_set(why, RC_BROKEN,
                   "it comes out as %u messages, and had %u: output.block_bytes or the configuration of its source is "
                   "another one than when it was converted",
                   messages, a->won.messages);
}

/* ---- the lines ---- */

static RC find_source(struct remake *r, struct str name, const struct worker_source **out, struct why *why) {
    const struct worker_settings *w = r->settings.worker;
    for (size_t i = 0; i < w->sources_len; i++)
        if (str_equal(w->sources[i].name, name)) {
            converter_free(TAKE(r->converter));
            *out = &w->sources[i];
            return converter_new(&w->sources[i].converter, &r->converter, why);
        }
    return why_set(why, RC_BAD, "its source %.*s is not in this configuration", STR_ARG(name));
}

/* NULL: a record is a line. Rejects are lines, whatever they hold. */
static struct segments *segments_of(const struct remake *r) {
    return reject_uri_is(r->now->facts.uri) ? NULL : converter_segments(r->converter);
}

static void begin_slice(struct remake *r) {
    const struct lost_attempt *a = r->now;
    struct slice_place place = {.uri = a->facts.uri,
                                .file = a->attempt.file,
                                .generation = a->attempt.generation,
                                .stripe = a->attempt.stripe,
                                .line_in_stripe = a->won.lines_before,
                                .kept = r->kept};
    slice_begin(r->slice, r->converter, &place);
}

static RC load(struct remake *r, const struct reader *reader, uint64_t at, size_t len, struct why *why) {
    free(TAKE(r->window));
    r->window = alloc_bytes(len + JSON_PADDING);
    memset(r->window + len, 0, JSON_PADDING);
    return reader_read(reader, at, r->window, len, why);
}

/* One line that no lane keeps. */
static RC convert_long(struct remake *r, const struct reader *reader, uint64_t at, struct why *why) {
    uint64_t to = r->now->won.to, length = to - at;
    char last[2];
    TRY(load(r, reader, at, (size_t)MIN(length, (uint64_t)SLICE_RAW_MAX), why));
    TRY(reader_read(reader, to - 2, last, sizeof last, why));
    if (last[1] == '\n') length -= last[0] == '\r' ? 2 : 1;
    begin_slice(r);
    slice_add_too_long(r->slice, at, length, (struct str){r->window, (size_t)MIN(length, (uint64_t)SLICE_RAW_MAX)});
    r->result = slice_result(r->slice);
    return RC_OK;
}

/* Where lines go together: the segments of the range, as a lane took them. Its end is where one begins, or closed. */
static RC convert_records(struct remake *r, const struct reader *reader, struct why *why) {
    const struct lost_attempt *a = r->now;
    struct segments *segments = segments_of(r);
    struct records_start *start = &r->start;
    uint64_t at = start->at, len = a->won.to - at;
    if (len > MAX((uint64_t)WORKER_SLICE_MAX, (uint64_t)segments_window(segments)))
        return convert_long(r, reader, at, why);
    TRY(load(r, reader, at, (size_t)len, why));
    begin_slice(r);
    for (size_t taken = 0, bytes = 0; taken < len; taken += bytes) {
        uint64_t from = at + taken;
        struct segments_ask ask = {.window = {r->window + taken, (size_t)len - taken},
                                   .at = from,
                                   .in_line = start->in_line,
                                   .end = MIN(cut_next_end(a->ends, a->ends_len, from + 1), a->won.to),
                                   .ready = a->won.to};
        bool closed = false;
        MUST(segments_next(segments, &start->state, &ask, &bytes, &closed) == SEGMENTS_WHOLE); /* all is closed */
        if (closed && from + bytes < a->won.to)
            return why_set(why, RC_STALE, "its lines end elsewhere than they did: the file was changed");
        start->in_line = false;
        slice_add_segment(r->slice, ask.window.len == bytes ? ask.window : str_sub(ask.window, 0, bytes), from);
    }
    r->result = slice_result(r->slice);
    return RC_OK;
}

static RC add_lines(struct remake *r, uint64_t at, size_t len, struct why *why) {
    size_t done = 0, before = SIZE_MAX;
    begin_slice(r);
    while (done < len && before != done) {
        size_t added = 0;
        before = done;
        stop_add_lines(r->slice, str_sub((struct str){r->window, len}, done, len), at + done, &r->stop, &added);
        done += added;
        if (!kept_full(r->kept)) break;
    }
    TRY(converter_waits(r->converter, why));
    return done == len ? RC_OK : why_set(why, RC_BROKEN, "its lines need more memory than they did");
}

static RC convert_lines(struct remake *r, const struct reader *reader, const struct worker_source *source, uint64_t at,
                        struct why *why) {
    const struct lost_attempt *a = r->now;
    size_t line_max = slice_line_bytes_max(a->facts.uri, (size_t)source->max_line_bytes);
    uint64_t len = a->won.to - at, most = MAX((uint64_t)WORKER_SLICE_MAX, (uint64_t)line_max + 2);
    if (len > most) return convert_long(r, reader, at, why);
    TRY(load(r, reader, at, (size_t)len, why));
    struct cut_ask ask = {.window = {r->window, (size_t)len},
                          .at = at,
                          .stripe_end = stripe_end(a->won.stripe, a->facts.stripe_bytes),
                          .ready = a->won.to,
                          .ends = a->ends,
                          .ends_len = a->ends_len};
    struct cut cut = converter_framed(source->converter.kind) ? cut_framed(&ask) : cut_lines(&ask);
    if (cut.kind != CUT_LINES || cut.bytes != len)
        return why_set(why, RC_STALE, "its lines end elsewhere than they did: the file was changed");
    bool again = true;
    /* The ledger has all claims of a winner: what it gives to another place was not kept here. */
    for (int round = 0; round < 2 && again; round++) {
        TRY(add_lines(r, at, (size_t)len, why));
        TRY(claims_look_up(r->kept, r->settings.ledger, (struct ledger_stripe){a->attempt.file, a->won.stripe}, &again,
                           why));
    }
    r->result = slice_result(r->slice);
    return RC_OK;
}

/* A segment's begin does not depend on what is behind the line that it begins with: but that line is wanted. */
static RC first_record(struct remake *r, const struct reader *reader, uint64_t *out, struct why *why) {
    const struct lost_attempt *a = r->now;
    bool none = false;
    struct records_ask ask = {.from = a->won.from,
                              .follows = !id_is_none(a->won.predecessor),
                              .stripe_end = MIN(stripe_end(a->won.stripe, a->facts.stripe_bytes), a->won.to),
                              .ready = a->won.to,
                              .ends = a->ends,
                              .ends_len = a->ends_len};
    TRY(records_start(reader, segments_of(r), &ask, &r->start, &none, why));
    *out = r->start.at;
    return RC_OK;
}

/* The first line start of a stripe is looked for as a lane does. RC_ABSENT: no line starts in the range. */
static RC first_line(struct remake *r, const struct reader *reader, uint64_t *out, struct why *why) {
    const struct lost_attempt *a = r->now;
    if (segments_of(r)) return first_record(r, reader, out, why);
    *out = a->won.from;
    if (!id_is_none(a->won.predecessor)) return RC_OK;
    uint64_t end = stripe_end(a->won.stripe, a->facts.stripe_bytes);
    struct reader_lines search = {a->won.from, MIN(end, a->won.to), a->ends, a->ends_len, r->line_work, LINE_WORK};
    return reader_line_start(reader, &search, out, why);
}

static RC convert(struct remake *r, const struct reader *reader, const struct worker_source *source, struct why *why) {
    const struct lost_attempt *a = r->now;
    uint64_t tail = 0, at = 0;
    struct job job = {.file = a->attempt.file, .facts = a->facts, .stripe = a->won.stripe, .ready = a->won.to};
    bool follows = !id_is_none(a->won.predecessor);
    TRY(reader_check(reader, &job, a->won.from, follows, a->won.tail_before, why));
    TRY(reader_tail(reader, a->won.to, &tail, why));
    if (tail != a->won.tail_hash)
        return why_set(why, RC_STALE, "it has other bytes before offset %llu than when it was converted up to there",
                       (unsigned long long)a->won.to);
    enum rc rc = first_line(r, reader, &at, why);
    r->result = NULL;
    r->stop.stopped = false;
    kept_forget(r->kept);
    r->first_end = rc == RC_ABSENT && segments_of(r) ? r->start.cut_end : 0;
    if (rc == RC_ABSENT) return is_end(a, a->won.to) ? reader_stop(reader, a->won.to, &r->stop, why) : RC_OK;
    if (rc != RC_OK) return rc;
    r->first_end = !follows && is_end(a, at) ? at : 0;
    if (is_end(a, a->won.to)) TRY(reader_stop(reader, a->won.to, &r->stop, why));
    return segments_of(r) ? convert_records(r, reader, why) : convert_lines(r, reader, source, at, why);
}

/* As a lane does: where the last line did not tell that the text stops, a reject of its own does. */
static void tell_stop(struct remake *r) {
    const struct slice_result *seen = r->result;
    if (!r->stop.stopped || (seen && seen->counts.reasons[REASON_DAMAGED])) return;
    if (!seen) begin_slice(r);
    stop_add(r->slice, r->now->won.to, STR(""), &r->stop);
    r->result = slice_result(r->slice);
}

/* ---- the file ---- */

struct search {
    const struct facts *facts;
    struct buf *uri;
};

static enum rc see_file(void *context, const struct source_entry *entry) {
    struct search *s = context;
    struct source_stat expected = {
        .inode = s->facts->inode, .birth_ns = s->facts->birth_ns, .volume = s->facts->volume};
    if (!source_same(&entry->stat, &expected)) return RC_OK;
    buf_reset(s->uri);
    buf_add(s->uri, entry->uri);
    return buf_rc(s->uri);
}

/* Where it was found, or where it lies under another name by now. */
static RC open_file(struct remake *r, const struct job *job, struct buf *uri, struct reader *out, struct why *why) {
    enum rc rc = reader_open(out, r->view, job, why);
    struct search search = {&job->facts, uri};
    struct job moved = *job;
    if (rc != RC_ABSENT && rc != RC_STALE) return rc;
    for (size_t i = 0; i < r->settings.patterns_len; i++)
        TRY(source_list(r->settings.source, &r->settings.patterns[i], see_file, NULL, &search, NULL));
    if (!uri->len) return rc;
    moved.facts.uri = buf_str(uri);
    return reader_open(out, r->view, &moved, why);
}

RC remake_convert(struct remake *r, struct lost_attempt *a, struct why *why) {
    enum { URI_MAX = 64 * 1024 };
    AUTO(buf_done) struct buf uri = BUF_INIT(URI_MAX);
    const struct worker_source *source = NULL;
    struct job job = {.file = a->attempt.file, .facts = a->facts, .stripe = a->won.stripe};
    r->now = a;
    if (a->won.forgotten) return why_set(why, RC_BROKEN, "who came before it is forgotten, so it was durable once");
    TRY(find_source(r, a->facts.source, &source, why));
    AUTO(reader_close) struct reader reader = {0};
    r->view = source->view.ops && !reject_uri_is(a->facts.uri) ? source->view : r->settings.source;
    TRY(open_file(r, &job, &uri, &reader, why));
    TRY(convert(r, &reader, source, why));
    tell_stop(r);
    return publish(r, 1, false, why);
}

RC remake_append(struct remake *r, struct lost_attempt *a, uint64_t epoch, uint32_t *out_messages, struct why *why) {
    r->now = a;
    r->sent = 0;
    TRY(publish(r, epoch, true, why));
    while (r->unacked) TRY(take_acks(r, why));
    *out_messages = r->sent;
    return RC_OK;
}
