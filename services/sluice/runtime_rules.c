/* SPDX-License-Identifier: Apache-2.0 */
/* runtime_rules: what a generation was begun with, kept beside the identity of the output: by which rules lines go
 * together, and how outputs are partitioned. Two workers by different rules would disagree on whose the lines at the
 * border of their stripes are, so one generation has one set of them. Its partitions may change, which concerns what is
 * converted from then on; whoever expected more is told. */
#include "buf.h"
#include "json_out.h"
#include "log.h"
#include "own.h"
#include "run_settings.h"
#include "runtime_inner.h"
#include "segments.h"

#include <inttypes.h>

enum { RULES_BYTES_MAX = 32 * 1024, KEY_MAX = 200 };

static void write_rules(const struct segments *segments, struct buf *out) {
    const struct segments_settings *s = segments_settings(segments);
    struct json_out json = {.to = out};
    json_open(&json, '{');
    json_key_str(&json, STR("together"), s->kind == SEGMENTS_CRI ? STR("cri") : STR("start"));
    if (s->kind == SEGMENTS_START) json_key_str(&json, STR("start"), s->start);
    json_key_u64(&json, STR("cell_bytes"), segments_cell(segments));
    json_key_u64(&json, STR("max_line_bytes"), s->line_bytes_max);
    json_close(&json, '}');
    buf_add_char(out, '\n');
}

static RC differ(const struct runtime *r, size_t source, struct str there, struct why *why) {
    if (str_ends(there, STR("\n"))) there.len--;
    return config_error(r->config, config_key("sources[%zu].converter", source).text, why,
                        "in generation %" PRIu64 " lines of this source went together by other rules (%.*s), and files "
                        "may be half converted by them; raise \"generation\", or set record and max_line_bytes back",
                        r->config->generation, STR_ARG(there));
}

static RC claim_source(const struct runtime *r, size_t i, struct why *why) {
    const struct config_source *source = &r->config->sources[i];
    struct converter_settings settings = run_converter(r->config, source);
    AUTO(converter_done) struct converter *converter = NULL;
    AUTO(buf_done) struct buf mine = BUF_INIT(RULES_BYTES_MAX);
    AUTO(buf_done) struct buf there = BUF_INIT(RULES_BYTES_MAX);
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "_ledger/records/g%" PRIu64 "/%.*s", r->config->generation, STR_ARG(source->name));
    TRY(converter_new(&settings, &converter, why));
    const struct segments *segments = converter_segments(converter);
    enum rc rc = RC_ABSENT;
    if (segments) {
        write_rules(segments, &mine);
        rc = store_put_absent(r->store, str_of(key), buf_str(&mine), why);
        if (rc != RC_STALE) return rc;
    }
    rc = store_get(r->store, str_of(key), 0, RULES_BYTES_MAX, &there, why);
    if (rc == RC_ABSENT && !segments) return RC_OK;
    if (rc != RC_OK) return rc;
    return str_equal(buf_str(&there), buf_str(&mine)) ? RC_OK : differ(r, i, buf_str(&there), why);
}

static RC note_partition(const struct runtime *r, struct why *why) {
    AUTO(buf_done) struct buf there = BUF_INIT(RULES_BYTES_MAX);
    struct str mine = r->config->output.partition;
    char key[KEY_MAX];
    (void)snprintf(key, sizeof key, "_ledger/partition/g%" PRIu64, r->config->generation);
    enum rc rc = store_put_absent(r->store, str_of(key), mine, why);
    if (rc != RC_STALE) return rc;
    TRY(store_get(r->store, str_of(key), 0, RULES_BYTES_MAX, &there, why));
    if (str_equal(buf_str(&there), mine)) return RC_OK;
    LOG_WARN(
        "output.partition is another one than this generation began with: what is converted already stays where it "
        "is, only what comes goes to the new places; raise generation to convert everything anew",
        F_U64("generation", r->config->generation), F_STR("began_with", buf_str(&there)), F_STR("now", mine));
    return RC_OK;
}

RC runtime_claim_rules(const struct runtime *r, struct why *why) {
    TRY(note_partition(r, why));
    for (size_t i = 0; i < r->config->source_count; i++) TRY(claim_source(r, i, why));
    return RC_OK;
}
