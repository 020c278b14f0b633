/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "rng.h"

#include <stdio.h>
#include <string.h>

static const char *const browsers[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 "
     "Mobile/15E148 Safari/604.1"),
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
     "Safari/605.1.15"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "okhttp/4.12.0",
    "python-requests/2.31.0",
    "curl/8.5.0",
    "Go-http-client/1.1",
    "kube-probe/1.29",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-A536B Build/TP1A.220624.014)",
    "ShopApp/5.18.2 (iOS 17.4; iPhone14,5)",
    "ShopApp/5.18.1 (Android 14; Pixel 7)",
    "Prometheus/2.51.0",
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 "
     "Edg/124.0.0.0"),
    "-",
};
static const char *const referers[] = {
    "-",
    "https://shop.example.com/",
    "https://www.google.com/",
    "https://shop.example.com/search",
    "https://shop.example.com/cart",
    "https://shop.example.com/category/shoes",
    "https://shop.example.com/category/jackets",
    "https://m.example.com/",
    "https://www.bing.com/",
    "https://duckduckgo.com/",
    "https://shop.example.com/account/orders",
    "https://news.example.org/article/4711",
    "android-app://com.google.android.gm/",
    "https://t.example.net/x7Gh2",
};
/* With their weights in thousandths of the requests. */
static const struct {
    const char *text;
    unsigned weight;
} statuses[] = {
    {"200", 853}, {"304", 52}, {"404", 28}, {"301", 17}, {"302", 14}, {"204", 9}, {"206", 6},
    {"499", 5},   {"403", 4},  {"500", 4},  {"401", 3},  {"429", 2},  {"503", 2}, {"502", 1},
};
static const char countries[WORLD_COUNTRIES][3] = {"US", "DE", "GB", "FR", "IN", "BR", "NL", "JP",
                                                   "CA", "PL", "ES", "IT", "AU", "SE", "CH", "AT",
                                                   "BE", "MX", "KR", "SG", "CZ", "NO", "ZA", "PT"};
static const char *const words[] = {"shoes",  "jackets", "summer", "blue",  "running", "leather", "kids",  "sale",
                                    "cotton", "winter",  "trail",  "black", "classic", "light",   "wool",  "set",
                                    "travel", "urban",   "sport",  "basic", "home",    "garden",  "paper", "lamp"};

const char *world_browser(unsigned index) { return browsers[index]; }
const char *world_referer(unsigned index) { return referers[index]; }
const char *world_status(unsigned index) { return statuses[index].text; }

/* Fills the slots so that item i gets its share of the total weight. Divisions only: the same on every machine. */
static void rank_fill(struct rank *rank, size_t count, double (*weight)(size_t)) {
    double total = 0, sum = 0;
    for (size_t i = 0; i < count; i++) total += weight(i);
    size_t slot = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weight(i);
        while (slot < WORLD_SLOTS && ((double)slot + 0.5) / WORLD_SLOTS <= sum / total)
            rank->slot[slot++] = (uint16_t)i;
    }
    while (slot < WORLD_SLOTS) rank->slot[slot++] = (uint16_t)(count - 1);
}

static double by_rank(size_t i) { return 1.0 / ((double)i + 8); }       /* flattened at its head: no page has 10% */
static double by_visitor(size_t i) { return 1.0 / ((double)i + 2000); } /* visitors differ less than pages */
static double by_referer(size_t i) { return i ? 1.0 / (double)i : 4; }  /* more than half come with none */
static double by_status(size_t i) { return statuses[i].weight; }

static const char *word(struct rng *rng) { return words[rng_below(rng, COUNT_OF(words))]; }

static void page_make(struct page *page, struct rng *rng) {
    char *to = page->path;
    size_t room = sizeof page->path;
    unsigned long long id = rng_below(rng, 90000) + 10000, hash = rng_next(rng) >> 32;
    int n = 0;
    switch (rng_below(rng, 6)) {
    case 0: n = snprintf(to, room, "/products/%s-%s-%llu", word(rng), word(rng), id); break;
    case 1: n = snprintf(to, room, "/static/js/%s.%08llx.js", word(rng), hash); break;
    case 2: n = snprintf(to, room, "/images/%s/%llu_480x480.webp", word(rng), id); break;
    case 3: n = snprintf(to, room, "/api/v2/items/%llu", id); break;
    case 4: n = snprintf(to, room, "/category/%s?page=%llu&sort=price", word(rng), id % 40 + 1); break;
    default: n = snprintf(to, room, "/search?q=%s+%s", word(rng), word(rng)); break;
    }
    MUST(n > 0 && (size_t)n < room);
    page->path_len = (uint8_t)n;
    page->is_file = to[1] == 's' || to[1] == 'i';
    page->bytes = (uint32_t)(500 + rng_below(rng, 60000));
}

/* Small numbers more often than large ones. */
static uint64_t low(struct rng *rng, uint64_t below) {
    uint64_t a = rng_below(rng, below), b = rng_below(rng, below);
    return MIN(a, b);
}

/* The first of each kind are there for certain, so that every tenant and every country occurs. */
static void client_make(struct client *client, size_t i, struct rng *rng) {
    uint64_t bits = rng_next(rng);
    int n = snprintf(client->address, sizeof client->address, "%u.%u.%u.%u", (unsigned)(bits % 200 + 11),
                     (unsigned)(bits >> 8 & 255), (unsigned)(bits >> 16 & 255), (unsigned)(bits >> 24 & 255));
    client->address_len = (uint8_t)n;
    unsigned tenant = (unsigned)(i < WORLD_TENANTS ? i : low(rng, WORLD_TENANTS));
    (void)snprintf(client->tenant, sizeof client->tenant, "t%04u", tenant % 10000);
    uint64_t country = i < WORLD_COUNTRIES ? i : low(rng, WORLD_COUNTRIES);
    memcpy(client->country, countries[country], sizeof client->country);
    client->browser = (uint8_t)rng_below(rng, COUNT_OF(browsers));
}

struct world *world_new(uint64_t seed) {
    struct world *world = ALLOC(struct world);
    struct rng rng = rng_from_seed(seed);
    for (size_t i = 0; i < WORLD_PAGES; i++) page_make(&world->pages[i], &rng);
    for (size_t i = 0; i < WORLD_CLIENTS; i++) client_make(&world->clients[i], i, &rng);
    rank_fill(&world->client_rank, WORLD_CLIENTS, by_visitor);
    rank_fill(&world->page_rank, WORLD_PAGES, by_rank);
    rank_fill(&world->status_rank, COUNT_OF(statuses), by_status);
    rank_fill(&world->referer_rank, COUNT_OF(referers), by_referer);
    return world;
}
