// SPDX-License-Identifier: Apache-2.0
// The subcommands of mtls, one file each, and what they share.
#ifndef MTLS_CMD_CMD_H
#define MTLS_CMD_CMD_H

#include "base/err.h"

int cmd_pki(int argc, char **argv);
int cmd_ca(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_connect(int argc, char **argv);

// The PKI directory: what --pki said, else $MTLS_PKI, else "pki".
const char *cmd_pki_dir(const char *option);
// Prints the error, if `rc` is -1, and gives the exit code: 0 done (or help was asked for), else the error's kind.
int cmd_exit(int rc, const struct err *e);

#endif
