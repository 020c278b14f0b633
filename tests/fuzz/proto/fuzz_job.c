/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_job: any bytes as a job. What decodes gives the same bytes when it is encoded. */
#include "job.h"
#include "must.h"
#include "own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    struct job job;
    if (job_decode(bytes, &job, NULL) != RC_OK) return 0;
    AUTO(buf_done) struct buf again = BUF_INIT(JOB_MESSAGE_MAX);
    MUST(job_encode(&job, &again) == RC_OK && str_equal(buf_str(&again), bytes));
    return 0;
}
