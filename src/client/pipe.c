// SPDX-License-Identifier: Apache-2.0
#include "client/internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

// Sends what standard input has. False: it has ended.
static bool forward_input(struct session *session)
{
    uint8_t data[16384];
    ssize_t n = read(STDIN_FILENO, data, sizeof data);
    if (n > 0) {
        session_send(session, data, (size_t)n);
    }
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static int write_output(struct session *session, const void *data, size_t len)
{
    FILE *to = session->call->body;
    if (to != NULL && (fwrite(data, 1, len, to) != len || fflush(to) != 0)) {
        return err_errno(&session->result->failure, "writing what the server says");
    }
    return 0;
}

static void run(struct session *session)
{
    struct client_result *result = session->result;
    uint8_t data[16384];
    bool input_open = true;
    bool any = false; // did the server say anything?
    for (;;) {
        size_t got = 0;
        bool input_ready = false;
        enum tls_status status = tls_read(session->tls, data, sizeof data, &got);
        switch (status) {
        case TLS_DONE:
            if (write_output(session, data, got) != 0) {
                return;
            }
            any = true;
            continue;
        case TLS_EOF:
            if (!any) {
                result->hung_up = true;
                err_set(&result->failure, "the server closed the connection without a word");
                return;
            }
            result->outcome = CLIENT_SERVED;
            return;
        case TLS_CLOSED: result->outcome = CLIENT_SERVED; return;
        case TLS_FAILED: session_ended(session); return;
        default: break;
        }
        bool happened = session_wait(session, status, input_open, &input_ready);
        if (input_ready) {
            input_open = forward_input(session);
        } else if (!happened && !input_open) {
            result->outcome = CLIENT_SERVED; // nothing more to send, and the server has nothing more to say
            return;
        }
    }
}

void client_pipe(const struct client_call *call, struct client_result *result)
{
    struct session session;
    if (session_open(&session, call, result)) {
        run(&session);
    }
    session_close(&session);
}
