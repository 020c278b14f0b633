/* SPDX-License-Identifier: Apache-2.0 */
#include "config_error.h"

#include "num.h"

#include <stdarg.h>
#include <stdio.h>

static void add(struct why *why, size_t *at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void add(struct why *why, size_t *at, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int n = vsnprintf(why->text + *at, sizeof why->text - *at, format, list);
    va_end(list);
    *at = MIN(*at + (n > 0 ? (size_t)n : 0), sizeof why->text - 1);
}

static void add_head(const struct config *config, struct config_place place, const char *key, struct why *why) {
    size_t at = 0;
    add(why, &at, "%.*s: ", STR_ARG(config->file));
    if (place.line) {
        at -= 1; /* over the space */
        add(why, &at, "%u:%u: ", place.line, place.column);
    }
    if (key[0]) add(why, &at, "%s: ", key);
}

enum rc config_error_at(const struct config *config, struct config_place place, const char *key, struct why *why,
                        const char *format, ...) {
    if (!why) return RC_DENIED;
    add_head(config, place, key, why);
    size_t at = strlen(why->text);
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why->text + at, sizeof why->text - at, format, list);
    va_end(list);
    return RC_DENIED;
}

enum rc config_error(const struct config *config, const char *key, struct why *why, const char *format, ...) {
    if (!why) return RC_DENIED;
    add_head(config, config_place(config, key), key, why);
    size_t at = strlen(why->text);
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why->text + at, sizeof why->text - at, format, list);
    va_end(list);
    return RC_DENIED;
}

struct config_shown config_show(struct str text) {
    struct config_shown shown;
    size_t len = MIN(text.len, 100);
    while (len < text.len && len && ((unsigned char)text.at[len] & 0xc0) == 0x80) len--; /* not inside a character */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        shown.text[i] = c < 0x20 || c == 0x7f ? '?' : text.at[i];
    }
    memcpy(shown.text + len, "...", 4);
    if (len == text.len) shown.text[len] = '\0';
    return shown;
}

void config_hint_offer(struct config_hint *hint, struct str wrong, struct str name) {
    size_t distance = str_distance(wrong, name);
    /* Two changes, which is one pair of letters swapped, but never half of a word. */
    if (distance > 2 || distance * 2 > wrong.len || distance >= hint->distance) return;
    hint->distance = distance;
    (void)snprintf(hint->text, sizeof hint->text, "; did you mean \"%.*s\"?", STR_ARG(name));
}

struct config_key config_key(const char *format, ...) {
    struct config_key key;
    va_list list;
    va_start(list, format);
    (void)vsnprintf(key.text, sizeof key.text, format, list);
    va_end(list);
    return key;
}

static const struct config_mark *mark_find(const struct config *config, struct str key) {
    size_t low = 0, high = config->marks.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(config->marks.at[middle].key, key);
        if (order == 0) return &config->marks.at[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct config_mark *config_mark_find(const struct config *config, const char *key) {
    return mark_find(config, str_of(key));
}

struct config_place config_place(const struct config *config, const char *key) {
    for (struct str now = str_of(key); now.len;) {
        const struct config_mark *mark = mark_find(config, now);
        if (mark) return mark->place;
        do {
            now.len--;
        } while (now.len && now.at[now.len] != '.' && now.at[now.len] != '[');
    }
    return (struct config_place){0};
}
