/* SPDX-License-Identifier: Apache-2.0 */
/* where_parse: a parser by descent, one function a strength. */
#include "alloc.h"
#include "buf.h"
#include "utf8.h"
#include "where_impl.h"

#include <stdlib.h>

enum { LIST_MAX = 1024 };

enum token { END, WORD, FIELD, NUMBER, TEXT, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COMPARE, BAD };

struct parser {
    struct where *where;
    struct str all;
    size_t at; /* behind the token */
    struct why *why;
    int depth;
    enum token token;
    size_t from;     /* of the token */
    struct str text; /* of a word, a field, a number; of a text unescaped */
    enum where_compare compare;
};

static enum rc fail(const struct parser *p, const char *words) {
    size_t characters = 1;
    for (size_t i = 0; i < p->from; i++) characters += ((unsigned char)p->all.at[i] & 0xc0) != 0x80;
    return why_set(p->why, RC_BAD, "at character %zu of the condition: %s", characters, words);
}

static bool in_name(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
           (c && strchr("_.@-:", c));
}

static bool in_pointer(unsigned char c) { return c > ' ' && !strchr("()[],=<>!'\"", c); }

static RC read_text(struct parser *p, char quote) {
    char *to = arena_alloc(&p->where->arena, p->all.len + 1);
    p->text = (struct str){to, 0};
    while (p->at < p->all.len && p->all.at[p->at] != quote) {
        char c = p->all.at[p->at++];
        bool escape = c == '\\' && p->at < p->all.len && strchr("'\"\\", p->all.at[p->at]);
        to[p->text.len++] = escape ? p->all.at[p->at++] : c;
    }
    if (p->at == p->all.len) return fail(p, "the text has no closing quote");
    p->at++;
    p->token = TEXT;
    return RC_OK;
}

static RC read_compare(struct parser *p, char c) {
    bool equal = p->at < p->all.len && p->all.at[p->at] == '=';
    if (equal) p->at++;
    p->token = COMPARE;
    if (c == '!' && !equal) return fail(p, "! is no operator; allowed: = != < <= > >=");
    p->compare = c == '='   ? WHERE_EQ
                 : c == '!' ? WHERE_NE
                 : c == '<' ? (equal ? WHERE_LE : WHERE_LT)
                            : (equal ? WHERE_GE : WHERE_GT);
    return RC_OK;
}

static void read_while(struct parser *p, enum token token, bool (*fits)(unsigned char)) {
    while (p->at < p->all.len && fits((unsigned char)p->all.at[p->at])) p->at++;
    p->token = token;
    p->text = str_sub(p->all, p->from, p->at);
}

static RC next(struct parser *p) {
    static const char single[] = "()[],";
    static const enum token singles[] = {OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA};
    while (p->at < p->all.len && strchr(" \t", p->all.at[p->at])) p->at++;
    p->from = p->at;
    p->token = END;
    if (p->at == p->all.len) return RC_OK;
    char c = p->all.at[p->at++];
    const char *found = c ? strchr(single, c) : NULL;
    bool digit = c >= '0' && c <= '9';
    if (found) {
        p->token = singles[found - single];
        return RC_OK;
    }
    if (c == '\'' || c == '"') return read_text(p, c);
    if (c && strchr("=!<>", c)) return read_compare(p, c);
    if (digit || c == '-')
        read_while(p, NUMBER, in_pointer);
    else if (c == '/')
        read_while(p, FIELD, in_pointer);
    else if (in_name((unsigned char)c))
        read_while(p, WORD, in_name);
    else
        return fail(p, "a field, a literal, not, or ( is expected");
    return RC_OK;
}

static bool is_word(const struct parser *p, const char *word) {
    return p->token == WORD && str_equal(p->text, str_of(word));
}

static RC take_field(struct parser *p, struct where_operand *out) {
    struct where *w = p->where;
    struct why inner = {0};
    if (w->field_count == WHERE_FIELDS_MAX) return fail(p, "more than 32 fields");
    if (json_path_compile(p->text, &w->fields[w->field_count], &inner) != RC_OK) return fail(p, inner.text);
    *out = (struct where_operand){.field = (int)w->field_count++};
    return RC_OK;
}

/* *out_is false: the word is a field. */
static RC take_literal(struct parser *p, struct where_value *out, bool *out_is) {
    *out_is = true;
    if (p->token == TEXT) {
        *out = (struct where_value){.type = WHERE_TEXT, .text = p->text};
    } else if (p->token == NUMBER) {
        *out = where_number(p->text);
        if (out->type == WHERE_OTHER) return fail(p, "this is no number; a text has quotes, a field no digit in front");
    } else if (is_word(p, "true") || is_word(p, "false")) {
        *out = (struct where_value){.type = WHERE_BOOL, .truth = p->text.at[0] == 't'};
    } else if (is_word(p, "null")) {
        *out = (struct where_value){.type = WHERE_NULL};
    } else {
        *out_is = false;
    }
    return RC_OK;
}

