/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "must.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static inline char *put(char *to, const char *from, size_t len) {
    memcpy(to, from, len);
    return to + len;
}

static inline char *put_text(char *to, const char *text) { return put(to, text, strlen(text)); }

static char *put_number(char *to, uint64_t n) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return put(to, digits + at, sizeof digits - at);
}

static char *put_milli(char *to, unsigned ms) {
    *to++ = (char)('0' + ms / 100 % 10);
    *to++ = (char)('0' + ms / 10 % 10);
    *to++ = (char)('0' + ms % 10);
    return to;
}

static char *put_hex(char *to, uint64_t n) {
    for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[n >> shift & 15];
    return to;
}

/* Most lines share their second with the one before. */
static const char *clock_of(struct line *line, int64_t second) {
    if (second == line->second) return line->clock;
    struct tm tm;
    time_t t = second;
    MUST(gmtime_r(&t, &tm));
    size_t len = line->format == LINE_NDJSON
                     ? strftime(line->clock, sizeof line->clock, "%Y-%m-%dT%H:%M:%S", &tm)
                     : strftime(line->clock, sizeof line->clock, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    MUST(len > 0);
    line->second = second;
    return line->clock;
}

/* request: what the fields of one line are made of. */
struct request {
    const struct client *client;
    const struct page *page;
    const char *status, *method, *referer;
    uint64_t bytes, id;
    unsigned took_ms;
    unsigned query; /* 0 = none */
};

static const char *method_of(const struct page *page, unsigned bits) {
    if (page->is_file || bits >= 40) return "GET";
    return bits >= 6 ? "POST" : bits >= 3 ? "PUT" : bits ? "HEAD" : "DELETE";
}

static struct request request_draw(struct line *line) {
    const struct world *world = line->world;
    uint64_t a = rng_next(&line->rng), b = rng_next(&line->rng);
    struct request request = {
        .client = &world->clients[world->client_rank.slot[a & 0xffff]],
        .page = &world->pages[world->page_rank.slot[a >> 16 & 0xffff]],
        .status = world_status(world->status_rank.slot[a >> 32 & 0xffff]),
        .referer = world_referer(world->referer_rank.slot[a >> 48]),
        .id = rng_next(&line->rng),
    };
    request.method = method_of(request.page, b & 0xff);
    request.bytes = request.status[0] == '2' ? request.page->bytes : request.status[0] == '3' ? 0 : 162;
    if (!request.page->is_file && request.bytes) request.bytes += b >> 8 & 0x3ff;
    /* Files are answered at once; the rest has a long tail. */
    request.took_ms =
        request.page->is_file ? (unsigned)(b >> 18 & 1) : 2 + (unsigned)((b >> 18 & 0x1f) * (b >> 23 & 0x1f) / 8);
    if (!request.page->is_file && (b >> 28 & 7) == 0) request.query = 1 + (unsigned)(b >> 32 & 0xfffff);
    return request;
}

static char *put_path(char *to, const struct request *request) {
    to = put(to, request->page->path, request->page->path_len);
    if (!request->query) return to;
    *to++ = memchr(request->page->path, '?', request->page->path_len) ? '&' : '?';
    return put_number(PUT(to, "sid="), request->query);
}

static size_t write_ndjson(struct line *line, const struct request *request, int64_t ms, char *to) {
    char *start = to;
    to = put_text(PUT(to, "{\"time\":\""), clock_of(line, ms / 1000));
    *to++ = '.';
    to = put_milli(to, (unsigned)(ms % 1000));
    to = put(PUT(to, "Z\",\"remote_addr\":\""), request->client->address, request->client->address_len);
    to = put_text(PUT(to, "\",\"method\":\""), request->method);
    to = put_path(PUT(to, "\",\"path\":\""), request);
    to = put(PUT(to, "\",\"status\":"), request->status, 3);
    to = put_number(PUT(to, ",\"bytes\":"), request->bytes);
    to = put_text(PUT(to, ",\"referer\":\""), request->referer);
    to = put_text(PUT(to, "\",\"user_agent\":\""), world_browser(request->client->browser));
    to = put_number(PUT(to, "\",\"request_time\":"), request->took_ms / 1000);
    *to++ = '.';
    to = put_milli(to, request->took_ms % 1000);
    to = put_hex(PUT(to, ",\"request_id\":\""), request->id);
    to = put(PUT(to, "\",\"country\":\""), request->client->country, 2);
    to = put(PUT(to, "\",\"tenant\":\""), request->client->tenant, 5);
    to = PUT(to, "\"}\n");
    return (size_t)(to - start);
}

static size_t write_combined(struct line *line, const struct request *request, int64_t ms, char *to) {
    char *start = to;
    to = put(to, request->client->address, request->client->address_len);
    to = put_text(PUT(to, " - - ["), clock_of(line, ms / 1000));
    to = put_text(PUT(to, "] \""), request->method);
    *to++ = ' ';
    to = put_path(to, request);
    to = put(PUT(to, " HTTP/1.1\" "), request->status, 3);
    *to++ = ' ';
    to = put_number(to, request->bytes);
    to = put_text(PUT(to, " \""), request->referer);
    to = put_text(PUT(to, "\" \""), world_browser(request->client->browser));
    to = PUT(to, "\"\n");
    return (size_t)(to - start);
}

size_t line_write(struct line *line, int64_t ms, char *to) {
    struct request request = request_draw(line);
    return line->format == LINE_NDJSON ? write_ndjson(line, &request, ms, to) : write_combined(line, &request, ms, to);
}

/* Bad for both formats alike: the cut is in front of the first place where a line could be whole. */
static size_t cut_off(struct line *line, int64_t ms, char *to) {
    (void)line_write(line, ms, to);
    size_t len = 3 + rng_below(&line->rng, 15);
    to[len] = '\n';
    return len + 1;
}

size_t line_write_bad(struct line *line, int64_t ms, char *to) {
    static const char error[] = "upstream timed out (110: Connection timed out) while reading response header\n";
    static const char list[] = "[\"not\",\"an\",\"object\"]\n";
    static const char no_time[] = "{\"level\":\"warn\",\"message\":\"a worker was restarted\"}\n";
    static const char bad_time[] = "{\"time\":\"yesterday at noon\",\"status\":200,\"path\":\"/\"}\n";
    static const char no_utf8[] = "{\"time\":\"2026-03-01T00:00:00Z\",\"path\":\"/caf\xe9\",\"status\":200}\n";
    switch (rng_below(&line->rng, 6)) {
    case 0: return (size_t)(PUT(to, error) - to);
    case 1: return (size_t)(PUT(to, list) - to);
    case 2: return (size_t)(PUT(to, no_time) - to);
    case 3: return (size_t)(PUT(to, bad_time) - to);
    case 4: return (size_t)(PUT(to, no_utf8) - to);
    default: return cut_off(line, ms, to);
    }
}
