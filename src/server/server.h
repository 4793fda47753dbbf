// SPDX-License-Identifier: Apache-2.0
// An HTTPS server that knows who is there: it serves nobody whom trust did not accept.
#ifndef MTLS_SERVER_SERVER_H
#define MTLS_SERVER_SERVER_H

#include "base/err.h"
#include "tls/tls.h"

enum { SERVER_ADDRESSES_MOST = 16 };

struct server_settings {
    struct tls_context *context;  // a server's; borrowed
    const char *const *addresses; // IP addresses to listen on; NULL: loopback, both families as far as there are two
    size_t address_count;         // at most SERVER_ADDRESSES_MOST
    unsigned port;                // 0: any that is free
    const char *host;             // what to call the server in the line that says that it listens
    const char *root;             // a directory whose files are served; or NULL
    const char *ready_file;       // gets the port as text once the server listens; or NULL
};

// Serves until SIGINT or SIGTERM; then closes what is open and returns 0. Says "listening on https://HOST:PORT ..." on
// stdout when it is ready, and logs one line a connection to stderr.
int server_run(const struct server_settings *settings, struct err *e);

#endif
