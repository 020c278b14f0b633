/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "num.h"

#include "own.h"

#include <inttypes.h>

/* A key is a path of the store: no empty component, none that a file system takes as a step. */
static bool is_path(struct str key) {
    if (!key.len || key.at[key.len - 1] == '/' || memchr(key.at, '\0', key.len)) return false;
    struct str part;
    for (struct str rest = key; str_cut(&rest, '/', &part);)
        if (!part.len || part.len > NAME_PART_MAX || str_equal(part, STR(".")) || str_equal(part, STR("..")))
            return false;
    return true;
}

/* What stands behind the first dot of a name: "jsonl.zst". */
static bool is_format(struct str format) { return is_path(format) && !memchr(format.at, '/', format.len); }

/* Keys are put together in a buf of their own, so that a caller's stays as it was when one is refused. */
static RC finish(struct buf *key, struct buf *out) {
    TRY(buf_rc(key));
    if (!is_path(buf_str(key))) return RC_BAD;
    TRY(buf_reserve(out, key->len));
    buf_add(out, buf_str(key));
    return RC_OK;
}

#define KEY AUTO(buf_done) struct buf key = BUF_INIT(NAME_MAX_BYTES)

RC name_object(const struct name_object *o, struct buf *out) {
    if (!is_format(o->format)) return RC_BAD;
    KEY;
    char queue[ID_TEXT];
    buf_add_format(&key, "%sg%" PRIu64 "/", o->rejects ? "_rejects/" : "", o->generation);
    buf_add(&key, o->output);
    if (o->output.len) buf_add_char(&key, '/');
    buf_add_format(&key, "%s-p%" PRIu32 "-%020" PRIu64, id_format(o->queue, queue), o->partition, o->start);
    if (o->number) buf_add_format(&key, "-%" PRIu32, o->number);
    buf_add_char(&key, '.');
    buf_add(&key, o->format);
    return finish(&key, out);
}

RC name_seal(struct id queue, uint64_t generation, uint32_t partition, uint64_t index, struct buf *out) {
    KEY;
    char text[ID_TEXT];
    buf_add_format(&key, "_seals/%s/g%" PRIu64 "/p%" PRIu32 "/%020" PRIu64, id_format(queue, text), generation,
                   partition, index);
    return finish(&key, out);
}

RC name_manifest(struct id queue, uint64_t generation, uint32_t partition, uint64_t index, struct buf *out) {
    KEY;
    char text[ID_TEXT];
    buf_add_format(&key, "_manifests/%s/g%" PRIu64 "/p%" PRIu32 "/%020" PRIu64 ".json", id_format(queue, text),
                   generation, partition, index);
    return finish(&key, out);
}

RC name_seals_prefix(struct id queue, uint64_t generation, struct buf *out) {
    char text[ID_TEXT];
    size_t from = out->len;
    buf_add_format(out, "_seals/%s/g%" PRIu64 "/", id_format(queue, text), generation);
    return out->len > from ? RC_OK : RC_LIMIT;
}

RC name_manifests_prefix(struct id queue, uint64_t generation, struct buf *out) {
    char text[ID_TEXT];
    size_t from = out->len;
    buf_add_format(out, "_manifests/%s/g%" PRIu64 "/", id_format(queue, text), generation);
    return out->len > from ? RC_OK : RC_LIMIT;
}

RC name_receipts_prefix(uint64_t generation, struct buf *out) {
    size_t from = out->len;
    buf_add_format(out, "_receipts/g%" PRIu64 "/", generation);
    return out->len > from ? RC_OK : RC_LIMIT;
}

RC name_removed(struct id queue, uint64_t generation, struct buf *out) {
    KEY;
    char text[ID_TEXT];
    buf_add_format(&key, "_manifests/%s/g%" PRIu64 "/removed.json", id_format(queue, text), generation);
    return finish(&key, out);
}

bool name_is_removed(struct str key) {
    return str_starts(key, STR("_manifests/")) && str_ends(key, STR("/removed.json"));
}

