/* SPDX-License-Identifier: Apache-2.0 */
/* config_table_s3: the rows of config_table.c that say how a bucket is reached: an output's, and a source's. Inside
 * common/app only. Threads: constant data. */
#ifndef SLUICE_CONFIG_TABLE_S3_H
#define SLUICE_CONFIG_TABLE_S3_H

#define HTTP_URL                                                                                                       \
    .fits = config_fits_http, .allowed = "http://HOST[:PORT] or https://HOST[:PORT]", .pattern = "^(https?://.+)?$"

/* PATH: what the keys begin with; AT(member): where a member of struct config_s3 is; WORDS: before each description. */
#define CONFIG_S3_ROWS(PATH, AT, WORDS)                                                                                \
    {PATH "endpoint", CONFIG_TEXT, AT(endpoint),                                                                       \
     .fallback = "",  HTTP_URL,    .about = WORDS "where the service is; empty: AWS, in the region."},                 \
        {PATH "region", CONFIG_TEXT, AT(region), .fallback = "",                                                       \
         .about = WORDS "the region; empty: AWS_REGION or AWS_DEFAULT_REGION of the environment, else `us-east-1`."},  \
        {PATH "style",                                                                                                 \
         CONFIG_ENUM,                                                                                                  \
         AT(style),                                                                                                    \
         .fallback = "auto",                                                                                           \
         NAMES("auto", "path", "host"),                                                                                \
         .about =                                                                                                      \
             WORDS "whether the bucket stands in the path or in the name of the host; `auto`: in the host's name on "  \
                   "AWS for a bucket without dots, else in the path."},                                                \
        {PATH "access_key", CONFIG_TEXT, AT(access_key), .fallback = "",                                               \
         .about =                                                                                                      \
             WORDS "the key's id. Without it credentials come from the environment, a web identity, the shared file, " \
                   "the container's or the instance's metadata, in this order."},                                      \
        {PATH "secret_key", CONFIG_TEXT,    AT(secret_key),                                                            \
         .fallback = "",    .secret = true, .about = WORDS "the secret key, best as `${file:/run/secrets/NAME}`."},    \
        {PATH "session_token", CONFIG_TEXT,    AT(session_token),                                                      \
         .fallback = "",       .secret = true, .about = WORDS "the session token of temporary keys."},                 \
        {PATH "profile", CONFIG_TEXT, AT(profile), .fallback = "",                                                     \
         .about = WORDS "the profile of the shared credentials file; empty: AWS_PROFILE, else `default`."},            \
    {                                                                                                                  \
        PATH "ca_file", CONFIG_TEXT, AT(ca_file),                                                                      \
            .fallback = "", .about = WORDS "the certificates (PEM) to trust; empty: the system's."                     \
    }

/* How objects are sent to an output's bucket. */
#define CONFIG_S3_SENDING_ROWS                                                                                         \
    {"output.parts_parallel",                                                                                          \
     CONFIG_COUNT,                                                                                                     \
     IN_OUTPUT_S3(parts_parallel),                                                                                     \
     .fallback = "2",                                                                                                  \
     .low = 1,                                                                                                         \
     .high = 16,                                                                                                       \
     .about = "s3://: parts of one object that travel at the same time, as far as `connections` goes; each takes "     \
              "`part_bytes` of memory."},                                                                              \
        {"output.tries",                                                                                               \
         CONFIG_COUNT,                                                                                                 \
         IN_OUTPUT_S3(tries),                                                                                          \
         .fallback = "5",                                                                                              \
         .low = 1,                                                                                                     \
         .high = 20,                                                                                                   \
         .about = "s3://: how often a request is made, with growing waits in between, before the step that needs it "  \
                  "begins again; sluice never gives up for that."},                                                    \
        {"output.connect_timeout",                                                                                     \
         CONFIG_DURATION,                                                                                              \
         IN_OUTPUT_S3(connect_ms),                                                                                     \
         .fallback = "10s",                                                                                            \
         .low = 100,                                                                                                   \
         .high = 10 * MINUTE_MS,                                                                                       \
         .about = "s3://: a connection, with TLS, has to be there after so long."},                                    \
        {"output.stall_timeout",                                                                                       \
         CONFIG_DURATION,                                                                                              \
         IN_OUTPUT_S3(stall_ms),                                                                                       \
         .fallback = "30s",                                                                                            \
         .low = 1000,                                                                                                  \
         .high = 10 * MINUTE_MS,                                                                                       \
         .about = "s3://: a request that nothing moved of for so long is given up and tried again."},                  \
    {                                                                                                                  \
        "output.request_timeout", CONFIG_DURATION, IN_OUTPUT_S3(request_ms),                                           \
            .fallback = "60s", .low = 1000, .high = 60 * MINUTE_MS,                                                    \
            .about = "s3://: a request may take so long, and the time for its bytes at 16 KiB a second on top."        \
    }

#endif
