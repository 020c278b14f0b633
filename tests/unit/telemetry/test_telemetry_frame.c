/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: stretches of a file that grows byte by byte are decided once: whoever takes a range of them again as a
 * closed one cuts it alike, in both framings, whatever damage there is; and no stretch is longer than is said. */
#include "alloc.h"
#include "own.h"
#include "rng.h"
#include "telemetry_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ROUNDS = 3000, BYTES = 400 };

static size_t put_record(struct rng *rng, bool v2, unsigned char *to) {
    size_t path = rng_below(rng, 9), data = rng_below(rng, 20), address = v2 ? rng_below(rng, 5) : 0, n = 0;
    to[n++] = 0x1e;
    if (v2) to[n++] = (unsigned char)address;
    to[n++] = (unsigned char)path;
    to[n++] = 0;
    to[n++] = (unsigned char)data;
    for (int i = 0; i < 3 + 8; i++) to[n++] = 0;
    for (size_t i = 0; i < address + path + data; i++) to[n++] = rng_below(rng, 4) ? 'x' : 0x1e;
    return n;
}

static size_t make(struct rng *rng, bool v2, unsigned char *to) {
    size_t n = 0;
    while (n < BYTES) {
        switch (rng_below(rng, 4)) {
        case 0: to[n++] = (unsigned char)rng_below(rng, 256); break;
        case 1: to[n++] = 0x1e; break;
        default: n += put_record(rng, v2, to + n);
        }
    }
    for (int i = 0; i < 3; i++) to[rng_below(rng, n)] = (unsigned char)(rng_below(rng, 2) ? 0x1e : 0);
    return n - rng_below(rng, 20);
}

/* Cut again, closed at `to`. */
static void expect_alike(enum telemetry_framing framing, struct str bytes, const size_t *ends, size_t count) {
    for (size_t first = 0; first < count; first++) {
        size_t from = first ? ends[first - 1] : 0;
        for (size_t i = first; i < count; i++) {
            size_t end = telemetry_frame_end(framing, str_sub(bytes, from, ends[count - 1]), true);
            assert_int_equal(from + end, ends[i]);
            from = ends[i];
        }
    }
}

static void a_range_is_cut_alike_by_whoever_takes_it(void **state) {
    (void)state;
    struct rng rng = rng_from_seed(20261201);
    for (int round = 0; round < ROUNDS; round++) {
        enum telemetry_framing framing = round & 1 ? TELEMETRY_V2 : TELEMETRY_V1;
        unsigned char bytes[BYTES + 100];
        size_t len = make(&rng, framing == TELEMETRY_V2, bytes), at = 0, ends[BYTES + 100], count = 0;
        for (size_t seen = 1; seen <= len; seen += 1 + rng_below(&rng, 40)) {
            size_t end;
            while ((end = telemetry_frame_end(framing, (struct str){(char *)bytes + at, seen - at}, false)))
                ends[count++] = at += end;
        }
        if (count) expect_alike(framing, (struct str){(char *)bytes, len}, ends, count);
        while (at < len) {
            size_t end = telemetry_frame_end(framing, (struct str){(char *)bytes + at, len - at}, true);
            assert_true(end > 0);
            ends[count++] = at += end;
        }
        assert_int_equal(at, len);
    }
}

static void garbage_comes_in_bounded_stretches(void **state) {
    (void)state;
    size_t len = (size_t)TELEMETRY_STRETCH_MAX * 2 + 7;
    AUTO(own_free) char *bytes = alloc_bytes(len);
    memset(bytes, 'x', len);
    assert_int_equal(telemetry_frame_end(TELEMETRY_V1, (struct str){bytes, 1000}, false), 0);
    assert_int_equal(telemetry_frame_end(TELEMETRY_V1, (struct str){bytes, len}, false), TELEMETRY_STRETCH_MAX);
    memset(bytes, 0x1e, len); /* each is a mark with a length over the limit */
    assert_int_equal(telemetry_frame_end(TELEMETRY_V1, (struct str){bytes, len}, false), TELEMETRY_STRETCH_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_cut_alike_by_whoever_takes_it),
        cmocka_unit_test(garbage_comes_in_bounded_stretches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
