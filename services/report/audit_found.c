/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_inner.h"
#include "must.h"
#include "own.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const names[AUDIT_KINDS] = {
    [AUDIT_COUNTS_LAW] = "counts_law",
    [AUDIT_LEDGER_COUNTS] = "ledger_counts",
    [AUDIT_COUNTS] = "counts",
    [AUDIT_FILE_UNKNOWN] = "file_unknown",
    [AUDIT_GAP] = "gap",
    [AUDIT_OVERLAP] = "overlap",
    [AUDIT_PREDECESSOR] = "predecessor",
    [AUDIT_NOT_WON] = "not_won",
    [AUDIT_BLOCKS_MISSING] = "blocks_missing",
    [AUDIT_BLOCKS_EXTRA] = "blocks_extra",
    [AUDIT_TRAILER_MISSING] = "trailer_missing",
    [AUDIT_TRAILER_TWICE] = "trailer_twice",
    [AUDIT_RECORDS] = "records",
    [AUDIT_SEAL_MISSING] = "seal_missing",
    [AUDIT_SEAL_CHAIN] = "seal_chain",
    [AUDIT_SEAL_BAD] = "seal_bad",
    [AUDIT_MANIFEST_MISSING] = "manifest_missing",
    [AUDIT_MANIFEST_BAD] = "manifest_bad",
    [AUDIT_MANIFEST_SEAL] = "manifest_seal",
    [AUDIT_OBJECT_MISSING] = "object_missing",
    [AUDIT_OBJECT_SIZE] = "object_size",
    [AUDIT_OBJECT_UNLISTED] = "object_unlisted",
    [AUDIT_OBJECT_NAME] = "object_name",
    [AUDIT_OBJECT_PARTS] = "object_parts",
    [AUDIT_OBJECT_BAD] = "object_bad",
    [AUDIT_RECEIPT_MISSING] = "receipt_missing",
    [AUDIT_RECEIPT_BAD] = "receipt_bad",
    [AUDIT_RECEIPT_EARLY] = "receipt_early",
    [AUDIT_RECEIPT_COUNTS] = "receipt_counts",
    [AUDIT_RECEIPT_OBJECTS] = "receipt_objects",
    [AUDIT_REDRIVEN] = "redriven",
};

const char *audit_kind_name(enum audit_kind kind) {
    MUST((unsigned)kind < AUDIT_KINDS);
    return names[kind];
}

/* The uri of a finding's file; kept, for findings of one file come together. */
static struct str uri_of(struct audit *a, struct id file) {
    if (id_equal(a->told_file, file)) return buf_str(&a->told_uri);
    AUTO(arena_done) struct arena arena = ARENA_INIT;
    struct ledger_listing listing;
    buf_reset(&a->told_uri);
    if (report_file(a->report, file, &arena, &listing, NULL) == RC_OK) buf_add(&a->told_uri, listing.facts.uri);
    a->told_file = file;
    return buf_str(&a->told_uri);
}

void audit_found(struct audit *a, struct audit_finding finding, const char *format, ...) {
    char words[AUDIT_WORDS_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    finding.words = str_of(words);
    a->result->findings++;
    if (finding.has_file) {
        struct audit_known *known = audit_known_find(a, finding.file);
        if (known) known->findings++;
        if (!finding.uri.len) finding.uri = uri_of(a, finding.file);
    }
    if (a->options->found) a->options->found(a->options->context, &finding);
}
