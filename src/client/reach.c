// SPDX-License-Identifier: Apache-2.0
// The way to the server: its addresses, one after the other.
#include "client/internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// Connects to one address within the time. The socket, or -1.
static int connect_to(const struct addrinfo *address, int timeout_ms)
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

static void name_ends(const struct session *session)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(session->fd, (struct sockaddr *)&address, &len) == 0) {
        address_text(&address, session->result->local);
    }
    len = sizeof address;
    if (getpeername(session->fd, (struct sockaddr *)&address, &len) == 0) {
        address_text(&address, session->result->remote);
    }
}

static void note_trying(const struct session *session, const struct addrinfo *address)
{
    struct sockaddr_storage copy = {.ss_family = 0};
    char text[ADDRESS_TEXT];
    memcpy(&copy, address->ai_addr, address->ai_addrlen);
    address_text(&copy, text);
    client_note(session->call, "Trying %s ..", text);
}

int reach(struct session *session, struct err *e)
{
    const struct client_target *target = session->call->target;
    const char *host = session->call->address != NULL ? session->call->address : target->host;
    struct addrinfo hints = {.ai_family = session->call->family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int code = getaddrinfo(host, target->port, &hints, &addresses);
    if (code != 0) {
        return err_set(e, "looking up %s: %s", host, gai_strerror(code));
    }
    int failure = ETIMEDOUT;
    for (const struct addrinfo *a = addresses; a != NULL && session->fd < 0; a = a->ai_next) {
        note_trying(session, a);
        session->fd = connect_to(a, session_limit(session));
        failure = errno;
        if (session->fd < 0) {
            client_note(session->call, "%s", strerror(failure));
        }
    }
    freeaddrinfo(addresses);
    if (session->fd < 0) {
        errno = failure;
        return err_errno(e, "connecting to %s port %s", host, target->port);
    }
    name_ends(session);
    client_note(session->call, "Connected to %s (%s) from %s", target->host, session->result->remote,
                session->result->local);
    return 0;
}
