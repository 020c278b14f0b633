/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include "num.h"

static const char *pick(struct rng *rng, const char *const *from, size_t count) { return from[rng_below(rng, count)]; }

void lines_add(struct rng *rng, struct buf *out) {
    static const char *const methods[] = {"GET", "GET", "GET", "POST", "HEAD"};
    static const char *const agents[] = {
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
        "curl/8.3.0"};
    static const char *const folders[] = {"images", "articles", "api/v2/items", "search", "static/css"};
    buf_add_format(out, "{\"time\":\"2026-01-01T%02d:%02d:%02d.%03dZ\",", (int)rng_below(rng, 24),
                   (int)rng_below(rng, 60), (int)rng_below(rng, 60), (int)rng_below(rng, 1000));
    buf_add_format(out, "\"remote\":\"%d.%d.%d.%d\",\"method\":\"%s\",", (int)rng_below(rng, 256),
                   (int)rng_below(rng, 256), (int)rng_below(rng, 256), (int)rng_below(rng, 256),
                   pick(rng, methods, COUNT_OF(methods)));
    buf_add_format(out, "\"path\":\"/%s/%d\",\"status\":%d,\"bytes\":%d,", pick(rng, folders, COUNT_OF(folders)),
                   (int)rng_below(rng, 5000), rng_below(rng, 20) ? 200 : 404, (int)rng_below(rng, 100000));
    buf_add_format(out, "\"agent\":\"%s\",\"id\":\"%016llx\"}\n", pick(rng, agents, COUNT_OF(agents)),
                   (unsigned long long)rng_next(rng));
}

uint64_t lines_fill(struct rng *rng, size_t bytes, struct buf *out) {
    uint64_t records = 0;
    for (; out->len < bytes; records++) lines_add(rng, out);
    return records;
}
