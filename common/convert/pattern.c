/* SPDX-License-Identifier: Apache-2.0 */
/* regex: the named groups of a pattern are the columns, in the order in which they open; a group that took no part in
 * the match is left out. (The file is not called after its converter, which is the name of the library's header.) */
#include "alloc.h"
#include "columns.h"
#include "own.h"
#include "regex.h"
#include "utf8.h"

struct pattern {
    struct regex *regex;
    struct columns columns;
    char *record;
    size_t room;
};

static RC pattern_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    AUTO(regex_done) struct regex *regex = NULL;
    TRY(regex_new(settings->pattern, &regex, why));
    size_t count = regex_group_count(regex);
    if (!count) return why_set(why, RC_BAD, "the pattern has no named group such as (?<status>\\d+)");
    struct pattern *self = ALLOC(struct pattern);
    struct str names[REGEX_GROUPS_MAX];
    for (size_t i = 0; i < count; i++) names[i] = regex_group_name(regex, i);
    columns_init(&self->columns, c, names, count);
    self->regex = TAKE(regex);
    c->self = self;
    return RC_OK;
}

static void pattern_close(struct converter *c) {
    struct pattern *self = c->self;
    regex_free(self->regex);
    columns_done(&self->columns);
    free(self->record);
    free(self);
}

static bool pattern_gives(const struct converter *c, size_t field) {
    const struct pattern *self = c->self;
    return self->columns.wanted[field] != SIZE_MAX;
}

/* Groups overlap: (?<all>(?<first>\S+) .*), so each may be the whole line; only the match tells. */
static void write_groups(struct converter *c, struct pattern *self, struct converted *out) {
    size_t bytes = 0;
    for (size_t i = 0; i < self->columns.count; i++) bytes += self->columns.values[i].len;
    if (bytes > c->record_bytes_max) {
        converter_reject(out, REASON_TOO_LONG);
        return;
    }
    alloc_grow(&self->record, &self->room, columns_bytes(&self->columns, bytes), 1);
    columns_write(c, &self->columns, false, self->record, out);
}

static void pattern_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    (void)scratch;
    struct pattern *self = c->self;
    if (!utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    switch (regex_match(self->regex, line, self->columns.values)) {
    case REGEX_MATCH: write_groups(c, self, out); return;
    case REGEX_NO: converter_reject(out, REASON_NO_MATCH); return;
    case REGEX_LIMIT:
        converter_reject(out, REASON_LIMIT);
        out->detail = STR("the line is too much work for the pattern");
        return;
    }
}

const struct converter_ops regex_ops = {.name = "regex",
                                        .open = pattern_open,
                                        .close = pattern_close,
                                        .gives = pattern_gives,
                                        .line = pattern_line,
                                        .takes_lines = true};
