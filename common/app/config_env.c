/* SPDX-License-Identifier: Apache-2.0 */
#include "config_env.h"

#include "config_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 128 };
#define FROM_FILE "file:"

static bool is_name(struct str s) {
    if (!s.len || s.len >= NAME_MAX_BYTES) return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return true;
}

/* Secrets are mounted as files; what edits them puts a line end behind. */
static RC expand_file(struct str path, struct buf *out, struct why *why) {
    char name[CONFIG_VALUE_MAX], text[CONFIG_VALUE_MAX];
    if (!str_starts(path, STR("/")) || path.len >= sizeof name)
        return why_set(why, RC_DENIED, "${" FROM_FILE "PATH} wants the absolute path of a file");
    memcpy(name, path.at, path.len);
    name[path.len] = '\0';
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text);
    int error = errno;
    if (fd >= 0) (void)close(fd);
    if (len < 0) return why_errno(why, RC_DENIED, error, "%s cannot be read", config_show(path).text);
    if (len == (ssize_t)sizeof text)
        return why_set(why, RC_DENIED, "%s holds more than %d bytes", config_show(path).text, CONFIG_VALUE_MAX - 1);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) len--;
    buf_add(out, (struct str){text, (size_t)len});
    return RC_OK;
}

/* `inner` is what stands between ${ and }. */
static RC expand_one(struct str inner, struct buf *out, struct why *why) {
    if (str_starts(inner, STR(FROM_FILE)))
        return expand_file(str_sub(inner, sizeof FROM_FILE - 1, inner.len), out, why);
    struct str name = inner, fallback = {0};
    const char *colon = inner.len ? memchr(inner.at, ':', inner.len) : NULL;
    if (colon) {
        name.len = (size_t)(colon - inner.at);
        fallback = str_sub(inner, name.len, inner.len);
        if (!str_starts(fallback, STR(":-"))) name.len = 0;
    }
    if (!name.at || !is_name(name))
        return why_set(why, RC_DENIED,
                       "a $ that is neither ${NAME}, ${NAME:-text}, ${file:/PATH} nor $$ (a dollar sign)");
    char text[NAME_MAX_BYTES];
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    const char *value = getenv(text);
    if (colon && (!value || !*value))
        buf_add(out, str_sub(fallback, 2, fallback.len));
    else if (value)
        buf_add(out, str_of(value));
    else
        return why_set(why, RC_DENIED, "the environment has no %s; set it, or write ${%s:-text}", text, text);
    return RC_OK;
}

RC config_env_expand(struct str text, struct buf *out, struct why *why) {
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] != '$') {
            buf_add_char(out, text.at[i++]);
            continue;
        }
        char next = i + 1 < text.len ? text.at[i + 1] : '\0';
        if (next == '$') {
            buf_add_char(out, '$');
            i += 2;
            continue;
        }
        const char *end = next == '{' ? memchr(text.at + i, '}', text.len - i) : NULL;
        size_t to = end ? (size_t)(end - text.at) : i;
        TRY(expand_one(end ? str_sub(text, i + 2, to) : (struct str){0}, out, why));
        i = to + 1;
    }
    return RC_OK;
}
