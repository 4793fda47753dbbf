// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/text.h"
#include "client/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *client_outcome_word(enum client_outcome outcome)
{
    static const char *const words[] = {
        [CLIENT_SERVED] = "served",
        [CLIENT_REFUSED_BY_US] = "refused_by_us",
        [CLIENT_REFUSED_BY_SERVER] = "refused_by_server",
        [CLIENT_FAILED] = "failed",
    };
    return words[outcome];
}

void client_result_clear(struct client_result *result)
{
    trust_identity_free(result->server);
    tls_session_free(result->session);
    *result = (struct client_result){0};
}

// The milliseconds of `limit` that are left since `start`, not negative.
static int left(uint64_t start, long limit)
{
    uint64_t passed = (clock_monotonic_us() - start) / 1000;
    return passed >= (uint64_t)limit ? 0 : (int)((uint64_t)limit - passed);
}

int poll_for(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    uint64_t start = clock_monotonic_us();
    int n;
    do {
        n = poll(fds, count, left(start, timeout_ms));
    } while (n < 0 && errno == EINTR);
    return n;
}

int session_limit(const struct session *session)
{
    const struct client_call *call = session->call;
    int limit = (int)call->timeout_ms;
    if (call->connect_ms > 0 && !session->shaken && left(session->start, call->connect_ms) < limit) {
        limit = left(session->start, call->connect_ms);
    }
    if (call->most_ms > 0 && left(session->start, call->most_ms) < limit) {
        limit = left(session->start, call->most_ms);
    }
    return limit;
}

void session_overdue(struct session *session)
{
    const struct client_call *call = session->call;
    struct err *e = &session->result->failure;
    const char *when = session->shaken ? "" : " during the handshake";
    if (call->most_ms > 0 && left(session->start, call->most_ms) == 0) {
        err_set(e, "the time for the whole call, %ld ms, is over%s", call->most_ms, when);
    } else if (call->connect_ms > 0 && !session->shaken && left(session->start, call->connect_ms) == 0) {
        err_set(e, "the time for connecting, %ld ms, is over%s", call->connect_ms, when);
    } else {
        err_set(e, "the server said nothing for %ld ms%s", call->timeout_ms, when);
    }
}

void client_line(const struct client_call *call, enum client_line kind, const char *line)
{
    if (call->on_line != NULL) {
        call->on_line(call->arg, kind, line);
    }
}

void client_note(const struct client_call *call, const char *fmt, ...)
{
    if (call->on_line != NULL) {
        char line[512];
        va_list ap;
        va_start(ap, fmt);
        text_vformat(line, sizeof line, fmt, ap);
        va_end(ap);
        client_line(call, CLIENT_NOTE, line);
    }
}

bool session_wait(struct session *session, enum tls_status status, bool input, bool *input_ready)
{
    struct pollfd fds[2] = {
        {.fd = session->fd, .events = status == TLS_WANT_WRITE ? POLLOUT : POLLIN},
        {.fd = input ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int n = poll_for(fds, 2, session_limit(session));
    if (input_ready != NULL) {
        *input_ready = n > 0 && fds[1].revents != 0;
    }
    return n > 0;
}

static void describe_server(struct session *session)
{
    struct client_result *result = session->result;
    struct span leaf = tls_peer_certificate(session->tls);
    struct err unreadable = ERR_INIT;
    snprintf(result->tls, sizeof result->tls, "%s", tls_version(session->tls));
    snprintf(result->cipher, sizeof result->cipher, "%s", tls_cipher(session->tls));
    snprintf(result->alpn, sizeof result->alpn, "%s", tls_alpn(session->tls));
    result->verdict = *tls_verdict(session->tls);
    result->resumed = tls_resumed(session->tls);
    result->unverified = session->shaken && tls_peer(session->tls) == NULL;
    if (leaf.len > 0 && result->server == NULL) {
        result->server = trust_identity_new(leaf, "", false, &unreadable);
    }
}

void session_ended(struct session *session)
{
    struct client_result *result = session->result;
    enum tls_ending ending = tls_ended_by(session->tls);
    describe_server(session);
    result->outcome = ending == TLS_END_US     ? CLIENT_REFUSED_BY_US
                      : ending == TLS_END_PEER ? CLIENT_REFUSED_BY_SERVER
                                               : CLIENT_FAILED;
    result->alert = ending == TLS_END_US ? tls_alert_sent(session->tls) : tls_alert_received(session->tls);
    err_set(&result->failure, "%s", tls_failure(session->tls));
}

// A session that is not offered costs a full handshake and no more.
static void offer(const struct session *session)
{
    struct err against = ERR_INIT;
    if (session->call->session != NULL && tls_connection_resume(session->tls, session->call->session, &against) != 0) {
        client_note(session->call, "Not resuming: %s", against.text);
    }
}

static enum tls_status shake_hands(struct session *session)
{
    enum tls_status status = tls_handshake(session->tls);
    while (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        if (!session_wait(session, status, false, NULL)) {
            session_overdue(session);
            break;
        }
        status = tls_handshake(session->tls);
    }
    if (status == TLS_DONE) {
        session->shaken = true;
        session->result->handshake_us = clock_monotonic_us() - session->start;
    }
    return status;
}

bool session_open(struct session *session, const struct client_call *call, struct client_result *result)
{
    *result = (struct client_result){.outcome = CLIENT_FAILED, .alert = TLS_ALERT_NONE};
    *session = (struct session){.call = call, .result = result, .fd = -1, .start = clock_monotonic_us()};
    if (reach(session, &result->failure) != 0) {
        return false;
    }
    session->tls =
        tls_connection_new(call->context, tls_io_of_socket(session->fd), call->target->host, &result->failure);
    if (session->tls == NULL) {
        return false;
    }
    offer(session);
    if (call->observer != NULL) {
        call->observer->begins(call->observer->arg, session->fd, session->tls);
    }
    enum tls_status status = shake_hands(session);
    describe_server(session);
    if (call->on_handshake != NULL) {
        call->on_handshake(call->arg, result);
    }
    if (status == TLS_FAILED) {
        session_ended(session);
    }
    return status == TLS_DONE;
}

void session_close(struct session *session)
{
    session->result->took_us = clock_monotonic_us() - session->start;
    if (session->tls != NULL) {
        session->result->session = tls_session_of(session->tls);
        (void)tls_close(session->tls);
        if (session->call->observer != NULL) {
            session->call->observer->ends(session->call->observer->arg, session->tls);
        }
        tls_connection_free(session->tls);
    }
    if (session->fd >= 0) {
        close(session->fd);
    }
}

void session_send(struct session *session, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0) {
        size_t put = 0;
        enum tls_status status = tls_write(session->tls, p, len, &put);
        if (status == TLS_DONE) {
            p += put;
            len -= put;
        } else if ((status != TLS_WANT_READ && status != TLS_WANT_WRITE) ||
                   !session_wait(session, status, false, NULL)) {
            return;
        }
    }
}

enum tls_status session_receive(struct session *session, void *data, size_t len, size_t *got)
{
    for (;;) {
        enum tls_status status = tls_read(session->tls, data, len, got);
        if ((status != TLS_WANT_READ && status != TLS_WANT_WRITE) || !session_wait(session, status, false, NULL)) {
            return status == TLS_WANT_WRITE ? TLS_WANT_READ : status;
        }
    }
}
