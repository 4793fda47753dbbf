// SPDX-License-Identifier: Apache-2.0
// A client that knows whom it talks to: one HTTP request, or many, or a pipe, to a server that was verified first.
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

// "Name: value"; "Name;" for one without a value; "Name:" for none where there would be one. Usage errors: what could
// be read as two headers, or would change where the request ends.
int client_header_check(const char *header, struct err *e);

enum client_line { CLIENT_NOTE, CLIENT_REQUEST_LINE, CLIENT_RESPONSE_LINE };

struct client_call {
    struct tls_context *context; // a client's; borrowed, like everything here
    const struct client_target *target;
    const char *address; // to connect to instead of the host's own; or NULL
    int family;          // AF_INET, AF_INET6; 0: either
    const char *method;  // "GET"
    struct span data;    // the request's body
    bool has_data;
    const char *const *headers; // each as client_header_check wants it
    size_t header_count;
    const struct tls_session *session; // to resume, if the server of it is still acceptable; or NULL
    long timeout_ms;                   // for each wait for the peer
    long connect_ms;                   // for connecting and the handshake together; 0: no limit but that
    long most_ms;                      // for all of it; 0: likewise
    FILE *body;                        // gets the response's body; NULL: it is dropped
    // Called when the handshake is over, whichever way it went, before anything else is written; or NULL.
    void (*on_handshake)(void *arg, const struct client_result *result);
    // Called with what happens, line by line, without line ends; as it came, and so to be escaped. Or NULL.
    void (*on_line)(void *arg, enum client_line kind, const char *line);
    void *arg;
    const struct client_observer *observer; // or NULL
};

enum client_outcome { CLIENT_SERVED, CLIENT_REFUSED_BY_US, CLIENT_REFUSED_BY_SERVER, CLIENT_FAILED };

struct client_result {
    enum client_outcome outcome;
    struct trust_verdict verdict; // of the server
    bool unverified;              // the call goes on in spite of it, as the context says
    bool hung_up;                 // the server ended the connection, after the handshake, without a word
    bool resumed;
    int alert;                     // received when the server refused, sent when we did; TLS_ALERT_* for none
    int status;                    // of the HTTP response, 0 for none
    char tls[16];                  // "TLSv1.3", or ""
    char cipher[64];               // or ""
    char alpn[32];                 // the application protocol; or ""
    char local[ADDRESS_TEXT];      // the client's own end, by which the server's log calls it; or ""
    char remote[ADDRESS_TEXT];     // or ""
    uint64_t handshake_us;         // from the start until the handshake was complete; 0: it never was
    uint64_t took_us;              // and until the end
    struct tls_session *session;   // the newest that the server gave, where the context keeps them; or NULL
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

// --- the same many times ---

struct client_tally {
    char *name; // "served: HTTP 200", "the server refused us: alert certificate_revoked"
    enum client_outcome outcome;
    size_t count;
};

struct client_summary {
    size_t count, served, resumed;
    uint64_t min_us, median_us, p99_us; // of the calls that were served; 0 if none was
    uint64_t took_us;                   // all of them together, by the clock on the wall
    struct client_tally *outcomes;      // the served ones first, then the most frequent
    size_t outcome_count, outcome_cap;
    struct tls_session *session; // a new one; or NULL
};

// Makes the call `count` times, `parallel` (1 or more) of them at a time, each on a connection of its own. Calls of
// on_handshake, on_line and the observer come from several threads, and so does what goes to the body.
int client_repeat(const struct client_call *call, size_t count, size_t parallel, struct client_summary *summary,
                  struct err *e);
void client_summary_clear(struct client_summary *summary);

#endif
