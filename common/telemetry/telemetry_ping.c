/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry_ping.h"

#include "json_raw.h"
#include "telemetry_ping_impl.h"
#include "telemetry_quantity.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum telemetry_outcome telemetry_reject(struct telemetry_ping *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(p->why.text, sizeof p->why.text, format, list);
    va_end(list);
    return TELEMETRY_REJECT;
}

void telemetry_put_key(struct json_out *json, struct str quoted) {
    json_raw(json, quoted);
    buf_add_char(json->to, ':');
    json->need_comma = false;
}

void telemetry_put_value(struct json_out *json, struct str raw) {
    json_raw_compact(raw, json->to);
    json->need_comma = true;
}

static bool is_null(const struct telemetry_member *m) { return !m || json_type(m->node) == JSON_NULL; }

/* Where the histograms are: in the ping, or in its payload. */
static enum telemetry_outcome look_at_section(struct telemetry_ping *p, const struct telemetry_members *section) {
    const struct telemetry_member *info = telemetry_members_find(section, STR("info"));
    const struct telemetry_member *histograms = telemetry_members_find(section, STR("histograms"));
    struct str url = {0}, revision;
    if (is_null(info)) return telemetry_reject(p, "missing info");
    if (json_type(info->node) != JSON_OBJECT) return telemetry_reject(p, "info is not an object");
    struct json_node node = telemetry_member_last(info->node, STR("revision"));
    if (!json_given(node)) return histograms ? telemetry_reject(p, "missing info.revision") : TELEMETRY_DONE;
    if (!histograms) return telemetry_reject(p, "missing histograms");
    if (json_type(histograms->node) != JSON_OBJECT) return telemetry_reject(p, "histograms is not an object");
    if (json_get_str(node, &url) != RC_OK || telemetry_revision(url, &revision) != RC_OK)
        return telemetry_reject(p, "invalid revision URL");
    enum rc rc = telemetry_cache_get(&p->cache, revision, &p->definitions, &p->why);
    if (rc == RC_OK) return TELEMETRY_DONE;
    return rc == RC_ABSENT ? TELEMETRY_UNDEFINED : TELEMETRY_LATER;
}

static void put_member(struct telemetry_ping *p, const struct telemetry_member *m, struct json_out *json) {
    bool twice = p->has_uuid && str_equal(m->name, STR("uuid"));
    telemetry_put_key(json, twice ? STR("\"uuid_2\"") : m->key);
    telemetry_put_value(json, m->raw);
}

static void put_all(struct telemetry_ping *p, struct json_out *json) {
    for (size_t i = 0; i < p->top.count; i++) put_member(p, &p->top.at[i], json);
    json_close(json, '}');
}

static enum telemetry_outcome put_ver_1(struct telemetry_ping *p, struct json_out *json) {
    enum telemetry_outcome outcome = look_at_section(p, &p->top);
    for (size_t i = 0; i < p->top.count && outcome == TELEMETRY_DONE; i++) {
        const struct telemetry_member *m = &p->top.at[i];
        if (str_equal(m->name, STR("ver"))) {
            telemetry_put_key(json, m->key);
            json_u64(json, 2);
        } else if (p->definitions && str_equal(m->name, STR("histograms"))) {
            outcome = telemetry_histograms(p, m, json);
        } else {
            put_member(p, m, json);
        }
    }
    json_close(json, '}');
    return outcome;
}

static enum telemetry_outcome put_ver_3(struct telemetry_ping *p, struct json_out *json) {
    bool has_info = false;
    p->info = TELEMETRY_INFO_DEVICE;
    for (size_t i = 0; i < p->top.count; i++) {
        const struct telemetry_member *m = &p->top.at[i];
        if (str_equal(m->name, STR("ver"))) {
            telemetry_put_key(json, m->key);
            json_u64(json, 2);
        } else if (str_equal(m->name, STR("info"))) {
            telemetry_put_info(p, json);
            has_info = true;
        } else if (!str_equal(m->name, STR("pingID"))) {
            put_member(p, m, json);
        }
    }
    if (!has_info) telemetry_put_info(p, json);
    json_close(json, '}');
    return TELEMETRY_DONE;
}

static enum telemetry_outcome put_ver(struct telemetry_ping *p, struct str ver, struct json_out *json) {
    const struct telemetry_member *info = telemetry_members_find(&p->top, STR("info"));
    if (info) p->own = info->node;
    if (str_equal(ver, STR("1"))) return put_ver_1(p, json);
    if (str_equal(ver, STR("3"))) return put_ver_3(p, json);
    if (!str_equal(ver, STR("2")) && !str_equal(ver, STR("5"))) return telemetry_reject(p, "unknown payload version");
    if (is_null(info)) return telemetry_reject(p, "missing info");
    put_all(p, json);
    return TELEMETRY_DONE;
}

static bool says_nothing(const struct telemetry_member *m) {
    double number = 1;
    if (!m || is_null(m) || str_equal(m->raw, STR("false")) || str_equal(m->raw, STR("\"\""))) return true;
    if (telemetry_number(m->node, &number) == RC_OK) return number == 0;
    enum json_type type = json_type(m->node);
    return (type == JSON_OBJECT || type == JSON_ARRAY) && !json_count(m->node);
}

