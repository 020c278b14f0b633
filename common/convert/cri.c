/* SPDX-License-Identifier: Apache-2.0 */
/* cri: what a container wrote, as the runtimes of Kubernetes keep it: `TIME STREAM TAGS MESSAGE` (CRI: the first tag is
 * F, or P for a part of a line that goes on), or Docker's {"log":…,"stream":…,"time":…}, whose text has no newline at
 * its end where it goes on. A line says itself which it is, and not the configuration: on a node whose runtime was
 * changed both are under the same pattern, and even behind the same link. Whose log it is, the file's path says
 * (cri_path.h).
 *
 * Parts of a line are joined before they come here (slice_record.c); what stays a part, because the rest of it never
 * came or is too long, is a record with "partial":true. */
#include "alloc.h"
#include "columns.h"
#include "cri_path.h"
#include "json.h"
#include "scan.h"
#include "utf8.h"

#include <stdlib.h>

enum cri_column {
    TIME,
    STREAM,
    NAMESPACE,
    POD,
    UID,
    CONTAINER,
    RESTART_COUNT,
    CONTAINER_ID,
    PARTIAL,
    MESSAGE,
    COLUMN_COUNT
};

/* With what scan_copy() reads behind it. */
static const struct str is_true = {"true\0           ", 4};

struct cri {
    struct columns columns;
    struct json_parser *parser;
    struct str path[COLUMN_COUNT]; /* NAMESPACE to CONTAINER_ID, in .uri */
    char *uri;
};

static RC cri_open(struct converter *c, const struct converter_settings *settings, struct why *why) {
    (void)settings, (void)why;
    static const struct str names[COLUMN_COUNT] = {[TIME] = {"time", 4},
                                                   [STREAM] = {"stream", 6},
                                                   [NAMESPACE] = {"namespace", 9},
                                                   [POD] = {"pod", 3},
                                                   [UID] = {"uid", 3},
                                                   [CONTAINER] = {"container", 9},
                                                   [RESTART_COUNT] = {"restart_count", 13},
                                                   [CONTAINER_ID] = {"container_id", 12},
                                                   [PARTIAL] = {"partial", 7},
                                                   [MESSAGE] = {"message", 7}};
    struct cri *self = ALLOC(struct cri);
    c->self = self;
    columns_init(&self->columns, c, names, COLUMN_COUNT);
    self->columns.at[PARTIAL].type = VALUE_RAW;
    self->columns.at[RESTART_COUNT].type = VALUE_INTEGER;
    self->parser = json_parser_new((struct json_parser_limits){.bytes_max = c->line_bytes_max, .any_number = true});
    return RC_OK;
}

static void cri_close(struct converter *c) {
    struct cri *self = c->self;
    columns_done(&self->columns);
    json_parser_free(self->parser);
    free(self->uri);
    free(self);
}

static bool cri_gives(const struct converter *c, size_t field) {
    const struct cri *self = c->self;
    return self->columns.wanted[field] != SIZE_MAX;
}

static size_t cri_scratch_bytes(const struct converter *c, size_t line_bytes) {
    const struct cri *self = c->self;
    size_t path_bytes = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++) path_bytes += self->path[i].len;
    return columns_bytes(&self->columns, line_bytes + path_bytes + 4);
}

static void cri_file(struct converter *c, struct str uri) {
    struct cri *self = c->self;
    if (self->uri && str_equal(str_of(self->uri), uri)) return;
    free(self->uri);
    char *copy = alloc_zero(uri.len + SCAN_STEP, 1);
    memcpy(copy, uri.at, uri.len);
    self->uri = copy;
    struct cri_path of;
    cri_path_read((struct str){copy, uri.len}, &of);
    struct str *path = self->path;
    path[NAMESPACE] = of.namespace;
    path[POD] = of.pod;
    path[UID] = of.uid;
    path[CONTAINER] = of.container;
    path[RESTART_COUNT] = of.restart_count;
    path[CONTAINER_ID] = of.container_id;
}

static struct str next_word(struct str *rest) {
    struct str word = {0};
    (void)str_cut(rest, ' ', &word);
    return word;
}

static bool read_cri(struct cri *self, struct str line) {
    struct str *values = self->columns.values, rest = line;
    const char *end = line.at + line.len;
    values[TIME] = next_word(&rest);
    values[STREAM] = next_word(&rest);
    struct str tags = next_word(&rest);
    bool partial = tags.len && tags.at[0] == 'P';
    bool known = str_equal(values[STREAM], STR("stdout")) || str_equal(values[STREAM], STR("stderr"));
    if (!known || !tags.len || (!partial && tags.at[0] != 'F') || (tags.len > 1 && tags.at[1] != ':')) return false;
    const char *message = tags.at + tags.len + 1; /* an empty message may have lost its blank */
    values[MESSAGE] = message <= end ? (struct str){message, (size_t)(end - message)} : (struct str){end, 0};
    if (partial) values[PARTIAL] = is_true;
    return true;
}

static bool read_docker(struct cri *self, struct str line, struct converted *out) {
    struct json_node root, node;
    struct str *values = self->columns.values;
    if (json_parse(self->parser, line, &root, NULL) != RC_OK || json_type(root) != JSON_OBJECT) {
        converter_reject(out, REASON_JSON);
        return false;
    }
    if (json_get(root, STR("log"), &node) != RC_OK || json_get_str(node, &values[MESSAGE]) != RC_OK) return false;
    if (json_get(root, STR("stream"), &node) == RC_OK && json_get_str(node, &values[STREAM]) != RC_OK) return false;
    if (json_get(root, STR("time"), &node) == RC_OK && json_get_str(node, &values[TIME]) != RC_OK) return false;
    if (str_ends(values[MESSAGE], STR("\n")))
        values[MESSAGE].len--;
    else
        values[PARTIAL] = is_true;
    return true;
}

static void cri_line(struct converter *c, struct str line, char *scratch, struct converted *out) {
    struct cri *self = c->self;
    if (!utf8_valid(line)) {
        converter_reject(out, REASON_UTF8);
        return;
    }
    memcpy(self->columns.values, self->path, sizeof self->path);
    bool fits = line.at[0] == '{' ? read_docker(self, line, out) : read_cri(self, line);
    if (!fits) {
        if (out->verdict == CONVERTER_RECORD) converter_reject(out, REASON_FORMAT);
        return;
    }
    struct str time = self->columns.values[TIME];
    out->values.has_time = time.at && time_parse_rfc3339(time, &out->values.time_ns) == RC_OK;
    if (!out->values.has_time && !c->time_optional) {
        converter_reject(out, REASON_TIME);
        return;
    }
    columns_write(c, &self->columns, false, scratch, out);
}

const struct converter_ops cri_ops = {.name = "cri",
                                      .open = cri_open,
                                      .close = cri_close,
                                      .gives = cri_gives,
                                      .scratch_bytes = cri_scratch_bytes,
                                      .file = cri_file,
                                      .line = cri_line,
                                      .joins = true,
                                      .own_time = true};
