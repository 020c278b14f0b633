/* SPDX-License-Identifier: Apache-2.0 */
/* The infos that are made: of ver 3 and of version 4. */
#include "json_raw.h"
#include "telemetry_ping_impl.h"

struct origin {
    struct str name, from; /* .from.at NULL: .fixed */
    struct str fixed;      /* or where there is none */
};

#define TEXT(literal)                                                                                                  \
    { "" literal, sizeof(literal) - 1 }

static const struct origin device[] = {
    {TEXT("reason"), {NULL, 0}, TEXT("ftu")},
    {TEXT("appUpdateChannel"), TEXT("deviceinfo.update_channel"), TEXT("UNKNOWN")},
    {TEXT("appBuildID"), TEXT("deviceinfo.platform_build_id"), TEXT("UNKNOWN")},
    {TEXT("appName"), {NULL, 0}, TEXT("FirefoxOS")},
    {TEXT("appVersion"), TEXT("deviceinfo.platform_version"), TEXT("UNKNOWN")},
};
static const struct origin application[] = {
    {TEXT("appName"), TEXT("name"), {NULL, 0}},       {TEXT("appUpdateChannel"), TEXT("channel"), {NULL, 0}},
    {TEXT("appVersion"), TEXT("version"), {NULL, 0}}, {TEXT("appBuildID"), TEXT("buildId"), {NULL, 0}},
    {TEXT("arch"), TEXT("architecture"), {NULL, 0}},  {TEXT("platformVersion"), TEXT("platformVersion"), {NULL, 0}},
    {TEXT("xpcomAbi"), TEXT("xpcomAbi"), {NULL, 0}},  {TEXT("vendor"), TEXT("vendor"), {NULL, 0}},
};

enum { DEVICE = sizeof device / sizeof device[0], APPLICATION = sizeof application / sizeof application[0] };

static struct telemetry_value value_of(struct json_node object, const struct origin *origin) {
    struct telemetry_value value = {.node = JSON_NODE_NONE};
    if (origin->from.at) value.node = telemetry_member_last(object, origin->from);
    if (!json_given(value.node)) value.fixed = origin->fixed;
    return value;
}

static struct telemetry_value among(struct json_node object, const struct origin *origins, size_t count,
                                    struct str name) {
    for (size_t i = 0; i < count; i++)
        if (str_equal(origins[i].name, name)) return value_of(object, &origins[i]);
    return (struct telemetry_value){.node = JSON_NODE_NONE};
}

struct telemetry_value telemetry_ping_info(const struct telemetry_ping *p, struct str name) {
    if (p->info == TELEMETRY_INFO_OWN) return (struct telemetry_value){.node = telemetry_member_last(p->own, name)};
    if (p->info == TELEMETRY_INFO_DEVICE) return among(p->root, device, DEVICE, name);
    if (str_equal(name, STR("reason")))
        return (struct telemetry_value){.node = telemetry_member_last(p->root, STR("type"))};
    return among(telemetry_member_last(p->root, STR("application")), application, APPLICATION, name);
}

static struct str raw_of(const struct telemetry_members *members, struct str name) {
    const struct telemetry_member *member = telemetry_members_find(members, name);
    return member ? member->raw : (struct str){0};
}

static void put_one(struct json_out *json, struct str name, struct str raw, struct str fixed) {
    if (!raw.at && !fixed.at) return;
    json_key(json, name);
    if (!raw.at) {
        json_str(json, fixed);
        return;
    }
    json_raw_compact(raw, json->to);
    json->need_comma = true;
}

void telemetry_put_info(struct telemetry_ping *p, struct json_out *json) {
    bool unified = p->info == TELEMETRY_INFO_APPLICATION;
    const struct origin *origins = unified ? application : device;
    const struct telemetry_member *app = unified ? telemetry_members_find(&p->top, STR("application")) : NULL;
    if (app) telemetry_members_read(&p->values, app->node, app->raw);
    const struct telemetry_members *from = unified ? &p->values : &p->top;
    json_key(json, STR("info"));
    json_open(json, '{');
    for (size_t i = 0; i < (unified ? (size_t)APPLICATION : (size_t)DEVICE); i++) {
        struct str raw = origins[i].from.at ? raw_of(from, origins[i].from) : (struct str){0};
        if (unified && str_equal(raw, STR("null"))) continue;
        put_one(json, origins[i].name, raw, origins[i].fixed);
    }
    if (unified) put_one(json, STR("reason"), raw_of(&p->top, STR("type")), (struct str){0});
    json_close(json, '}');
}
