/* SPDX-License-Identifier: Apache-2.0 */
#include "spool_format.h"

#include "must.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#define XXH_INLINE_ALL /* its state fits on our stack, whatever version the library has */
#include <xxhash.h>

static const char SEGMENT_MAGIC[8] = {'s', 'l', 'u', 'i', 'c', 'e', 's', 'p'};
static const char MARK_MAGIC[8] = {'s', 'l', 'u', 'i', 'c', 'e', 'a', 'k'};
static const char RECORD_MAGIC[4] = {'\xA7', 'S', 'L', '1'};

static void put32(uint8_t *at, uint32_t value) {
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value) {
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

static uint32_t get32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static uint64_t get64(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

void spool_format_segment(const struct spool_segment_header *header, uint8_t out[SPOOL_SEGMENT_BYTES]) {
    memcpy(out, SEGMENT_MAGIC, 8);
    put32(out + 8, SPOOL_VERSION);
    put32(out + 12, header->partition);
    memcpy(out + 16, header->queue.bytes, ID_BYTES);
    put64(out + 32, header->generation);
    put64(out + 40, header->base);
    put64(out + 48, header->prev_base);
    put64(out + 56, header->prev_end);
    put64(out + 64, header->salt);
    put64(out + 72, XXH3_64bits(out, 72));
}

enum spool_header_state spool_parse_segment(const uint8_t bytes[SPOOL_SEGMENT_BYTES],
                                            struct spool_segment_header *out) {
    if (memcmp(bytes, SEGMENT_MAGIC, 8) != 0 || get64(bytes + 72) != XXH3_64bits(bytes, 72)) return SPOOL_HEADER_BAD;
    if (get32(bytes + 8) != SPOOL_VERSION) return SPOOL_HEADER_NEWER;
    struct spool_segment_header header = {.partition = get32(bytes + 12),
                                          .generation = get64(bytes + 32),
                                          .base = get64(bytes + 40),
                                          .prev_base = get64(bytes + 48),
                                          .prev_end = get64(bytes + 56),
                                          .salt = get64(bytes + 64)};
    memcpy(header.queue.bytes, bytes + 16, ID_BYTES);
    *out = header;
    return SPOOL_HEADER_GOOD;
}

void spool_format_record(const struct spool_record *record, uint64_t salt, uint8_t out[SPOOL_RECORD_BYTES]) {
    memcpy(out, RECORD_MAGIC, 4);
    put32(out + 4, record->len);
    put64(out + 8, record->offset);
    put64(out + 16, record->acknowledged);
    put64(out + 24, record->sum);
    put64(out + 32, XXH3_64bits_withSeed(out, 32, salt));
}

bool spool_parse_record(const uint8_t bytes[SPOOL_RECORD_BYTES], uint64_t salt, struct spool_record *out) {
    if (memcmp(bytes, RECORD_MAGIC, 4) != 0) return false;
    if (get64(bytes + 32) != XXH3_64bits_withSeed(bytes, 32, salt)) return false;
    *out = (struct spool_record){get32(bytes + 4), get64(bytes + 8), get64(bytes + 16), get64(bytes + 24)};
    return true;
}

size_t spool_find_record(struct str bytes) {
    const char *found = memmem(bytes.at, bytes.len, RECORD_MAGIC, 4);
    if (found) return (size_t)(found - bytes.at);
    for (size_t tail = bytes.len < 3 ? bytes.len : 3; tail > 0; tail--)
        if (memcmp(bytes.at + bytes.len - tail, RECORD_MAGIC, tail) == 0) return bytes.len - tail;
    return bytes.len;
}

void spool_format_mark(uint64_t end, uint8_t out[SPOOL_MARK_BYTES]) {
    memcpy(out, MARK_MAGIC, 8);
    put64(out + 8, end);
    put64(out + 16, XXH3_64bits(out, 16));
}

bool spool_parse_mark(const uint8_t bytes[SPOOL_MARK_BYTES], uint64_t *out_end) {
    if (memcmp(bytes, MARK_MAGIC, 8) != 0 || get64(bytes + 16) != XXH3_64bits(bytes, 16)) return false;
    *out_end = get64(bytes + 8);
    return true;
}

void spool_format_name(uint64_t base, char out[SPOOL_NAME_MAX]) {
    (void)snprintf(out, SPOOL_NAME_MAX, "%020" PRIu64, base);
}

bool spool_parse_name(const char *name, uint64_t *out_base) {
    uint64_t base;
    if (strlen(name) != 20 || str_parse_u64(str_of(name), &base) != RC_OK) return false;
    *out_base = base;
    return true;
}

/* struct spool_summer is XXH3_state_t under a name that does not need its header. */
struct spool_summer *spool_summer_new(void) {
    XXH3_state_t *state = XXH3_createState();
    MUST(state != NULL); /* out of memory, see alloc.h */
    return (struct spool_summer *)(void *)state;
}

void spool_summer_begin(struct spool_summer *summer) { (void)XXH3_64bits_reset((XXH3_state_t *)(void *)summer); }

void spool_summer_add(struct spool_summer *summer, struct str bytes) {
    (void)XXH3_64bits_update((XXH3_state_t *)(void *)summer, bytes.at, bytes.len);
}

uint64_t spool_summer_end(const struct spool_summer *summer) {
    return XXH3_64bits_digest((const XXH3_state_t *)(const void *)summer);
}

void spool_summer_free(struct spool_summer **summer) {
    if (*summer) (void)XXH3_freeState((XXH3_state_t *)(void *)*summer);
    *summer = NULL;
}

uint64_t spool_sum(struct str head, struct str body) {
    if (head.len == 0) return XXH3_64bits(body.at, body.len);
    if (body.len == 0) return XXH3_64bits(head.at, head.len);
    XXH3_state_t state;
    (void)XXH3_64bits_reset(&state);
    (void)XXH3_64bits_update(&state, head.at, head.len);
    (void)XXH3_64bits_update(&state, body.at, body.len);
    return XXH3_64bits_digest(&state);
}
