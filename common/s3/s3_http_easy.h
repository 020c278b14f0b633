/* SPDX-License-Identifier: Apache-2.0 */
/* s3_http_easy: one exchange as a handle of libcurl: its options, its callbacks, and what its end means. Only for
 * s3_http.c. Threads: the one of the loop. */
#ifndef SLUICE_S3_HTTP_EASY_H
#define SLUICE_S3_HTTP_EASY_H

#include "s3_http.h"

#include <curl/curl.h>

/* Makes the handle; its private pointer is the exchange. */
void easy_make(struct s3_exchange *exchange, const struct s3_http_settings *settings);
/* Fills the reply in. */
void easy_read_end(struct s3_exchange *exchange, CURLcode code);
void easy_free(struct s3_exchange *exchange);

#endif
