/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_saved: any bytes as a page and as the index of a ledger's snapshot, and as what is inside the zstd frame of one.
 * What decodes is written and read back, and written again to the same bytes (an earlier version's page becomes one of
 * today's), cut into the smallest pages too. */
#include "must.h"
#include "own.h"
#include "saved.h"
#include "squeeze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const struct saved_page *page, struct buf *out) {
    struct saved_place place = {0};
    MUST(saved_page_encode(page, 2 * (size_t)SAVED_BYTES_MAX, &place, out) == RC_OK);
    MUST(place.file == page->files_len);
}

static size_t stripes_of(const struct saved_page *page) {
    size_t n = 0;
    for (size_t i = 0; i < page->files_len; i++) n += page->files[i].stripes_len;
    return n;
}

static void try_cut(const struct saved_page *page) {
    struct saved_place place = {0};
    size_t stripes = 0;
    while (place.file < page->files_len) {
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        AUTO(buf_done) struct buf part = BUF_INIT(SAVED_BYTES_MAX);
        struct saved_page read;
        MUST(saved_page_encode(page, 1, &place, &part) == RC_OK);
        MUST(saved_page_decode(buf_str(&part), &arena, &read, NULL) == RC_OK);
        stripes += stripes_of(&read);
    }
    MUST(stripes == stripes_of(page));
}

static void try_page(struct str frame) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf one = BUF_INIT(SAVED_BYTES_MAX), two = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_page page;
    if (saved_page_decode(frame, &arena, &page, NULL) != RC_OK) return;
    encode(&page, &one);
    MUST(saved_page_decode(buf_str(&one), &arena, &page, NULL) == RC_OK);
    encode(&page, &two);
    MUST(str_equal(buf_str(&one), buf_str(&two)));
    if (stripes_of(&page) < 1000) try_cut(&page);
}

static void try_index(struct str frame) {
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    AUTO(buf_done) struct buf one = BUF_INIT(SAVED_BYTES_MAX), two = BUF_INIT(SAVED_BYTES_MAX);
    struct saved_index index;
    if (saved_index_decode(frame, &arena, &index, NULL) != RC_OK) return;
    MUST(saved_index_encode(&index, &one) == RC_OK);
    MUST(saved_index_decode(buf_str(&one), &arena, &index, NULL) == RC_OK);
    MUST(saved_index_encode(&index, &two) == RC_OK);
    MUST(str_equal(buf_str(&one), buf_str(&two)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    AUTO(buf_done) struct buf frame = BUF_INIT(SAVED_BYTES_MAX);
    try_page(bytes);
    try_index(bytes);
    if (!size || squeeze(bytes, &frame) != RC_OK) return 0;
    try_page(buf_str(&frame));
    try_index(buf_str(&frame));
    return 0;
}
