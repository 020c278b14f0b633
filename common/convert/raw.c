/* SPDX-License-Identifier: Apache-2.0 */
/* raw: the line is the record. It has no fields and no time. */
#include "converter_impl.h"

static RC raw_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)c, (void)settings, (void)why;
    return RC_OK; /* fields stay missing: one template serves sources of all kinds */
}

static void raw_close(struct converter *c) { (void)c; }

static void raw_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    (void)c, (void)scratch;
    out->record = line;
    out->in_line = true;
}

static bool raw_gives(const struct converter *c, size_t field) {
    (void)c, (void)field;
    return false;
}

const struct converter_ops raw_ops = {.name = "raw",
                                      .open = raw_open,
                                      .close = raw_close,
                                      .gives = raw_gives,
                                      .line = raw_line,
                                      .keep_bom = true,
                                      .has_no_time = true,
                                      .has_no_fields = true};
