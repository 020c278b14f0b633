// SPDX-License-Identifier: Apache-2.0
// How json.h is done with simdjson 3: its parser implementations (chosen at run time by what the processor can do) are
// driven directly, stage 1 over a batch and stage 2 document by document, as its own document_stream does. Values are
// read from the tape that stage 2 writes.
#include <simdjson.h>

#include <cstring>
#include <memory>
#include <vector>

extern "C" {
#include "alloc.h"
#include "json.h"
#include "json_number.h"
#include "must.h"
}

using simdjson::internal::dom_parser_implementation;
using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

namespace {

// After so many lines that failed inside one batch its remaining lines are parsed alone: a document that runs over the
// end of its line can run to the end of the batch, and that must not happen once a line.
constexpr unsigned BATCH_FAILURES_MAX = 8;
constexpr size_t BYTES_MAX_DEFAULT = size_t{4} << 20, BYTES_MAX_MOST = size_t{1} << 30;
// The first parser's size: most lines fit, and growing starts from here.
constexpr size_t CAPACITY_FIRST = size_t{16} << 10;
const str BOM = {"\xEF\xBB\xBF", 3};

// A parser and the document that it filled last. `text` is what the structural indexes count from.
struct machine {
    std::unique_ptr<dom_parser_implementation> parser;
    simdjson::dom::document tape;
    size_t capacity = 0;
    const uint8_t *text = nullptr;
    size_t length = 0;
    uint32_t first = 0; // structural index of the document's begin
};

const machine *machine_of(json_node node) { return static_cast<const machine *>(node.document); }
tape_ref ref_of(json_node node) { return tape_ref(&machine_of(node)->tape, node.at); }

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

// Stage 2 for the line [from, to) of the batch. False: the line has to be parsed alone, as one that does not begin
// behind a LF (but behind a byte order mark, which stage 1 takes for the begin of a word).
bool line_in_batch(json_parser &p, size_t from, size_t to) {
    if (from > 0 && p.many.text[from - 1] != '\n') return false;
    if (to < p.many.length && p.many.text[to] != '\n' && p.many.text[to] != '\r') return false;
    dom_parser_implementation &parser = *p.many.parser;
    const uint32_t *indexes = parser.structural_indexes.get();
    uint32_t first = p.next;
    while (indexes[first] < from) first++; // ends: behind the last one stands the batch's length
    p.next = first;
    if (indexes[first] >= to) return false;
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

str text_of(tape_ref ref) {
    std::string_view view = ref.get_string_view();
    return str{view.data(), view.size()};
}

bool key_equals(tape_ref key, str name) {
    return key.get_string_length() == name.len && std::memcmp(key.get_c_str(), name.at, name.len) == 0;
}

// The member that `step` names, or JSON_NODE_NONE.
json_node member(json_node node, str step) {
    tape_ref ref = ref_of(node);
    tape_type type = ref.tape_ref_type();
    size_t wanted = 0;
    bool object = type == tape_type::START_OBJECT;
    if (!object && !(type == tape_type::START_ARRAY && json_path_index(step, &wanted))) return json_node{nullptr, 0};
    size_t end = ref.matching_brace_index() - 1;
    ref.json_index++;
    for (size_t i = 0; ref.json_index < end; i++) {
        bool found = object ? key_equals(ref, step) : i == wanted;
        if (object) ref.json_index++;
        if (found) return json_node{node.document, ref.json_index};
        ref.json_index = ref.after_element();
    }
    return json_node{nullptr, 0};
}

json_node follow(json_node node, const json_path *path, uint32_t from_step) {
    for (uint32_t s = from_step; s < path->step_count && node.document; s++) {
        node = member(node, json_path_step(path, s));
    }
    return node;
}

// The number at tape word `at` as it is written. Tape words and structural characters other than ':' and ',' stand in
// the same order, one for one (a number has two words).
str number_text(const machine &m, size_t at) {
    size_t token = 0;
    for (tape_ref ref(&m.tape, 1); ref.json_index < at; token++) {
        tape_type type = ref.tape_ref_type();
        bool two = type == tape_type::INT64 || type == tape_type::UINT64 || type == tape_type::DOUBLE;
        ref.json_index += two ? 2 : 1;
    }
    const uint32_t *index = &m.parser->structural_indexes[m.first];
    for (;; index++) {
        uint8_t c = m.text[*index];
        if (c == ':' || c == ',') continue;
        if (token-- == 0) break;
    }
    return json_number(str{reinterpret_cast<const char *>(m.text + *index), m.length - *index});
}

str integer_text(uint64_t magnitude, bool negative, char digits[JSON_NUMBER_MAX]) {
    char *end = digits + JSON_NUMBER_MAX, *p = end;
    do {
        *--p = char('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude);
    if (negative) *--p = '-';
    return str{p, size_t(end - p)};
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

enum json_type json_type(struct json_node node) {
    if (!node.document) return JSON_ABSENT;
    switch (ref_of(node).tape_ref_type()) {
    case tape_type::TRUE_VALUE:
    case tape_type::FALSE_VALUE: return JSON_BOOL;
    case tape_type::INT64: return JSON_I64;
    case tape_type::UINT64: return JSON_U64;
    case tape_type::DOUBLE: return JSON_DOUBLE;
    case tape_type::STRING: return JSON_STR;
    case tape_type::START_ARRAY: return JSON_ARRAY;
    case tape_type::START_OBJECT: return JSON_OBJECT;
    default: return JSON_NULL;
    }
}

enum rc json_get_bool(struct json_node node, bool *out) {
    if (json_type(node) != JSON_BOOL) return RC_BAD;
    *out = ref_of(node).is_true();
    return RC_OK;
}

enum rc json_get_u64(struct json_node node, uint64_t *out) {
    enum json_type type = json_type(node);
    if (type != JSON_I64 && type != JSON_U64) return RC_BAD;
    if (type == JSON_I64 && ref_of(node).next_tape_value<int64_t>() < 0) return RC_BAD;
    *out = ref_of(node).next_tape_value<uint64_t>();
    return RC_OK;
}

enum rc json_get_i64(struct json_node node, int64_t *out) {
    if (json_type(node) != JSON_I64) return RC_BAD;
    *out = ref_of(node).next_tape_value<int64_t>();
    return RC_OK;
}

enum rc json_get_double(struct json_node node, double *out) {
    switch (json_type(node)) {
    case JSON_I64: *out = double(ref_of(node).next_tape_value<int64_t>()); return RC_OK;
    case JSON_U64: *out = double(ref_of(node).next_tape_value<uint64_t>()); return RC_OK;
    case JSON_DOUBLE: *out = ref_of(node).next_tape_value<double>(); return RC_OK;
    default: return RC_BAD;
    }
}

enum rc json_get_str(struct json_node node, struct str *out) {
    if (json_type(node) != JSON_STR) return RC_BAD;
    *out = text_of(ref_of(node));
    return RC_OK;
}

enum rc json_text(struct json_node node, char digits[JSON_NUMBER_MAX], struct str *out) {
    switch (json_type(node)) {
    case JSON_STR: *out = text_of(ref_of(node)); return RC_OK;
    case JSON_I64: {
        int64_t n = ref_of(node).next_tape_value<int64_t>();
        // 0 may be written -0, or stand for a number out of range.
        *out = n ? integer_text(n < 0 ? ~uint64_t(n) + 1 : uint64_t(n), n < 0, digits)
                 : number_text(*machine_of(node), node.at);
        return RC_OK;
    }
    case JSON_U64: *out = integer_text(ref_of(node).next_tape_value<uint64_t>(), false, digits); return RC_OK;
    case JSON_DOUBLE: *out = number_text(*machine_of(node), node.at); return RC_OK;
    case JSON_BOOL: *out = ref_of(node).is_true() ? str{"true", 4} : str{"false", 5}; return RC_OK;
    case JSON_NULL: *out = str{"null", 4}; return RC_OK;
    case JSON_ABSENT: return RC_ABSENT;
    default: return RC_BAD;
    }
}

enum rc json_get(struct json_node object, struct str key, struct json_node *out) {
    if (json_type(object) != JSON_OBJECT) return RC_BAD;
    json_node found = member(object, key);
    if (!found.document) return RC_ABSENT;
    *out = found;
    return RC_OK;
}

size_t json_count(struct json_node node) {
    size_t n = 0;
    json_node value;
    for (struct json_iter each = json_each(node); json_next(&each, nullptr, &value);) n++;
    return n;
}

struct json_iter json_each(struct json_node node) {
    enum json_type type = json_type(node);
    if (type != JSON_OBJECT && type != JSON_ARRAY) return {node, node, false};
    size_t end = ref_of(node).matching_brace_index() - 1;
    return {{node.document, node.at + 1}, {node.document, end}, type == JSON_OBJECT};
}

bool json_next(struct json_iter *each, struct str *out_key, struct json_node *out_value) {
    if (each->next.at >= each->end.at) return false;
    if (out_key) *out_key = each->keys ? text_of(ref_of(each->next)) : str{"", 0};
    if (each->keys) each->next.at++;
    *out_value = each->next;
    each->next.at = ref_of(each->next).after_element();
    return true;
}

enum rc json_find(struct json_node root, const struct json_path *path, struct json_node *out) {
    if (!root.document) return RC_ABSENT;
    json_node found = follow(root, path, 0);
    if (!found.document) return RC_ABSENT;
    *out = found;
    return RC_OK;
}

void json_find_all(struct json_node root, const struct json_path *paths, size_t count, struct json_node *out_nodes) {
    MUST(count <= JSON_FIND_MAX);
    bool object = json_type(root) == JSON_OBJECT;
    for (size_t i = 0; i < count; i++) out_nodes[i] = object ? json_node{nullptr, 0} : follow(root, &paths[i], 0);
    if (!object) return;
    uint64_t missing = (uint64_t{1} << count) - 1;
    uint64_t lengths = 0; // bit n: some path begins with a key of n (mod 64) bytes; most keys are passed over by it
    for (size_t i = 0; i < count; i++) lengths |= uint64_t{1} << (json_path_step(&paths[i], 0).len & 63);
    tape_ref ref = ref_of(root);
    size_t end = ref.matching_brace_index() - 1;
    for (ref.json_index++; missing && ref.json_index < end; ref.json_index = ref.after_element()) {
        uint64_t left = lengths >> (ref.get_string_length() & 63) & 1 ? missing : 0;
        for (; left; left &= left - 1) {
            size_t i = size_t(__builtin_ctzll(left));
            if (!key_equals(ref, json_path_step(&paths[i], 0))) continue;
            missing &= ~(uint64_t{1} << i);
            out_nodes[i] = follow(json_node{root.document, ref.json_index + 1}, &paths[i], 1);
        }
        ref.json_index++;
    }
}

} // extern "C"
