/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_s3_xml: any bytes as an answer of S3: a page, tags, an error, a text. What is read lies within what was given
 * room. */
#include "must.h"
#include "own.h"
#include "s3_tags.h"
#include "s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size};
    AUTO(s3_page_done) struct s3_page page = {0};
    struct s3_error error = {0};
    AUTO(buf_done) struct buf text = BUF_INIT(1024);
    if (s3_page_read(bytes, &page, NULL) == RC_OK) {
        for (size_t i = 0; i < page.len; i++) {
            MUST(page.entries[i].key_at + page.entries[i].key_len <= page.texts.len);
            MUST(page.entries[i].etag_at + page.entries[i].etag_len <= page.texts.len);
            MUST(page.entries[i].upload_at + page.entries[i].upload_len <= page.texts.len);
        }
        MUST(memchr(page.token, '\0', sizeof page.token) && memchr(page.next_key, '\0', sizeof page.next_key));
    }
    AUTO(s3_tags_done) struct s3_tags tags = {.len = 0};
    AUTO(buf_done) struct buf again = BUF_INIT(8L * S3_TAGS_TEXT);
    if (s3_tags_read(bytes, &tags, NULL) == RC_OK) MUST(s3_tags_write(&tags, &again) == RC_OK && again.len > 0);
    if (s3_error_read(bytes, &error) == RC_OK) MUST(error.code[0] != '\0');
    if (s3_xml_find(bytes, "UploadId", &text, NULL) == RC_OK) MUST(text.len <= 1024);
    return 0;
}
