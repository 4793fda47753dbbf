// SPDX-License-Identifier: Apache-2.0
// What a server is told to do: read from files once, then never changed. A reload reads another one.
#ifndef MTLS_SERVER_CONFIG_H
#define MTLS_SERVER_CONFIG_H

#include "base/err.h"
#include "tls/tls.h"

#include <stddef.h>

enum { SERVER_ADDRESSES_MOST = 16 };

struct server_limits {
    unsigned connections;             // at once, in all
    unsigned connections_per_address; // of one peer's address
    unsigned handshake_ms;            // from accept to the end of the handshake
    unsigned header_ms;               // from the first octet of a request to the end of its head
    unsigned idle_ms;                 // between two requests; and without progress in a body or a response
    unsigned drain_ms;                // for requests in flight, once the server was told to stop
};

// Where it comes from; borrowed for as long as the server runs.
struct server_source {
    const char *pki;         // the directory that `mtls pki` makes
    const char *name;        // of the entry whose certificate is shown; with a slash: below the PKI's directory
    const char *certificate; // files that go before the PKI's; or NULL
    const char *key;
    const char *anchors;
    const char *crls;
    const char *const *addresses; // IP addresses to listen on; none: loopback, both families as far as there are two
    size_t address_count;         // at most SERVER_ADDRESSES_MOST
    unsigned port;                // 0: any that is free
    const char *host;             // what to call the server in the line that says that it listens
    const char *control;          // path of the control socket; NULL: the port's
};

struct server_config {
    const char *const *addresses;
    size_t address_count;
    unsigned port;
    const char *host;
    const char *control;
    unsigned threads; // 0: one a core
    struct server_limits limits;
    char *certificate, *key, *anchors, *crls;
    bool as_is;
    const char *files[4]; // that it was made of, for watching
    size_t file_count;
};

struct server_config *server_config_read(const struct server_source *source, struct err *e);
struct tls_context *server_config_context(const struct server_config *config, struct err *e);
void server_config_free(struct server_config *config);

#endif
