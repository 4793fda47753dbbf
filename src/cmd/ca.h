// SPDX-License-Identifier: Apache-2.0
// What the subcommands that open a PKI share.
#ifndef MTLS_CMD_CA_H
#define MTLS_CMD_CA_H

#include "base/args.h"
#include "ca/ca.h"

// The options that every one of them has.
struct pki_arguments {
    const char *dir;
    const char *passphrase_file;
    const char *seed;
};
#define PKI_OPTIONS(a)                                                                                                 \
    {"pki", 'd', ARG_TEXT, "DIR", "the PKI directory (default: $MTLS_PKI, else pki)", &(a).dir},                       \
    {                                                                                                                  \
        "passphrase-file", 0, ARG_TEXT, "FILE",                                                                        \
            "passphrase of encrypted CA keys, its first line; else $MTLS_PASSPHRASE, else you are asked",              \
            &(a).passphrase_file                                                                                       \
    }

// Opens the PKI that the arguments name, at the time of SOURCE_DATE_EPOCH if that is set.
int pki_open_arguments(const struct pki_arguments *a, bool create, struct pki **pki, struct err *e);

// `mtls ca` subcommands.
int cmd_ca_init(int argc, char **argv);
int cmd_ca_issue(int argc, char **argv);
int cmd_ca_sign(int argc, char **argv);
int cmd_ca_renew(int argc, char **argv);
int cmd_ca_revoke(int argc, char **argv);
int cmd_ca_crl(int argc, char **argv);
int cmd_ca_list(int argc, char **argv);
int cmd_ca_show(int argc, char **argv);
int cmd_ca_export(int argc, char **argv);

#endif
