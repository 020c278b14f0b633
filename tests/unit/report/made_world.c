/* SPDX-License-Identifier: Apache-2.0 */
#include "made_world.h"

#include "identity.h"
#include "json_out.h"
#include "ledger_sqlite.h"
#include "names.h"
#include "num.h"
#include "object.h"
#include "own.h"
#include "store_memory.h"
#include "time_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { STRIPE_BYTES = 1000 };
#define T0 INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define MINUTE INT64_C(60000000000)

static const struct {
    bool of_b;
    uint64_t stripe, from, to;
    int predecessor;
    struct counts counts; /* lines, converted, rejects, filtered, blank, records */
    uint32_t partition, batch, blocks;
} attempts[MADE_ATTEMPTS] = {
    {false, 0, 0, 400, -1, {4, 4, 0, 0, 0, 4}, 0, 0, 1},      {false, 0, 400, 1010, 0, {6, 5, 1, 0, 0, 5}, 1, 0, 3},
    {false, 1, 1000, 2005, -1, {10, 9, 0, 0, 1, 9}, 0, 1, 1}, {false, 2, 2000, 2500, -1, {5, 4, 1, 0, 0, 4}, 1, 0, 2},
    {true, 0, 0, 300, -1, {3, 3, 0, 0, 0, 3}, 0, 1, 1},
};

/* In the order of the log. first: the number of the first record. */
static const struct {
    uint32_t attempt, index, partition, batch;
    const char *output;
    bool rejects;
    uint32_t records, first;
} blocks[MADE_BLOCKS] = {
    {0, 0, 0, 0, "dt=1/k=x", false, 4, 0},      {1, 0, 0, 0, "dt=1/k=x", false, 3, 4},
    {1, 2, 0, 0, "source=app", true, 1, 0},     {2, 0, 0, 1, "dt=1/k=x", false, 9, 9},
    {4, 0, 0, 1, "dt=1/k=x", false, 3, 22},     {1, 1, 1, 0, "dt=2/k=y%2Fz", false, 2, 7},
    {3, 0, 1, 0, "dt=2/k=y%2Fz", false, 4, 18}, {3, 1, 1, 0, "source=app", true, 1, 0},
};

static struct id id_of(uint8_t kind, uint8_t number) {
    struct id id = {{kind, number}};
    id.bytes[ID_BYTES - 1] = 1;
    return id;
}

struct attempt made_attempt(const struct made_world *w, size_t i) {
    int before = attempts[i].predecessor;
    return (struct attempt){.generation = 1,
                            .file = attempts[i].of_b ? w->b : w->a,
                            .stripe = attempts[i].stripe,
                            .from = attempts[i].from,
                            .to = attempts[i].to,
                            .id = id_of(0x10, (uint8_t)i),
                            .predecessor = before < 0 ? (struct id){{0}} : id_of(0x10, (uint8_t)before),
                            .epoch = w->ledger.at.epoch};
}

struct facts made_facts(const struct made_world *w, struct id file) {
    bool b = id_equal(file, w->b);
    return (struct facts){.source = STR("app"),
                          .uri = b ? STR("file:///in/b.log") : STR("file:///in/a.log"),
                          .inode = b ? 2 : 1,
                          .birth_ns = 7,
                          .stripe_bytes = STRIPE_BYTES};
}

/* ---- objects ---- */

static void add_reject(const struct made_world *w, size_t block, struct buf *out) {
    bool last = attempts[blocks[block].attempt].stripe == 2;
    char file[ID_TEXT];
    struct json_out json = {.to = out};
    json_open(&json, '{');
    json_key_str(&json, STR("source"), STR("app"));
    json_key_str(&json, STR("uri"), STR("file:///in/a.log"));
    json_key_str(&json, STR("file"), str_of(id_format(w->a, file)));
    json_key_u64(&json, STR("generation"), 1);
    json_key_u64(&json, STR("stripe"), last ? 2 : 0);
    json_key_u64(&json, STR("line_in_stripe"), last ? 2 : 7);
    json_key_u64(&json, STR("offset"), last ? 2200 : 700);
    json_key_u64(&json, STR("length"), last ? 2 : 3);
    json_key_str(&json, STR("reason"), last ? STR("utf8") : STR("json"));
    if (last)
        json_key_str(&json, STR("raw_base64"), STR("//4="));
    else
        json_key_str(&json, STR("raw"), STR("bad"));
    json_close(&json, '}');
    buf_add_char(out, '\n');
}

