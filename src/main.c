// SPDX-License-Identifier: Apache-2.0
// mtls: the table of its subcommands.
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

static const struct subcommand subcommands[] = {
    {"pki", cmd_pki, "make a whole test PKI from one file"},
    {"ca", cmd_ca, "issue, sign, renew, revoke: a mini CA"},
    {"serve", cmd_serve, "serve whoever proves who they are"},
    {"reload", cmd_reload, "make a server read its files again, and judge again"},
    {"connect", cmd_connect, "call a server, each verifying the other"},
    {"verify", cmd_verify, "judge a certificate, and say which rule refused it"},
    {"probe", cmd_probe, "would a server have refused? every wrong certificate is tried"},
    {"explain", cmd_explain, "tell a captured handshake in nine steps"},
    {"ticket-key", cmd_ticket_key, "make or rotate the keys of session tickets"},
};
enum { COUNT = sizeof subcommands / sizeof subcommands[0] };

static void help(FILE *to)
{
    fputs("usage: mtls COMMAND [...]\n\nMutual TLS: issue identities, connect with them, see why they were refused.\n\n"
          "commands:\n",
          to);
    cmd_list(subcommands, COUNT, to);
    fputs("\nmtls COMMAND --help tells more of each.\n\nexamples:\n"
          "  mtls pki                                   # root, issuing CA, server, clients, wrong ones: in ./pki\n"
          "  mtls serve &                               # https://localhost:8443, for those who have a certificate\n"
          "  mtls connect https://localhost:8443/whoami --as alice\n"
          "  mtls ca revoke alice                       # and connect again\n",
          to);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("mtls " MTLS_VERSION);
        return 0;
    }
    return cmd_dispatch(subcommands, COUNT, "", help, argc, argv);
}
