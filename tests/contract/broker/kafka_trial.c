/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_trial NAME PIPELINE MESSAGE_TIMEOUT_MS [make]: appends numbered messages to the blocks and jobs of a pipeline
 * on the Kafka of SLUICE_TEST_KAFKA, and reads them back beside it, until its standard input ends; then proves that
 * each acknowledged message is at its offset, none is there twice, their order is kept and every acknowledged job was
 * given out. Whoever runs it breaks Kafka meanwhile. `make` makes the topics first. Exit code 0: all of that held. */
#include "broker_kafka_admin.h"

#include "alloc.h"
#include "must.h"
#include "num.h"
#include "own.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PARTITIONS = 2, NUMBERS_MAX = 1 << 20, QUEUE = 1 << 20, MESSAGE_MAX = 1 << 16, TURN_MS = 100 };

struct told {
    uint64_t offset;
    uint32_t partition;
    bool acknowledged, job;
};

struct trial {
    const char *name;
    struct broker broker;
    struct told *told;  /* by number: what the producer was told */
    uint64_t *found;    /* by number: 1 + offset, where the reader of its partition found it */
    atomic_uchar *seen; /* by number: how often it was found or given out */
    uint64_t numbers, broken;
    atomic_bool input_over, all_appended, jobs_over;
    _Atomic uint64_t ends[PARTITIONS]; /* acknowledged */
    atomic_uint wrong;
    struct reader {
        struct trial *trial;
        pthread_t thread;
        uint32_t partition;
        uint64_t read, busy;
    } readers[PARTITIONS];
};

static void complain(struct trial *trial, const char *what, uint64_t number, const struct why *why) {
    (void)atomic_fetch_add(&trial->wrong, 1);
    (void)fprintf(stderr, "%s: %s, message %llu %s\n", trial->name, what, (unsigned long long)number,
                  why ? why->text : "");
}

/* ---- appending ---- */

static size_t take_acks(struct trial *trial, struct broker_producer producer, bool *out_broken) {
    struct broker_ack acks[64];
    struct why why = {0};
    size_t n = 0;
    enum rc rc = broker_poll(producer, TURN_MS, acks, COUNT_OF(acks), &n, &why);
    if (rc == RC_BROKEN) {
        *out_broken = true;
        (void)fprintf(stderr, "%s: %s\n", trial->name, why.text);
    }
    if (rc != RC_OK && rc != RC_BROKEN) complain(trial, "polling", 0, &why);
    if (rc != RC_OK) return 0;
    for (size_t i = 0; i < n; i++) {
        bool job = acks[i].topic == BROKER_JOBS;
        trial->told[acks[i].cookie] = (struct told){acks[i].offset, acks[i].partition, true, job};
        if (!job) atomic_store(&trial->ends[acks[i].partition], acks[i].offset + 1);
    }
    return n;
}

static enum rc append_one(struct trial *trial, struct broker_producer producer, uint64_t number) {
    static const char padding[20000];
    char head[64];
    struct why why = {0};
    int n = snprintf(head, sizeof head, "%s %llu ", trial->name, (unsigned long long)number);
    bool job = number % 8 == 0;
    struct str body = {padding, job ? 10 : (size_t)(number * 7919 % sizeof padding)};
    enum rc rc = broker_append(producer, job ? BROKER_JOBS : BROKER_BLOCKS, (uint32_t)(number / 8 % PARTITIONS),
                               (struct str){head, (size_t)n}, body, number, &why);
    if (rc != RC_OK && rc != RC_BUSY && rc != RC_BROKEN) complain(trial, "appending", number, &why);
    return rc;
}

/* One producer's life: until it breaks, or the input is over and everything is acknowledged. */
static void produce(struct trial *trial) {
    struct broker_producer producer;
    struct why why = {0};
    if (broker_producer_new(trial->broker, QUEUE, &producer, &why) != RC_OK) {
        complain(trial, "making a producer", 0, &why);
        return;
    }
    uint64_t begun = trial->numbers, acknowledged = 0;
    bool broken = false;
    while (!broken && !atomic_load(&trial->wrong)) {
        bool more = !atomic_load(&trial->input_over) && trial->numbers < NUMBERS_MAX;
        enum rc rc = more ? append_one(trial, producer, trial->numbers) : RC_BUSY;
        if (rc == RC_OK) trial->numbers++;
        if (rc == RC_BUSY || trial->numbers % 64 == 0) acknowledged += take_acks(trial, producer, &broken);
        broken = broken || rc == RC_BROKEN;
        if (!more && acknowledged == trial->numbers - begun) break;
    }
    trial->broken += broken;
    broker_producer_free(producer);
}

