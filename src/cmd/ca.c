// SPDX-License-Identifier: Apache-2.0
// mtls ca: the table of its subcommands.
#include "cmd/ca.h"

#include "base/log.h"
#include "base/text.h"
#include "cmd/cmd.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"init", cmd_ca_init, "make a root and an issuing CA"},
    {"issue", cmd_ca_issue, "issue a key and a certificate"},
    {"sign", cmd_ca_sign, "sign a certification request (PKCS#10)"},
    {"renew", cmd_ca_renew, "the same certificate with new dates"},
    {"revoke", cmd_ca_revoke, "revoke by name, serial or file, and issue the new list"},
    {"crl", cmd_ca_crl, "issue fresh revocation lists"},
    {"list", cmd_ca_list, "what was issued"},
    {"show", cmd_ca_show, "a certificate, request, list or key in words"},
    {"export", cmd_ca_export, "an identity as one file: PEM, DER or PKCS#12"},
};
enum { COUNT = sizeof subcommands / sizeof subcommands[0] };

static void help(FILE *to)
{
    fprintf(to, "usage: mtls ca COMMAND [...]\n\nThe daily life of a mini CA.\n\ncommands:\n");
    for (size_t i = 0; i < COUNT; i++) {
        fprintf(to, "  %-10s%s\n", subcommands[i].name, subcommands[i].summary);
    }
    fprintf(to, "\nmtls ca COMMAND --help tells more of each.\n\nexamples:\n"
                "  mtls ca issue carol --name carol@example.com\n"
                "  mtls ca revoke carol --reason keyCompromise\n"
                "  mtls ca list --expiring 30d\n");
}

int cmd_ca(int argc, char **argv)
{
    struct err e = ERR_INIT;
    const char *names[COUNT + 1] = {NULL};
    if (argc < 2) {
        help(stderr);
        return ERR_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = subcommands[i].name;
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    const char *nearest = text_nearest(argv[1], names);
    err_usage(&e, "unknown command \"ca %s\"%s%s%s; see mtls ca --help", argv[1],
              nearest != NULL ? " (did you mean " : "", nearest != NULL ? nearest : "", nearest != NULL ? "?)" : "");
    return cmd_exit(-1, &e);
}
