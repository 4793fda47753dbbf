// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_SERVER_INTERNAL_H
#define MTLS_SERVER_INTERNAL_H

#include "base/address.h"
#include "server/http.h"
#include "server/server.h"

#include <uv.h>

enum {
    HANDSHAKE_DEADLINE_MS = 10000, // from accept to the end of the handshake
    IDLE_DEADLINE_MS = 30000,      // for a whole request to arrive, and for a whole response to be taken
    LINGER_DEADLINE_MS = 2000,     // for the peer to read what was said last
    CONNECTIONS_MOST = 900,        // below the usual limit of 1024 open files
};

struct listener {
    uv_poll_t poll;
    struct server *server;
    int fd;
    char address[ADDRESS_TEXT];
};

struct server {
    const struct server_settings *settings;
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct listener listeners[SERVER_ADDRESSES_MOST];
    size_t listener_count;
    struct connection *connections; // a doubly linked list
    size_t connection_count;
    bool paused; // as many connections as there may be: nobody is accepted until one ends
    bool stopping;
};

// listener.c
int listeners_open(struct server *server, struct err *e);
void listeners_resume(struct server *server); // after a connection ended
void listeners_close(struct server *server);
unsigned listeners_port(const struct server *server);

// connection.c
struct sockaddr_storage;
void connection_accept(struct server *server, int fd, const struct sockaddr_storage *from); // owns fd
void connections_stop(struct server *server);

#endif