RC name_receipt(uint64_t generation, struct id file, uint64_t end, struct buf *out) {
    KEY;
    char text[ID_TEXT];
    buf_add_format(&key, "_receipts/g%" PRIu64 "/%s-%" PRIu64 ".json", generation, id_format(file, text), end);
    return finish(&key, out);
}

/* What formatting writes: digits, no leading zero, in range. `digits` > 0 asks for exactly so many with zeros. */
static RC number(struct str text, size_t digits, uint64_t max, uint64_t *out) {
    bool plain = text.len == 1 || (text.len && text.at[0] != '0');
    if (digits ? text.len != digits : !plain) return RC_BAD;
    uint64_t value = 0;
    TRY(str_parse_u64(text, &value));
    if (value > max) return RC_BAD;
    *out = value;
    return RC_OK;
}

static bool take(struct str *rest, struct str prefix) {
    if (!str_starts(*rest, prefix)) return false;
    *rest = str_sub(*rest, prefix.len, rest->len);
    return true;
}

/* 32 digits as id_format() writes them: lower-case. */
static RC hex(struct str text, struct id *out) {
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] >= 'A' && text.at[i] <= 'F') return RC_BAD;
    return id_parse(text.at, text.len, out);
}

/* "<letter><number>" */
static RC lettered(struct str text, char letter, uint64_t max, uint64_t *out) {
    if (!text.len || text.at[0] != letter) return RC_BAD;
    return number(str_sub(text, 1, text.len), 0, max, out);
}

enum { INDEX_DIGITS = 20 };

/* "<queue>-p<k>-<S>[-<n>].<format>" */
static RC parse_file(struct str name, struct name_object *o) {
    struct str stem, part, rest;
    uint64_t partition = 0, split = 0;
    rest = name;
    if (!str_cut(&rest, '.', &stem) || !is_format(rest)) return RC_BAD;
    o->format = rest;
    rest = stem;
    if (!str_cut(&rest, '-', &part) || hex(part, &o->queue) != RC_OK) return RC_BAD;
    if (!str_cut(&rest, '-', &part)) return RC_BAD;
    TRY(lettered(part, 'p', UINT32_MAX, &partition));
    if (!str_cut(&rest, '-', &part)) return RC_BAD;
    TRY(number(part, INDEX_DIGITS, UINT64_MAX, &o->start));
    if (rest.at) {
        TRY(number(rest, 0, UINT32_MAX, &split));
        if (!split) return RC_BAD;
    }
    o->partition = (uint32_t)partition;
    o->number = (uint32_t)split;
    return RC_OK;
}

RC name_object_parse(struct str key, struct name_object *out) {
    if (key.len > NAME_MAX_BYTES || !is_path(key)) return RC_BAD;
    struct name_object o = {.rejects = take(&key, STR("_rejects/"))};
    struct str part, rest = key;
    if (!str_cut(&rest, '/', &part) || !rest.len) return RC_BAD;
    TRY(lettered(part, 'g', UINT64_MAX, &o.generation));
    const char *slash = memrchr(rest.at, '/', rest.len);
    size_t at = slash ? (size_t)(slash - rest.at) : 0;
    o.output = str_sub(rest, 0, at);
    TRY(parse_file(str_sub(rest, slash ? at + 1 : 0, rest.len), &o));
    *out = o;
    return RC_OK;
}

/* "<queue>/g<gen>/p<k>/<i>" */
static RC parse_link(struct str key, struct id *out_queue, uint64_t *out_generation, uint32_t *out_partition,
                     uint64_t *out_index) {
    struct str queue_text, generation_text, partition_text;
    struct id queue;
    uint64_t generation = 0, partition = 0, index = 0;
    if (!str_cut(&key, '/', &queue_text) || hex(queue_text, &queue) != RC_OK) return RC_BAD;
    if (!str_cut(&key, '/', &generation_text) || !str_cut(&key, '/', &partition_text)) return RC_BAD;
    TRY(lettered(generation_text, 'g', UINT64_MAX, &generation));
    TRY(lettered(partition_text, 'p', UINT32_MAX, &partition));
    TRY(number(key, INDEX_DIGITS, UINT64_MAX, &index));
    *out_queue = queue;
    *out_generation = generation;
    *out_partition = (uint32_t)partition;
    *out_index = index;
    return RC_OK;
}

