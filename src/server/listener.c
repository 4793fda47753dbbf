// SPDX-License-Identifier: Apache-2.0
// Listening sockets. Each worker has its own for each address and the kernel deals out the connections (SO_REUSEPORT);
// where the system cannot do that, the workers share the first one's and whoever is quickest accepts.
#include "base/log.h"
#include "server/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE_MS = 100, COMPLAINT_MS = 1000 };

static void on_connect(uv_poll_t *poll, int status, int events);

// Reads an IP address; 0: it is none, else the length of the socket address.
static socklen_t address_parse(const char *text, unsigned port, struct sockaddr_storage *address)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(address, &in, sizeof in);
        return sizeof in;
    }
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        memcpy(address, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

static void on_pause_over(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    for (size_t i = 0; i < worker->listener_count; i++) {
        uv_poll_start(&worker->listeners[i].poll, UV_READABLE, on_connect);
    }
}

// The system has no descriptor or no memory left. Asking again at once would only burn the processor.
static void pause_all(struct worker *worker, int why)
{
    uint64_t now = uv_now(&worker->loop);
    if (worker->complained == 0 || now - worker->complained > COMPLAINT_MS) {
        log_warning("cannot accept a connection: %s", strerror(why));
        worker->complained = now;
    }
    if (worker->obeyed != ORDER_SERVE) {
        return; // they are being closed
    }
    for (size_t i = 0; i < worker->listener_count; i++) {
        uv_poll_stop(&worker->listeners[i].poll);
    }
    uv_timer_start(&worker->pause, on_pause_over, PAUSE_MS, 0);
}

static void accept_all(struct listener *listener)
{
    enum { AT_ONCE = 64 }; // then those that are connected have their turn
    for (int i = 0; i < AT_ONCE; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            connection_accept(listener->worker, fd, &from);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_all(listener->worker, errno);
            return;
        } // else that one is gone; the next
    }
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    accept_all(poll->data);
}

// SO_REUSEPORT would let two servers of one user share a port without either knowing. So a port that is asked for is
// first tried without it.
static int port_is_free(const struct sockaddr_storage *address, socklen_t len)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address->ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    int rc = bind(fd, (const struct sockaddr *)address, len);
    int why = errno;
    close(fd);
    errno = why;
    return rc;
}

static bool share_port(int fd)
{
#ifdef SO_REUSEPORT
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
#else
    (void)fd;
    return false;
#endif
}

// A socket that listens; -1: errno says why not.
static int socket_open(const struct sockaddr_storage *address, socklen_t len, const struct listener *first)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // answers are whole when they are sent; connections
                                                              // inherit it
    if (address->ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); // the other family has a socket of its own
    }
    if (!share_port(fd) && first != NULL) {
        close(fd);
        return fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
    }
    if (bind(fd, (const struct sockaddr *)address, len) != 0 || listen(fd, SOMAXCONN) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int listener_open(struct worker *worker, const char *ip, unsigned port, struct err *e)
{
    struct worker *first = worker->server->workers;
    struct listener *listener = &worker->listeners[worker->listener_count];
    struct sockaddr_storage address;
    socklen_t len = address_parse(ip, port, &address);
    if (len == 0) {
        return err_usage(e, "\"%s\" is not an IP address", ip);
    }
    if (worker == first && port != 0 && port_is_free(&address, len) != 0) {
        return err_errno(e, "listening on %s port %u", ip, port);
    }
    int fd = socket_open(&address, len, worker == first ? NULL : &first->listeners[worker->listener_count]);
    if (fd < 0) {
        return err_errno(e, "listening on %s port %u", ip, port);
    }
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        err_errno(e, "listening on %s port %u", ip, port);
        close(fd);
        return -1;
    }
    *listener = (struct listener){.worker = worker, .fd = fd};
    address_text(&address, listener->address);
    uv_poll_init(&worker->loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_connect);
    worker->listener_count++;
    return 0;
}

unsigned listeners_port(const struct server *server)
{
    const struct worker *first = server->workers;
    const char *colon = first->listener_count > 0 ? strrchr(first->listeners[0].address, ':') : NULL;
    return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : server->generation->config->port;
}

int listeners_open(struct worker *worker, struct err *e)
{
    struct server *server = worker->server;
    const struct server_config *config = server->generation->config;
    uv_timer_init(&worker->loop, &worker->pause);
    worker->pause.data = worker;
    for (size_t i = 0; i < config->address_count; i++) {
        unsigned port = config->addresses[i].port;
        if (listener_open(worker, config->addresses[i].ip, port != 0 ? port : listeners_port(server), e) != 0) {
            return -1;
        }
    }
    if (config->address_count > 0) {
        return 0;
    }
    if (listener_open(worker, "127.0.0.1", listeners_port(server), e) != 0) {
        return -1;
    }
    struct err missing = ERR_INIT; // a machine without IPv6 is no reason not to start; a port that is taken is
    if (listener_open(worker, "::1", listeners_port(server), &missing) != 0) {
        if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
            return err_set(e, "%s", missing.text);
        }
        if (worker == server->workers) {
            log_warning("%s", missing.text);
        }
    }
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    close(listener->fd);
}

// Whoever the kernel has let in already is not left standing.
void listeners_close(struct worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        uv_poll_stop(&worker->listeners[i].poll);
        accept_all(&worker->listeners[i]);
        uv_close((uv_handle_t *)&worker->listeners[i].poll, on_listener_closed);
    }
    uv_close((uv_handle_t *)&worker->pause, NULL);
}
