/* SPDX-License-Identifier: Apache-2.0 */
#include "adopt.h"

#include "identify.h"
#include "must.h"
#include "num.h"
#include "own.h"
#include "resemble.h"

enum {
    PAGE = 1024,
    SURE_BYTES = 256 /* of equal beginnings; with fewer all of what was seen has to be all that there is */
};

static bool is_listed(struct emitter *e, uint16_t source, const struct facts *facts) {
    struct source_stat stat = {.inode = facts->inode, .birth_ns = facts->birth_ns, .volume = facts->volume};
    const struct catalog_entry *entry = catalog_find(&e->catalog, source, &stat);
    return entry && !entry->moved && entry->seen == e->scan;
}

/* By its name and its first bytes. While the other file has a name it is being compressed, or it is another one. */
static bool resembles(struct emitter *e, const struct adopt *a, const struct facts *facts) {
    char mine[RESEMBLE_NAME_MAX], its[RESEMBLE_NAME_MAX];
    struct str uri = emitter_uri(e, a->entry);
    uint32_t len = facts->prefix_len;
    if (!len || len > a->prefix.len || !str_equal(facts->source, emitter_source_of(e, a->entry)->name)) return false;
    if (!str_equal(resemble_stem(uri, mine), resemble_stem(facts->uri, its))) return false;
    if (len < SURE_BYTES && len != a->size) return false;
    if (hash_bytes(str_sub(a->prefix, 0, len)) != facts->prefix_hash) return false;
    return !is_listed(e, a->entry->source, facts) || resemble_is_made_of(uri, facts->uri);
}

static RC tail_of(struct emitter *e, const struct adopt *a, uint64_t at, uint64_t *out, struct why *why) {
    char bytes[TAIL_MAX];
    size_t len = (size_t)MIN(at, (uint64_t)TAIL_MAX), got = 0;
    *out = 0;
    if (at > a->size) return RC_OK;
    TRY(source_read(e->ports.source, a->file, at - len, bytes, len, &got, why));
    *out = hash_bytes((struct str){bytes, got});
    return RC_OK;
}

/* Looks at what was read of it. The one that most was read of counts. */
static RC compare(struct emitter *e, struct adopt *a, const struct ledger_listing *l, struct why *why) {
    const struct facts *f = &l->facts;
    struct ledger_key key = {f->source, f->inode, f->birth_ns, f->volume};
    struct ledger_file known = {0};
    struct identify_view view = {.size = a->size};
    TRY(ledger_lookup(e->ports.ledger, &key, 1, &e->arena, &known, why));
    if (!known.found || !id_equal(known.id, l->file) || known.prefix_len > a->prefix.len) return RC_OK;
    if (a->found == ADOPT_IS && a->known.reach >= known.reach) return RC_OK;
    view.prefix_hash = hash_bytes(str_sub(a->prefix, 0, known.prefix_len));
    TRY(tail_of(e, a, known.reach, &view.tail_hash, why));
    enum identify_answer answer = identify_decide(&known, &view);
    if (answer == IDENTIFY_NEW || (answer == IDENTIFY_SHORTER && a->whole)) return RC_OK;
    if (answer == IDENTIFY_SHORTER && a->found == ADOPT_IS) return RC_OK;
    a->found = answer == IDENTIFY_SAME ? ADOPT_IS : ADOPT_BEGINS;
    a->known = known;
    return RC_OK;
}

RC adopt_search(struct emitter *e, struct adopt *all, size_t n, struct why *why) {
    struct id after = {0};
    size_t len = PAGE;
    while (n && len == PAGE) {
        AUTO(arena_done) struct arena arena = ARENA_INIT;
        struct ledger_listing *page = NULL;
        TRY(ledger_list(e->ports.ledger, after, PAGE, &arena, &page, &len, why));
        for (size_t i = 0; i < len; i++)
            for (size_t k = 0; k < n; k++)
                if (resembles(e, &all[k], &page[i].facts)) TRY(compare(e, &all[k], &page[i], why));
        if (len) after = page[len - 1].file;
    }
    return RC_OK;
}