static void add_raw(const struct made_world *w, size_t block, struct buf *out) {
    if (blocks[block].rejects) {
        add_reject(w, block, out);
        return;
    }
    for (uint32_t i = 0; i < blocks[block].records; i++) {
        char time[TIME_FORMAT_RFC3339_MAX];
        uint32_t n = blocks[block].first + i;
        buf_add_format(out, "{\"time\":\"%s\",\"n\":%u}\n", time_format_rfc3339(T0 + n * MINUTE, 0, time), n);
    }
}

static void add_block(struct made_world *w, size_t block, struct frame_encoder *encoder, struct object_writer *writer,
                      struct buf *bytes, struct manifest_object *object) {
    AUTO(buf_done) struct buf raw = BUF_INIT(MADE_TEXT_MAX), frame = BUF_INIT(MADE_TEXT_MAX);
    struct frame_facts facts;
    struct attempt attempt = made_attempt(w, blocks[block].attempt);
    add_raw(w, block, &raw);
    struct str pieces[] = {buf_str(&raw)};
    assert_int_equal(frame_encode(encoder, pieces, 1, &frame, &facts), RC_OK);
    struct footer_part part = {attempt.file, attempt.stripe,      attempt.from,          attempt.to,
                               attempt.id,   blocks[block].index, blocks[block].records, raw.len};
    struct footer_block head = {.raw_bytes = raw.len,
                                .records = blocks[block].records,
                                .has_time = !blocks[block].rejects,
                                .time_min_ns = blocks[block].rejects ? 0 : T0 + blocks[block].first * MINUTE,
                                .checksum = facts.raw_checksum,
                                .parts = &part,
                                .parts_len = 1};
    if (head.has_time) head.time_max_ns = head.time_min_ns + (blocks[block].records - 1) * MINUTE;
    assert_int_equal(object_writer_add(writer, buf_str(&frame), &head, NULL), RC_OK);
    buf_add(bytes, buf_str(&frame));
    object->parts[object->parts_len++] = (struct manifest_part){
        attempt.file, attempt.stripe, attempt.from, attempt.to, attempt.id, 1, part.records, part.raw_bytes};
}

static struct str base64_of(struct made_world *w, struct str bytes) {
    AUTO(buf_done) struct buf text = BUF_INIT(MADE_TEXT_MAX);
    struct json_out json = {.to = &text};
    json_base64(&json, bytes);
    return arena_str(&w->arena, str_sub(buf_str(&text), 1, text.len - 1));
}

static void put_object(struct made_world *w, const struct manifest *m, struct manifest_object *o) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES), bytes = BUF_INIT(MADE_TEXT_MAX);
    struct footer footer = {.queue = m->queue,
                            .generation = 1,
                            .partition = m->partition,
                            .seal = m->index,
                            .output = o->output,
                            .rejects = o->rejects,
                            .settings = m->settings};
    struct name_object name = {.generation = 1,
                               .output = o->output,
                               .rejects = o->rejects,
                               .queue = m->queue,
                               .partition = m->partition,
                               .start = m->start,
                               .format = m->settings.format};
    AUTO(frame_encoder_done) struct frame_encoder *encoder = frame_encoder_new(w->format, 1);
    AUTO(object_writer_done) struct object_writer *writer = object_writer_new(w->format, &footer);
    struct object_facts facts;
    o->parts = ARENA_ARRAY(&w->arena, struct manifest_part, MADE_BLOCKS + 1);
    for (size_t i = 0; i < MADE_BLOCKS; i++)
        if (blocks[i].partition == m->partition && blocks[i].batch == m->index &&
            str_equal(o->output, str_of(blocks[i].output)))
            add_block(w, i, encoder, writer, &bytes, o);
    assert_int_equal(object_writer_end(writer, &bytes, &facts, NULL), RC_OK);
    assert_int_equal(name_object(&name, &key), RC_OK);
    o->key = arena_str(&w->arena, buf_str(&key));
    o->bytes = facts.bytes;
    o->raw_bytes = facts.raw_bytes;
    o->records = facts.records;
    o->blocks = facts.blocks;
    o->has_time = facts.has_time;
    o->time_min_ns = facts.time_min_ns;
    o->time_max_ns = facts.time_max_ns;
    o->checksum = facts.checksum;
    if (w->format == FRAME_GZ) o->footer_base64 = base64_of(w, facts.footer);
    assert_int_equal(store_put(w->store, o->key, buf_str(&bytes), NULL), RC_OK);
}

