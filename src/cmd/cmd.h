// SPDX-License-Identifier: Apache-2.0
// The subcommands of mtls, one file each, and what they share.
#ifndef MTLS_CMD_CMD_H
#define MTLS_CMD_CMD_H

#include "tls/tls.h"

#include <stdio.h>

int cmd_pki(int argc, char **argv);
int cmd_ca(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_reload(int argc, char **argv);
int cmd_connect(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_probe(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_ticket_key(int argc, char **argv);

// A table of subcommands: `run` gets what follows the program's name, its own name first.
struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};
// Runs the one that argv[1] names. Without any, or for --help: `help` is printed. `prefix` is what stands before the
// name ("ca "), or "". The program's exit code.
int cmd_dispatch(const struct subcommand *table, size_t count, const char *prefix, void (*help)(FILE *to), int argc,
                 char **argv);
void cmd_list(const struct subcommand *table, size_t count, FILE *to); // for help: a line for each

// Prints the error, if `rc` is -1, and gives the exit code: 0 done (or help was asked for), else the error's kind.
int cmd_exit(int rc, const struct err *e);

// Where certificates come from: the directory that `mtls pki` makes, or single files, which go first.
struct cmd_files {
    const char *pki;         // NULL: $MTLS_PKI, or "pki"
    const char *folder;      // "servers" or "clients"
    const char *name;        // of the entry in the folder; with a slash: below the PKI's directory; NULL: none
    const char *certificate; // file; without `key`, that is in it too
    const char *key;
    const char *anchors;
    const char *crls;
    const char *key_log; // gets the secrets of the sessions; NULL: none
};

// `settings` without what comes of the files.
struct tls_context *cmd_context(const struct cmd_files *files, struct tls_settings settings, struct err *e);

#endif
