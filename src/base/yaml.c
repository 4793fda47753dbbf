// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include "base/text.h"
#include "base/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void problem_add(struct yaml_doc *doc, int line, const char *path, const char *fmt, va_list ap)
{
    if (doc->count == YAML_PROBLEM_LIMIT) {
        doc->dropped++;
        return;
    }
    char what[sizeof((struct err *)NULL)->text];
    vsnprintf(what, sizeof what, fmt, ap);
    char *text = mem_printf("%s:%d: %s%s%s", doc->file, line, path, path[0] == '\0' ? "" : ": ", what);
    for (size_t i = 0; i < doc->count; i++) {
        if (strcmp(doc->problems[i].text, text) == 0) {
            free(text);
            return;
        }
    }
    doc->problems = mem_grow(doc->problems, &doc->cap, sizeof *doc->problems, doc->count + 1);
    size_t at = doc->count++;
    for (; at > 0 && doc->problems[at - 1].line > line; at--) { // kept sorted by line
        doc->problems[at] = doc->problems[at - 1];
    }
    doc->problems[at] = (struct yaml_problem){.line = line, .text = text};
}

int yaml_problem_at(struct yaml_doc *doc, int line, const char *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    problem_add(doc, line, path, fmt, ap);
    va_end(ap);
    return -1;
}

int yaml_problem(struct yaml_doc *doc, const char *path, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    problem_add(doc, yaml_line(doc, path), path, fmt, ap);
    va_end(ap);
    return -1;
}

// A message is for reading: a long list ends after the last whole word that has room.
static void cut_list(struct buf *list)
{
    if (list->len <= YAML_LISTED) {
        return;
    }
    for (list->len = YAML_LISTED; list->data[list->len - 1] != ' '; list->len--) {
    }
    buf_text(list, "...");
}

int yaml_unknown_at(struct yaml_doc *doc, int line, const char *path, bool in_path, const char *what, const char *typed,
                    const char *const *known)
{
    struct buf word = {0};
    struct buf hint = {0};
    const char *nearest = text_nearest(typed, known);
    if (!in_path) {
        buf_text(&word, " \"");
        text_escape(&word, typed, strlen(typed), YAML_SHOWN);
        buf_text(&word, "\"");
    }
    if (nearest != NULL) {
        buf_printf(&hint, "did you mean \"%s\"?", nearest);
    } else {
        buf_text(&hint, "one of: ");
        text_list(&hint, known);
        cut_list(&hint);
    }
    yaml_problem_at(doc, line, path, "unknown %s%s (%s)", what, in_path ? "" : (const char *)word.data,
                    (const char *)hint.data);
    buf_clear(&word);
    buf_clear(&hint);
    return -1;
}

int yaml_unknown(struct yaml_doc *doc, const char *path, const char *what, const char *typed, const char *const *known)
{
    return yaml_unknown_at(doc, yaml_line(doc, path), path, false, what, typed, known);
}

const struct yaml_problem *yaml_problems(struct yaml_doc *doc, size_t *count)
{
    *count = doc->count;
    return doc->problems;
}

int yaml_result(struct yaml_doc *doc, struct err *e)
{
    size_t count = doc->count + doc->dropped;
    if (count == 0) {
        return 0;
    }
    return count == 1 ? err_set(e, "%s", doc->problems[0].text)
                      : err_set(e, "%s (and %zu more)", doc->problems[0].text, count - 1);
}

// The child that the first step of *path names, "key" or "[2]"; *path moves behind it.
static const struct yaml_child *step(const struct yaml_node *node, const char **path)
{
    if (**path == '[' && node->kind == YAML_KIND_LIST) {
        char *end;
        unsigned long i = strtoul(*path + 1, &end, 10);
        *path = end + (*end == ']');
        return i < node->count ? &node->children[i] : NULL;
    }
    *path += **path == '.';
    size_t len = strcspn(*path, ".[");
    for (size_t i = 0; i < node->count && node->kind == YAML_KIND_MAPPING; i++) {
        const char *key = node->children[i].key;
        if (strncmp(key, *path, len) == 0 && key[len] == '\0') {
            *path += len;
            return &node->children[i];
        }
    }
    return NULL;
}

// Walks down `path` as far as it goes; true: to its end.
static bool find(const struct yaml_doc *doc, const char *path, int *line)
{
    const struct yaml_node *node = doc->root;
    *line = 1;
    while (node != NULL && *path != '\0') {
        const struct yaml_child *child = step(node, &path);
        if (child == NULL) {
            return false;
        }
        *line = child->line;
        node = child->node;
    }
    return node != NULL;
}

bool yaml_has(const struct yaml_doc *doc, const char *path)
{
    int line;
    return find(doc, path, &line);
}

int yaml_line(const struct yaml_doc *doc, const char *path)
{
    int line;
    find(doc, path, &line);
    return line;
}

// libcyaml logs what is wrong first and then where it was on the way there: the first message is the one to keep.
static void keep_first(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    struct err *first = ctx;
    if (level == CYAML_LOG_ERROR && !err_is_set(first)) {
        char text[sizeof first->text];
        vsnprintf(text, sizeof text, fmt, args);
        text[strcspn(text, "\n")] = '\0';
        err_set(first, "%s", text + (text_starts(text, "Load: ") ? strlen("Load: ") : 0));
    }
}

static cyaml_config_t config_of(struct err *first)
{
    return (cyaml_config_t){.log_fn = keep_first,
                            .log_ctx = first,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_NO_ALIAS};
}

static void fill(struct yaml_doc *doc, struct span text, const cyaml_schema_value_t *schema, void **data)
{
    struct err first = ERR_INIT;
    cyaml_config_t config = config_of(&first);
    cyaml_err_t rc = cyaml_load_data(text.data, text.len, &config, schema, data, NULL);
    if (rc != CYAML_OK) {
        yaml_problem_at(doc, 1, "", "%s (%s)", err_is_set(&first) ? first.text : "it cannot be loaded",
                        cyaml_strerror(rc));
    }
}

int yaml_read(const char *file, struct span text, struct yaml_doc **doc, struct err *e)
{
    struct yaml_doc *d = *doc = mem_alloc(sizeof *d);
    d->file = mem_strdup(file);
    if (text.len > YAML_SIZE_LIMIT) {
        yaml_problem_at(d, 1, "", "the file is larger than %d bytes", YAML_SIZE_LIMIT);
    } else {
        yaml_tree_read(d, text);
    }
    return yaml_result(d, e);
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
    return doc->root;
}

int yaml_load(const char *file, struct span text, const cyaml_schema_value_t *schema, struct yaml_doc **doc,
              void **data, struct err *e)
{
    *data = NULL;
    if (yaml_read(file, text, doc, e) != 0) {
        return -1;
    }
    yaml_tree_check(*doc, schema);
    if ((*doc)->count == 0) {
        fill(*doc, text, schema, data);
    }
    return yaml_result(*doc, e);
}

void yaml_data_free(const cyaml_schema_value_t *schema, void *data)
{
    struct err ignored = ERR_INIT;
    cyaml_config_t config = config_of(&ignored);
    cyaml_free(&config, schema, data, 0);
}

void yaml_doc_free(struct yaml_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    for (size_t i = 0; i < doc->count; i++) {
        free(doc->problems[i].text);
    }
    free(doc->problems);
    yaml_node_free(doc->root);
    free(doc->file);
    free(doc);
}
