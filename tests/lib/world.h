/* SPDX-License-Identifier: Apache-2.0 */
/* world: the visitors and the pages of an invented web site, so that made logs look and compress like real ones.
 *
 * What repeats in a real log repeats here, and together: a visitor keeps its address, browser, country and tenant; a
 * page keeps its size; few pages and visitors make most of the requests (1/rank). Everything comes from one seed.
 *
 * Memory: about 4 MB, made once. Threads: read only after world_new. Fails: never (out of memory aborts). */
#ifndef SLUICE_TEST_WORLD_H
#define SLUICE_TEST_WORLD_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WORLD_CLIENTS = 20000,
    WORLD_PAGES = 6000,
    WORLD_TENANTS = 2000,
    WORLD_COUNTRIES = 24,
    WORLD_SLOTS = 1 << 16, /* a draw is a table look-up by 16 random bits */
    WORLD_PATH_MAX = 96
};

struct client {
    char address[16];
    char country[3];
    char tenant[6]; /* t0000 to t1999 */
    uint8_t address_len;
    uint8_t browser; /* index for world_browser() */
};

struct page {
    char path[WORLD_PATH_MAX];
    uint8_t path_len;
    bool is_file; /* answered with the same bytes each time */
    uint32_t bytes;
};

/* rank: items drawn with a chance of 1/(rank + flat), as indexes into their array. */
struct rank {
    uint16_t slot[WORLD_SLOTS];
};

struct world {
    struct client clients[WORLD_CLIENTS];
    struct page pages[WORLD_PAGES];
    struct rank client_rank, page_rank, status_rank, referer_rank;
};

/* Free with free(). */
struct world *world_new(uint64_t seed);
/* A NUL-terminated text for an index that came out of a rank or a client. */
const char *world_browser(unsigned index);
const char *world_referer(unsigned index);
/* "200" and so on. */
const char *world_status(unsigned index);

#endif
