// SPDX-License-Identifier: Apache-2.0
// A client that knows whom it talks to: one HTTP request, or a pipe, to a server that was verified first.
#ifndef MTLS_CLIENT_CLIENT_H
#define MTLS_CLIENT_CLIENT_H

#include "base/address.h"
#include "base/err.h"
#include "tls/tls.h"

#include <stdbool.h>
#include <stdio.h>

struct client_target {
    char *host; // without brackets
    char *port;
    char *path; // begins with "/"
};

// Reads "https://host[:port][/path]", "host:port" or "host"; an IPv6 address stands in brackets. Usage errors.
int client_target_parse(const char *text, struct client_target *target, struct err *e);
void client_target_clear(struct client_target *target);

struct client_result;

// Sees each connection that is made. Cannot change it.
struct client_observer {
    void *arg;
    void (*begins)(void *arg, int fd, struct tls_connection *tls); // before the handshake: the place to set a tap
    void (*ends)(void *arg, const struct tls_connection *tls);     // before it is freed
};

struct client_call {
    struct tls_context *context; // a client's; borrowed, like everything here
    const struct client_target *target;
    const char *address; // to connect to instead of the host's own; or NULL
    const char *method;  // "GET"
    struct span data;    // the request's body
    bool has_data;
    long timeout_ms; // for connecting and for each wait for the peer
    FILE *body;      // gets the response's body; NULL: it is dropped
    // Called when the handshake is over, whichever way it went, before anything else is written; or NULL.
    void (*on_handshake)(void *arg, const struct client_result *result);
    void *arg;
    const struct client_observer *observer; // or NULL
};

enum client_outcome { CLIENT_SERVED, CLIENT_REFUSED_BY_US, CLIENT_REFUSED_BY_SERVER, CLIENT_FAILED };

struct client_result {
    enum client_outcome outcome;
    struct trust_verdict verdict;  // of the server
    int alert;                     // received when the server refused, sent when we did; TLS_ALERT_* for none
    int status;                    // of the HTTP response, 0 for none
    char tls[16];                  // "TLSv1.3", or ""
    char cipher[64];               // or ""
    char local[ADDRESS_TEXT];      // the client's own end, by which the server's log calls it; or ""
    struct err failure;            // what ended the call, when it was not served
    struct trust_identity *server; // what the server presented, accepted or not; NULL for nothing
};

// Both fill the result. A TLS 1.3 server judges the client after the client's handshake is complete; its refusal is
// waited for and reported as what it is.
void client_fetch(const struct client_call *call, struct client_result *result);
// Copies standard input to the server and what the server says to call->body, until the server ends it or, after the
// end of the input, says nothing for the timeout.
void client_pipe(const struct client_call *call, struct client_result *result);
void client_result_clear(struct client_result *result);
const char *client_outcome_word(enum client_outcome outcome); // "served", "refused_by_us", ...

#endif
