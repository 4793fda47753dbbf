// SPDX-License-Identifier: Apache-2.0
// What the files of this room share.
#ifndef MTLS_CLIENT_INTERNAL_H
#define MTLS_CLIENT_INTERNAL_H

#include "client/client.h"

struct session {
    const struct client_call *call;
    struct client_result *result;
    int fd;
    struct tls_connection *tls;
};

// Connects and shakes hands. False: the result says why. session_close in both cases.
bool session_open(struct session *session, const struct client_call *call, struct client_result *result);
void session_close(struct session *session);
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
