// SPDX-License-Identifier: Apache-2.0
// mtls ca: the table of its subcommands.
#include "cmd/ca.h"

#include "base/log.h"
#include "base/text.h"
#include "cmd/cmd.h"

#include <string.h>

static const struct subcommand subcommands[] = {
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
    cmd_list(subcommands, COUNT, to);
    fprintf(to, "\nmtls ca COMMAND --help tells more of each.\n\nexamples:\n"
                "  mtls ca issue carol --name carol@example.com\n"
                "  mtls ca revoke carol --reason keyCompromise\n"
                "  mtls ca list --expiring 30d\n");
}

int cmd_ca(int argc, char **argv)
{
    return cmd_dispatch(subcommands, COUNT, "ca ", help, argc, argv);
}
