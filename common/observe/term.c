/* SPDX-License-Identifier: Apache-2.0 */
#include "term.h"

#include "utf8.h"

#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

static bool is_set(const char *name, const char **out) {
    *out = getenv(name);
    return *out && **out;
}

/* As setlocale() would choose the character set, without depending on which locales are installed. */
static bool locale_is_utf8(void) {
    const char *name = "";
    if (!is_set("LC_ALL", &name) && !is_set("LC_CTYPE", &name) && !is_set("LANG", &name)) return false;
    return strcasestr(name, "utf-8") || strcasestr(name, "utf8");
}

bool term_detect(int fd, struct term *out) {
    struct winsize size = {0};
    const char *kind = NULL, *value = NULL;
    if (!isatty(fd) || !is_set("TERM", &kind) || strcmp(kind, "dumb") == 0) return false;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) size = (struct winsize){0};
    *out = (struct term){.columns = size.ws_col ? size.ws_col : 80,
                         .lines = size.ws_row ? size.ws_row : 24,
                         .utf8 = locale_is_utf8(),
                         .color = !is_set("NO_COLOR", &value)};
    return true;
}

static locale_t width_locale;
static void make_locale(void) { width_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

/* Columns of a character beyond ASCII; below 0 when it cannot be printed. */
static int wide_width(uint32_t c) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_locale);
    if (!width_locale) return -1; /* every one is shown as '?' */
    const locale_t before = uselocale(width_locale);
    const int width = wcwidth((wchar_t)c);
    (void)uselocale(before);
    return width;
}

/* The next character of *rest as it is shown, and its columns (0: it is left out). */
static struct str next(const struct term *term, struct str *rest, unsigned *out_columns) {
    size_t n = 0;
    const uint32_t c = utf8_decode(*rest, &n);
    const struct str piece = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->len);
    *out_columns = 1;
    if (utf8_is_control(c) || (c == 0xfffd && n == 1)) return STR("?");
    if (c < 0x80) return piece;
    const int width = wide_width(c);
    if (width == 0) *out_columns = 0;
    if (width < 0 || !term->utf8) return STR("?");
    *out_columns = (unsigned)width;
    return piece;
}

unsigned term_width(const struct term *term, struct str text) {
    unsigned sum = 0;
    for (unsigned columns = 0; text.len; sum += columns) (void)next(term, &text, &columns);
    return sum;
}

unsigned term_add(const struct term *term, struct buf *to, struct str text, unsigned max) {
    unsigned left = term_width(term, text), used = 0, columns = 0;
    if (max == 0) return 0;
    if (left > max) {
        buf_add(to, term->utf8 ? STR("…") : STR("~"));
        used = 1;
        for (; left > max - 1; left -= columns) (void)next(term, &text, &columns);
    }
    while (text.len) {
        const struct str piece = next(term, &text, &columns);
        if (columns) buf_add(to, piece);
        used += columns;
    }
    return used;
}
