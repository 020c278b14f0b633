/* SPDX-License-Identifier: Apache-2.0 */
/* The made world, changed and audited. */
#include "made_world.h"

#include "names.h"
#include "own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- changing it ---- */

static struct str keep(struct made_world *w, struct buf *key) { return arena_str(&w->arena, buf_str(key)); }

struct str made_seal_key(struct made_world *w, uint32_t partition, uint64_t index) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    assert_int_equal(name_seal(w->report.queue, 1, partition, index, &key), RC_OK);
    return keep(w, &key);
}

struct str made_manifest_key(struct made_world *w, uint32_t partition, uint64_t index) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    assert_int_equal(name_manifest(w->report.queue, 1, partition, index, &key), RC_OK);
    return keep(w, &key);
}

struct str made_receipt_key(struct made_world *w) {
    AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES);
    assert_int_equal(name_receipt(1, w->a, 2500, &key), RC_OK);
    return keep(w, &key);
}

struct str made_object_key(struct made_world *w, uint32_t partition, uint64_t index, struct str output) {
    struct manifest m;
    assert_int_equal(manifest_decode(made_get(w, made_manifest_key(w, partition, index)), &w->arena, &m, NULL), RC_OK);
    for (size_t i = 0; i < m.objects_len; i++)
        if (str_equal(m.objects[i].output, output)) return m.objects[i].key;
    fail_msg("no such object");
    return STR("");
}

struct str made_get(struct made_world *w, struct str key) {
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(store_get(w->store, key, 0, MADE_TEXT_MAX, &bytes, NULL), RC_OK);
    return arena_str(&w->arena, buf_str(&bytes));
}

void made_put(struct made_world *w, struct str key, struct str bytes) {
    assert_int_equal(store_put(w->store, key, bytes, NULL), RC_OK);
}

void made_remove(struct made_world *w, struct str key) {
    uint64_t bytes = 0;
    assert_int_equal(store_size(w->store, key, &bytes, NULL), RC_OK);
    assert_int_equal(store_remove(w->store, key, NULL), RC_OK);
}

/* An array with room for one more. */
#define ROOMY(w, array, len)                                                                                           \
    do {                                                                                                               \
        void *roomy_ = arena_alloc(&(w)->arena, ((len) + 1) * sizeof *(array));                                        \
        if (len) memcpy(roomy_, array, (len) * sizeof *(array));                                                       \
        (array) = roomy_;                                                                                              \
    } while (0)

void made_edit_seal(struct made_world *w, uint32_t partition, uint64_t index,
                    void (*edit)(struct made_world *, struct seal *)) {
    struct seal s;
    assert_int_equal(seal_decode(made_get(w, made_seal_key(w, partition, index)), &w->arena, &s, NULL), RC_OK);
    ROOMY(w, s.attempts, s.attempts_len);
    ROOMY(w, s.facts, s.attempts_len);
    ROOMY(w, s.trailers, s.trailers_len);
    edit(w, &s);
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(seal_encode(&s, &bytes), RC_OK);
    made_put(w, made_seal_key(w, partition, index), buf_str(&bytes));
}

void made_edit_manifest(struct made_world *w, uint32_t partition, uint64_t index,
                        void (*edit)(struct made_world *, struct manifest *)) {
    struct manifest m;
    assert_int_equal(manifest_decode(made_get(w, made_manifest_key(w, partition, index)), &w->arena, &m, NULL), RC_OK);
    ROOMY(w, m.objects, m.objects_len);
    ROOMY(w, m.attempts, m.attempts_len);
    edit(w, &m);
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(manifest_encode(&m, &bytes), RC_OK);
    made_put(w, made_manifest_key(w, partition, index), buf_str(&bytes));
}

void made_edit_receipt(struct made_world *w, void (*edit)(struct made_world *, struct receipt *)) {
    struct receipt r;
    assert_int_equal(receipt_decode(made_get(w, made_receipt_key(w)), &w->arena, &r, NULL), RC_OK);
    edit(w, &r);
    AUTO(buf_done) struct buf bytes = BUF_INIT(MADE_TEXT_MAX);
    assert_int_equal(receipt_encode(&r, &bytes), RC_OK);
    made_put(w, made_receipt_key(w), buf_str(&bytes));
}

/* ---- auditing it ---- */

static void copy(char *to, size_t room, struct str from) { (void)snprintf(to, room, "%.*s", STR_ARG(from)); }

static void found(void *context, const struct audit_finding *f) {
    struct made_world *w = context;
    assert_true(w->found_len < MADE_FOUND_MAX);
    struct made_found *to = &w->found[w->found_len++];
    *to = (struct made_found){.kind = f->kind,
                              .has_file = f->has_file,
                              .has_range = f->has_range,
                              .file = f->file,
                              .attempt = f->attempt,
                              .stripe = f->stripe,
                              .from = f->from,
                              .to = f->to};
    copy(to->key, sizeof to->key, f->key);
    copy(to->words, sizeof to->words, f->words);
    copy(to->uri, sizeof to->uri, f->uri);
}

void made_audit(struct made_world *w, bool deep, size_t rows_max) {
    struct audit_options options = {.deep = deep, .rows_max = rows_max, .found = found, .context = w};
    struct why why = {0};
    w->found_len = 0;
    if (audit_run(&w->report, &options, &w->result, &why) != RC_OK) fail_msg("audit: %s", why.text);
    assert_int_equal(w->result.findings, w->found_len);
}

void made_expect(struct made_world *w, bool deep, const enum audit_kind *kinds, size_t count) {
    int difference[AUDIT_KINDS] = {0};
    made_audit(w, deep, 0);
    for (size_t i = 0; i < count; i++) difference[kinds[i]]--;
    for (size_t i = 0; i < w->found_len; i++) difference[w->found[i].kind]++;
    bool same = true;
    for (int i = 0; i < AUDIT_KINDS; i++) same &= difference[i] == 0;
    for (size_t i = 0; !same && i < w->found_len; i++)
        print_error("found %s: %s [%llu, %llu) %s\n", audit_kind_name(w->found[i].kind), w->found[i].key,
                    (unsigned long long)w->found[i].from, (unsigned long long)w->found[i].to, w->found[i].words);
    assert_true(same);
}

const struct made_found *made_finding(const struct made_world *w, enum audit_kind kind) {
    const struct made_found *only = NULL;
    for (size_t i = 0; i < w->found_len; i++) {
        if (w->found[i].kind != kind) continue;
        assert_null(only);
        only = &w->found[i];
    }
    assert_non_null(only);
    return only;
}
