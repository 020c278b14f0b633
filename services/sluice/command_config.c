/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include "config_reference.h"
#include "config_schema.h"
#include "metric.h"
#include "own.h"

#include <stdio.h>
#include <string.h>

static const char help[] = "usage: sluice config schema|reference|metrics\n"
                           "\n"
                           "  schema     the JSON Schema of the configuration, for editors\n"
                           "  reference  every key of the configuration, as Markdown (docs/CONFIG.md)\n"
                           "  metrics    every metric, as Markdown (docs/METRICS.md)\n";

enum { TEXT_MAX = 4 * 1024 * 1024 };

int command_config(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*write)(struct buf *out);
    } texts[] = {{"schema", config_schema_json},
                 {"reference", config_reference_markdown},
                 {"metrics", metric_reference_markdown}};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return fputs(help, stdout), CLI_OK;
    if (argc != 2) return cli_usage("config", "one of schema, reference and metrics is needed");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(argv[1], texts[i].name) != 0) continue;
        AUTO(buf_done) struct buf text = BUF_INIT(TEXT_MAX);
        texts[i].write(&text);
        (void)fwrite(text.at, 1, text.len, stdout);
        return fflush(stdout) == 0 ? CLI_OK : rc_exit_code(RC_LIMIT);
    }
    return cli_usage("config", "\"%s\" is none of schema, reference and metrics", argv[1]);
}
