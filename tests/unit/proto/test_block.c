/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: a block message means exactly what was encoded, its bytes never change unnoticed, and no other bytes do harm
 * or pass for one. */
#include "made.h"
#include "num.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { SEEDS = 300 };

static const struct attempt attempt = {
    .generation = 3,
    .file = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
    .stripe = 2,
    .from = 134217728,
    .to = 134218000,
    .id = {{0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30}},
    .predecessor = {{0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xb0}},
    .epoch = 5};

static struct facts fixed_facts(void) {
    return (struct facts){.source = STR("access"),
                          .uri = STR("file:///var/log/a.ndjson"),
                          .inode = 0x1122334455667788,
                          .birth_ns = 1700000000000000001,
                          .volume = 9,
                          .prefix_len = 4096,
                          .prefix_hash = 0x8877665544332211,
                          .stripe_bytes = 67108864};
}

static struct block_header fixed_header(void) {
    return (struct block_header){.attempt = attempt,
                                 .facts = fixed_facts(),
                                 .index = 7,
                                 .output = STR("dt=2026-01-01/status=200"),
                                 .rejects = true,
                                 .codec = BLOCK_GZIP,
                                 .raw_bytes = 300,
                                 .expected_bytes = 4,
                                 .records = 2,
                                 .has_time = true,
                                 .time_min_ns = -1,
                                 .time_max_ns = 1767225600000000000,
                                 .checksum = 0x0102030405060708,
                                 .raw_checksum = 0xf1f2f3f4f5f6f7f8};
}

static void the_bytes_of_a_header_are_fixed(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    struct block_header header = fixed_header();
    assert_int_equal(block_encode_header(&header, &out), RC_OK);
    same_hex(buf_str(&out),
             "ea0000000ae70108011246080312100102030405060708090a0b0c0d0e0f101802208080804028908280403210212223"
             "2425262728292a2b2c2d2e2f303a10a1a2a3a4a5a6a7a8a9aaabacadaeafb040051a4e0a06616363657373121866696c"
             "653a2f2f2f7661722f6c6f672f612e6e646a736f6e1988776655443322112101002a36fe9c9717290900000000000000"
             "308020391122334455667788408080802020072a1864743d323032362d30312d30312f7374617475733d323030300138"
             "0240ac0248045002580161ffffffffffffffff690000faed5172861871080706050403020179f8f7f6f5f4f3f2f1");
}

static void the_bytes_of_a_trailer_are_fixed(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    struct block_trailer trailer = {.attempt = attempt,
                                    .facts = fixed_facts(),
                                    .counts = {21, 1, 2, 3, 15, 300},
                                    .blocks = 6,
                                    .digest = 0x1112131415161718,
                                    .tail_hash = 0x2122232425262728,
                                    .closed = true};
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_OK);
    same_hex(buf_str(&out),
             "c200000012bf0108011246080312100102030405060708090a0b0c0d0e0f101802208080804028908280403210212223"
             "2425262728292a2b2c2d2e2f303a10a1a2a3a4a5a6a7a8a9aaabacadaeafb040051a4e0a06616363657373121866696c"
             "653a2f2f2f7661722f6c6f672f612e6e646a736f6e1988776655443322112101002a36fe9c9717290900000000000000"
             "3080203911223344556677884080808020220d0815100118022003280f30ac0228063118171615141312113928272625"
             "242322214001");
    char claims[2 * CLAIM_BYTES];
    claim_pack(&(struct claim){attempt.id, attempt.from + 1}, claims);
    trailer.claims = (struct str){claims, CLAIM_BYTES};
    buf_reset(&out);
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_OK);
    same_hex(buf_str(&out),
             "dc00000012d90108011246080312100102030405060708090a0b0c0d0e0f101802208080804028908280403210212223"
             "2425262728292a2b2c2d2e2f303a10a1a2a3a4a5a6a7a8a9aaabacadaeafb040051a4e0a06616363657373121866696c"
             "653a2f2f2f7661722f6c6f672f612e6e646a736f6e1988776655443322112101002a36fe9c9717290900000000000000"
             "3080203911223344556677884080808020220d0815100118022003280f30ac0228063118171615141312113928272625"
             "2423222140015218"
             "2122232425262728292a2b2c2d2e2f300100000800000000");
}

