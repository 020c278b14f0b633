/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "source_uri.h"
#include "utf8.h"

struct id report_id_before(struct id id) {
    for (size_t i = ID_BYTES; i-- > 0;)
        if (id.bytes[i]--) break;
    return id;
}

RC report_file(const struct report *report, struct id file, struct arena *arena, struct ledger_listing *out,
               struct why *why) {
    struct ledger_listing *found = NULL;
    size_t n = 0;
    if (report->ledger.ops && !id_is_none(file))
        TRY(ledger_list(report->ledger, report_id_before(file), 1, arena, &found, &n, why));
    if (!n || !id_equal(found[0].file, file)) return why_set(why, RC_ABSENT, "the ledger does not know the file");
    *out = found[0];
    return RC_OK;
}

void report_path(struct str uri, struct buf *out) {
    if (source_uri_decode(uri, out, NULL) != RC_OK) buf_add(out, uri);
}

bool report_names(struct str asked, struct str uri) { return source_uri_names(asked, uri); }

void report_show(struct str text, size_t max, struct buf *out) {
    size_t from = out->len;
    while (text.len) {
        if (max && out->len - from >= max) {
            buf_add(out, STR("..."));
            return;
        }
        size_t len = 0;
        uint32_t c = utf8_decode(text, &len);
        bool broken = c == 0xFFFD && len == 1;
        if (broken || utf8_is_control(c))
            for (size_t i = 0; i < len; i++) buf_add_format(out, "\\x%02x", (unsigned char)text.at[i]);
        else
            buf_add(out, str_sub(text, 0, len));
        text = str_sub(text, len, text.len);
    }
}
