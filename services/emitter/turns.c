/* SPDX-License-Identifier: Apache-2.0 */
#include "turns.h"

#include "alloc.h"
#include "must.h"
#include "num.h"

#include <stdlib.h>

void turns_init(struct turns *t, size_t sources) {
    *t = (struct turns){.queues = alloc_zero(2 * sources, sizeof *t->queues), .queues_len = 2 * sources};
    for (size_t i = 0; i < sources; i++) turns_set_weight(t, i, 1);
}

void turns_done(struct turns *t) {
    for (size_t i = 0; i < t->queues_len; i++) free(t->queues[i].heap);
    free(t->queues);
    *t = (struct turns){0};
}

void turns_set_weight(struct turns *t, size_t source, uint32_t weight) {
    MUST(weight > 0 && weight <= TURNS_WEIGHT_MAX);
    t->queues[2 * source].weight = t->queues[2 * source + 1].weight = weight;
}

static bool before(const struct turns_item *a, const struct turns_item *b) {
    return a->key != b->key ? a->key < b->key : a->number < b->number;
}

void turns_add(struct turns *t, size_t queue, int64_t key, uint32_t place) {
    struct turns_queue *q = &t->queues[queue];
    struct turns_item item = {key, t->next_number++, place};
    alloc_grow(&q->heap, &q->room, q->len + 1, sizeof *q->heap);
    size_t at = q->len++;
    for (; at && before(&item, &q->heap[(at - 1) / 2]); at = (at - 1) / 2) q->heap[at] = q->heap[(at - 1) / 2];
    q->heap[at] = item;
    t->waiting++;
}

uint32_t turns_take(struct turns *t, size_t queue) {
    struct turns_queue *q = &t->queues[queue];
    MUST(q->len > 0);
    uint32_t place = q->heap[0].place;
    struct turns_item last = q->heap[--q->len];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < q->len; at = child) {
        if (child + 1 < q->len && before(&q->heap[child + 1], &q->heap[child])) child++;
        if (!before(&q->heap[child], &last)) break;
        q->heap[at] = q->heap[child];
    }
    q->heap[at] = last;
    t->waiting--;
    return place;
}

size_t turns_next(struct turns *t, const bool *ready) {
    size_t best = t->queues_len;
    for (size_t i = 0; i < t->queues_len; i++) {
        struct turns_queue *q = &t->queues[i];
        if (ready[i] && !q->was_ready) q->spent = MAX(q->spent, t->now);
        q->was_ready = ready[i];
        if (ready[i] && (best == t->queues_len || q->spent < t->queues[best].spent)) best = i;
    }
    if (best < t->queues_len) t->now = t->queues[best].spent;
    return best;
}

void turns_spend(struct turns *t, size_t queue, uint64_t bytes) {
    struct turns_queue *q = &t->queues[queue];
    q->spent += (bytes + TURNS_JOB_BYTES) * TURNS_WEIGHT_MAX / q->weight;
}