static void claims_are_whole_ascending_and_in_the_range(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    static const struct {
        uint64_t first, second;
        bool good;
    } cases[] = {{0, 0, true}, {0, 271, true}, {1, 0, false}, {0, 272, false}, {UINT64_MAX, 0, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char claims[2 * CLAIM_BYTES];
        struct block_trailer trailer = {.attempt = attempt, .facts = fixed_facts(), .claims = {claims, sizeof claims}};
        claim_pack(&(struct claim){attempt.id, attempt.from + cases[i].first}, claims);
        claim_pack(&(struct claim){attempt.id, attempt.from + cases[i].second}, claims + CLAIM_BYTES);
        buf_reset(&out);
        assert_int_equal(block_encode_trailer(&trailer, &out), cases[i].good ? RC_OK : RC_BAD);
        trailer.claims.len--;
        assert_int_equal(block_encode_trailer(&trailer, &out), RC_BAD);
    }
    AUTO(own_free) char *many = calloc(CLAIMS_MAX + 1, CLAIM_BYTES);
    struct block_trailer trailer = {.attempt = attempt, .facts = fixed_facts()};
    for (size_t i = 0; i <= CLAIMS_MAX; i++)
        claim_pack(&(struct claim){attempt.id, attempt.from}, many + i * CLAIM_BYTES);
    trailer.claims = (struct str){many, (size_t)CLAIMS_MAX * CLAIM_BYTES};
    buf_reset(&out);
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_OK);
    struct block_message m;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
    same_str(m.trailer.claims, trailer.claims);
    trailer.claims.len += CLAIM_BYTES;
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_BAD);
}

static void same_header(const struct block_header *a, const struct block_header *b) {
    same_attempt(&a->attempt, &b->attempt);
    same_facts(&a->facts, &b->facts);
    same_str(a->output, b->output);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->rejects, b->rejects);
    assert_int_equal(a->codec, b->codec);
    assert_int_equal(a->raw_bytes, b->raw_bytes);
    assert_int_equal(a->expected_bytes, b->expected_bytes);
    assert_int_equal(a->records, b->records);
    assert_int_equal(a->has_time, b->has_time);
    assert_int_equal(a->time_min_ns, b->time_min_ns);
    assert_int_equal(a->time_max_ns, b->time_max_ns);
    assert_int_equal(a->checksum, b->checksum);
    assert_int_equal(a->raw_checksum, b->raw_checksum);
}

static void a_header_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
        struct block_header header = made_header(&made);
        assert_int_equal(block_encode_header(&header, &out), RC_OK);
        buf_add(&out, STR("payload\n"));
        struct block_message m;
        assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
        assert_int_equal(m.kind, BLOCK_RECORDS);
        same_header(&m.header, &header);
        same_str(m.payload, STR("payload\n"));
        same_attempt(block_attempt(&m), &header.attempt);
    }
}

static void a_trailer_comes_back(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
        struct block_trailer trailer = made_trailer(&made);
        assert_int_equal(block_encode_trailer(&trailer, &out), RC_OK);
        struct block_message m;
        assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
        assert_int_equal(m.kind, BLOCK_TRAILER);
        same_trailer(&m.trailer, &trailer);
        same_attempt(block_attempt(&m), &trailer.attempt);
    }
}

/* Decoded texts are used after decode's own memory is gone. */
static void decoded_texts_lie_in_the_message(void **state) {
    (void)state;
    AUTO(made_done) struct made made = made_from_seed(1);
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    struct block_header header = made_header(&made);
    assert_int_equal(block_encode_header(&header, &out), RC_OK);
    struct block_message m;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
    const struct str texts[] = {m.header.facts.source, m.header.facts.uri, m.header.output};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].len) assert_true(texts[i].at >= out.at && texts[i].at + texts[i].len <= out.at + out.len);
}

static enum rc decode_again(struct str bytes, struct buf *out) {
    struct block_message m;
    enum rc rc = block_decode(bytes, &m, NULL);
    if (rc != RC_OK) return rc;
    rc = m.kind == BLOCK_RECORDS ? block_encode_header(&m.header, out) : block_encode_trailer(&m.trailer, out);
    buf_add(out, m.payload);
    return rc;
}

static void changed_bytes_are_refused_or_are_another_message(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 6; seed++) {
        AUTO(made_done) struct made made = made_from_seed(seed);
        AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
        struct block_header header = made_header(&made);
        struct block_trailer trailer = made_trailer(&made);
        assert_int_equal(seed % 2 ? block_encode_header(&header, &out) : block_encode_trailer(&trailer, &out), RC_OK);
        hostile(buf_str(&out), decode_again, true);
    }
}

