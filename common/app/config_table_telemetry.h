/* SPDX-License-Identifier: Apache-2.0 */
/* config_table_telemetry: the rows of the converter telemetry, for config_table.c alone. */
#ifndef SLUICE_CONFIG_TABLE_TELEMETRY_H
#define SLUICE_CONFIG_TABLE_TELEMETRY_H

#define CONFIG_TABLE_TELEMETRY                                                                                         \
    {"sources[].telemetry", CONFIG_MAP,                                                                                \
     .about =                                                                                                          \
         "Settings of the converter telemetry. Its files are one stripe each (`stripe_bytes` does not count), what "   \
         "is "                                                                                                         \
         "a "                                                                                                          \
         "line elsewhere is a record here, and bytes that are none are one reject (`frame`). A record's time is that " \
         "of its header."},                                                                                            \
        {"sources[].telemetry.definitions", CONFIG_TEXT, IN_SOURCE(telemetry.definitions), .fallback = "",             \
         .about = "A folder with the Histograms.json of each revision, as REVISION.json. Required. A ping whose "      \
                  "revision is not "                                                                                   \
                  "there is a reject (`definition`); while a file cannot be read, the files of records that need it "  \
                  "wait."},                                                                                            \
        {"sources[].telemetry.schema", CONFIG_TEXT, IN_SOURCE(telemetry.schema), .fallback = "",                       \
         .about =                                                                                                      \
             "A JSON file with the dimensions that `{schema}` in the partition template stands for, one folder each: " \
             "`{\"dimensions\": [{\"field_name\": ..., \"allowed_values\": ...}]}`."},                                 \
        {"sources[].telemetry.emit",                                                                                   \
         CONFIG_ENUM,                                                                                                  \
         IN_SOURCE(telemetry.emit),                                                                                    \
         .fallback = "v2log",                                                                                          \
         NAMES("v2log", "json"),                                                                                       \
         .about =                                                                                                      \
             "What a record is: `v2log` is the ping's uuid, a tab and its JSON; `json` the JSON with `uuid` first. "   \
             "Conditions, fields, dedupe and sums are for `json`."},                                                   \
        {"sources[].telemetry.rule",                                                                                   \
         CONFIG_ENUM,                                                                                                  \
         IN_SOURCE(telemetry.rule),                                                                                    \
         .fallback = "strict",                                                                                         \
         NAMES("strict"),                                                                                              \
         .about =                                                                                                      \
             "What counts where the original's two converters differ: a histogram that is not valid makes the ping a " \
             "reject, one without a definition is left out and counted."},                                             \
        {"sources[].telemetry.framing",                                                                                \
         CONFIG_ENUM,                                                                                                  \
         IN_SOURCE(telemetry.framing),                                                                                 \
         .fallback = "v1",                                                                                             \
         NAMES("v1", "v2"),                                                                                            \
         .about = "The form of the files: `v2` has the client's address in each header."},                             \
        {"sources[].telemetry.max_inflated",                                                                           \
         CONFIG_BYTES,                                                                                                 \
         IN_SOURCE(telemetry.max_inflated),                                                                            \
         .fallback = "4MiB",                                                                                           \
         .low = 64 * KIB,                                                                                              \
         .high = 64 * MIB,                                                                                             \
         .about = "A payload that is gzip of more bytes than this is a reject (`limit`)."},

#endif
