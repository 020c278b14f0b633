/* SPDX-License-Identifier: Apache-2.0 */
#include "source_of.h"

#include "own.h"

void source_of_done(struct source_of *of) { buf_done(&of->name); }

RC source_of_file(struct source_of *of, struct id file, struct str *out, struct why *why) {
    if (id_is_none(file) || !id_equal(file, of->file)) {
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        struct ledger_listing listing;
        buf_reset(&of->name);
        enum rc rc = report_file(of->report, file, &arena, &listing, why);
        if (rc == RC_OK)
            buf_add(&of->name, listing.facts.source);
        else if (rc != RC_ABSENT)
            return rc;
        of->file = file;
    }
    *out = buf_str(&of->name);
    return RC_OK;
}
