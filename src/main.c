// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"serve", cmd_serve, "serve whoever proves who they are"},
    {"connect", cmd_connect, "call a server, each verifying the other"},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: mtls COMMAND [OPTIONS]\n\ncommands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].summary);
    }
    fprintf(to, "\nmtls COMMAND --help tells more; the first minute:\n"
                "  mtls pki\n  mtls serve &\n  mtls connect https://localhost:8443/whoami --as alice\n");
    return code;
}

int main(int argc, char **argv)
{
    const char *names[COMMANDS + 1] = {0};
    if (argc < 2) {
        return usage(stderr, 2);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return usage(stdout, 0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mtls " MTLS_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, argv[1]) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
        names[i] = commands[i].name;
    }
    const char *nearest = text_nearest(argv[1], names);
    fprintf(stderr, "mtls: unknown command \"%s\"%s%s%s\n", argv[1], nearest != NULL ? "; did you mean " : "",
            nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
    return 2;
}
