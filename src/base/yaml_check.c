// SPDX-License-Identifier: Apache-2.0
// The tree of a file held against a libcyaml schema: every difference becomes a problem with line, path, and what
// would be right. Floats, bit fields and fixed sequences are left to libcyaml's own words.
#include "base/text.h"
#include "base/yaml_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct walk {
    struct yaml_doc *doc;
    struct buf path; // of the node that is looked at
    int line;        // its line; for a field that of the key
};

typedef void check(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema);
static check check_value;

// Appends what it is that was found, for a message.
static const char *found(const struct yaml_node *node, struct buf *b)
{
    static const char *const words[] = {[YAML_KIND_LIST] = "a list", [YAML_KIND_MAPPING] = "a mapping"};
    if (node->kind != YAML_KIND_TEXT) {
        return words[node->kind];
    }
    if (node->plain && node->text[0] == '\0') {
        return "nothing";
    }
    buf_text(b, "\"");
    text_escape(b, node->text, strlen(node->text), YAML_SHOWN);
    buf_text(b, "\"");
    return (const char *)b->data;
}

int yaml_expected_at(struct yaml_doc *doc, int line, const char *path, const struct yaml_node *node, const char *what)
{
    struct buf b = {0};
    yaml_problem_at(doc, line, path, "expected %s, found %s", what, found(node, &b));
    buf_clear(&b);
    return -1;
}

static void expected(struct walk *w, const struct yaml_node *node, const char *what)
{
    yaml_expected_at(w->doc, w->line, (const char *)w->path.data, node, what);
}

// libcyaml would take them for text.
bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; node->plain && i < sizeof nulls / sizeof nulls[0]; i++) {
        if (strcmp(node->text, nulls[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void check_text(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    if (node->kind != YAML_KIND_TEXT) {
        expected(w, node, "text");
        return;
    }
    const char *path = (const char *)w->path.data;
    size_t len = strlen(node->text);
    if (yaml_is_null(node)) {
        yaml_problem_at(w->doc, w->line, path, "it has no value (write \"\" for empty text)");
    } else if (len < schema->string.min) {
        yaml_problem_at(w->doc, w->line, path, "it is shorter than %" PRIu32 " bytes", schema->string.min);
    } else if (len > schema->string.max) {
        yaml_problem_at(w->doc, w->line, path, "it is longer than %" PRIu32 " bytes", schema->string.max);
    }
}

static void check_bool(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    (void)schema;
    if (node->kind != YAML_KIND_TEXT || (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)) {
        expected(w, node, "true or false");
    }
}

// libcyaml would read 010 as eight, and 1.5 as one.
bool yaml_is_decimal(const char *text)
{
    const char *digits = text + (text[0] == '-');
    size_t n = strspn(digits, "0123456789");
    return n > 0 && digits[n] == '\0' && (digits[0] != '0' || n == 1);
}

static void check_number(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    if (node->kind != YAML_KIND_TEXT || !yaml_is_decimal(node->text)) {
        expected(w, node, "a whole number");
        return;
    }
    unsigned bits = 8 * schema->data_size - (schema->type == CYAML_INT || schema->data_size == 8); // of the largest
    int64_t most = (int64_t)((UINT64_C(1) << bits) - 1);
    int64_t least = schema->type == CYAML_UINT ? 0 : -most - 1;
    errno = 0;
    long long n = strtoll(node->text, NULL, 10);
    if (errno != 0 || n < least || n > most) {
        yaml_problem_at(w->doc, w->line, (const char *)w->path.data,
                        "%.*s is out of range (%" PRId64 " to %" PRId64 ")", YAML_SHOWN, node->text, least, most);
    }
}

static void check_word(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    if (node->kind != YAML_KIND_TEXT) {
        expected(w, node, "a word");
        return;
    }
    const char **known = mem_array(schema->enumeration.count + 1, sizeof *known);
    bool right = false;
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        known[i] = schema->enumeration.strings[i].str;
        right = right || strcmp(known[i], node->text) == 0;
    }
    if (!right) {
        yaml_unknown_at(w->doc, w->line, (const char *)w->path.data, false, "word", node->text, known);
    }
    free(known);
}

static void check_child(struct walk *w, const struct yaml_child *child, const cyaml_schema_value_t *schema, check *how)
{
    int line = w->line;
    w->line = child->line;
    how(w, child->node, schema);
    w->line = line;
}

static void leave(struct walk *w, size_t length)
{
    w->path.len = length;
    w->path.data[length] = '\0';
}

static void check_list(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    bool words = schema->type == CYAML_FLAGS;
    const char *path = (const char *)w->path.data;
    if (node->kind == YAML_KIND_TEXT && !yaml_is_null(node)) {
        struct buf b = {0};
        found(node, &b);
        yaml_problem_at(w->doc, w->line, path, "expected a list, found %s; write [%s]", (char *)b.data, (char *)b.data);
        buf_clear(&b);
        return;
    }
    if (node->kind != YAML_KIND_LIST) {
        expected(w, node, "a list");
        return;
    }
    if (!words && node->count < schema->sequence.min) {
        yaml_problem_at(w->doc, w->line, path, "it must have at least %" PRIu32 " item%s", schema->sequence.min,
                        schema->sequence.min == 1 ? "" : "s");
    } else if (!words && node->count > schema->sequence.max) {
        yaml_problem_at(w->doc, w->line, path, "it must have at most %" PRIu32 " items", schema->sequence.max);
    }
    size_t length = w->path.len;
    for (size_t i = 0; i < node->count; i++) {
        buf_printf(&w->path, "[%zu]", i);
        check_child(w, &node->children[i], words ? schema : schema->sequence.entry, words ? check_word : check_value);
        leave(w, length);
    }
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *schema, const char *key)
{
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key != NULL; f++) {
        if (strcmp(f->key, key) == 0) {
            return f;
        }
    }
    return NULL;
}

static const struct yaml_child *child_of(const struct yaml_node *node, const char *key)
{
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->children[i].key, key) == 0) {
            return &node->children[i];
        }
    }
    return NULL;
}