static RC take_operand(struct parser *p, struct where_operand *out) {
    struct where_value literal = {0};
    bool is_literal = false;
    TRY(take_literal(p, &literal, &is_literal));
    if (is_literal)
        *out = (struct where_operand){.field = -1, .literal = literal};
    else if (p->token == WORD || p->token == FIELD)
        TRY(take_field(p, out));
    else
        return fail(p, "a field or a literal is expected");
    return next(p);
}

static RC take_list(struct parser *p, struct where_node *node) {
    struct where_value *list = ARENA_ARRAY(&p->where->arena, struct where_value, LIST_MAX);
    node->kind = WHERE_IN;
    node->list = list;
    if (p->token != OPEN_LIST) return fail(p, "[ is expected behind in");
    do {
        bool is_literal = false;
        TRY(next(p));
        if (p->token == CLOSE_LIST && !node->list_len) break;
        if (node->list_len == LIST_MAX) return fail(p, "more than 1,024 values");
        TRY(take_literal(p, &list[node->list_len++], &is_literal));
        if (!is_literal) return fail(p, "a literal is expected; a text has quotes");
        TRY(next(p));
    } while (p->token == COMMA);
    if (p->token != CLOSE_LIST) return fail(p, "] or , is expected");
    return next(p);
}

static RC take_pattern(struct parser *p, struct where_node *node) {
    struct where *w = p->where;
    struct why inner = {0};
    node->kind = WHERE_MATCHES;
    if (p->token != TEXT) return fail(p, "a pattern in quotes is expected behind matches");
    if (w->regex_count == WHERE_FIELDS_MAX) return fail(p, "more than 32 patterns");
    if (regex_new(p->text, &node->regex, &inner) != RC_OK) return fail(p, inner.text);
    w->regexes[w->regex_count++] = node->regex;
    return next(p);
}

static const struct where_node *negated(struct parser *p, const struct where_node *node) {
    struct where_node *made = ARENA_NEW(&p->where->arena, struct where_node);
    *made = (struct where_node){.kind = WHERE_NOT, .left = node};
    return made;
}

static RC take_comparison(struct parser *p, const struct where_node **out) {
    struct where_node *node = ARENA_NEW(&p->where->arena, struct where_node);
    *out = node;
    TRY(take_operand(p, &node->a));
    if (p->token == COMPARE) {
        node->kind = WHERE_COMPARE;
        node->compare = p->compare;
        TRY(next(p));
        return take_operand(p, &node->b);
    }
    bool not_in = is_word(p, "not");
    if (not_in) {
        TRY(next(p));
        if (!is_word(p, "in")) return fail(p, "in is expected behind not");
        *out = negated(p, node);
    }
    if (is_word(p, "in")) {
        TRY(next(p));
        return take_list(p, node);
    }
    if (is_word(p, "matches")) {
        TRY(next(p));
        return take_pattern(p, node);
    }
    node->kind = WHERE_TRUE;
    return RC_OK;
}

static RC take_or(struct parser *p, const struct where_node **out);

/* NOLINTBEGIN(misc-no-recursion): at most WHERE_DEPTH_MAX deep */
static RC take_not(struct parser *p, const struct where_node **out) {
    if (p->depth >= WHERE_DEPTH_MAX) return fail(p, "nested deeper than 32");
    p->depth++;
    if (is_word(p, "not")) {
        TRY(next(p));
        TRY(take_not(p, out));
        *out = negated(p, *out);
    } else if (p->token == OPEN) {
        TRY(next(p));
        TRY(take_or(p, out));
        if (p->token != CLOSE) return fail(p, ") is expected");
        TRY(next(p));
    } else {
        TRY(take_comparison(p, out));
    }
    p->depth--;
    return RC_OK;
}

/* `chain` and, or: long chains lean to the left, and are as deep as they are long. */
static RC take_chain(struct parser *p, enum where_kind kind, const struct where_node **out) {
    const char *word = kind == WHERE_AND ? "and" : "or";
    TRY(kind == WHERE_AND ? take_not(p, out) : take_chain(p, WHERE_AND, out));
    for (int length = 1; is_word(p, word); length++) {
        if (length == WHERE_FIELDS_MAX) return fail(p, "more than 32 conditions in a row");
        struct where_node *node = ARENA_NEW(&p->where->arena, struct where_node);
        node->kind = kind;
        node->left = *out;
        TRY(next(p));
        TRY(kind == WHERE_AND ? take_not(p, &node->right) : take_chain(p, WHERE_AND, &node->right));
        *out = node;
    }
    return RC_OK;
}

static RC take_or(struct parser *p, const struct where_node **out) { return take_chain(p, WHERE_OR, out); }
/* NOLINTEND(misc-no-recursion) */

RC where_parse(struct where *where, struct str text, struct why *why) {
    struct parser p = {.where = where, .all = arena_str(&where->arena, text), .why = why};
    if (text.len > WHERE_BYTES_MAX)
        return why_set(why, RC_BAD, "the condition is longer than %d bytes", WHERE_BYTES_MAX);
    if (!utf8_valid(text)) return why_set(why, RC_BAD, "the condition is not UTF-8");
    TRY(next(&p));
    TRY(take_or(&p, &where->root));
    return p.token == END ? RC_OK : fail(&p, "and, or, or the end is expected");
}
