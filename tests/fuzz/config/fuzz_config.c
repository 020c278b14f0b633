/* SPDX-License-Identifier: Apache-2.0 */
/* Promise: any bytes as configuration file give a configuration or one message, within bounds, and leak nothing. */
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct config *config = NULL;
    struct why why = {0};
    enum rc rc = config_from_text((struct str){(const char *)data, size}, "fuzz.yaml", "/fuzz", &config, &why);
    if (rc == RC_OK) {
        MUST(config && config->source_count >= 1 && !why.text[0]);
        for (size_t i = 0; i < config->source_count; i++)
            MUST(config_place(config, config_key("sources[%zu].name", i).text).line > 0);
    } else {
        MUST(rc == RC_DENIED && !config && why.text[0]);
    }
    config_free(config);
    return 0;
}
