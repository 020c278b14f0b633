/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a footer means exactly what was encoded, its bytes never change unnoticed, and its sums and offsets hold
 * whenever it decodes. */
#include "made.h"
#include "own.h"
#include "squeeze.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 100 };

static void same_block(const struct footer_block *a, const struct footer_block *b) {
    assert_int_equal(a->offset, b->offset);
    assert_int_equal(a->bytes, b->bytes);
    assert_int_equal(a->raw_bytes, b->raw_bytes);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->has_time, b->has_time);
    assert_int_equal(a->time_min_ns, b->time_min_ns);
    assert_int_equal(a->time_max_ns, b->time_max_ns);
    assert_int_equal(a->checksum, b->checksum);
    assert_int_equal(a->parts_len, b->parts_len);
    for (size_t i = 0; i < a->parts_len; i++) {
        const struct footer_part *p = &a->parts[i], *q = &b->parts[i];
        same_id(p->file, q->file);
        assert_int_equal(p->stripe, q->stripe);
        assert_int_equal(p->from, q->from);
        assert_int_equal(p->to, q->to);
        same_id(p->attempt, q->attempt);
        assert_int_equal(p->index, q->index);
        assert_int_equal(p->records, q->records);
        assert_int_equal(p->raw_bytes, q->raw_bytes);
    }
}

static void a_footer_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(buf_done) struct buf out = BUF_INIT(FOOTER_BYTES_MAX);
        struct footer a = made_footer(&made), b;
        assert_int_equal(footer_encode(&a, &out), RC_OK);
        assert_int_equal(footer_decode(buf_str(&out), &arena, &b, NULL), RC_OK);
        buf_reset(&out);
        same_id(a.queue, b.queue);
        assert_int_equal(a.generation, b.generation);
        assert_int_equal(a.partition, b.partition);
        assert_int_equal(a.seal, b.seal);
        same_str(a.output, b.output);
        assert_int_equal(a.rejects, b.rejects);
        same_settings(&a.settings, &b.settings);
        assert_int_equal(a.blocks_len, b.blocks_len);
        for (size_t i = 0; i < a.blocks_len; i++) same_block(&a.blocks[i], &b.blocks[i]);
    }
}

struct fixed {
    struct footer_part parts[2];
    struct footer_block blocks[2];
    struct footer footer;
};

static void fixed_make(struct fixed *f) {
    *f = (struct fixed){
        .parts = {{{{1}}, 2, 3, 4, {{5}}, 6, 7, 80}, {{{1}}, 2, 4, 9, {{6}}, 0, 1, 10}},
        .blocks = {{0, 20, 90, 8, true, -5, 5, 0x1122334455667788, NULL, 2}, {20, 21, 10, 1, false, 0, 0, 1, NULL, 1}}};
    f->blocks[0].parts = f->parts;
    f->blocks[1].parts = &f->parts[1];
    f->footer = (struct footer){.queue = {{9}},
                                .generation = 1,
                                .partition = 2,
                                .seal = 3,
                                .output = STR("source=access"),
                                .rejects = true,
                                .settings = {STR("jsonl.gz"), 6, 268435456, 2097152, STR("zlib 1.2.13")},
                                .blocks = f->blocks,
                                .blocks_len = 2};
}

static void the_bytes_are_fixed(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(FOOTER_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(FOOTER_BYTES_MAX);
    assert_int_equal(footer_encode(&f.footer, &out), RC_OK);
    assert_int_equal(unsqueeze(buf_str(&out), FOOTER_BYTES_MAX, &raw, NULL), RC_OK);
    same_hex(buf_str(&raw),
             "0801121009000000000000000000000000000000180120022803320d736f757263653d616363657373380142240a086a"
             "736f6e6c2e677a100618808080800120808080012a0b7a6c696220312e322e31334a85011014185a2008280131fbffff"
             "ffffffffff3905000000000000004188776655443322114a300a10010000000000000000000000000000001002180320"
             "042a10050000000000000000000000000000003006380740504a2e0a1001000000000000000000000000000000100218"
             "0420092a10060000000000000000000000000000003801400a4a4108141015180a20014101000000000000004a2e0a10"
             "010000000000000000000000000000001002180420092a10060000000000000000000000000000003801400a");
}

static enum rc decode_again(struct str bytes, struct buf *out) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct footer footer;
    enum rc rc = footer_decode(bytes, &arena, &footer, NULL);
    return rc == RC_OK ? footer_encode(&footer, out) : rc;
}

/* The same with what is inside the frame, whose checksum would find every change. */
static enum rc decode_inner(struct str bytes, struct buf *out) {
    AUTO(buf_done) struct buf frame = BUF_INIT(FOOTER_BYTES_MAX);
    AUTO(buf_done) struct buf again = BUF_INIT(FOOTER_BYTES_MAX);
    assert_int_equal(squeeze(bytes, &frame), RC_OK);
    enum rc rc = decode_again(buf_str(&frame), &again);
    return rc == RC_OK ? unsqueeze(buf_str(&again), FOOTER_BYTES_MAX, out, NULL) : rc;
}

static void changed_bytes_are_refused_or_are_another_footer(void **state) {
    (void)state;
    struct fixed f;
    fixed_make(&f);
    AUTO(buf_done) struct buf out = BUF_INIT(FOOTER_BYTES_MAX);
    AUTO(buf_done) struct buf raw = BUF_INIT(FOOTER_BYTES_MAX);
    assert_int_equal(footer_encode(&f.footer, &out), RC_OK);
    assert_int_equal(unsqueeze(buf_str(&out), FOOTER_BYTES_MAX, &raw, NULL), RC_OK);
    hostile(buf_str(&out), decode_again, false);
    hostile(buf_str(&raw), decode_inner, true);
}

#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        struct fixed f;                                                                                                \
        fixed_make(&f);                                                                                                \
        change;                                                                                                        \
        AUTO(buf_done) struct buf out = BUF_INIT(FOOTER_BYTES_MAX);                                                    \
        if (footer_encode(&f.footer, &out) != RC_BAD) fail_msg("a footer was written: %s", #change);                   \
    } while (0)

static void footers_that_cannot_be_are_not_written(void **state) {
    (void)state;
    REFUSED(f.footer.queue = (struct id){0});
    REFUSED(f.footer.output = STR(""));
    REFUSED(f.blocks[0].offset = 1);
    REFUSED(f.blocks[1].offset = 21);
    REFUSED(f.blocks[0].bytes = 0);
    REFUSED(f.blocks[0].records = 7);
    REFUSED(f.blocks[0].raw_bytes = 91);
    REFUSED(f.blocks[0].parts_len = 0);
    REFUSED(f.blocks[1].time_max_ns = 1);
    REFUSED(f.blocks[0].time_max_ns = -6);
    REFUSED(f.parts[0].records = UINT64_MAX);
    REFUSED(f.parts[0].to = 3);
    REFUSED(f.parts[0].file = (struct id){0});
    REFUSED(f.parts[1].attempt = (struct id){0});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_footer_comes_back),
        cmocka_unit_test(the_bytes_are_fixed),
        cmocka_unit_test(changed_bytes_are_refused_or_are_another_footer),
        cmocka_unit_test(footers_that_cannot_be_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
