/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as csv, tsv and delimited, with a header of their own or given columns: every record and reject is JSON.
 * The first byte chooses. */
#include "lines_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void head(struct lines_fuzz *fuzz, struct str text) {
    if (!converter_needs_head(fuzz->whole)) return;
    struct str line = str_sub(text, 0, text.len ? converter_record_end(fuzz->whole, text, true) : 0);
    if (str_ends(line, STR("\n"))) line.len -= str_ends(line, STR("\r\n")) ? 2 : 1;
    converter_head(fuzz->whole, line, line.len <= CONVERTER_HEAD_MAX);
    converter_head(fuzz->single, line, line.len <= CONVERTER_HEAD_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        enum converter_kind kind;
        const char *separator;
        enum table_header header;
        bool newlines;
    } kinds[] = {
        {CONVERTER_CSV, ",", TABLE_HEADER_FIRST, false},        {CONVERTER_TSV, "\t", TABLE_HEADER_REPEATED, false},
        {CONVERTER_DELIMITED, "||", TABLE_HEADER_FIRST, false}, {CONVERTER_CSV, ";", TABLE_HEADER_NONE, false},
        {CONVERTER_TSV, "\t", TABLE_HEADER_NONE, false},        {CONVERTER_DELIMITED, "a", TABLE_HEADER_NONE, false},
        {CONVERTER_CSV, ",", TABLE_HEADER_FIRST, true}};
    static const struct str columns[] = {{"a", 1}, {"", 0}, {"t\"", 2}};
    static const struct str_pair types[] = {{{"a", 1}, {"integer", 7}}, {{"*", 1}, {"auto", 4}}};
    static struct lines_fuzz fuzz[7];
    for (size_t i = 0; i < 7 && !fuzz[i].slice; i++) {
        struct converter_settings settings = {
            .kind = kinds[i].kind,
            .source = STR("fuzz"),
            .partition = STR("{a}/{column_2}-{b.c}/{time:%H}"),
            .time_given = true,
            .time_field = STR("a"),
            .time_optional = i != 1,
            .types = types,
            .types_len = i & 1 ? 2 : 0,
            .table = {kinds[i].header, columns, 3, str_of(kinds[i].separator), kinds[i].newlines}};
        MUST(time_parse_compile(STR("epoch_s"), &settings.time_format, NULL) == RC_OK);
        fuzz[i] = lines_fuzz_new(&settings);
    }
    if (size == 0) return 0;
    struct lines_fuzz *f = &fuzz[data[0] % 7];
    head(f, (struct str){(const char *)data + 1, size - 1});
    lines_fuzz_run(f, data + 1, size - 1, data[0] & 0x80, lines_fuzz_check_json);
    return 0;
}
