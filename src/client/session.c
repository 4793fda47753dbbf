// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "client/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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
    *result = (struct client_result){0};
}

// The milliseconds of `limit` that are left since `start`, not negative.
static int left(uint64_t start, long limit)
{
    uint64_t passed = (clock_monotonic_us() - start) / 1000;
    return passed >= (uint64_t)limit ? 0 : (int)((uint64_t)limit - passed);
}

// poll() until something happens or the time is up; a signal does not end it. The number of ready descriptors.
static int poll_for(struct pollfd *fds, nfds_t count, long timeout_ms)
{
    uint64_t start = clock_monotonic_us();
    int n;
    do {
        n = poll(fds, count, left(start, timeout_ms));
    } while (n < 0 && errno == EINTR);
    return n;
}

bool session_wait(struct session *session, enum tls_status status, bool input, bool *input_ready)
{
    struct pollfd fds[2] = {
        {.fd = session->fd, .events = status == TLS_WANT_WRITE ? POLLOUT : POLLIN},
        {.fd = input ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int n = poll_for(fds, 2, session->call->timeout_ms);
    if (input_ready != NULL) {
        *input_ready = n > 0 && fds[1].revents != 0;
    }
    return n > 0;
}

// Connects to one address within the timeout. The socket (non-blocking), or -1.
static int connect_to(const struct addrinfo *address, long timeout_ms)
{
    int on = 1;
    int failure = 0;
    socklen_t len = sizeof failure;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        failure = errno;
    } else {
        struct pollfd pfd = {.fd = fd, .events = POLLOUT};
        if (poll_for(&pfd, 1, timeout_ms) <= 0) {
            failure = ETIMEDOUT;
        } else {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len);
        }
    }
    if (failure != 0) {
        close(fd);
        errno = failure;
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static int session_connect(struct session *session, struct err *e)
{
    const struct client_target *target = session->call->target;
    const char *host = session->call->address != NULL ? session->call->address : target->host;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(host, target->port, &hints, &addresses);
    if (code != 0) {
        return err_set(e, "looking up %s: %s", host, gai_strerror(code));
    }
    for (const struct addrinfo *a = addresses; a != NULL && session->fd < 0; a = a->ai_next) {
        session->fd = connect_to(a, session->call->timeout_ms);
    }
    if (session->fd < 0) {
        err_errno(e, "connecting to %s port %s", host, target->port);
    }
    freeaddrinfo(addresses);
    struct sockaddr_storage local;
    socklen_t len = sizeof local;
    if (session->fd >= 0 && getsockname(session->fd, (struct sockaddr *)&local, &len) == 0) {
        address_text(&local, session->result->local);
    }
    return session->fd < 0 ? -1 : 0;
}

static void describe_server(struct session *session)
{
    struct client_result *result = session->result;
    struct span leaf = tls_peer_certificate(session->tls);
    struct err unreadable = ERR_INIT;
    snprintf(result->tls, sizeof result->tls, "%s", tls_version(session->tls));
    snprintf(result->cipher, sizeof result->cipher, "%s", tls_cipher(session->tls));
    result->verdict = *tls_verdict(session->tls);
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

bool session_open(struct session *session, const struct client_call *call, struct client_result *result)
{
    *result = (struct client_result){.outcome = CLIENT_FAILED, .alert = TLS_ALERT_NONE};
    *session = (struct session){.call = call, .result = result, .fd = -1};
    if (session_connect(session, &result->failure) != 0) {
        return false;
    }
    session->tls =
        tls_connection_new(call->context, tls_io_of_socket(session->fd), call->target->host, &result->failure);
    if (session->tls == NULL) {
        return false;
    }
    if (call->observer != NULL) {
        call->observer->begins(call->observer->arg, session->fd, session->tls);
    }
    enum tls_status status = tls_handshake(session->tls);
    while (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        if (!session_wait(session, status, false, NULL)) {
            err_set(&result->failure, "the server said nothing for %ld ms during the handshake", call->timeout_ms);
            break;
        }
        status = tls_handshake(session->tls);
    }
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
    if (session->tls != NULL) {
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
