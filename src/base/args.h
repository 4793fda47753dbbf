// SPDX-License-Identifier: Apache-2.0
// Command lines. Each subcommand is one table of options; parsing, --help and "did you mean" all read that table.
#ifndef MTLS_BASE_ARGS_H
#define MTLS_BASE_ARGS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum arg_kind {
    ARG_FLAG,     // target: bool *, set to true
    ARG_TEXT,     // target: const char **, the last one given wins
    ARG_OPTIONAL, // the same, but the value may be left out, and then is ""; only --name=VALUE, never the next argument
    ARG_NUMBER,   // target: long *, not negative
    ARG_LIST,     // target: struct arg_list *, each one given is added
};

struct arg_list {
    const char **items; // borrowed from argv
    size_t count;
    size_t cap;
};

struct arg_option {
    const char *name; // without the dashes
    char letter;      // 0 for none
    enum arg_kind kind;
    const char *value; // what --help calls the value: "FILE"; NULL for a flag
    const char *help;
    void *target;
};

struct arg_command {
    const char *usage;                // after "mtls ": "pki [-f FILE] [-d DIR]"
    const char *summary;              // one sentence
    const char *operands;             // NULL: none are taken
    size_t least;                     // operands needed
    size_t most;                      // operands allowed
    const struct arg_option *options; // ends with a NULL name
    const char *examples;             // lines, or NULL
};

enum { ARGS_HELP = 1 };

// Reads argv[1..argc). 0: parsed, operands (borrowed) in `operands`; ARGS_HELP: --help was printed to stdout;
// -1: a usage error that names the argument. Operands and options may be mixed; "--" ends the options.
int args_parse(const struct arg_command *command, int argc, char **argv, struct arg_list *operands, struct err *e);
void args_help(const struct arg_command *command, FILE *to);
void arg_list_clear(struct arg_list *list);

#endif