static enum telemetry_outcome put_payload(struct telemetry_ping *p, const struct telemetry_member *payload,
                                          struct json_out *json) {
    enum telemetry_outcome outcome = TELEMETRY_DONE;
    telemetry_put_key(json, payload->key);
    json_open(json, '{');
    for (size_t i = 0; i < p->payload.count && outcome == TELEMETRY_DONE; i++) {
        const struct telemetry_member *m = &p->payload.at[i];
        if (str_equal(m->name, STR("histograms"))) {
            outcome = telemetry_histograms(p, m, json);
            continue;
        }
        telemetry_put_key(json, m->key);
        telemetry_put_value(json, m->raw);
    }
    json_close(json, '}');
    return outcome;
}

/* Main pings have histograms. */
static enum telemetry_outcome look_at_payload(struct telemetry_ping *p, const struct telemetry_member *type,
                                              const struct telemetry_member *payload, bool *out_converts) {
    struct str word = {0};
    *out_converts = json_get_str(type->node, &word) == RC_OK &&
                    (str_equal(word, STR("main")) || str_equal(word, STR("saved-session")));
    if (!*out_converts) return TELEMETRY_DONE;
    if (json_type(payload->node) != JSON_OBJECT) return telemetry_reject(p, "payload is not an object");
    telemetry_members_read(&p->payload, payload->node, payload->raw);
    if (!telemetry_members_find(&p->payload, STR("info"))) return telemetry_reject(p, "missing payload.info");
    if (!telemetry_members_find(&p->payload, STR("histograms")))
        return telemetry_reject(p, "missing payload.histograms");
    return look_at_section(p, &p->payload);
}

static enum telemetry_outcome put_version_4(struct telemetry_ping *p, const struct telemetry_member *type,
                                            struct json_out *json) {
    const struct telemetry_member *payload = telemetry_members_find(&p->top, STR("payload"));
    const struct telemetry_member *app = telemetry_members_find(&p->top, STR("application"));
    bool converts = false;
    if (telemetry_members_find(&p->top, STR("info"))) return telemetry_reject(p, "raw unified ping has info");
    if (json_type(app->node) != JSON_OBJECT) return telemetry_reject(p, "application is not an object");
    enum telemetry_outcome outcome = look_at_payload(p, type, payload, &converts);
    for (size_t i = 0; i < p->top.count && outcome == TELEMETRY_DONE; i++) {
        const struct telemetry_member *m = &p->top.at[i];
        if (str_equal(m->name, STR("version"))) {
            telemetry_put_key(json, m->key);
            json_u64(json, 5);
        } else if (converts && m == payload) {
            outcome = put_payload(p, m, json);
        } else {
            put_member(p, m, json);
        }
    }
    if (outcome != TELEMETRY_DONE) return outcome;
    p->info = TELEMETRY_INFO_APPLICATION;
    telemetry_put_info(p, json);
    json_close(json, '}');
    return TELEMETRY_DONE;
}

static enum telemetry_outcome put_unified(struct telemetry_ping *p, const struct telemetry_member *version,
                                          struct json_out *json) {
    const struct telemetry_member *type = telemetry_members_find(&p->top, STR("type"));
    double number = 0;
    bool known = telemetry_number(version->node, &number) == RC_OK && (number == 4 || number == 5);
    if (!known) return telemetry_reject(p, "unknown unified ping version");
    if (says_nothing(type)) return telemetry_reject(p, "unified ping has no type");
    if (!telemetry_members_find(&p->top, STR("application")))
        return telemetry_reject(p, "unified ping has no application");
    if (!telemetry_members_find(&p->top, STR("payload"))) return telemetry_reject(p, "unified ping has no payload");
    if (number == 4) return put_version_4(p, type, json);
    const struct telemetry_member *info = telemetry_members_find(&p->top, STR("info"));
    if (info) p->own = info->node;
    put_all(p, json);
    return TELEMETRY_DONE;
}

enum telemetry_outcome telemetry_ping_convert(struct telemetry_ping *p, struct json_node root, struct str raw,
                                              struct json_out *json) {
    p->dropped = 0;
    p->definitions = NULL;
    p->info = TELEMETRY_INFO_OWN;
    p->root = root;
    p->own = JSON_NODE_NONE;
    if (json_type(root) != JSON_OBJECT) return telemetry_reject(p, "payload is not an object");
    telemetry_members_read(&p->top, root, raw);
    const struct telemetry_member *ver = telemetry_members_find(&p->top, STR("ver"));
    const struct telemetry_member *version = telemetry_members_find(&p->top, STR("version"));
    if (ver) return put_ver(p, ver->raw, json);
    return version ? put_unified(p, version, json) : telemetry_reject(p, "missing payload version");
}

void telemetry_ping_done(struct telemetry_ping *p) {
    telemetry_cache_done(&p->cache);
    telemetry_members_done(&p->top);
    telemetry_members_done(&p->payload);
    telemetry_members_done(&p->histograms);
    telemetry_members_done(&p->values);
    free(p->counts);
}
