/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_bed.h"

#include "id.h"
#include "own.h"
#include "store_s3_private.h"

#include <stdio.h>
#include <stdlib.h>

static void must(enum rc rc, const struct why *why) {
    if (rc == RC_OK) return;
    (void)fprintf(stderr, "%s: %s\n", rc_name(rc), why->text);
    abort();
}

const char *s3_bed_env(const char *name) {
    const char *value = getenv(name);
    if (!value) {
        (void)fprintf(stderr, "%s is not set: run this by python3 tests/lib/servers.py all -- …\n", name);
        abort();
    }
    return value;
}

struct store_s3_settings s3_bed_settings(const struct s3_bed *bed) {
    return (struct store_s3_settings){
        .url = bed->url,
        .s3.endpoint = bed->endpoint,
        .s3.style = bed->style,
        .s3.region = s3_bed_env("SLUICE_TEST_S3_REGION"),
        .s3.credentials = {.access = s3_bed_env("SLUICE_TEST_S3_ACCESS"),
                           .secret = s3_bed_env("SLUICE_TEST_S3_SECRET")},
        .part_bytes = STORE_S3_PART_MIN,
    };
}

struct store s3_bed_open(const struct s3_bed *bed) {
    struct store_s3_settings settings = s3_bed_settings(bed);
    struct store store = {0};
    struct why why = {0};
    must(store_s3_open(&settings, &store, &why), &why);
    return store;
}

static void bucket_call(const struct s3_bed *bed, const char *method) {
    struct why why = {0};
    struct store store = s3_bed_open(bed);
    AUTO(s3_call_done) struct s3_call call = S3_CALL(method, STR(""));
    call.sends_body = strcmp(method, "PUT") == 0;
    must(s3_call(&s3_of(store)->bucket, &call, &why), &why);
    store_free(store);
}

void s3_bed_begin(const char *server, enum s3_style style, struct s3_bed *out) {
    struct rng rng = rng_from_kernel();
    char text[ID_TEXT];
    out->endpoint = s3_bed_env(server);
    out->style = style;
    (void)snprintf(out->url, sizeof out->url, "s3://bed-%s", id_format(id_make(&rng), text));
    bucket_call(out, "PUT");
}

struct removal {
    struct store store;
    size_t seen;
};

static enum rc remove_one(void *context, struct str key, uint64_t bytes) {
    (void)bytes;
    struct removal *removal = context;
    removal->seen++;
    return store_remove(removal->store, key, NULL);
}

/* MinIO lists no object below another one: what was hidden by one comes up when that is gone. */
static void remove_all(struct store store) {
    struct why why = {0};
    struct removal removal = {.store = store};
    do {
        removal.seen = 0;
        must(store_list(store, STR(""), STR(""), remove_one, &removal, &why), &why);
    } while (removal.seen);
}

static enum rc remove_upload(void *context, struct str key, struct str upload, int64_t started_ns) {
    (void)started_ns;
    return store_upload_remove(*(struct store *)context, key, upload, NULL);
}

void s3_bed_clear(const struct s3_bed *bed) {
    struct why why = {0};
    struct store store = s3_bed_open(bed);
    remove_all(store);
    must(store_uploads(store, STR(""), remove_upload, &store, &why), &why);
    store_free(store);
}

void s3_bed_end(struct s3_bed *bed) {
    s3_bed_clear(bed);
    bucket_call(bed, "DELETE");
}
