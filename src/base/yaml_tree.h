// SPDX-License-Identifier: Apache-2.0
// Private to yaml*.c: the tree of a YAML file, with positions.
#ifndef MTLS_BASE_YAML_TREE_H
#define MTLS_BASE_YAML_TREE_H

#include "base/yaml.h"

enum yaml_kind { YAML_KIND_TEXT, YAML_KIND_LIST, YAML_KIND_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    int line;
    char *text; // of a scalar
    bool plain; // it stands there without quotes
    struct yaml_child {
        char *key; // NULL in a list
        int line;  // where the key is, or the item
        struct yaml_node *node;
    } * children;
    size_t count;
    size_t cap;
};

struct yaml_doc {
    char *file;
    struct yaml_node *root;
    struct yaml_problem *problems;
    size_t count; // of the problems that are kept
    size_t cap;
    size_t dropped; // problems beyond YAML_PROBLEM_LIMIT
};

// Reads the text into doc->root. -1: a problem was added.
int yaml_tree_read(struct yaml_doc *doc, struct span text);
void yaml_node_free(struct yaml_node *node);

// Adds a problem for every difference between the tree and the schema.
void yaml_tree_check(struct yaml_doc *doc, const cyaml_schema_value_t *schema);

int yaml_problem_at(struct yaml_doc *doc, int line, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// As yaml_unknown, without `typed` in the message when `in_path` says that it is the end of the path anyway.
int yaml_unknown_at(struct yaml_doc *doc, int line, const char *path, bool in_path, const char *what, const char *typed,
                    const char *const *known);

enum { YAML_SHOWN = 80, YAML_LISTED = 600 }; // bytes of a value, and of a list, that a message repeats

#endif
