// SPDX-License-Identifier: Apache-2.0
// An HTTPS server that knows who is there: it serves nobody whom trust did not accept.
#ifndef MTLS_SERVER_SERVER_H
#define MTLS_SERVER_SERVER_H

#include "base/err.h"
#include "server/config.h"
#include "tls/tls.h"

struct server_settings {
    const struct server_config *config; // borrowed
    struct tls_context *context;        // of it; borrowed
    const char *ready_file;             // gets the port as text once the server listens; or NULL
};

// Serves until SIGINT or SIGTERM; then closes what is open and returns 0. Says "listening on https://HOST:PORT ..." on
// stdout when it is ready, and logs one line a connection to stderr.
int server_run(const struct server_settings *settings, struct err *e);

#endif
