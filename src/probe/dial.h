// SPDX-License-Identifier: Apache-2.0
// One connection to the target, and what came of it.
#ifndef MTLS_PROBE_DIAL_H
#define MTLS_PROBE_DIAL_H

#include "base/mem.h"
#include "probe/probe.h"
#include "tls/tls.h"

#include <sys/socket.h>

struct dial_target {
    struct sockaddr_storage address;
    socklen_t address_len;
    const char *name; // for SNI and Host; borrowed, like all that follows
    const char *path;
    const char *expect_body; // or NULL
    const int *refused_status;
    size_t refused_status_count;
    long timeout_ms;
    long silence_ms; // instead, once the target has completed the handshake, where it says nothing to good ones; or 0
};

struct outcome {
    enum probe_seen seen;
    bool hello;           // the target answered our hello with one of its own
    bool completed;       // our side of the handshake was
    bool proven;          // and so was the target's: it has said something under the final keys, or finished in TLS 1.2
    bool doubtful;        // it says nothing about the certificate: the case could not be brought about as it was meant
    bool harmed;          // the target does not serve the good one any more
    bool resumed;         // where a session was offered: it was taken
    bool session_refused; // where one was wanted: there is none
    int alert;            // received; TLS_ALERT_*
    int status;           // HTTP; 0
    uint64_t took_us;
    char detail[320]; // one sentence, escaped
};

void outcome_set(struct outcome *o, enum probe_seen seen, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// Puts words before and behind what the detail says.
void outcome_enclose(struct outcome *o, const char *before, const char *behind);

struct dial {
    const struct dial_target *target;
    struct outcome *outcome;
    struct tls_connection *tls;
    int fd;
    struct tls_io io; // of the socket
    uint64_t started;
    uint8_t head[6];     // the first bytes received: a record's header, and a handshake message's type
    size_t received;     // in all
    size_t received_own; // of it before our handshake was complete
    bool ended;          // the transport did, or broke
};

// Connects and shakes hands. False: it came to nothing, and the outcome says what. Close it in both cases.
bool dial_open(struct dial *d, const struct dial_target *target, struct tls_context *context, const char *name,
               struct outcome *outcome);
// Sends a request and waits for what comes. `stay`: the connection is to stay open afterwards.
void dial_ask(struct dial *d, bool stay);
// Drops what is left of an answer, until nothing comes for a moment. False: the target has ended the connection
// meanwhile, and the outcome says how.
bool dial_drain(struct dial *d);
void dial_close(struct dial *d);
// A socket alone, connected; -1: the outcome says why.
int dial_socket(const struct dial_target *target, struct outcome *outcome);
bool dial_wait(int fd, short events, uint64_t deadline); // until it is ready, or it is so late (monotonic): false

char *request_text(const struct dial_target *target, bool stay); // the caller's
// Does what has come so far decide it? `whole`: nothing more will come.
bool answer_judge(const struct dial_target *target, const struct buf *answer, bool whole, struct outcome *outcome);

// The status of an answer that begins so, *len bytes of it; 0: not HTTP; -1: too short to tell.
int http_status(const char *answer, size_t len);

#endif
