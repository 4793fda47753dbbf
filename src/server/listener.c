// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"
#include "base/log.h"
#include "server/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void on_connect(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    struct server *server = listener->server;
    (void)status;
    (void)events;
    while (!server->paused) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            connection_accept(server, fd, &from);
        } else if (errno == EINTR || errno == ECONNABORTED) {
            continue; // that one is gone; the next
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else {
            log_warning("cannot accept a connection: %s", strerror(errno));
            server->paused = server->connection_count > 0; // until one of them gives back what is missing
            break;
        }
        server->paused = server->paused || server->connection_count >= CONNECTIONS_MOST;
    }
    for (size_t i = 0; server->paused && i < server->listener_count; i++) {
        uv_poll_stop(&server->listeners[i].poll);
    }
}

void listeners_resume(struct server *server)
{
    if (!server->paused || server->stopping) {
        return;
    }
    server->paused = false;
    for (size_t i = 0; i < server->listener_count; i++) {
        uv_poll_start(&server->listeners[i].poll, UV_READABLE, on_connect);
    }
}

static int listener_open(struct server *server, const char *ip, unsigned port, struct err *e)
{
    struct listener *listener = &server->listeners[server->listener_count];
    struct sockaddr_storage address;
    socklen_t len = address_parse(ip, port, &address);
    int on = 1;
    if (len == 0) {
        return err_usage(e, "\"%s\" is not an IP address", ip);
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return err_errno(e, "listening on %s", ip);
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on); // the other family has a socket of its own
    }
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        err_errno(e, "listening on %s port %u", ip, port);
        close(fd);
        return -1;
    }
    *listener = (struct listener){.server = server, .fd = fd};
    address_text(&address, listener->address);
    uv_poll_init(&server->loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_connect);
    server->listener_count++;
    return 0;
}

unsigned listeners_port(const struct server *server)
{
    const char *colon = server->listener_count > 0 ? strrchr(server->listeners[0].address, ':') : NULL;
    return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : server->settings->config->port;
}

int listeners_open(struct server *server, struct err *e)
{
    const struct server_config *config = server->settings->config;
    for (size_t i = 0; i < config->address_count; i++) {
        unsigned port = config->addresses[i].port;
        if (listener_open(server, config->addresses[i].ip, port != 0 ? port : listeners_port(server), e) != 0) {
            return -1;
        }
    }
    if (config->address_count > 0) {
        return 0;
    }
    if (listener_open(server, "127.0.0.1", config->port, e) != 0) {
        return -1;
    }
    struct err missing = ERR_INIT; // a machine without IPv6 is no reason not to start; a port that is taken is
    if (listener_open(server, "::1", listeners_port(server), &missing) != 0) {
        if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
            return err_set(e, "%s", missing.text);
        }
        log_warning("%s", missing.text);
    }
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    close(listener->fd);
}

void listeners_close(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        uv_close((uv_handle_t *)&server->listeners[i].poll, on_listener_closed);
    }
}
