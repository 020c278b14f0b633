/* SPDX-License-Identifier: Apache-2.0 */
#include "partition.h"

#include "alloc.h"
#include "partition_impl.h"

#include <stdlib.h>
#include <string.h>

#define ALLOWED                                                                                                        \
    "allowed are literals of A-Z a-z 0-9 _ . - =, {time:%%Y-%%m-%%d}, {field}, {a.b}, {/json/pointer}, {source}"

/* Where the compiler stands. */
struct compiler {
    struct partition *partition;
    struct str text;
    size_t at;              /* next byte of text */
    size_t component_start; /* of text */
    size_t literal_bytes;   /* of this component */
    struct why *why;
};

static RC add_piece(struct compiler *c, struct partition_piece piece) {
    struct partition *p = c->partition;
    if (p->piece_count == PARTITION_PIECES_MAX) {
        return why_set(c->why, RC_BAD, "more than %d pieces", (int)PARTITION_PIECES_MAX);
    }
    p->pieces[p->piece_count++] = piece;
    return RC_OK;
}

static bool literal_char(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '=';
}

static RC compile_literal(struct compiler *c) {
    size_t from = c->at;
    while (c->at < c->text.len && literal_char(c->text.at[c->at])) c->at++;
    if (from == c->at) {
        return why_set(c->why, RC_BAD, "byte 0x%02x at position %zu of the template; " ALLOWED,
                       (unsigned)(unsigned char)c->text.at[from], from + 1);
    }
    c->literal_bytes += c->at - from;
    if (c->literal_bytes > PARTITION_LITERAL_MAX) {
        return why_set(c->why, RC_BAD, "over %d literal bytes in the component at position %zu",
                       (int)PARTITION_LITERAL_MAX, c->component_start + 1);
    }
    return add_piece(c, (struct partition_piece){.kind = PARTITION_LITERAL, .text = str_sub(c->text, from, c->at)});
}

static RC compile_time(struct compiler *c, struct str pattern, size_t position) {
    struct partition *p = c->partition;
    struct partition_piece piece = {.kind = PARTITION_TIME};
    enum rc rc = time_format_compile(pattern, &piece.format, c->why);
    if (rc != RC_OK) return why_wrap(c->why, rc, "{time:...} at position %zu of the template", position);
    if (!p->uses_time || piece.format.step_ns < p->finest.step_ns) p->finest = piece.format;
    p->uses_time = true;
    return add_piece(c, piece);
}

static RC compile_field(struct compiler *c, struct str name, size_t position) {
    struct partition *p = c->partition;
    struct json_path path;
    enum rc rc = json_path_compile(name, &path, c->why);
    if (rc != RC_OK) return why_wrap(c->why, rc, "{%.*s} at position %zu of the template", STR_ARG(name), position);
    uint32_t field = 0;
    while (field < p->field_count && !str_equal(p->names[field], name)) field++;
    if (field == p->field_count) {
        if (field == PARTITION_FIELDS_MAX) {
            return why_set(c->why, RC_BAD, "more than %d fields", (int)PARTITION_FIELDS_MAX);
        }
        p->fields[field] = path;
        p->names[field] = name;
        p->field_count++;
    }
    return add_piece(c, (struct partition_piece){.kind = PARTITION_FIELD, .field = field});
}

static RC compile_placeholder(struct compiler *c) {
    size_t open = c->at;
    const char *close = memchr(c->text.at + open, '}', c->text.len - open);
    if (!close) return why_set(c->why, RC_BAD, "'{' at position %zu of the template has no '}'", open + 1);
    struct str inside = str_sub(c->text, open + 1, (size_t)(close - c->text.at));
    c->at = (size_t)(close - c->text.at) + 1;
    if (str_starts(inside, STR("time:"))) return compile_time(c, str_sub(inside, 5, inside.len), open + 1);
    if (str_equal(inside, STR("time"))) {
        return why_set(c->why, RC_BAD,
                       "{time} at position %zu of the template has no pattern: {time:%%Y-%%m-%%d}; a field of that "
                       "name is {/time}",
                       open + 1);
    }
    if (str_equal(inside, STR("source"))) return add_piece(c, (struct partition_piece){.kind = PARTITION_SOURCE});
    return compile_field(c, inside, open + 1);
}

/* The component that ends before c->at: is it one that a folder may be called? */
static RC end_component(struct compiler *c) {
    struct str component = str_sub(c->text, c->component_start, c->at);
    size_t position = c->component_start + 1;
    if (component.len == 0) {
        return why_set(c->why, RC_BAD,
                       "empty component at position %zu of the template: no '/' at the start, at the "
                       "end or twice in a row",
                       position);
    }
    if (str_equal(component, STR(".")) || str_equal(component, STR(".."))) {
        return why_set(c->why, RC_BAD, "\"%.*s\" at position %zu of the template is no folder's name",
                       STR_ARG(component), position);
    }
    if (component.at[0] == '_' || component.at[0] == '.') {
        return why_set(c->why, RC_BAD, "'%c' at position %zu of the template: readers hide folders that begin with it",
                       component.at[0], position);
    }
    if (++c->partition->component_count > PARTITION_COMPONENTS_MAX) {
        return why_set(c->why, RC_BAD, "more than %d components", (int)PARTITION_COMPONENTS_MAX);
    }
    c->literal_bytes = 0;
    c->component_start = c->at + 1;
    return RC_OK;
}

static RC compile_slash(struct compiler *c) {
    TRY(end_component(c));
    c->at++;
    return add_piece(c, (struct partition_piece){.kind = PARTITION_SLASH});
}

static RC compile(struct compiler *c) {
    if (c->text.len == 0) return RC_OK;
    while (c->at < c->text.len) {
        char next = c->text.at[c->at];
        TRY(next == '{' ? compile_placeholder(c) : next == '/' ? compile_slash(c) : compile_literal(c));
    }
    return end_component(c);
}

RC partition_new(struct str template, struct str source, struct partition **out, struct why *why) {
    if (template.len > PARTITION_TEMPLATE_MAX) {
        return why_set(why, RC_BAD, "the template is over %d bytes", (int)PARTITION_TEMPLATE_MAX);
    }
    struct partition *p = ALLOC(struct partition);
    if (template.len) memcpy(p->template, template.at, template.len);
    p->source = (struct str){alloc_text(source.at, source.len), source.len};
    struct compiler c = {.partition = p, .text = {p->template, template.len}, .why = why};
    enum rc rc = compile(&c);
    if (rc != RC_OK) {
        partition_free(p);
        return rc;
    }
    *out = p;
    return RC_OK;
}

void partition_free(struct partition *p) {
    if (!p) return;
    free((char *)(uintptr_t)p->source.at);
    free(p);
}

size_t partition_field_count(const struct partition *p) { return p->field_count; }
const struct json_path *partition_fields(const struct partition *p) { return p->fields; }
struct str partition_field_name(const struct partition *p, size_t field) {
    return p->names[field];
}
bool partition_uses_time(const struct partition *p) { return p->uses_time; }

int64_t partition_bucket(const struct partition *p, int64_t time_ns) {
    return p->uses_time ? time_format_bucket(&p->finest, time_ns) : 0;
}
