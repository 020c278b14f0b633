/* SPDX-License-Identifier: Apache-2.0 */
#include "job_queue.h"

#include "alloc.h"
#include "own.h"
#include "wake.h"

#include <time.h>

struct job_entry {
    struct job_entry *next;
    uint64_t offset;
    uint32_t partition;
    size_t len;
    char bytes[];
};

struct job_queue {
    pthread_mutex_t lock; /* all below but `wake` */
    struct job_entry *first, **last;
    uint64_t *offsets; /* the next one a partition */
    uint32_t partitions;
    size_t messages, messages_max, bytes, bytes_max;
    bool stopped;
    struct wake wake;
};

struct job_queue *job_queue_new(uint32_t partitions, size_t messages_max, size_t bytes_max) {
    struct job_queue *jobs = ALLOC(struct job_queue);
    (void)pthread_mutex_init(&jobs->lock, NULL);
    wake_init(&jobs->wake);
    jobs->last = &jobs->first;
    jobs->offsets = alloc_zero(partitions, sizeof *jobs->offsets);
    jobs->partitions = partitions;
    jobs->messages_max = messages_max;
    jobs->bytes_max = bytes_max;
    return jobs;
}

static struct job_entry *take_first(struct job_queue *jobs) {
    struct job_entry *entry = jobs->first;
    if (!entry) return NULL;
    jobs->first = entry->next;
    if (!jobs->first) jobs->last = &jobs->first;
    jobs->messages--;
    jobs->bytes -= entry->len;
    return entry;
}

void job_queue_free(struct job_queue *jobs) {
    if (!jobs) return;
    struct job_entry *entry;
    while ((entry = take_first(jobs)) != NULL) free(entry);
    wake_done(&jobs->wake);
    (void)pthread_mutex_destroy(&jobs->lock);
    free(jobs->offsets);
    free(jobs);
}

static RC put_entry(struct job_queue *jobs, uint32_t partition, struct str head, struct str body, uint64_t *out_offset,
                    struct why *why) {
    LOCKED(&jobs->lock);
    size_t len = head.len + body.len;
    if (jobs->messages >= jobs->messages_max || (jobs->messages > 0 && len > jobs->bytes_max - jobs->bytes))
        return why_set(why, RC_BUSY, "broker: %zu jobs (%zu bytes) are waiting", jobs->messages, jobs->bytes);
    struct job_entry *entry = alloc_bytes(sizeof *entry + len);
    partition %= jobs->partitions;
    *entry = (struct job_entry){.offset = jobs->offsets[partition]++, .partition = partition, .len = len};
    if (head.len > 0) memcpy(entry->bytes, head.at, head.len);
    if (body.len > 0) memcpy(entry->bytes + head.len, body.at, body.len);
    *jobs->last = entry;
    jobs->last = &entry->next;
    jobs->messages++;
    jobs->bytes += len;
    *out_offset = entry->offset;
    return RC_OK;
}

enum rc job_queue_put(struct job_queue *jobs, uint32_t partition, struct str head, struct str body,
                      uint64_t *out_offset, struct why *why) {
    if (head.len > jobs->bytes_max || body.len > jobs->bytes_max - head.len)
        return why_set(why, RC_LIMIT, "broker: a job of %zu bytes; at most %zu", head.len + body.len, jobs->bytes_max);
    TRY(put_entry(jobs, partition, head, body, out_offset, why));
    wake_all(&jobs->wake);
    return RC_OK;
}

static RC take_entry(struct job_queue *jobs, struct job_entry **out, struct why *why) {
    LOCKED(&jobs->lock);
    if (jobs->stopped) return why_set(why, RC_STOP, "broker: stopping");
    *out = take_first(jobs);
    return *out ? RC_OK : why_set(why, RC_ABSENT, "broker: no job is waiting");
}

enum rc job_queue_take(struct job_queue *jobs, uint64_t wait_ms, struct buf *out_bytes, struct broker_message *out,
                       struct why *why) {
    AUTO(own_free) struct job_entry *entry = NULL;
    struct timespec deadline;
    wake_deadline(wait_ms, &deadline);
    for (;;) {
        uint64_t seen = wake_count(&jobs->wake);
        enum rc rc = take_entry(jobs, &entry, why);
        if (rc == RC_OK) break;
        if (rc != RC_ABSENT || wait_ms == 0 || !wake_wait(&jobs->wake, seen, &deadline)) return rc;
    }
    buf_add(out_bytes, (struct str){entry->bytes, entry->len});
    if (buf_rc(out_bytes) != RC_OK)
        return why_set(why, RC_LIMIT, "broker: a job of %zu bytes, more than there is room for", entry->len);
    *out = (struct broker_message){entry->offset, entry->partition, buf_str(out_bytes)};
    return RC_OK;
}

void job_queue_stop(struct job_queue *jobs) {
    {
        LOCKED(&jobs->lock);
        jobs->stopped = true;
    }
    wake_all(&jobs->wake);
}
