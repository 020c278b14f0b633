/* SPDX-License-Identifier: Apache-2.0 */
#include "cri_part.h"

#include <string.h>

static bool stream_of(struct str name, size_t *out) {
    bool is_out = str_equal(name, STR("stdout"));
    if (!is_out && !str_equal(name, STR("stderr"))) return false;
    *out = is_out ? 0 : 1;
    return true;
}

/* The quote that ends the JSON text which begins at `from`; NULL: none. */
static const char *closing_quote(const char *from, const char *end, bool *out_newline) {
    bool newline = false;
    for (const char *at = from; at < end; at++) {
        if (*at == '"') {
            *out_newline = newline;
            return at;
        }
        bool escape = *at == '\\';
        if (escape) at++;
        newline = escape && at < end && *at == 'n';
    }
    return NULL;
}

static bool read_docker(struct str line, struct cri_part *out) {
    static const char head[] = "{\"log\":\"", next[] = "\",\"stream\":\"";
    const size_t head_len = sizeof head - 1, next_len = sizeof next - 1;
    if (!str_starts(line, (struct str){head, head_len})) return false;
    const char *from = line.at + head_len, *end = line.at + line.len;
    bool newline = false;
    const char *quote = closing_quote(from, end, &newline);
    if (!quote || (size_t)(end - quote) < next_len || memcmp(quote, next, next_len) != 0) return false;
    const char *name = quote + next_len, *close = memchr(name, '"', (size_t)(end - name));
    if (!close || !stream_of((struct str){name, (size_t)(close - name)}, &out->stream)) return false;
    out->goes_on = !newline;
    out->docker = true;
    out->before = (struct str){line.at, head_len};
    out->message = (struct str){from, (size_t)(quote - from)};
    out->behind = (struct str){quote, (size_t)(end - quote)};
    return true;
}

bool cri_part_read(struct str line, struct cri_part *out) {
    *out = (struct cri_part){0};
    if (line.len && line.at[0] == '{') return read_docker(line, out);
    const char *end = line.at + line.len;
    const char *blank = line.len ? memchr(line.at, ' ', line.len) : NULL;
    if (!blank || end - blank < 9 || blank[7] != ' ' || !stream_of((struct str){blank + 1, 6}, &out->stream))
        return false;
    const char *tags = blank + 8, *behind = memchr(tags, ' ', (size_t)(end - tags));
    size_t tags_len = (size_t)((behind ? behind : end) - tags);
    if (!tags_len || (*tags != 'P' && *tags != 'F') || (tags_len > 1 && tags[1] != ':')) return false;
    out->goes_on = *tags == 'P';
    out->before = (struct str){line.at, (size_t)(tags - line.at)};
    const char *message = behind ? behind + 1 : end;
    out->message = (struct str){message, (size_t)(end - message)};
    return true;
}
