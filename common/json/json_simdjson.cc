// SPDX-License-Identifier: Apache-2.0
// How json.h is done with simdjson 3: its parser implementations (chosen at run time by what the processor can do) are
// driven directly, stage 1 over a batch and stage 2 document by document, as its own document_stream does. Where only a
// few members are looked for, json_scan.h does without stage 2.
#include "json_machine.hh"

#include <cstring>
#include <vector>

extern "C" {
#include "alloc.h"
#include "json.h"
#include "json_number.h"
#include "json_scan.h"
#include "must.h"
}

using simdjson::internal::dom_parser_implementation;

using machine = json_machine;

namespace {

// After so many lines that failed inside one batch its remaining lines are parsed alone: a document that runs over the
// end of its line can run to the end of the batch, and that must not happen once a line.
constexpr unsigned BATCH_FAILURES_MAX = 8;
constexpr size_t BYTES_MAX_DEFAULT = size_t{4} << 20, BYTES_MAX_MOST = size_t{1} << 30;
// The first parser's size: most lines fit, and growing starts from here.
constexpr size_t CAPACITY_FIRST = size_t{16} << 10;
const str BOM = {"\xEF\xBB\xBF", 3};

// Room for `bytes`; running out of memory ends the process, as everywhere (alloc.h).
void machine_fit(machine &m, size_t bytes, uint32_t depth) {
    if (bytes <= m.capacity && m.parser) return;
    size_t capacity = std::max(CAPACITY_FIRST, m.capacity);
    while (capacity < bytes) capacity *= 2;
    m.parser.reset();
    auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, depth, m.parser);
    if (!error) error = m.tape.allocate(capacity);
    MUST(!error);
    m.capacity = capacity;
}

enum json_error error_of(simdjson::error_code code) {
    switch (code) {
    case simdjson::SUCCESS: return JSON_ERROR_NONE;
    case simdjson::UTF8_ERROR: return JSON_ERROR_UTF8;
    case simdjson::DEPTH_ERROR: return JSON_ERROR_DEPTH;
    case simdjson::NUMBER_ERROR: return JSON_ERROR_NUMBER;
    case simdjson::CAPACITY: return JSON_ERROR_TOO_LONG;
    default: return JSON_ERROR_SYNTAX;
    }
}

} // namespace

struct json_parser {
    json_parser_limits limits;
    machine one, many;
    std::vector<uint8_t> copy; // of a document with numbers out of range
    uint32_t next = 0;         // structural index of the batch from which the next line's are
    unsigned failures = 0;
    bool batch_good = false;
    const char *backslash = nullptr; // the first one of the batch at or behind the line; its end: there is none
    char digits[JSON_FIND_MAX][JSON_NUMBER_MAX];
    enum json_error error = JSON_ERROR_NONE;
};

namespace {

// Parses again with every well-formed number that may be out of range replaced by a 0 and blanks, of the same length:
// structural indexes stay true for the original, where json_text() looks when it finds a 0.
simdjson::error_code parse_any_number(json_parser &p, str document) {
    machine &m = p.one;
    p.copy.assign(document.at, document.at + document.len);
    p.copy.resize(document.len + JSON_PADDING, ' ');
    uint8_t *copy = p.copy.data();
    for (uint32_t i = 0; i < m.parser->n_structural_indexes; i++) {
        uint8_t *at = copy + m.parser->structural_indexes[i];
        str number = json_number(str{reinterpret_cast<const char *>(at), size_t(copy + document.len - at)});
        if (!json_number_valid(number)) continue;
        std::memset(at, ' ', number.len);
        *at = '0';
    }
    return m.parser->parse(copy, document.len, m.tape);
}

enum rc fail(json_parser &p, enum json_error error, why *why) {
    static const char *const words[] = {
        "no error", "not one JSON text", "not UTF-8", "nested too deep", "a number is malformed or out of range",
        "too long"};
    p.error = error;
    bool limit = error == JSON_ERROR_DEPTH || error == JSON_ERROR_TOO_LONG;
    return why_set(why, limit ? RC_LIMIT : RC_BAD, "%s", words[error]);
}

// Moves to the structural indexes of the line [from, to) of the batch. False: it has to be parsed alone, as one that
// does not begin behind a LF (but behind a byte order mark, which stage 1 takes for the begin of a word).
bool line_begin(json_parser &p, size_t from, size_t to) {
    if (from > 0 && p.many.text[from - 1] != '\n') return false;
    if (to < p.many.length && p.many.text[to] != '\n' && p.many.text[to] != '\r') return false;
    const uint32_t *indexes = p.many.parser->structural_indexes.get();
    uint32_t first = p.next;
    while (indexes[first] < from) first++; // ends: behind the last one stands the batch's length
    p.next = first;
    return indexes[first] < to;
}

// Stage 2 for the line [from, to) of the batch. False: the line has to be parsed alone.
bool line_in_batch(json_parser &p, size_t from, size_t to) {
    if (!line_begin(p, from, to)) return false;
    dom_parser_implementation &parser = *p.many.parser;
    const uint32_t *indexes = parser.structural_indexes.get();
    uint32_t first = p.next;
    uint8_t opens = p.many.text[indexes[first]];
    if (opens != '{' && opens != '[') return false; // simdjson copies all that follows a scalar
    parser.next_structural_index = first;
    auto error = parser.stage2_next(p.many.tape);
    uint32_t after = parser.next_structural_index;
    if (error || indexes[after - 1] >= to || indexes[after] < to) return false;
    p.many.first = first;
    p.next = after;
    return true;
}

bool has_backslash(json_parser &p, str line) {
    const char *end = reinterpret_cast<const char *>(p.many.text) + p.many.length;
    if (p.backslash < line.at) {
        const void *hit = std::memchr(line.at, '\\', size_t(end - line.at));
        p.backslash = hit ? static_cast<const char *>(hit) : end;
    }
    return p.backslash < line.at + line.len;
}

bool line_scanned(json_parser &p, str line, const json_path *paths, size_t count, json_found *out) {
    if (!p.batch_good || !p.limits.any_number || p.limits.depth_max < JSON_SCAN_DEPTH_MAX) return false;
    size_t from = size_t(line.at - reinterpret_cast<const char *>(p.many.text));
    if (has_backslash(p, line) || !line_begin(p, from, from + line.len)) return false;
    json_scan scan = {p.many.text, &p.many.parser->structural_indexes[p.next], from + line.len, paths, count};
    size_t used = 0;
    if (!json_scan_object(&scan, out, &used)) return false;
    p.next += uint32_t(used);
    return true;
}

} // namespace

