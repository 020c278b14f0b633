/* SPDX-License-Identifier: Apache-2.0 */
/* lines_fuzz: what the targets of the converters share: any bytes as the lines of a file, as one slice and line by
 * line; both ways must agree, and the slice's books must balance. Aborts otherwise. */
#ifndef SLUICE_LINES_FUZZ_H
#define SLUICE_LINES_FUZZ_H

#include "alloc.h"
#include "json.h"
#include "must.h"
#include "own.h"
#include "slice.h"

#include <stdlib.h>

struct lines_fuzz {
    struct converter *whole, *single;
    struct slice *slice;
};

static inline struct lines_fuzz lines_fuzz_new(const struct converter_settings *settings) {
    struct lines_fuzz fuzz = {.slice = slice_new((struct slice_limits){.outputs_max = 3, .bytes_max = 1 << 20})};
    MUST(converter_new(settings, &fuzz.whole, NULL) == RC_OK && converter_new(settings, &fuzz.single, NULL) == RC_OK);
    return fuzz;
}

/* The slice's lines once more, each as a batch of its own. Gives the bytes of the records. */
static inline uint64_t lines_fuzz_single(const struct lines_fuzz *fuzz, struct str bytes, uint64_t offset,
                                         struct slice_counts *out) {
    uint64_t total = 0;
    for (size_t from = 0; from < bytes.len;) {
        size_t behind = from + converter_record_end(fuzz->single, str_sub(bytes, from, bytes.len), true);
        MUST(behind > from && behind <= bytes.len);
        bool lf = bytes.at[behind - 1] == '\n';
        size_t end = behind - (lf ? 1 : 0);
        struct str line = str_sub(bytes, from, end);
        if (lf && str_ends(line, STR("\r"))) line.len--;
        AUTO(own_free) char *copy = alloc_bytes(line.len + JSON_PADDING);
        AUTO(own_free) char *scratch = alloc_bytes(converter_scratch_bytes(fuzz->single, line.len) + 1);
        memset(copy, '{', line.len + JSON_PADDING);
        if (line.len) memcpy(copy, line.at, line.len);
        struct converted made;
        converter_batch(fuzz->single, (struct str){copy, line.len});
        converter_line(fuzz->single, (struct str){copy, line.len}, offset + from == 0, scratch, &made);
        out->lines++;
        out->converted += made.verdict == CONVERTER_RECORD;
        out->blank += made.verdict == CONVERTER_BLANK;
        out->rejects += made.verdict == CONVERTER_REJECT;
        out->reasons[made.reason] += made.verdict == CONVERTER_REJECT;
        if (made.verdict == CONVERTER_RECORD) total += made.record.len + 1;
        from = behind;
    }
    return total;
}

/* Calls `check` for every piece of records and rejects. */
static inline void lines_fuzz_run(const struct lines_fuzz *fuzz, const uint8_t *data, size_t size, uint64_t offset,
                                  void (*check)(const struct slice_output *, const struct slice_piece *)) {
    AUTO(own_free) char *bytes = alloc_bytes(size + JSON_PADDING);
    if (size) memcpy(bytes, data, size);
    memset(bytes + size, '"', JSON_PADDING);
    struct slice_place place = {.uri = STR("/fuzz")};
    size_t taken = 0;
    slice_begin(fuzz->slice, fuzz->whole, &place);
    slice_add(fuzz->slice, (struct str){bytes, size}, offset, &taken);
    MUST(taken == size || (slice_full(fuzz->slice) && taken > 0 && bytes[taken - 1] == '\n'));
    const struct slice_result *result = slice_result(fuzz->slice);
    struct slice_counts single = {0};
    uint64_t expected = lines_fuzz_single(fuzz, (struct str){bytes, taken}, offset, &single), total = 0, records = 0;
    MUST(single.lines == result->counts.lines && single.converted == result->counts.converted);
    MUST(single.blank == result->counts.blank && single.rejects == result->counts.rejects);
    MUST(memcmp(single.reasons, result->counts.reasons, sizeof single.reasons) == 0);
    for (size_t i = 0; i < result->output_count; i++) {
        const struct slice_output *output = &result->outputs[i];
        uint64_t in_pieces = 0;
        for (const struct slice_pieces *p = output->pieces; p; p = p->next) {
            for (uint32_t j = 0; j < p->count; j++) {
                MUST(p->at[j].at[p->at[j].bytes - 1] == '\n');
                in_pieces += p->at[j].bytes;
                check(output, &p->at[j]);
            }
        }
        MUST(in_pieces == output->bytes && output->records > 0);
        records += output->records;
        if (!output->is_reject) total += output->bytes;
    }
    MUST(total == expected && records == single.converted + single.rejects);
}

/* Every line of the piece is a JSON object. */
static inline void lines_fuzz_check_json(const struct slice_output *output, const struct slice_piece *piece) {
    static struct json_parser *parser;
    (void)output;
    if (!parser) {
        parser = json_parser_new((struct json_parser_limits){.bytes_max = 64u << 20, .any_number = true});
    }
    AUTO(own_free) char *copy = alloc_bytes(piece->bytes + JSON_PADDING);
    memcpy(copy, piece->at, piece->bytes);
    uint32_t records = 0;
    for (size_t from = 0; from < piece->bytes; records++) {
        const char *lf = memchr(copy + from, '\n', piece->bytes - from);
        struct json_node root;
        MUST(lf && json_parse(parser, (struct str){copy + from, (size_t)(lf - copy) - from}, &root, NULL) == RC_OK);
        MUST(json_type(root) == JSON_OBJECT);
        from = (size_t)(lf - copy) + 1;
    }
    MUST(records == piece->records);
}

#endif