static void unknown_field(struct walk *w, const char *key, const cyaml_schema_value_t *schema)
{
    size_t count = 0;
    while (schema->mapping.fields[count].key != NULL) {
        count++;
    }
    const char **known = mem_array(count + 1, sizeof *known);
    for (size_t i = 0; i < count; i++) {
        known[i] = schema->mapping.fields[i].key;
    }
    yaml_unknown_at(w->doc, w->line, (const char *)w->path.data, true, "field", key, known);
    free(known);
}

static void check_field(struct walk *w, const struct yaml_node *mapping, const struct yaml_child *child,
                        const cyaml_schema_value_t *schema)
{
    size_t length = w->path.len;
    int line = w->line;
    w->line = child->line;
    buf_text(&w->path, length == 0 ? "" : ".");
    text_escape(&w->path, child->key, strlen(child->key), YAML_SHOWN);
    const cyaml_schema_field_t *field = field_of(schema, child->key);
    const struct yaml_child *first = field == NULL ? NULL : child_of(mapping, child->key);
    if (field == NULL) {
        unknown_field(w, child->key, schema);
    } else if (first != child) {
        yaml_problem_at(w->doc, w->line, (const char *)w->path.data, "given twice (first in line %d)", first->line);
    } else {
        check_value(w, child->node, &field->value);
    }
    w->line = line;
    leave(w, length);
}

static void check_mapping(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    if (node->kind != YAML_KIND_MAPPING) {
        expected(w, node, "a mapping of fields to values");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        check_field(w, node, &node->children[i], schema);
    }
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key != NULL; f++) {
        if ((f->value.flags & CYAML_FLAG_OPTIONAL) == 0 && child_of(node, f->key) == NULL) {
            yaml_problem_at(w->doc, w->line, (const char *)w->path.data, "the field \"%s\" is missing", f->key);
        }
    }
}

static void check_value(struct walk *w, const struct yaml_node *node, const cyaml_schema_value_t *schema)
{
    static check *const checks[CYAML__TYPE_COUNT] = {
        [CYAML_INT] = check_number,      [CYAML_UINT] = check_number,   [CYAML_BOOL] = check_bool,
        [CYAML_ENUM] = check_word,       [CYAML_FLAGS] = check_list,    [CYAML_STRING] = check_text,
        [CYAML_MAPPING] = check_mapping, [CYAML_SEQUENCE] = check_list,
    };
    if (checks[schema->type] != NULL) {
        checks[schema->type](w, node, schema);
    }
}

void yaml_tree_check(struct yaml_doc *doc, const cyaml_schema_value_t *schema)
{
    struct walk w = {.doc = doc, .line = 1};
    buf_add(&w.path, "", 0);
    if (doc->root == NULL) {
        yaml_problem_at(doc, 1, "", "the file is empty");
    } else {
        check_value(&w, doc->root, schema);
    }
    buf_clear(&w.path);
}
