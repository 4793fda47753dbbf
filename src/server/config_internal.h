// SPDX-License-Identifier: Apache-2.0
// Private to config*.c.
#ifndef MTLS_SERVER_CONFIG_INTERNAL_H
#define MTLS_SERVER_CONFIG_INTERNAL_H

#include "base/yaml.h"
#include "server/config.h"

#include <stdbool.h>

// --- what is wrong (config_problems.c) ---

// Where something was said: a line and a path of the file, or an option of the command line; {0}: nowhere, it is a
// default.
struct place {
    const char *option; // "--port"
    int line;
    char path[160];
};

struct problem {
    int line; // 0: of the command line
    enum err_kind kind;
    char *text;
};

struct problems {
    struct problem *items;
    size_t count;
    size_t cap;
};

// A value that cannot be: of the command line, a usage error. `file` is the configuration's name. Returns -1.
int problem_value(struct problems *p, const char *file, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// Something around us is not as it must be, a file for instance.
int problem_environment(struct problems *p, const char *file, const struct place *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void problems_take(struct problems *p, struct yaml_doc *doc); // and those of the file
// 0: there are none. Else the error has as many as fit, and `all`, unless it is NULL, every one.
int problems_result(struct problems *p, struct buf *all, struct err *e);
void problems_clear(struct problems *p);

// --- what was said: keys and values (config_keys.c, config_value.c) ---

struct value {
    struct place at;
    const struct yaml_node *node; // NULL: not of the file,
    const char *const *texts;     // but of the command line, or a default
    size_t count;
};

struct item {
    const char *text;
    struct place at;
};

struct file_value {
    char *path; // relative to the working directory; NULL: not given
    struct place at;
    bool said; // something was, perhaps nothing that is good
};

struct file_list {
    struct file_value *items;
    size_t count;
    bool said;
};

struct reading {
    const struct server_source *source;
    struct server_config *config;
    struct yaml_doc *doc;
    char *folder; // of the configuration's file, with a slash; "" for the working directory
    struct problems problems;
    struct file_value pki, certificate, key, key_file, root, control, explain_file;
    struct file_list anchors, intermediates, crls;
    struct place host, revocation;
    unsigned *ports; // of config->addresses; PORT_NONE: the configuration's
};
enum { PORT_NONE = 65536 };

struct config_key {
    const char *path;
    void (*read)(struct reading *r, const struct config_key *key, const struct value *value);
    size_t offset;       // of what it fills: in struct reading or struct server_config, as `read` knows
    int64_t least, most; // of numbers, durations (ms) and sizes
    const char *normal;  // what holds when it is not given, read as if it had been written; NULL: nothing
    const char *option;  // of the command line that goes before it, or NULL
    size_t source;       // where that is in struct server_source
};
extern const struct config_key config_keys[];
extern const size_t config_key_count;

void config_read_keys(struct reading *r); // walks the file, then the command line

// The text of a value that must be one. NULL: there is a problem.
const char *value_text(struct reading *r, const struct value *value, const char *what);
// The texts of a list; what is no text, or there twice, is a problem and left out. Free the items.
size_t value_items(struct reading *r, const struct value *value, struct item **items);
// "1 to 256": what a number may be; "" where there is nothing to say.
enum { VALUE_LIMITS = 80 };
const char *value_limits(const struct config_key *key, char text[VALUE_LIMITS]);
// Readers of config_keys[].read
typedef void value_reader(struct reading *r, const struct config_key *key, const struct value *value);
value_reader value_read_number, value_read_duration, value_read_size, value_read_seconds, value_read_host,
    value_read_path, value_read_paths, value_read_addresses, value_read_versions, value_read_unsafe, value_read_words,
    value_read_switch;

// --- memory that the configuration holds on to (config.c) ---

struct config_file { // that the configuration was made of
    char *path;
    enum config_file_kind {
        FILE_CONFIGURATION,
        FILE_CREDENTIAL,
        FILE_ANCHORS,
        FILE_INTERMEDIATES,
        FILE_LISTS,
        FILE_TICKET_KEYS,
    } kind;
    struct place at;
};

struct config_memory {
    void **kept;
    size_t kept_count, kept_cap;
    struct config_file *files;
    size_t file_count, file_cap;
    size_t rules_written; // in the file: lists of patterns multiply them
    size_t rules_before;  // the one that allows any verified client
};

void *config_keep(struct server_config *config, void *memory); // freed with the configuration; returns it
void config_add_file(struct server_config *config, enum config_file_kind kind, const char *path,
                     const struct place *at);

// --- files and rules ---

// Which files count, from what was said; those that are missing, unreadable or do not belong together are problems.
void config_find_files(struct reading *r);
// Reads every certificate and list for its mistakes; those that are not there are one too if `missing_too`.
void config_check_files(const struct server_config *config, bool missing_too, struct problems *problems);
void config_read_rules(struct reading *r);

#endif
