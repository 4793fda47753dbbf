// SPDX-License-Identifier: Apache-2.0
// The command line of `mtls connect`: the options that curl has, under their names there, and our own.
#ifndef MTLS_CMD_CONNECT_OPTIONS_H
#define MTLS_CMD_CONNECT_OPTIONS_H

#include "base/args.h"
#include "base/mem.h"
#include "client/client.h"
#include "cmd/cmd.h"
#include "cmd/observe.h"

struct connect_options {
    struct cmd_files files;
    struct client_target target; // of the URL
    enum tls_versions versions;
    const char *method;
    struct buf data; // the request's body
    bool has_data;
    const char *output;
    char *address; // of --resolve, where it applies; or NULL
    long timeout;  // seconds
    struct observe_options observe;
    bool raw;
    bool json;
};

// Fills and checks them. 0, ARGS_HELP, or -1; connect_options_clear in each case.
int connect_options_parse(int argc, char **argv, struct connect_options *options, struct err *e);
void connect_options_clear(struct connect_options *options);

#endif
