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
    char *ciphers; // of both versions, or NULL
    const char *curves;
    bool unsafe_no_verify;
    const char *session; // file, or NULL
    const char *method;
    struct arg_list headers;
    struct buf data; // the request's body
    bool has_data;
    char *address;                           // of --resolve, where it applies; or NULL
    int family;                              // AF_INET, AF_INET6, or 0
    long timeout, connect_timeout, max_time; // seconds; 0: not given
    long repeat, parallel;                   // 0: one call, told in full
    const char *output;
    bool include; // the response's head goes where its body goes
    bool raw, fail, silent, verbose, json;
    struct observe_options observe;
};

// Fills and checks them. 0, ARGS_HELP, or -1; connect_options_clear in each case.
int connect_options_parse(int argc, char **argv, struct connect_options *options, struct err *e);
void connect_options_clear(struct connect_options *options);

#endif
