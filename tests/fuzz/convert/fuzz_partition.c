/* SPDX-License-Identifier: Apache-2.0 */
/* Any template and any values: a template that is taken makes paths that a file system and a bucket can take, bounded,
 * and with the number of components that it has. The first line is the template, the others are the values. */
#include "must.h"
#include "own.h"
#include "partition.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool upper_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

static bool literal(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '=';
}

static void check_component(struct str c) {
    MUST(c.len > 0 && c.len <= PARTITION_COMPONENT_MAX);
    MUST(!str_equal(c, STR(".")) && !str_equal(c, STR("..")));
    for (size_t i = 0; i < c.len; i++) {
        bool encoded = c.at[i] == '%' && i + 2 < c.len && upper_hex(c.at[i + 1]) && upper_hex(c.at[i + 2]);
        MUST(literal(c.at[i]) || encoded);
    }
}

/* Gives the number of components. */
static size_t check_path(const char *path, size_t len) {
    MUST(len <= PARTITION_PATH_MAX && strlen(path) == len);
    if (len == 0) return 0;
    struct str rest = {path, len}, component;
    size_t count = 0;
    for (; str_cut(&rest, '/', &component); count++) check_component(component);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str rest = {(const char *)data, size}, template = {0};
    struct str fields[PARTITION_FIELDS_MAX] = {0};
    if (size == 0 || !str_cut(&rest, '\n', &template)) return 0;
    AUTO(partition_done) struct partition *partition = NULL;
    struct why why = {0};
    if (partition_new(template, STR("fuzz/.."), &partition, &why) != RC_OK) {
        MUST(why.text[0] && !partition);
        return 0;
    }
    for (size_t i = 0; i < partition_field_count(partition); i++) (void)str_cut(&rest, '\n', &fields[i]);
    char path[PARTITION_PATH_MAX + 1], again[PARTITION_PATH_MAX + 1], overflow[PARTITION_PATH_MAX + 1];
    struct partition_values values = {
        .has_time = size % 3 > 0, .time_ns = (int64_t)size * 1000000000000000, .fields = fields};
    size_t len = partition_path(partition, &values, path);
    size_t components = check_path(path, len);
    MUST(partition_path(partition, &values, again) == len && memcmp(path, again, len) == 0);
    MUST(check_path(overflow, partition_overflow_path(partition, overflow)) == components);
    return 0;
}
