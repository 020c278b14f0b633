/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_said.h"

#include "must.h"

void s3_say(void *context, const struct fake_request *request, struct buf *out) {
    struct s3_said *said = context;
    (void)request;
    bool first = atomic_fetch_add(&said->requests, 1) == 0;
    const struct s3_answer *answer = first || !said->later.status ? &said->first : &said->later;
    if (!answer->status) return;
    fake_http_say(out, answer->status, answer->fields ? answer->fields : "", str_of(answer->body ? answer->body : ""));
}

const char *s3_said_no_env(const char *name) {
    (void)name;
    return NULL;
}

void s3_said_begin(struct s3_said *said, fake_answer answer, void *context) {
    said->clock = (struct clock_fake){.wall_ns = 1700000000000000000};
    said->http = fake_http_start(answer, context);
    struct store_s3_settings settings = {
        .url = "s3://the-bucket/pre/fix",
        .s3.endpoint = fake_http_url(said->http),
        .s3.credentials = {.access = "AKID", .secret = SECRET, .env = s3_said_no_env},
        .s3.tries = 3,
        .s3.clock = clock_fake(&said->clock),
    };
    MUST(store_s3_open(&settings, &said->store, NULL) == RC_OK);
}

void s3_said_end(struct s3_said *said) {
    store_free(said->store);
    fake_http_stop(said->http);
}