static void values_that_cannot_be_are_not_encoded(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    struct block_header good = fixed_header(), bad[17];
    for (size_t i = 0; i < COUNT_OF(bad); i++) bad[i] = good;
    bad[0].attempt.id = (struct id){0};
    bad[1].attempt.file = (struct id){0};
    bad[2].attempt.to = bad[2].attempt.from;
    bad[3].attempt.predecessor = bad[3].attempt.id;
    bad[4].facts.source = STR("");
    bad[5].facts.uri = STR("a\0b");
    bad[6].facts.uri = STR("\xff");
    bad[7].facts.prefix_len = PREFIX_MAX + 1;
    bad[8].facts.stripe_bytes = 0;
    bad[9].output = STR("");
    bad[10].records = 0;
    bad[11].records = bad[11].raw_bytes + 1;
    bad[12].expected_bytes = 0;
    bad[13].time_max_ns = -2;
    bad[14].has_time = false;
    bad[15].codec = (enum block_codec)3;
    bad[16].facts.source = (struct str){"x", 0};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (block_encode_header(&bad[i], &out) != RC_BAD) fail_msg("bad[%zu] was encoded", i);
    assert_int_equal(out.len, 0);
    struct block_trailer trailer = {.attempt = attempt, .facts = fixed_facts(), .counts = {.lines = 2, .converted = 1}};
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_BAD);
    trailer.counts = (struct counts){.lines = 1, .converted = UINT64_MAX, .rejects = 2};
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_BAD);
}

static void a_full_buffer_stays_as_it_was(void **state) {
    (void)state;
    struct block_header header = fixed_header();
    for (size_t cap = 0; cap < 238; cap++) {
        AUTO(buf_done) struct buf out = BUF_INIT(cap);
        enum rc rc = block_encode_header(&header, &out);
        assert_true(rc == RC_LIMIT);
        assert_int_equal(out.len, 0);
    }
}

static void a_trailer_has_no_payload(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    struct block_trailer trailer = {.attempt = attempt, .facts = fixed_facts()};
    assert_int_equal(block_encode_trailer(&trailer, &out), RC_OK);
    struct block_message m;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
    buf_add_char(&out, 'x');
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_BAD);
}

static void a_message_over_the_limit_is_refused(void **state) {
    (void)state;
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX + 1);
    struct block_header header = fixed_header();
    assert_int_equal(block_encode_header(&header, &out), RC_OK);
    struct block_message m;
    assert_int_equal(buf_reserve(&out, BLOCK_MESSAGE_MAX + 1 - out.len), RC_OK);
    memset(out.at + out.len, 'x', BLOCK_MESSAGE_MAX + 1 - out.len);
    out.len = BLOCK_MESSAGE_MAX;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
    out.len++;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_BAD);
}

/* A header that fits the payload, checked after decoding. */
static enum rc check_payload(struct block_header header, struct str payload) {
    AUTO(buf_done) struct buf out = BUF_INIT(BLOCK_MESSAGE_MAX);
    assert_int_equal(block_encode_header(&header, &out), RC_OK);
    buf_add(&out, payload);
    struct block_message m;
    assert_int_equal(block_decode(buf_str(&out), &m, NULL), RC_OK);
    return block_check(&m, NULL);
}

static void a_payload_is_checked_against_its_header(void **state) {
    (void)state;
    struct str payload = STR("{\"a\":1}\n{\"a\":2}\n");
    struct block_header h = fixed_header();
    h.codec = BLOCK_STORED;
    h.raw_bytes = payload.len;
    h.checksum = h.raw_checksum = hash_bytes(payload);
    assert_int_equal(check_payload(h, payload), RC_OK);
    assert_int_equal(check_payload(h, str_sub(payload, 0, payload.len - 1)), RC_BROKEN);
    assert_int_equal(check_payload(h, STR("{\"a\":1}\n{\"a\":3}\n")), RC_BROKEN);
    h.raw_checksum++;
    assert_int_equal(check_payload(h, payload), RC_BROKEN);
    h.codec = BLOCK_ZSTD; /* of another content */
    h.expected_bytes = payload.len;
    assert_int_equal(check_payload(h, payload), RC_OK);
    h.expected_bytes++;
    assert_int_equal(check_payload(h, payload), RC_BROKEN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_of_a_header_are_fixed),
        cmocka_unit_test(the_bytes_of_a_trailer_are_fixed),
        cmocka_unit_test(claims_are_whole_ascending_and_in_the_range),
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(a_trailer_comes_back),
        cmocka_unit_test(decoded_texts_lie_in_the_message),
        cmocka_unit_test(changed_bytes_are_refused_or_are_another_message),
        cmocka_unit_test(values_that_cannot_be_are_not_encoded),
        cmocka_unit_test(a_full_buffer_stays_as_it_was),
        cmocka_unit_test(a_trailer_has_no_payload),
        cmocka_unit_test(a_message_over_the_limit_is_refused),
        cmocka_unit_test(a_payload_is_checked_against_its_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
