// SPDX-License-Identifier: Apache-2.0
// YAML into C structs by libcyaml, with errors for the people who write the files. libcyaml says what its parser met;
// they need the line, the field and what would be right. So the text is first read into a tree with positions, which
// is held against the libcyaml schema; only a text without problems reaches libcyaml, which fills the structs.
#ifndef MTLS_BASE_YAML_H
#define MTLS_BASE_YAML_H

#include "base/err.h"
#include "base/mem.h"

#include <cyaml/cyaml.h>
#include <stdbool.h>

// What is stricter here than in libcyaml: no aliases, no tags, one document a file; no field twice; "true" and "false"
// are the only booleans and decimal the only notation of numbers; a field without value is an error, not empty text.
enum { YAML_SIZE_LIMIT = 16 * 1024 * 1024, YAML_DEPTH_LIMIT = 16, YAML_PROBLEM_LIMIT = 1000 };
enum { YAML_SHOWN = 80 }; // bytes of a value that a message repeats

struct yaml_doc; // the tree of a file, and the problems found in it so far

// Fills *data (perhaps NULL when no field is given; free with yaml_data_free) by `schema`, which must be of type
// CYAML_MAPPING with CYAML_FLAG_POINTER. *doc is set in any case, so that all the problems can be listed after a
// failure; the error is that of yaml_result. `file` is only for messages.
int yaml_load(const char *file, struct span text, const cyaml_schema_value_t *schema, struct yaml_doc **doc,
              void **data, struct err *e);
void yaml_data_free(const cyaml_schema_value_t *schema, void *data);
void yaml_doc_free(struct yaml_doc *doc);

// For files whose values may be of several shapes, or whose mistakes must all be found even where some of it cannot be
// loaded: the tree alone, with positions, held against nothing. *doc is set in any case.
int yaml_read(const char *file, struct span text, struct yaml_doc **doc, struct err *e);

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
const struct yaml_node *yaml_root(const struct yaml_doc *doc); // NULL: the file is empty
bool yaml_is_null(const struct yaml_node *node);               // one of YAML's ways to write no value at all
bool yaml_is_decimal(const char *text);                        // decimal and nothing else: no 010, no 1.5, no +1

// Paths are written as in messages: "clients[2].key"; "" is the whole file.
bool yaml_has(const struct yaml_doc *doc, const char *path);
int yaml_line(const struct yaml_doc *doc, const char *path); // of the nearest existing ancestor if it is not there

// Adds a problem that the schema cannot know of, at the line of `path`. Saying the same twice is saying it once.
// Values in it must be escaped by the caller. Returns -1.
int yaml_problem(struct yaml_doc *doc, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int yaml_problem_at(struct yaml_doc *doc, int line, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// "expected WHAT, found ...": for a node of another shape or with another text.
int yaml_expected_at(struct yaml_doc *doc, int line, const char *path, const struct yaml_node *node, const char *what);

// The same for a word that is not in a list: 'unknown WHAT "typed" (did you mean "near"?)', or "(one of: ...)" when
// nothing is near. `typed` is escaped here.
int yaml_unknown(struct yaml_doc *doc, const char *path, const char *what, const char *typed, const char *const *known);
// At a line, and without `typed` in the message when `in_path` says that it is the end of the path anyway.
int yaml_unknown_at(struct yaml_doc *doc, int line, const char *path, bool in_path, const char *what, const char *typed,
                    const char *const *known);

struct yaml_problem {
    int line;
    char *text; // "FILE:LINE: PATH: what is wrong"
};
// All of them so far, by line; borrowed. At most YAML_PROBLEM_LIMIT are kept.
const struct yaml_problem *yaml_problems(struct yaml_doc *doc, size_t *count);
// 0 if there is no problem; else -1 and the first by line, with " (and N more)".
int yaml_result(struct yaml_doc *doc, struct err *e);

#endif