extern "C" {

struct json_parser *json_parser_new(struct json_parser_limits limits) {
    if (!limits.bytes_max) limits.bytes_max = BYTES_MAX_DEFAULT;
    if (!limits.depth_max) limits.depth_max = JSON_DEPTH_DEFAULT;
    MUST(limits.bytes_max <= BYTES_MAX_MOST);
    auto *parser = new json_parser();
    parser->limits = limits;
    return parser;
}

void json_parser_free(struct json_parser *parser) { delete parser; }

const char *json_implementation(void) { return simdjson::get_active_implementation()->name().c_str(); }

enum rc json_parse(struct json_parser *parser, struct str document, struct json_node *out_root, struct why *why) {
    json_parser &p = *parser;
    if (document.len > p.limits.bytes_max) return fail(p, JSON_ERROR_TOO_LONG, why);
    if (document.len == 0) return fail(p, JSON_ERROR_SYNTAX, why);
    machine_fit(p.one, document.len, p.limits.depth_max);
    p.one.text = reinterpret_cast<const uint8_t *>(document.at);
    p.one.length = document.len;
    p.one.first = 0;
    // Newer simdjson skips a byte order mark; here it is for the caller to do, once a file.
    auto error =
        str_starts(document, BOM) ? simdjson::TAPE_ERROR : p.one.parser->parse(p.one.text, document.len, p.one.tape);
    if (error == simdjson::NUMBER_ERROR && p.limits.any_number) error = parse_any_number(p, document);
    if (error) {
        // Which of two errors is seen first differs from one vector set to another; the reason must not.
        bool text = simdjson::validate_utf8(document.at, document.len);
        return fail(p, text ? error_of(error) : JSON_ERROR_UTF8, why);
    }
    p.error = JSON_ERROR_NONE;
    *out_root = json_node{&p.one, 1};
    return RC_OK;
}

void json_batch(struct json_parser *parser, struct str lines) {
    json_parser &p = *parser;
    p.batch_good = false;
    if (lines.len == 0 || lines.len > p.limits.bytes_max) return;
    machine_fit(p.many, lines.len, p.limits.depth_max);
    p.next = 0;
    p.failures = 0;
    p.backslash = nullptr;
    p.many.text = reinterpret_cast<const uint8_t *>(lines.at);
    p.many.length = lines.len;
    // Without an error no string holds a LF (a control character), so every line begins outside of strings, and the
    // structural indexes of each line are what they are when it is alone.
    p.batch_good = !p.many.parser->stage1(p.many.text, lines.len, simdjson::stage1_mode::regular);
}

enum rc json_line(struct json_parser *parser, struct str line, struct json_node *out_root, struct why *why) {
    json_parser &p = *parser;
    if (!p.batch_good) return json_parse(parser, line, out_root, why);
    const char *batch = reinterpret_cast<const char *>(p.many.text);
    MUST(line.at >= batch && line.at + line.len <= batch + p.many.length);
    size_t from = size_t(line.at - batch);
    if (!line_in_batch(p, from, from + line.len)) {
        p.batch_good = ++p.failures < BATCH_FAILURES_MAX;
        return json_parse(parser, line, out_root, why);
    }
    p.error = JSON_ERROR_NONE;
    *out_root = json_node{&p.many, 1};
    return RC_OK;
}

enum json_error json_failure(const struct json_parser *parser) { return parser->error; }

enum rc json_line_find(struct json_parser *parser, struct str line, const struct json_path *paths, size_t count,
                       struct json_found *out_found, enum json_type *out_type, struct why *why) {
    MUST(count <= JSON_FIND_MAX);
    *out_type = JSON_OBJECT;
    parser->error = JSON_ERROR_NONE;
    if (line_scanned(*parser, line, paths, count, out_found)) return RC_OK;
    json_node root{}, nodes[JSON_FIND_MAX]{};
    enum rc rc = json_line(parser, line, &root, why);
    if (rc != RC_OK) return rc;
    *out_type = json_type(root);
    if (*out_type != JSON_OBJECT) return RC_OK;
    json_find_all(root, paths, count, nodes);
    for (size_t i = 0; i < count; i++) {
        enum json_type type = json_type(nodes[i]);
        if (type == JSON_U64 || type == JSON_DOUBLE) type = JSON_I64;
        out_found[i] = json_found{type, str{nullptr, 0}};
        if (json_text(nodes[i], parser->digits[i], &out_found[i].text) != RC_OK) out_found[i].text = str{nullptr, 0};
    }
    return RC_OK;
}

} // extern "C"
