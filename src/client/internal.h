// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_CLIENT_INTERNAL_H
#define MTLS_CLIENT_INTERNAL_H

#include "client/client.h"

#include <poll.h>

struct session {
    const struct client_call *call;
    struct client_result *result;
    int fd;
    struct tls_connection *tls;
    uint64_t start;
    bool shaken; // the handshake is complete
};

// reach.c: the socket (non-blocking), or -1.
int reach(struct session *session, struct err *e);

// request.c: the request up to the empty line.
void request_head(const struct client_call *call, struct buf *head);

// Connects and shakes hands. False: the result says why. session_close in both cases.
bool session_open(struct session *session, const struct client_call *call, struct client_result *result);
void session_close(struct session *session);
// For how long to wait at most, now.
int session_limit(const struct session *session);
// Nothing more came in time: says which limit it was.
void session_overdue(struct session *session);
// Tells whoever looks on.
void client_line(const struct client_call *call, enum client_line kind, const char *line);
void client_note(const struct client_call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// poll() until something happens or the time is up; a signal does not end it. The number of ready descriptors.
int poll_for(struct pollfd *fds, nfds_t count, int timeout_ms);
// Waits until the socket (and, if `input`, also standard input) is ready for what `status` wants. True: it is; sets
// *input_ready. False: nothing happened for the timeout.
bool session_wait(struct session *session, enum tls_status status, bool input, bool *input_ready);
// Sends all of it. What cannot be sent is no failure yet: what the server said about it may still be readable.
void session_send(struct session *session, const void *data, size_t len);
// Receives something; waits. TLS_WANT_READ means that the timeout passed.
enum tls_status session_receive(struct session *session, void *data, size_t len, size_t *got);
// Fills the result from how the connection ended.
void session_ended(struct session *session);

#endif
