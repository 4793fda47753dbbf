// SPDX-License-Identifier: Apache-2.0
// Text -> tree, by libyaml's events. What libcyaml would skip silently (a second document, tags) or what could make a
// small file large (aliases) ends here.
#include "base/yaml_tree.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
    struct yaml_doc *doc;
    struct span text;
    yaml_parser_t parser;
    yaml_event_t event; // the one that was read last
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1; // no overflow: YAML_SIZE_LIMIT bounds it
}

// The reader of libyaml, which decodes UTF-8, knows an offset and no line.
static int line_of_offset(struct span text, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        line += text.data[i] == '\n';
    }
    return line;
}

// What to do about the mistakes that libyaml's words explain least.
static const char *hint_for(const char *problem)
{
    static const struct {
        const char *problem;
        const char *hint;
    } hints[] = {
        {"found character that cannot start any token", " (put quotes around it; indent with spaces, not tabs)"},
        {"found a tab character that violates indentation", " (indent with spaces, not tabs)"},
        {"mapping values are not allowed in this context",
         " (put quotes around text with a colon in it, and look at the indentation)"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (strcmp(hints[i].problem, problem) == 0) {
            return hints[i].hint;
        }
    }
    return "";
}

static int syntax_problem(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *what = p->problem == NULL ? "it cannot be parsed" : p->problem;
    if (p->error == YAML_READER_ERROR) {
        return yaml_problem_at(r->doc, line_of_offset(r->text, p->problem_offset), "",
                               "this is not YAML: %s; it must be UTF-8 text", what);
    }
    int line = line_of(p->problem_mark);
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line) {
        return yaml_problem_at(r->doc, line, "", "this is not YAML: %s from line %d on: %s%s", p->context,
                               line_of(p->context_mark), what, hint_for(what));
    }
    return yaml_problem_at(r->doc, line, "", "this is not YAML: %s%s", what, hint_for(what));
}

static int next(struct reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) ? 0 : syntax_problem(r);
}

static int event_problem(struct reader *r, const char *what)
{
    return yaml_problem_at(r->doc, line_of(r->event.start_mark), "", "%s", what);
}

static const yaml_char_t *event_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT: return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT: return event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT: return event->data.mapping_start.tag;
    default: return NULL;
    }
}

// NUL would end the text for C, and what is not seen (escape sequences, bidi marks) would deceive whoever reads it in a
// message. Everything that text_escape escapes counts, but for what a text in a file may well contain.
static bool is_visible(const char *text, size_t length)
{
    struct buf escaped = {0};
    size_t expected = length;
    text_escape(&escaped, text, length, SIZE_MAX);
    for (size_t i = 0; i < length; i++) {
        bool usual = text[i] == '\\' || text[i] == '\n' || text[i] == '\t';
        expected += usual ? strlen("x5C") : 0;
    }
    bool visible = escaped.len == expected;
    buf_clear(&escaped);
    return visible;
}

static int read_text(struct reader *r, char **text)
{
    const char *value = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    if (!is_visible(value, length)) {
        return event_problem(r, "control and invisible characters cannot be part of a text");
    }
    *text = mem_strndup(value, length);
    return 0;
}

// Reads a key and leaves the event of its value.
static int read_key(struct reader *r, struct yaml_child *child)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        return event_problem(r, "the name of a field must be text");
    }
    return read_text(r, &child->key) != 0 ? -1 : next(r);
}

static int read_node(struct reader *r, int depth, struct yaml_node **node);

static int read_children(struct reader *r, int depth, yaml_event_type_t end, struct yaml_node *node)
{
    if (depth == YAML_DEPTH_LIMIT) {
        return event_problem(r, "nested too deeply");
    }
    while (next(r) == 0) {
        if (r->event.type == end) {
            return 0;
        }
        node->children = mem_grow(node->children, &node->cap, sizeof *node->children, node->count + 1);
        struct yaml_child *child = &node->children[node->count++];
        child->line = line_of(r->event.start_mark);
        if ((node->kind == YAML_KIND_MAPPING && read_key(r, child) != 0) ||
            read_node(r, depth + 1, &child->node) != 0) {
            return -1;
        }
    }
    return -1;
}

// Reads the node that the current event starts, up to the event that ends it.
static int read_node(struct reader *r, int depth, struct yaml_node **node)
{
    if (r->event.type == YAML_ALIAS_EVENT) {
        return event_problem(r, "aliases (*name) are not supported; write the value out");
    }
    if (event_tag(&r->event) != NULL) {
        return event_problem(r, "tags (!name) are not supported; leave it out");
    }
    struct yaml_node *n = *node = mem_alloc(sizeof *n);
    n->line = line_of(r->event.start_mark);
    switch (r->event.type) {
    case YAML_SEQUENCE_START_EVENT:
        n->kind = YAML_KIND_LIST;
        return read_children(r, depth, YAML_SEQUENCE_END_EVENT, n);
    case YAML_MAPPING_START_EVENT:
        n->kind = YAML_KIND_MAPPING;
        return read_children(r, depth, YAML_MAPPING_END_EVENT, n);
    default: // only a scalar is left where a node may start
        n->kind = YAML_KIND_TEXT;
        n->plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        return read_text(r, &n->text);
    }
}

static int read_stream(struct reader *r)
{
    if (next(r) != 0 || next(r) != 0) { // the start of the stream, then that of the document
        return -1;
    }
    if (r->event.type == YAML_STREAM_END_EVENT) {
        return 0;
    }
    if (next(r) != 0 || read_node(r, 0, &r->doc->root) != 0 || next(r) != 0 || next(r) != 0) {
        return -1;
    }
    return r->event.type == YAML_STREAM_END_EVENT ? 0 : event_problem(r, "a second document; one file holds one");
}

int yaml_tree_read(struct yaml_doc *doc, struct span text)
{
    struct reader r = {.doc = doc, .text = text};
    if (!yaml_parser_initialize(&r.parser)) {
        return yaml_problem_at(doc, 1, "", "libyaml cannot start");
    }
    yaml_parser_set_input_string(&r.parser, text.data, text.len);
    int rc = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return rc;
}

void yaml_node_free(struct yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        free(node->children[i].key);
        yaml_node_free(node->children[i].node);
    }
    free(node->children);
    free(node->text);
    free(node);
}
