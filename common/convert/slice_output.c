/* SPDX-License-Identifier: Apache-2.0 */
#include "slice_impl.h"

#include "alloc.h"
#include "num.h"
#include "path_hash.h"

#include <stdio.h>

enum {
    PIECES_FIRST = 4,  /* of an output; doubles up to: */
    PIECES_MOST = 256, /* 4 KiB */
    KEY_MAX = 512,     /* longer values are rare: their path is written each time */
};

/* The values as bytes that differ when a value differs; 0 when they do not fit. */
static size_t write_key(const struct slice *slice, const struct partition_values *values, char key[KEY_MAX]) {
    const struct partition *partition = converter_partition(slice->converter);
    int64_t bucket = values->has_time ? partition_bucket(partition, values->time_ns) : 0;
    memcpy(key, &bucket, sizeof bucket);
    size_t at = sizeof bucket;
    key[at++] = values->has_time ? 1 : 0;
    for (size_t i = 0; i < partition_field_count(partition); i++) {
        struct str value = values->fields[i];
        uint32_t len = (uint32_t)value.len; /* a missing one and an empty one have the same path */
        if (value.len > KEY_MAX || at + sizeof len + len > KEY_MAX) return 0;
        memcpy(key + at, &len, sizeof len);
        at += sizeof len;
        if (len) memcpy(key + at, value.at, len);
        at += len;
    }
    return at;
}

static uint32_t add_output(struct slice *slice, struct str path, bool is_reject) {
    size_t count = slice->result.output_count;
    alloc_grow(&slice->outputs, &slice->output_room, count + 1, sizeof *slice->outputs);
    slice->result.outputs = slice->outputs;
    slice->outputs[count] = (struct slice_output){.path = arena_str(&slice->arena, path), .is_reject = is_reject};
    slice->result.output_count++;
    return (uint32_t)count;
}

static uint32_t overflow(struct slice *slice) {
    if (slice->overflow_output != ROUTE_NONE) return (uint32_t)slice->overflow_output;
    char text[PARTITION_PATH_MAX + 1];
    struct str path = {text, partition_overflow_path(converter_partition(slice->converter), text)};
    int64_t known = route_get(&slice->paths, path, path_hash(path)); /* data can hold the word too */
    slice->overflow_output = known != ROUTE_NONE ? known : add_output(slice, path, false);
    return (uint32_t)slice->overflow_output;
}

static uint32_t route_by_path(struct slice *slice, const struct partition_values *values) {
    char text[PARTITION_PATH_MAX + 1];
    struct str path = {text, partition_path(converter_partition(slice->converter), values, text)};
    uint64_t hash = path_hash(path);
    int64_t known = route_get(&slice->paths, path, hash);
    if (known != ROUTE_NONE) return (uint32_t)known;
    if (slice->paths.count == slice->limits.outputs_max) return overflow(slice);
    uint32_t output = add_output(slice, path, false);
    route_put(&slice->paths, &slice->arena, path, hash, output);
    return output;
}

static uint32_t route_by_key(struct slice *slice, const struct partition_values *values) {
    char text[KEY_MAX];
    struct str key = {text, write_key(slice, values, text)};
    if (key.len == 0) return route_by_path(slice, values);
    uint64_t hash = path_hash(key);
    int64_t known = route_get(&slice->keys, key, hash);
    if (known != ROUTE_NONE) return (uint32_t)known;
    uint32_t output = route_by_path(slice, values);
    route_put(&slice->keys, &slice->arena, key, hash, output);
    return output;
}

uint32_t slice_route(struct slice *slice, const struct partition_values *values) {
    const struct partition *partition = converter_partition(slice->converter);
    if (partition_field_count(partition) > 0) return route_by_key(slice, values);
    int64_t bucket = values->has_time ? partition_bucket(partition, values->time_ns) : 0;
    if (slice->has_last && slice->last_bucket == bucket && slice->last_has_time == values->has_time) {
        return slice->last_output;
    }
    slice->last_output = route_by_key(slice, values);
    slice->last_bucket = bucket;
    slice->last_has_time = values->has_time;
    slice->has_last = true;
    return slice->last_output;
}

uint32_t slice_reject_route(struct slice *slice) {
    if (slice->reject_output == ROUTE_NONE) {
        char name[PARTITION_COMPONENT_MAX + 1], path[sizeof name + 8];
        (void)partition_encode(converter_source(slice->converter), name);
        int len = snprintf(path, sizeof path, "source=%s", name);
        slice->reject_output = add_output(slice, (struct str){path, (size_t)len}, true);
    }
    return (uint32_t)slice->reject_output;
}

static struct slice_piece *add_piece(struct slice *slice, struct slice_output *output) {
    struct slice_pieces *last = output->last;
    if (!last || last->count == last->room) {
        uint32_t room = last ? MIN(last->room * 2, (uint32_t)PIECES_MOST) : (uint32_t)PIECES_FIRST;
        struct slice_pieces *more = arena_alloc(&slice->arena, sizeof *more + room * sizeof more->at[0]);
        more->room = room;
        if (last) {
            last->next = more;
        } else {
            output->pieces = more;
        }
        output->last = last = more;
    }
    return &last->at[last->count++];
}

void slice_put(struct slice *slice, uint32_t number, const char *at, size_t bytes) {
    struct slice_output *output = &slice->outputs[number];
    output->records++;
    output->bytes += bytes;
    struct slice_piece *piece = output->last ? &output->last->at[output->last->count - 1] : NULL;
    if (piece && piece->at + piece->bytes == at && piece->bytes + bytes <= SLICE_PIECE_MAX) {
        piece->bytes += (uint32_t)bytes;
        piece->records++;
        return;
    }
    *add_piece(slice, output) = (struct slice_piece){.at = at, .bytes = (uint32_t)bytes, .records = 1};
}