/* ---- seals and manifests ---- */

static void put_seal(struct made_world *w, const struct seal *seal) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(seal_encode(seal, &bytes), RC_OK);
    made_put(w, made_seal_key(w, seal->partition, seal->index), buf_str(&bytes));
}

static void put_manifest(struct made_world *w, const struct manifest *m) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(manifest_encode(m, &bytes), RC_OK);
    made_put(w, made_manifest_key(w, m->partition, m->index), buf_str(&bytes));
}

static uint32_t seal_attempt(const struct made_world *w, struct seal *s, size_t attempt) {
    struct attempt wanted = made_attempt(w, attempt);
    for (size_t i = 0; i < s->attempts_len; i++)
        if (id_equal(s->attempts[i].id, wanted.id)) return (uint32_t)i;
    s->attempts[s->attempts_len] = wanted;
    s->facts[s->attempts_len] = made_facts(w, wanted.file);
    return (uint32_t)s->attempts_len++;
}

/* Blocks first, then trailers, as they would lie in the log. */
static void fill_seal(struct made_world *w, struct seal *s, struct manifest *m) {
    for (uint32_t i = 0; i < MADE_BLOCKS; i++)
        if (blocks[i].partition == s->partition && blocks[i].batch == s->index)
            s->blocks[s->blocks_len++] =
                (struct seal_block){s->end++, seal_attempt(w, s, blocks[i].attempt), blocks[i].index};
    for (uint32_t i = 0; i < MADE_ATTEMPTS; i++) {
        if (attempts[i].partition != s->partition || attempts[i].batch != s->index) continue;
        struct attempt attempt = s->attempts[seal_attempt(w, s, i)];
        struct facts facts = made_facts(w, attempt.file);
        s->trailers[s->trailers_len++] = (struct block_trailer){
            .attempt = attempt, .facts = facts, .counts = attempts[i].counts, .blocks = attempts[i].blocks};
        m->attempts[m->attempts_len++] =
            (struct manifest_attempt){attempt, attempts[i].counts, attempts[i].blocks, facts.source, facts.uri};
        s->end++;
    }
}

static void put_batch(struct made_world *w, uint32_t partition, uint64_t index, uint64_t start) {
    struct settings settings = {frame_format_name(w->format), 1, 1 << 20, 1 << 20, STR("test")};
    struct seal s = {.queue = w->report.queue,
                     .generation = 1,
                     .partition = partition,
                     .index = index,
                     .start = start,
                     .end = start,
                     .epoch = w->ledger.at.epoch,
                     .settings = settings,
                     .attempts = ARENA_ARRAY(&w->arena, struct attempt, MADE_ATTEMPTS),
                     .facts = ARENA_ARRAY(&w->arena, struct facts, MADE_ATTEMPTS),
                     .blocks = ARENA_ARRAY(&w->arena, struct seal_block, MADE_BLOCKS),
                     .trailers = ARENA_ARRAY(&w->arena, struct block_trailer, MADE_ATTEMPTS)};
    struct manifest m = {.queue = s.queue,
                         .generation = 1,
                         .partition = partition,
                         .index = index,
                         .epoch = s.epoch,
                         .settings = settings,
                         .objects = ARENA_ARRAY(&w->arena, struct manifest_object, MADE_BLOCKS),
                         .attempts = ARENA_ARRAY(&w->arena, struct manifest_attempt, MADE_ATTEMPTS)};
    fill_seal(w, &s, &m);
    m.start = s.start;
    m.end = s.end;
    for (size_t i = 0; i < MADE_BLOCKS; i++) {
        bool known = blocks[i].partition != partition || blocks[i].batch != index;
        for (size_t k = 0; k < m.objects_len; k++) known |= str_equal(m.objects[k].output, str_of(blocks[i].output));
        if (known) continue;
        struct manifest_object *o = &m.objects[m.objects_len++];
        *o = (struct manifest_object){.output = str_of(blocks[i].output), .rejects = blocks[i].rejects};
        put_object(w, &m, o);
    }
    put_seal(w, &s);
    put_manifest(w, &m);
}

/* ---- the ledger ---- */