/* ---- reading ---- */

static bool parse(struct trial *trial, struct str bytes, uint64_t *out_number) {
    struct str rest = bytes, name, number;
    return str_cut(&rest, ' ', &name) && str_cut(&rest, ' ', &number) && str_equal(name, str_of(trial->name)) &&
           str_parse_u64(number, out_number) == RC_OK && *out_number < NUMBERS_MAX;
}

static void *read_log(void *context) {
    struct reader *r = context;
    struct trial *trial = r->trial;
    AUTO(buf_done) struct buf bytes = BUF_INIT(MESSAGE_MAX);
    for (uint64_t offset = 0;;) {
        struct broker_message message;
        struct why why = {0};
        bool over = atomic_load(&trial->all_appended) && offset >= atomic_load(&trial->ends[r->partition]);
        if (over || atomic_load(&trial->wrong)) return NULL;
        enum rc rc = broker_wait(trial->broker, r->partition, offset, TURN_MS, &why);
        if (rc == RC_OK) rc = broker_read(trial->broker, r->partition, offset, &bytes, &message, &why);
        r->busy += rc == RC_BUSY;
        if (rc == RC_BUSY || rc == RC_ABSENT) continue;
        if (rc != RC_OK) {
            complain(trial, "reading", offset, &why);
            return NULL;
        }
        uint64_t number;
        if (parse(trial, message.bytes, &number)) { /* else the other trial's */
            if (atomic_fetch_add(&trial->seen[number], 1) > 0) complain(trial, "is in the log twice", number, NULL);
            trial->found[number] = offset + 1;
        }
        r->read++;
        offset++;
    }
}

static void *take_jobs(void *context) {
    struct trial *trial = context;
    struct broker_consumer consumer;
    struct why why = {0};
    AUTO(buf_done) struct buf bytes = BUF_INIT(MESSAGE_MAX);
    char group[64];
    (void)snprintf(group, sizeof group, "workers.%s", trial->name); /* each trial wants all of its own */
    MUST(broker_consumer_new(trial->broker, str_of(group), &consumer, &why) == RC_OK);
    for (uint64_t n = 0; !atomic_load(&trial->jobs_over); n++) {
        struct broker_message message;
        uint64_t number;
        enum rc rc = broker_next(consumer, TURN_MS, &bytes, &message, &why);
        if (rc == RC_OK && parse(trial, message.bytes, &number)) (void)atomic_fetch_or(&trial->seen[number], 1);
        if (rc != RC_OK && rc != RC_ABSENT && rc != RC_BUSY) complain(trial, "taking jobs", 0, &why);
        if (n % 16 == 0 && broker_commit(consumer, &why) != RC_OK) complain(trial, "committing", 0, &why);
    }
    broker_consumer_free(consumer);
    return NULL;
}

/* ---- the proof ---- */

static uint64_t prove(struct trial *trial) {
    uint64_t last[PARTITIONS] = {0}, acknowledged = 0;
    for (uint64_t i = 0; i < trial->numbers; i++) {
        const struct told *told = &trial->told[i];
        if (!told->acknowledged) continue;
        acknowledged++;
        if (told->job) {
            if (!atomic_load(&trial->seen[i])) complain(trial, "was acknowledged, and the job never came", i, NULL);
            continue;
        }
        if (trial->found[i] != told->offset + 1) complain(trial, "is not where it was acknowledged", i, NULL);
        if (trial->found[i] <= last[told->partition]) complain(trial, "overtook another", i, NULL);
        last[told->partition] = trial->found[i];
    }
    return acknowledged;
}

static bool all_jobs_came(struct trial *trial) {
    for (uint64_t i = 0; i < trial->numbers; i++)
        if (trial->told[i].acknowledged && trial->told[i].job && !atomic_load(&trial->seen[i])) return false;
    return true;
}

static void *wait_for_input(void *context) {
    struct trial *trial = context;
    char c;
    while (read(STDIN_FILENO, &c, 1) > 0) {
    }
    atomic_store(&trial->input_over, true);
    return NULL;
}

