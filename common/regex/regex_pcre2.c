/* SPDX-License-Identifier: Apache-2.0 */
#include "regex.h"

#include "alloc.h"
#include "own.h"
#include "utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { JIT_STACK_FIRST = 32 * 1024, JIT_STACK_MOST = 512 * 1024, HEAP_KIB_MAX = 4096, NEST_MAX = 100 };

struct group {
    struct str name; /* in the pattern's own name table */
    uint32_t number;
};

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    struct group *groups;
    size_t group_count;
};

void regex_free(struct regex *r) {
    if (!r) return;
    pcre2_match_context_free(r->context);
    pcre2_jit_stack_free(r->stack);
    pcre2_match_data_free(r->data);
    pcre2_code_free(r->code);
    free(r->groups);
    free(r);
}

static RC compile(struct regex *r, struct str pattern, struct why *why) {
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) return why_set(why, RC_LIMIT, "no memory for a pattern");
    (void)pcre2_set_parens_nest_limit(context, NEST_MAX);
    uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    r->code = pcre2_compile((PCRE2_SPTR)pattern.at, pattern.len, options, &error, &at, context);
    pcre2_compile_context_free(context);
    if (r->code) return RC_OK;
    PCRE2_UCHAR words[256];
    (void)pcre2_get_error_message(error, words, sizeof words);
    size_t characters = 1;
    for (size_t i = 0; i < at && i < pattern.len; i++) characters += ((unsigned char)pattern.at[i] & 0xc0) != 0x80;
    return why_set(why, RC_BAD, "at character %zu of the pattern: %s", characters, (const char *)words);
}

static int group_order(const void *a, const void *b) {
    const struct group *left = a, *right = b;
    return (left->number > right->number) - (left->number < right->number);
}

/* The name table: entries of `size` bytes, two of them the group's number, then the name and a NUL; sorted by name. */
static RC take_groups(struct regex *r, struct why *why) {
    uint32_t count = 0, size = 0;
    PCRE2_SPTR names = NULL;
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &count);
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    (void)pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, (void *)&names);
    if (count > REGEX_GROUPS_MAX)
        return why_set(why, RC_BAD, "the pattern has %u named groups, at most %d", count, REGEX_GROUPS_MAX);
    r->groups = alloc_zero(count, sizeof *r->groups);
    r->group_count = count;
    for (uint32_t i = 0; i < count; i++) {
        PCRE2_SPTR entry = names + (size_t)i * size;
        r->groups[i] = (struct group){str_of((const char *)entry + 2), (uint32_t)(entry[0] << 8 | entry[1])};
    }
    qsort(r->groups, count, sizeof *r->groups, group_order);
    return RC_OK;
}

static RC prepare(struct regex *r, struct why *why) {
    r->data = pcre2_match_data_create_from_pattern(r->code, NULL);
    r->context = pcre2_match_context_create(NULL);
    if (!r->data || !r->context) return why_set(why, RC_LIMIT, "no memory for a pattern");
    (void)pcre2_set_match_limit(r->context, REGEX_STEPS);
    (void)pcre2_set_heap_limit(r->context, HEAP_KIB_MAX);
    (void)pcre2_set_offset_limit(r->context, REGEX_START_MAX);
    /* Where there is no JIT for the machine the interpreter does the same, slower. */
    if (pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) != 0) return RC_OK;
    r->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    if (!r->stack) return why_set(why, RC_LIMIT, "no memory for a pattern");
    pcre2_jit_stack_assign(r->context, NULL, r->stack);
    return RC_OK;
}

RC regex_new(struct str pattern, struct regex **out, struct why *why) {
    if (pattern.len > REGEX_PATTERN_MAX)
        return why_set(why, RC_BAD, "the pattern is longer than %d bytes", REGEX_PATTERN_MAX);
    if (!utf8_valid(pattern)) return why_set(why, RC_BAD, "the pattern is not UTF-8");
    AUTO(regex_done) struct regex *r = ALLOC(struct regex);
    TRY(compile(r, pattern, why));
    TRY(take_groups(r, why));
    TRY(prepare(r, why));
    *out = TAKE(r);
    return RC_OK;
}

size_t regex_group_count(const struct regex *r) { return r->group_count; }
struct str regex_group_name(const struct regex *r, size_t group) {
    return r->groups[group].name;
}

enum regex_verdict regex_match(struct regex *r, struct str text, struct str *out_groups) {
    PCRE2_SPTR at = (PCRE2_SPTR)(text.at ? text.at : "");
    int rc = pcre2_match(r->code, at, text.len, 0, PCRE2_NO_UTF_CHECK, r->data, r->context);
    if (rc == PCRE2_ERROR_NOMATCH) return REGEX_NO;
    if (rc < 0) return REGEX_LIMIT; /* steps, heap, stack: the text is too much for the pattern */
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(r->data);
    for (size_t i = 0; out_groups && i < r->group_count; i++) {
        PCRE2_SIZE from = ends[2 * (size_t)r->groups[i].number], to = ends[2 * (size_t)r->groups[i].number + 1];
        bool there = from != PCRE2_UNSET && from <= to;
        out_groups[i] = there ? (struct str){(const char *)at + from, to - from} : (struct str){0};
    }
    return REGEX_MATCH;
}