static void open_ledger(struct made_world *w) {
    struct ledger_sqlite_settings settings = {
        .path = ":memory:", .generation = 1, .create = true, .ledger = id_of(0x20, 1), .queue = id_of(0x30, 1)};
    assert_int_equal(ledger_sqlite_open(&settings, &w->ledger, NULL), RC_OK);
    enum rc rcs[2] = {RC_BROKEN, RC_BROKEN};
    struct ledger_enroll asks[] = {{w->a, made_facts(w, w->a), 0}, {w->b, made_facts(w, w->b), 0}};
    assert_int_equal(ledger_enroll(w->ledger, asks, 2, rcs, NULL), RC_OK);
    assert_int_equal(rcs[0], RC_OK);
    assert_int_equal(rcs[1], RC_OK);
    struct ledger_close end = {.file = w->a, .end = 2500};
    assert_int_equal(ledger_close_files(w->ledger, &end, 1, rcs, NULL), RC_OK);
    assert_int_equal(rcs[0], RC_OK);
}

static void advance_all(struct made_world *w) {
    for (size_t i = 0; i < MADE_ATTEMPTS; i++) {
        enum ledger_decision decision = LEDGER_LOST;
        struct ledger_advance ask = {.attempt = made_attempt(w, i),
                                     .counts = attempts[i].counts,
                                     .messages = attempts[i].blocks + 1,
                                     .ends_seen = attempts[i].of_b ? 0 : 1,
                                     .closed = i == 3};
        assert_int_equal(ledger_advance(w->ledger, &ask, 1, NULL, 0, &decision, NULL), RC_OK);
        assert_int_equal(decision, LEDGER_WON);
    }
}

static void tell_durable(struct made_world *w, uint32_t partition, uint64_t index) {
    struct ledger_durable adds[MADE_ATTEMPTS];
    size_t n = 0;
    for (size_t i = 0; i < MADE_ATTEMPTS; i++) {
        struct attempt attempt = made_attempt(w, i);
        uint32_t messages = attempts[i].partition == partition && attempts[i].batch == index;
        for (size_t k = 0; k < MADE_BLOCKS; k++)
            messages += blocks[k].attempt == i && blocks[k].partition == partition && blocks[k].batch == index;
        if (messages) adds[n++] = (struct ledger_durable){attempt.file, attempt.stripe, attempt.id, messages};
    }
    assert_int_equal(ledger_durable(w->ledger, (struct ledger_batch){partition, index}, adds, n, NULL), RC_OK);
}

static void put_receipt(struct made_world *w) {
    struct receipt_object objects[] = {{made_object_key(w, 0, 0, STR("dt=1/k=x")), false, 7},
                                       {made_object_key(w, 0, 1, STR("dt=1/k=x")), false, 9},
                                       {made_object_key(w, 1, 0, STR("dt=2/k=y%2Fz")), false, 6},
                                       {made_object_key(w, 0, 0, STR("source=app")), true, 1},
                                       {made_object_key(w, 1, 0, STR("source=app")), true, 1}};
    struct receipt receipt = {.file = w->a,
                              .facts = made_facts(w, w->a),
                              .generation = 1,
                              .end = 2500,
                              .counts = {25, 22, 2, 0, 1, 22},
                              .stripes = 3,
                              .objects = objects,
                              .objects_len = COUNT_OF(objects)};
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(receipt_encode(&receipt, &bytes), RC_OK);
    made_put(w, made_receipt_key(w), buf_str(&bytes));
    struct ledger_close told = {.file = w->a, .end = 2500};
    assert_int_equal(ledger_receipted(w->ledger, &told, 1, NULL), RC_OK);
}

void made_world_new(const struct made_settings *settings, struct made_world *w) {
    *w = (struct made_world){
        .store = store_memory_new(), .format = settings->format, .a = id_of(0xa0, 1), .b = id_of(0xb0, 1)};
    open_ledger(w);
    w->report = (struct report){w->store, w->ledger, id_of(0x30, 1), 1};
    AUTO(buf_done) struct buf identity = BUF_INIT(MADE_TEXT_MAX);
    struct identity who = {STR("made"), id_of(0x20, 1), w->report.queue, 2};
    assert_int_equal(identity_encode(&who, &identity), RC_OK);
    made_put(w, NAME_LEDGER_IDENTITY, buf_str(&identity));
    advance_all(w);
    put_batch(w, 0, 0, 0);
    put_batch(w, 0, 1, 4);
    put_batch(w, 1, 0, 0);
    tell_durable(w, 0, 0);
    tell_durable(w, 1, 0);
    if (settings->not_durable) return;
    tell_durable(w, 0, 1);
    put_receipt(w);
}

void made_world_done(struct made_world *w) {
    ledger_free(w->ledger);
    store_free(w->store);
    arena_done(&w->arena);
}