static void run(struct trial *trial) {
    pthread_t input, jobs;
    MUST(pthread_create(&input, NULL, wait_for_input, trial) == 0);
    MUST(pthread_create(&jobs, NULL, take_jobs, trial) == 0);
    for (uint32_t k = 0; k < PARTITIONS; k++) {
        trial->readers[k].trial = trial;
        trial->readers[k].partition = k;
        MUST(pthread_create(&trial->readers[k].thread, NULL, read_log, &trial->readers[k]) == 0);
    }
    while (!atomic_load(&trial->input_over) && !atomic_load(&trial->wrong)) produce(trial);
    atomic_store(&trial->all_appended, true);
    for (uint32_t k = 0; k < PARTITIONS; k++) (void)pthread_join(trial->readers[k].thread, NULL);
    for (int i = 0; i < 600 && !all_jobs_came(trial); i++) (void)usleep(100000); /* a bound, not a wait */
    atomic_store(&trial->jobs_over, true);
    (void)pthread_join(jobs, NULL);
    (void)pthread_join(input, NULL);
    uint64_t acknowledged = prove(trial);
    struct rusage usage;
    MUST(getrusage(RUSAGE_SELF, &usage) == 0);
    (void)printf("%s: %llu appended, %llu acknowledged, %llu producers broke, %llu read, %llu times busy, %ld MiB\n",
                 trial->name, (unsigned long long)trial->numbers, (unsigned long long)acknowledged,
                 (unsigned long long)trial->broken, (unsigned long long)trial->readers[0].read + trial->readers[1].read,
                 (unsigned long long)trial->readers[0].busy + trial->readers[1].busy, usage.ru_maxrss / 1024);
}

static RC make(const struct broker_kafka_settings *settings, struct why *why) {
    const struct broker_kafka_wanted wanted = {.job_partitions = PARTITIONS, .block_partitions = PARTITIONS};
    struct broker_kafka_admin *admin = NULL;
    struct broker_kafka_plan plan = {0};
    TRY(broker_kafka_admin_open(settings, &admin, why));
    enum rc rc = broker_kafka_admin_plan_topics(admin, &wanted, &plan, why);
    if (rc == RC_OK) rc = broker_kafka_admin_do(admin, &plan, why);
    broker_kafka_plan_done(&plan);
    broker_kafka_admin_free(admin);
    return rc;
}

int main(int argc, char **argv) {
    const char *server = getenv("SLUICE_TEST_KAFKA"), *folder = getenv("TMPDIR");
    uint64_t timeout_ms = 0;
    if (argc < 4 || !server || str_parse_u64(str_of(argv[3]), &timeout_ms) != RC_OK) {
        (void)fprintf(stderr, "use: SLUICE_TEST_KAFKA=host:port kafka_trial NAME PIPELINE MESSAGE_TIMEOUT_MS [make]\n");
        return 2;
    }
    const struct broker_kafka_settings settings = {.servers = str_of(server),
                                                   .pipeline = str_of(argv[2]),
                                                   .generation = 1,
                                                   .cache_dir = str_of(folder ? folder : "/tmp"),
                                                   .cache_bytes_max = 16 << 20,
                                                   .message_bytes_max = MESSAGE_MAX,
                                                   .message_timeout_ms = timeout_ms,
                                                   .session_timeout_ms = 6000,
                                                   .request_timeout_ms = 3000};
    struct trial *trial = ALLOC(struct trial);
    struct why why = {0};
    trial->name = argv[1];
    trial->told = alloc_zero(NUMBERS_MAX, sizeof *trial->told);
    trial->found = alloc_zero(NUMBERS_MAX, sizeof *trial->found);
    trial->seen = alloc_zero(NUMBERS_MAX, sizeof *trial->seen);
    enum rc rc = argc > 4 ? make(&settings, &why) : RC_OK;
    if (rc == RC_OK) rc = broker_kafka_open(&settings, &trial->broker, &why);
    if (rc == RC_OK) {
        run(trial);
        broker_free(trial->broker);
    } else {
        complain(trial, "opening", 0, &why);
    }
    int code = atomic_load(&trial->wrong) ? 1 : 0;
    free(trial->told);
    free(trial->found);
    free(trial->seen);
    free(trial);
    return code;
}
