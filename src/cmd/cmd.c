// SPDX-License-Identifier: Apache-2.0
#include "cmd/cmd.h"

#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cmd_exit(int rc, const struct err *e)
{
    struct err unwritten = ERR_INIT;
    if (rc >= 0 && fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    if (rc >= 0) {
        err_errno(&unwritten, "writing standard output");
        e = &unwritten;
    }
    log_error(e);
    return e->kind == ERR_NONE ? ERR_ENVIRONMENT : (int)e->kind;
}

static const struct subcommand *find(const struct subcommand *table, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

int cmd_dispatch(const struct subcommand *table, size_t count, const char *prefix, void (*help)(FILE *to), int argc,
                 char **argv)
{
    if (argc < 2) {
        help(stderr);
        return ERR_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return 0;
    }
    const struct subcommand *found = find(table, count, argv[1]);
    if (found != NULL) {
        return found->run(argc - 1, argv + 1);
    }
    const char **names = mem_array(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = table[i].name;
    }
    struct err e = ERR_INIT;
    const char *nearest = text_nearest(argv[1], names);
    err_usage(&e, "unknown command \"%s%s\"%s%s%s; see mtls %s--help", prefix, argv[1],
              nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "",
              prefix);
    free(names);
    return cmd_exit(-1, &e);
}

void cmd_list(const struct subcommand *table, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "  %-12s%s\n", table[i].name, table[i].summary);
    }
}
