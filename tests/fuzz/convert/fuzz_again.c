/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the lines of an object of rejects: each ends as a record, a reject, filtered or blank; what is no reject
 * of ours stays as it is; the books balance. */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct converter *converter;
    static struct slice *slice;
    if (!slice) {
        struct converter_settings settings = {.kind = CONVERTER_NDJSON, .source = STR("s"), .partition = STR("a={a}")};
        MUST(converter_new(&settings, &converter, NULL) == RC_OK);
        slice = slice_new((struct slice_limits){.outputs_max = 3, .bytes_max = 1 << 20});
    }
    AUTO(own_free) char *bytes = alloc_zero(size + JSON_PADDING, 1);
    if (size) memcpy(bytes, data, size);
    size_t taken = 0;
    slice_begin(slice, converter, &(struct slice_place){.uri = STR("rejects:k?manifest=p0/0&bytes=1")});
    slice_add(slice, (struct str){bytes, size}, 0, &taken);
    const struct slice_result *result = slice_result(slice);
    uint64_t lines = 0, records = 0, rejects = 0;
    for (size_t i = 0; i < taken; i++) lines += bytes[i] == '\n' || i + 1 == taken;
    for (size_t i = 0; i < result->output_count; i++)
        *(result->outputs[i].is_reject ? &rejects : &records) += result->outputs[i].records;
    MUST(taken == size || slice_full(slice));
    MUST(lines == result->counts.lines && records == result->counts.records && rejects == result->counts.rejects);
    MUST(lines == result->counts.converted + rejects + result->counts.filtered + result->counts.blank);
    return 0;
}
