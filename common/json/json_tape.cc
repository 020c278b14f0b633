// SPDX-License-Identifier: Apache-2.0
// Values of a parsed document, read from the tape that simdjson's stage 2 writes.
#include "json_machine.hh"

#include <cstring>

extern "C" {
#include "json.h"
#include "json_number.h"
#include "must.h"
}

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

namespace {

const json_machine *machine_of(json_node node) { return static_cast<const json_machine *>(node.document); }
tape_ref ref_of(json_node node) { return tape_ref(&machine_of(node)->tape, node.at); }

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
str number_text(const json_machine &m, size_t at) {
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
