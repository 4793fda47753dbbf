// SPDX-License-Identifier: Apache-2.0
// mtls: the table of its subcommands.
#include "base/log.h"
#include "base/text.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"pki", cmd_pki, "make a whole test PKI from one file"},
    {"ca", cmd_ca, "issue, sign, renew, revoke: a mini CA"},
    {"serve", cmd_serve, "serve whoever proves who they are"},
    {"connect", cmd_connect, "call a server, each verifying the other"},
    {"verify", cmd_verify, "judge a certificate, and say which rule refused it"},
};
enum { COUNT = sizeof subcommands / sizeof subcommands[0] };

static void help(FILE *to)
{
    fputs("usage: mtls COMMAND [...]\n\nMutual TLS: issue identities, connect with them, see why they were refused.\n\n"
          "commands:\n",
          to);
    for (size_t i = 0; i < COUNT; i++) {
        fprintf(to, "  %-10s%s\n", subcommands[i].name, subcommands[i].summary);
    }
    fputs("\nmtls COMMAND --help tells more of each.\n\nexamples:\n"
          "  mtls pki                                   # root, issuing CA, server, clients, wrong ones: in ./pki\n"
          "  mtls serve &                               # https://localhost:8443, for those who have a certificate\n"
          "  mtls connect https://localhost:8443/whoami --as alice\n"
          "  mtls ca revoke alice                       # and connect again\n",
          to);
}

int main(int argc, char **argv)
{
    const char *names[COUNT + 1] = {NULL};
    if (argc < 2) {
        help(stderr);
        return ERR_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mtls " MTLS_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = subcommands[i].name;
        if (strcmp(argv[1], names[i]) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    struct err e = ERR_INIT;
    const char *nearest = text_nearest(argv[1], names);
    err_usage(&e, "unknown command \"%s\"%s%s%s; see mtls --help", argv[1], nearest != NULL ? " (did you mean " : "",
              nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
    return cmd_exit(-1, &e);
}
