/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as lines of a source that is added up: the slice's books balance, what it writes are JSON objects, and
 * their counts are the lines that were converted. */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct str group_by[] = {STR("a")}, sum[] = {STR("n")};

static uint64_t counted(struct str records) {
    uint64_t all = 0;
    struct str record;
    while (str_cut(&records, '\n', &record)) {
        static const char key[] = ",\"count\":";
        const char *at = record.len ? memrchr(record.at, ',', record.len) : NULL;
        uint64_t count = 0;
        if (!record.len) continue;
        MUST(at && str_starts(str_sub(record, (size_t)(at - record.at), record.len), STR(",\"count\":")));
        struct str digits = str_sub(record, (size_t)(at - record.at) + sizeof key - 1, record.len - 1);
        MUST(str_parse_u64(digits, &count) == RC_OK);
        all += count;
    }
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct converter *converter;
    static struct slice *slice;
    if (!slice) {
        struct converter_settings settings = {.kind = CONVERTER_NDJSON,
                                              .source = STR("s"),
                                              .partition = STR("b={b}"),
                                              .aggregate = {group_by, sum, 1, 1}};
        MUST(converter_new(&settings, &converter, NULL) == RC_OK);
        slice = slice_new((struct slice_limits){.outputs_max = 3, .bytes_max = 1 << 20});
    }
    AUTO(own_free) char *bytes = alloc_zero(size + JSON_PADDING, 1);
    if (size) memcpy(bytes, data, size);
    size_t taken = 0;
    slice_begin(slice, converter, &(struct slice_place){.uri = STR("/fuzz")});
    slice_add(slice, (struct str){bytes, size}, 0, &taken);
    const struct slice_result *result = slice_result(slice);
    const struct slice_counts *c = &result->counts;
    uint64_t records = 0, lines = 0;
    for (size_t i = 0; i < result->output_count; i++) {
        if (result->outputs[i].is_reject) continue;
        records += result->outputs[i].records;
        for (const struct slice_pieces *p = result->outputs[i].pieces; p; p = p->next)
            for (uint32_t j = 0; j < p->count; j++) {
                lines_fuzz_check_json(&result->outputs[i], &p->at[j]);
                lines += counted((struct str){p->at[j].at, p->at[j].bytes});
            }
    }
    MUST(records == c->records && lines == c->converted);
    MUST(c->lines == c->converted + c->rejects + c->filtered + c->blank);
    return 0;
}