RC name_seal_parse(struct str key, struct id *out_queue, uint64_t *out_generation, uint32_t *out_partition,
                   uint64_t *out_index) {
    if (!take(&key, STR("_seals/"))) return RC_BAD;
    return parse_link(key, out_queue, out_generation, out_partition, out_index);
}

RC name_manifest_parse(struct str key, struct id *out_queue, uint64_t *out_generation, uint32_t *out_partition,
                       uint64_t *out_index) {
    if (!take(&key, STR("_manifests/")) || !str_ends(key, STR(".json"))) return RC_BAD;
    key.len -= STR(".json").len;
    return parse_link(key, out_queue, out_generation, out_partition, out_index);
}

RC name_receipt_parse(struct str key, uint64_t *out_generation, struct id *out_file, uint64_t *out_end) {
    struct str part;
    struct id file;
    uint64_t generation = 0, end = 0;
    if (!take(&key, STR("_receipts/")) || !str_ends(key, STR(".json"))) return RC_BAD;
    key.len -= STR(".json").len;
    if (!str_cut(&key, '/', &part)) return RC_BAD;
    TRY(lettered(part, 'g', UINT64_MAX, &generation));
    if (!str_cut(&key, '-', &part) || hex(part, &file) != RC_OK) return RC_BAD;
    TRY(number(key, 0, UINT64_MAX, &end));
    *out_generation = generation;
    *out_file = file;
    *out_end = end;
    return RC_OK;
}

RC name_snapshot(uint64_t epoch, uint64_t sum, struct id id, struct buf *out) {
    char text[ID_TEXT];
    buf_add_format(out, "_ledger/snapshots/%020llu-%020llu-%s", (unsigned long long)epoch, (unsigned long long)sum,
                   id_format(id, text));
    return out->over ? RC_LIMIT : RC_OK;
}

RC name_snapshot_page(struct str snapshot, uint64_t page, struct buf *out) {
    buf_add(out, snapshot);
    buf_add_format(out, "/p%08llu", (unsigned long long)page);
    return out->over ? RC_LIMIT : RC_OK;
}

RC name_losses_prefix(uint64_t generation, struct buf *out) {
    buf_add_format(out, "_ledger/losses/g%llu/", (unsigned long long)generation);
    return out->over ? RC_LIMIT : RC_OK;
}

RC name_loss(const struct name_loss *loss, struct buf *out) {
    char file[ID_TEXT], attempt[ID_TEXT];
    TRY(name_losses_prefix(loss->generation, out));
    buf_add_format(out, "%s-%llu-%llu-%llu-%s-%llu", id_format(loss->file, file), (unsigned long long)loss->stripe,
                   (unsigned long long)loss->from, (unsigned long long)loss->to, id_format(loss->attempt, attempt),
                   (unsigned long long)loss->lines);
    return out->over ? RC_LIMIT : RC_OK;
}

RC name_loss_parse(struct str key, struct name_loss *out) {
    struct name_loss loss = {0};
    uint64_t *const range[] = {&loss.stripe, &loss.from, &loss.to};
    struct str part;
    if (!take(&key, STR("_ledger/losses/")) || !str_cut(&key, '/', &part)) return RC_BAD;
    TRY(lettered(part, 'g', UINT64_MAX, &loss.generation));
    if (!str_cut(&key, '-', &part) || hex(part, &loss.file) != RC_OK) return RC_BAD;
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++) {
        if (!str_cut(&key, '-', &part)) return RC_BAD;
        TRY(number(part, 0, UINT64_MAX, range[i]));
    }
    if (!str_cut(&key, '-', &part) || hex(part, &loss.attempt) != RC_OK || loss.from > loss.to) return RC_BAD;
    TRY(number(key, 0, UINT64_MAX, &loss.lines));
    *out = loss;
    return RC_OK;
}
