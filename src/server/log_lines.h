// SPDX-License-Identifier: Apache-2.0
// What the server logs: one line an event, text or JSON (base/log.h). The names of events and of JSON's members are in
// docs/server.md; programs read them, so they stay. Nothing here is secret, and all of it is escaped.
#ifndef MTLS_SERVER_LOG_LINES_H
#define MTLS_SERVER_LOG_LINES_H

#include "server/config.h"
#include "tls/tls.h"

struct log_line_connection {
    const char *address;              // the peer's: "127.0.0.1:51234"
    const struct tls_connection *tls; // what there is to know of it: who, or why not, protocol, suite
    uint64_t duration_ms;             // since it was accepted from the socket
    uint64_t bytes_in, bytes_out;     // of requests and responses
    uint64_t requests;                // that were answered
};

void log_line_accepted(const struct log_line_connection *c); // the handshake is complete, and the client is known
// The handshake failed, or the client is not acceptable (any more): tls_verdict and tls_ended_by say which.
void log_line_refused(const struct log_line_connection *c);
void log_line_closed(const struct log_line_connection *c, const char *why); // "by the peer", "idle", "drained" ...
// A request that the access rules do not allow; the verdict says of whom, which, and by what rule.
void log_line_denied(const char *address, const struct trust_verdict *verdict);
// A peer was turned away, or waited no longer for: `limit` is the key of the configuration ("limits.handshake").
void log_line_limit(const char *address, const char *limit, const char *what);

// `addresses` as they were bound, comma-separated.
void log_line_listening(const struct server_config *config, const char *addresses);
void log_line_unsafe(const struct server_config *config); // a line for each thing that is, in red
// `judged` connections were judged again, `refused` of them are closed. `fixed`: the keys that differ and need a
// restart; or "".
void log_line_reloaded(unsigned generation, size_t judged, size_t refused, const char *fixed);
void log_line_reload_failed(unsigned generation, const struct err *e); // the one that goes on
void log_line_stopping(const char *why, size_t connections);

#endif
