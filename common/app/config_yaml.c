/* SPDX-License-Identifier: Apache-2.0 */
#include "config_yaml.h"

#include "config_error.h"

#include <yaml.h>

struct builder {
    struct config *config;
    struct why *why;
    yaml_parser_t parser;
    struct config_node *stack[CONFIG_DEPTH_MAX]; /* open lists and maps */
    size_t depth, nodes;
    struct config_node *root;
    bool has_key; /* a key of the innermost map waits for its value */
    struct str key;
    struct config_place key_place;
    size_t documents;
};

static struct config_place place_of(yaml_mark_t mark) {
    return (struct config_place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* libyaml's reader tells an offset, not a line. */
static struct config_place place_of_offset(struct str text, size_t offset) {
    struct config_place place = {1, 1};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        place.column++;
        if (text.at[i] == '\n') place = (struct config_place){place.line + 1, 1};
    }
    return place;
}

static enum rc fail_at(struct builder *b, struct config_place place, const char *words) {
    (void)config_error_at(b->config, place, "", b->why, "%s", words);
    return RC_DENIED;
}

static enum rc parser_error(struct builder *b, struct str text) {
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "it is not YAML";
    if (p->error == YAML_READER_ERROR)
        return config_error_at(b->config, place_of_offset(text, p->problem_offset), "", b->why,
                               "the file is no UTF-8 text: %s", problem);
    return config_error_at(b->config, place_of(p->problem_mark), "", b->why, "not valid YAML: %s%s%s", problem,
                           p->context ? " " : "", p->context ? p->context : "");
}

/* Hangs the node into the innermost open list or map, under the waiting key. */
static void attach(struct builder *b, struct config_node *node) {
    if (!b->depth) {
        b->root = node;
        return;
    }
    struct config_node *parent = b->stack[b->depth - 1];
    if (parent->kind == CONFIG_NODE_MAP) {
        node->key = b->key;
        node->key_place = b->key_place;
        b->has_key = false;
    }
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    parent->count++;
}

static bool key_is_due(const struct builder *b) {
    return b->depth && b->stack[b->depth - 1]->kind == CONFIG_NODE_MAP && !b->has_key;
}

static RC make_node(struct builder *b, enum config_node_kind kind, yaml_mark_t mark, struct config_node **out) {
    if (++b->nodes > CONFIG_YAML_NODES_MAX) return fail_at(b, place_of(mark), "the file has more than 65536 values");
    if (kind != CONFIG_NODE_SCALAR && key_is_due(b)) return fail_at(b, place_of(mark), "a key must be a single word");
    struct config_node *node = ARENA_NEW(&b->config->arena, struct config_node);
    node->kind = kind;
    node->place = place_of(mark);
    *out = node;
    return RC_OK;
}

static RC on_scalar(struct builder *b, const yaml_event_t *event) {
    struct config_node *node = NULL;
    TRY(make_node(b, CONFIG_NODE_SCALAR, event->start_mark, &node));
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    node->text = arena_str(&b->config->arena, text);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!key_is_due(b)) {
        attach(b, node);
        return RC_OK;
    }
    b->has_key = true;
    b->key = node->text;
    b->key_place = node->place;
    return RC_OK;
}

static RC on_open(struct builder *b, enum config_node_kind kind, const yaml_event_t *event) {
    struct config_node *node = NULL;
    TRY(make_node(b, kind, event->start_mark, &node));
    if (b->depth == CONFIG_DEPTH_MAX) return fail_at(b, node->place, "nested more than 16 levels deep");
    attach(b, node);
    b->stack[b->depth++] = node;
    return RC_OK;
}

/* What makes one place of the file mean another, or a value something else than it looks like. */
static RC refuse_references(struct builder *b, const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    struct config_place place = place_of(event->start_mark);
    if (event->type == YAML_ALIAS_EVENT) return fail_at(b, place, "aliases (*name) are not supported: write it out");
    if (anchor) return fail_at(b, place, "anchors (&name) are not supported: write it out");
    if (tag) return fail_at(b, place, "tags (!name) are not supported: take it out");
    return RC_OK;
}

static RC on_event(struct builder *b, const yaml_event_t *event) {
    TRY(refuse_references(b, event));
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->documents++) return fail_at(b, place_of(event->start_mark), "a second document (---): one is allowed");
        return RC_OK;
    case YAML_SCALAR_EVENT: return on_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT: return on_open(b, CONFIG_NODE_LIST, event);
    case YAML_MAPPING_START_EVENT: return on_open(b, CONFIG_NODE_MAP, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: b->depth--; return RC_OK;
    default: return RC_OK;
    }
}

static RC build(struct builder *b, struct str text) {
    for (bool end = false; !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event)) return parser_error(b, text);
        enum rc rc = on_event(b, &event);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        TRY(rc);
    }
    return b->root ? RC_OK : fail_at(b, (struct config_place){1, 1}, "the file is empty");
}

RC config_yaml_read(struct config *config, struct str text, struct config_node **out, struct why *why) {
    struct builder b = {.config = config, .why = why};
    /* libyaml takes a byte order mark for the first column, and then finds the second line less indented. */
    if (str_starts(text, STR("\xef\xbb\xbf"))) text = str_sub(text, 3, text.len);
    if (!yaml_parser_initialize(&b.parser)) return why_set(why, RC_LIMIT, "no memory for the YAML parser");
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text.at, text.len);
    enum rc rc = build(&b, text);
    yaml_parser_delete(&b.parser);
    TRY(rc);
    *out = b.root;
    return RC_OK;
}
