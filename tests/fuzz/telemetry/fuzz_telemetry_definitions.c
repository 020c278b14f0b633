/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as Histograms.json and as a schema: bounds that come out are found again, folders hold no '/'. */
#include "must.h"
#include "own.h"
#include "telemetry_definitions.h"
#include "telemetry_members.h"
#include "telemetry_schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_up(struct telemetry_definitions *definitions, struct str name) {
    struct telemetry_definition *d = telemetry_definitions_find(definitions, name, telemetry_hash(name));
    const struct telemetry_buckets *b = d ? telemetry_definition_buckets(d) : NULL;
    size_t index = 0;
    for (size_t i = 0; b && i < b->distinct; i++) {
        MUST(telemetry_buckets_index(b, b->at[i].bound, &index) == RC_OK && index == b->at[i].index);
        MUST(index < b->count && (i == 0 || b->at[i].bound > b->at[i - 1].bound));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AUTO(telemetry_definitions_done) struct telemetry_definitions *definitions = NULL;
    AUTO(telemetry_schema_done) struct telemetry_schema *schema = NULL;
    struct str text = {(const char *)data, size}, revision;
    (void)!telemetry_revision(text, &revision);
    if (telemetry_definitions_new(text, &definitions, NULL) == RC_OK) {
        look_up(definitions, STR("A"));
        look_up(definitions, STR("STARTUP_B"));
    }
    if (telemetry_schema_new(text, &schema, NULL) != RC_OK) return 0;
    for (size_t i = 0; i < telemetry_schema_count(schema); i++) {
        AUTO(buf_done) struct buf folder = BUF_INIT(4096);
        struct telemetry_value value = {.node = JSON_NODE_NONE, .fixed = STR("../x/y z")};
        telemetry_schema_folder(schema, i, value, &folder);
        MUST(!memchr(folder.at, '/', folder.len));
    }
    return 0;
}
