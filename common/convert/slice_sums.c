/* SPDX-License-Identifier: Apache-2.0 */
/* slice_sums: records of a source that is added up: held as sums a group and output, and written as one record each
 * when the slice ends, or before, when there are too many groups.
 *
 * Which records come out, and in which order, depends on nothing but the slice's lines: a repair that converts a range
 * again gets the same bytes. */
#include "aggregate.h"
#include "alloc.h"
#include "converter_impl.h"
#include "must.h"
#include "path_hash.h"
#include "slice_impl.h"

#include <stdlib.h>

enum { KEY_MAX = sizeof(uint32_t) + AGGREGATE_GROUP_MAX };

struct slice_group {
    struct str text; /* as of converted.group */
    uint32_t output;
    uint64_t count;
    struct decimal sums[AGGREGATE_FIELDS_MAX];
};

struct slice_sums {
    struct route numbers; /* output and group to a place in .at */
    struct slice_group *at;
    size_t len, room;
    size_t pending; /* bytes that the records will have at most */
    struct buf record;
};

static struct slice_sums *sums_of(struct slice *slice) {
    if (slice->sums) return slice->sums;
    struct slice_sums *sums = slice->sums = ALLOC(struct slice_sums);
    route_init(&sums->numbers, SLICE_GROUPS_MAX);
    sums->record = BUF_INIT(AGGREGATE_GROUP_MAX + 128 * 1024);
    return sums;
}

void slice_sums_free(struct slice *slice) {
    if (!slice->sums) return;
    route_done(&slice->sums->numbers);
    buf_done(&slice->sums->record);
    free(slice->sums->at);
    free(slice->sums);
}

void slice_sums_reset(struct slice *slice) {
    if (!slice->sums) return;
    route_reset(&slice->sums->numbers);
    slice->sums->len = slice->sums->pending = 0;
}

size_t slice_sums_pending(const struct slice *slice) { return slice->sums ? slice->sums->pending : 0; }

static void put_group(struct slice *slice, const struct slice_group *group) {
    struct buf *record = &slice->sums->record;
    buf_reset(record);
    aggregate_write(slice->converter->aggregate, group->text, group->sums, group->count, record);
    MUST(buf_rc(record) == RC_OK); /* names and group are bounded */
    char *to = slice_text_room(&slice->text, record->len);
    memcpy(to, record->at, record->len);
    slice_text_take(&slice->text, record->len);
    slice_put(slice, group->output, to, record->len);
    slice->result.counts.records++;
    if ((int64_t)group->output == slice->overflow_output) slice->result.counts.overflow++;
}

void slice_sums_flush(struct slice *slice) {
    for (size_t i = 0; slice->sums && i < slice->sums->len; i++) put_group(slice, &slice->sums->at[i]);
    slice_sums_reset(slice);
}

static struct slice_group *group_of(struct slice *slice, uint32_t output, struct str text) {
    struct slice_sums *sums = sums_of(slice);
    char bytes[KEY_MAX];
    memcpy(bytes, &output, sizeof output);
    memcpy(bytes + sizeof output, text.at, text.len);
    struct str key = {bytes, sizeof output + text.len};
    uint64_t hash = path_hash(key);
    int64_t known = route_get(&sums->numbers, key, hash);
    if (known != ROUTE_NONE) return &sums->at[known];
    if (sums->len == SLICE_GROUPS_MAX) slice_sums_flush(slice);
    alloc_grow(&sums->at, &sums->room, sums->len + 1, sizeof *sums->at);
    route_put(&sums->numbers, &slice->arena, key, hash, (uint32_t)sums->len);
    sums->pending += aggregate_bytes(slice->converter->aggregate, text);
    struct slice_group *group = &sums->at[sums->len++];
    *group = (struct slice_group){.text = arena_str(&slice->arena, text), .output = output};
    return group;
}

static bool add_sums(struct slice_group *group, const struct decimal *more, size_t count) {
    struct slice_group sum = *group;
    for (size_t i = 0; i < count; i++)
        if (decimal_add(&sum.sums[i], more[i]) != RC_OK) return false;
    sum.count++;
    *group = sum;
    return true;
}

void slice_sum(struct slice *slice, uint32_t output, const struct converted *made) {
    size_t count = aggregate_sums(slice->converter->aggregate);
    if (add_sums(group_of(slice, output, made->group), made->sums, count)) return;
    slice_sums_flush(slice); /* what does not fit one sum fits two */
    MUST(add_sums(group_of(slice, output, made->group), made->sums, count));
}
