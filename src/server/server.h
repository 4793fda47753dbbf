// SPDX-License-Identifier: Apache-2.0
// An HTTPS server that knows who is there: it serves nobody whom trust did not accept.
#ifndef MTLS_SERVER_SERVER_H
#define MTLS_SERVER_SERVER_H

#include "base/err.h"
#include "base/mem.h"
#include "server/config.h"

struct server_settings {
    struct server_source source;
    const char *ready_file; // gets the port as text once the server listens; or NULL
};

// Serves until SIGINT or SIGTERM; then finishes what is in flight and returns 0. Says "listening on https://HOST:PORT
// ..." on stdout when it is ready, and logs one line a connection to stderr.
int server_run(const struct server_settings *settings, struct err *e);

// Asks a running server, by its control socket or, `path` NULL, by its port. "reload": it reads everything again, and
// answers when every peer was judged again: {"generation", "kept", "closed"}. "status": {"generation", "connections",
// "uptime" in seconds, "workers", "failed": why the last reload failed, or null}. One line of JSON; {"error": why} if
// it did not do what was asked.
int server_ask(const char *path, unsigned port, const char *question, struct buf *answer, struct err *e);

#endif
