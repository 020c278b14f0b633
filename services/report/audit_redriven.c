/* SPDX-License-Identifier: Apache-2.0 */
/* Rejects that were converted again: the rejects of all attempts are those that are live and the lines of files of
 * rejects that were redriven. */
#include "audit_inner.h"
#include "num.h"

#include <inttypes.h>

struct account {
    uint64_t lines; /* that were converted again */
    size_t matched; /* ranges whose object was seen */
};

/* An object that was redriven whole has as many lines as it has records, and none has more. */
static void check_object(struct audit *a, const struct manifest_object *o, struct account *c) {
    size_t from, to;
    uint64_t bytes = 0, lines = 0;
    redriven_of(&a->redriven, o->key, &from, &to);
    for (size_t i = from; i < to; i++) {
        bytes += a->redriven.at[i].to - a->redriven.at[i].from;
        lines += a->redriven.at[i].lines;
    }
    c->matched += to - from;
    c->lines += lines;
    if (lines <= o->records && (bytes != o->raw_bytes || lines == o->records) && bytes <= o->raw_bytes) return;
    audit_found(a, (struct audit_finding){.kind = AUDIT_REDRIVEN, .key = o->key},
                "%" PRIu64 " of its %" PRIu64 " rejects were converted again, in %" PRIu64 " of its %" PRIu64 " bytes",
                lines, o->records, bytes, o->raw_bytes);
}

static RC check_manifest(struct audit *a, uint32_t partition, uint64_t index, struct account *c, struct why *why) {
    struct manifest m;
    bool good = false;
    TRY(audit_manifest_load(a, partition, index, &m, &good, why));
    for (size_t i = 0; good && i < m.objects_len; i++)
        if (m.objects[i].rejects) check_object(a, &m.objects[i], c);
    return RC_OK;
}

void audit_note_rejects(struct audit *a, const struct manifest *m) {
    redriven_add(&a->redriven, m);
    for (size_t i = 0; i < m->objects_len; i++)
        if (m->objects[i].rejects) a->result->rejects_live += m->objects[i].records;
}

RC audit_check_redriven(struct audit *a, struct why *why) {
    const struct audit_chain *chains = (const struct audit_chain *)a->chains.at;
    struct account c = {0};
    if (!a->redriven.len) return RC_OK;
    a->first = false; /* what is damaged was told */
    redriven_sort(&a->redriven);
    for (size_t k = 0; k < a->chains.len; k++) {
        const struct audit_link *links = (const struct audit_link *)chains[k].links.at;
        for (size_t i = 0; i < chains[k].links.len; i++)
            if (links[i].manifested) TRY(check_manifest(a, chains[k].partition, links[i].index, &c, why));
    }
    if (c.matched != a->redriven.len)
        audit_found(a, (struct audit_finding){.kind = AUDIT_REDRIVEN},
                    "%zu ranges of rejects were converted again that are of no object that a manifest lists",
                    a->redriven.len - c.matched);
    a->result->rejects_redriven = c.lines;
    a->result->rejects_live -= MIN(c.lines, a->result->rejects_live);
    return RC_OK;
}
