// SPDX-License-Identifier: Apache-2.0
// Private to yaml*.c: the file behind the tree.
#ifndef MTLS_BASE_YAML_TREE_H
#define MTLS_BASE_YAML_TREE_H

#include "base/yaml.h"

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

enum { YAML_LISTED = 600 }; // bytes of a list that a message repeats

#endif
