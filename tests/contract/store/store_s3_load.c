/* SPDX-License-Identifier: Apache-2.0 */
/* store_s3_load ENDPOINT BUCKET COUNT BYTES SECONDS: puts COUNT large objects of BYTES and, for each, SMALL small ones,
 * asks again for whatever was not possible, reads all back, and prints the memory that it took in KiB. What each object
 * holds follows from its name, so that others can look too: its key and LF, again and again, cut. Ends with 0 when
 * everything is there, 1 after SECONDS; for tests that break the connection meanwhile. Credentials: the
 * environment; SLUICE_TEST_CA_FILE: whom to trust. */
#include "alloc.h"
#include "clock.h"
#include "num.h"
#include "own.h"
#include "store_s3.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 12, SMALL_BYTES = 3000, PIECE = 300 * 1000, SETTLE_MS = 1000 };

struct load {
    struct store store;
    uint64_t count, bytes, end_ms;
};

static bool over(const struct load *load, enum rc rc, const struct why *why) {
    if (rc == RC_OK || rc == RC_STALE) return true;
    if (rc == RC_BUSY && clock_ms(clock_real()) < load->end_ms) return false;
    (void)fprintf(stderr, "%s: %s\n", rc_name(rc), why->text);
    exit(1);
}

static struct str fill(const char *key, char *out, size_t len) {
    size_t key_len = strlen(key) + 1;
    for (size_t i = 0; i < len; i++) out[i] = i % key_len == key_len - 1 ? '\n' : key[i % key_len];
    return (struct str){out, len};
}

static RC upload(const struct load *load, struct str key, struct str bytes, struct why *why) {
    AUTO(store_upload_abort) struct store_upload upload = {0};
    TRY(store_upload_begin(load->store, key, &upload, why));
    for (size_t at = 0; at < bytes.len; at += PIECE)
        TRY(store_upload_part(&upload, str_sub(bytes, at, MIN(at + PIECE, bytes.len)), why));
    return store_upload_finish_absent(&upload, why);
}

static void put_small(const struct load *load, uint64_t number) {
    char keys[SMALL][64];
    AUTO(own_free) char *bytes = alloc_bytes((size_t)SMALL * SMALL_BYTES);
    struct store_item items[SMALL];
    enum rc rcs[SMALL], rc;
    struct why why = {0};
    for (size_t i = 0; i < SMALL; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "small/n=%llu/%zu", (unsigned long long)number, i);
        items[i] = (struct store_item){str_of(keys[i]), fill(keys[i], bytes + i * SMALL_BYTES, SMALL_BYTES)};
    }
    do rc = store_put_absent_many(load->store, items, SMALL, rcs, &why);
    while (!over(load, rc, &why));
}

static void put_large(const struct load *load, uint64_t number) {
    char key[64];
    AUTO(own_free) char *bytes = alloc_bytes(load->bytes);
    enum rc rc;
    struct why why = {0};
    (void)snprintf(key, sizeof key, "large/%llu", (unsigned long long)number);
    struct str text = fill(key, bytes, load->bytes);
    do rc = upload(load, str_of(key), text, &why);
    while (!over(load, rc, &why));
    AUTO(buf_done) struct buf back = BUF_INIT(load->bytes);
    do rc = store_get(load->store, str_of(key), 0, UINT64_MAX, &back, &why);
    while (!over(load, rc, &why));
    if (str_equal(buf_str(&back), text)) return;
    (void)fprintf(stderr, "%s: %zu bytes came back of %zu, or others\n", key, back.len, text.len);
    exit(1);
}

/* The most that was resident, 0: not known. Not ru_maxrss, which begins with what the process that started this one
 * had. */
static uint64_t peak_kib(void) {
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    uint64_t kib = 0;
    while (status && !kib && fgets(line, sizeof line, status)) {
        struct str value = str_of(line), name;
        if (!str_cut(&value, ':', &name) || !str_equal(name, STR("VmHWM"))) continue;
        value = str_trim(value);
        struct str number;
        if (!str_cut(&value, ' ', &number) || str_parse_u64(number, &kib) != RC_OK) break;
    }
    if (status) (void)fclose(status);
    return kib;
}

int main(int argc, char **argv) {
    uint64_t seconds = 0;
    struct load load = {0};
    if (argc != 6 || str_parse_u64(str_of(argv[3]), &load.count) != RC_OK ||
        str_parse_u64(str_of(argv[4]), &load.bytes) != RC_OK || str_parse_u64(str_of(argv[5]), &seconds) != RC_OK) {
        (void)fprintf(stderr, "use: store_s3_load ENDPOINT BUCKET COUNT BYTES SECONDS\n");
        return 2;
    }
    char url[256];
    struct why why = {0};
    (void)snprintf(url, sizeof url, "s3://%.200s", argv[2]);
    struct store_s3_settings settings = {.url = url,
                                         .s3.endpoint = argv[1],
                                         .s3.ca_file = getenv("SLUICE_TEST_CA_FILE"),
                                         .part_bytes = STORE_S3_PART_MIN,
                                         .s3.connect_ms = SETTLE_MS,
                                         .s3.stall_ms = SETTLE_MS,
                                         .s3.tries = 3};
    load.end_ms = clock_ms(clock_real()) + seconds * 1000;
    if (store_s3_open(&settings, &load.store, &why) != RC_OK) {
        (void)fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    for (uint64_t i = 0; i < load.count; i++) {
        put_small(&load, i);
        put_large(&load, i);
    }
    store_free(load.store);
    uint64_t kib = peak_kib();
    (void)printf("%" PRIu64 "\n", kib);
    return kib ? 0 : 1;
}
