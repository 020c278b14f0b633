// SPDX-License-Identifier: Apache-2.0
// json_machine: what json_simdjson.cc, which parses, and json_tape.cc, which reads what was parsed, share. Not for
// others.
#ifndef SLUICE_JSON_MACHINE_HH
#define SLUICE_JSON_MACHINE_HH

#include <simdjson.h>

#include <memory>

// A parser and the document that it filled last. `text` is what the structural indexes count from.
struct json_machine {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    simdjson::dom::document tape;
    size_t capacity = 0;
    const uint8_t *text = nullptr;
    size_t length = 0;
    uint32_t first = 0; // structural index of the document's begin
};

#endif
