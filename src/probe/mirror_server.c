// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/text.h"
#include "probe/mirror_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TICK_MS = 5, BACKLOG = 16 }; // a client that has ended is noticed within a tick

int mirror_server_open(struct mirror_server *server, struct err *e)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, BACKLOG) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0) {
        err_set(e, "listening on loopback: %s", strerror(errno));
        mirror_server_close(server);
        return -1;
    }
    snprintf(server->port, sizeof server->port, "%u", (unsigned)ntohs(address.sin_port));
    return 0;
}

void mirror_server_close(struct mirror_server *server)
{
    if (server->listener >= 0) {
        close(server->listener);
    }
    server->listener = -1;
}

// Waits for the descriptor, but not longer than a tick; keeps the client's output flowing.
static void wait_a_tick(int fd, short events, struct mirror_process *client)
{
    struct pollfd pfd = {.fd = fd, .events = events};
    poll(&pfd, 1, TICK_MS);
    mirror_process_look(client);
}

struct visit { // one connection
    int fd;
    struct tls_io io; // of the socket
    struct tls_connection *tls;
    struct mirror_process *client;
    uint64_t deadline;
    struct mirror_seen *seen;
};

static long receive(void *arg, uint8_t *data, size_t len)
{
    struct visit *v = arg;
    return v->io.receive(v->io.arg, data, len);
}

// A client that refuses closes, while we may still be sending: what it has said before, the alert, is yet to be read.
static long send_on(void *arg, const uint8_t *data, size_t len)
{
    struct visit *v = arg;
    long n = v->io.send(v->io.arg, data, len);
    return n == TLS_IO_ERROR ? (long)len : n;
}

// True: go on with what the step was doing.
static bool wait_again(struct visit *v, enum tls_status status)
{
    if ((status != TLS_WANT_READ && status != TLS_WANT_WRITE) || clock_monotonic_us() >= v->deadline) {
        return false;
    }
    wait_a_tick(v->fd, status == TLS_WANT_READ ? POLLIN : POLLOUT, v->client);
    return true;
}

static void answer(struct visit *v)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n"
                               "Connection: close\r\n\r\nserved\n";
    enum tls_status status = TLS_DONE;
    for (size_t at = 0; status == TLS_DONE && at < sizeof text - 1;) {
        size_t put = 0;
        while (wait_again(v, status = tls_write(v->tls, text + at, sizeof text - 1 - at, &put))) {
        }
        at += put;
    }
    while (wait_again(v, tls_close(v->tls))) {
    }
}

// A client that goes away with unread bytes of ours, or of its own, would have the alert lost that it sent.
static void let_go(struct visit *v)
{
    char rest[512];
    shutdown(v->fd, SHUT_WR);
    for (;;) {
        ssize_t n = read(v->fd, rest, sizeof rest);
        bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
        if ((n <= 0 && !again) || clock_monotonic_us() >= v->deadline || v->client->ended) {
            return;
        }
        if (again) {
            wait_a_tick(v->fd, POLLIN, v->client);
        }
    }
}

static void note_ending(struct visit *v)
{
    struct mirror_seen *seen = v->seen;
    if (tls_alert_received(v->tls) >= 0) {
        seen->alert = tls_alert_received(v->tls);
    }
    if (tls_alert_sent(v->tls) >= 0) {
        seen->alert_sent = tls_alert_sent(v->tls);
    }
    snprintf(seen->failure, sizeof seen->failure, "%s", tls_failure(v->tls));
}

static void receive_visitor(struct visit *v)
{
    char request[2048];
    size_t got = 0;
    enum tls_status status;
    while (wait_again(v, status = tls_handshake(v->tls))) {
    }
    v->seen->completed = v->seen->completed || status == TLS_DONE;
    if (status == TLS_DONE) {
        while (wait_again(v, status = tls_read(v->tls, request, sizeof request, &got))) {
        }
        if (status == TLS_DONE && got > 0) {
            v->seen->requested = true;
            answer(v);
        }
    }
    note_ending(v);
}

static void serve(const struct mirror_server *server, struct tls_context *context, struct mirror_process *client,
                  uint64_t deadline, struct mirror_seen *seen)
{
    struct err e = ERR_INIT;
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct visit v = {.fd = fd, .io = tls_io_of_socket(fd), .client = client, .deadline = deadline, .seen = seen};
    const struct tls_io io = {.arg = &v, .receive = receive, .send = send_on};
    v.tls = tls_connection_new(context, io, NULL, &e);
    seen->connected = true;
    if (v.tls != NULL) {
        receive_visitor(&v);
        let_go(&v);
    } else {
        snprintf(seen->failure, sizeof seen->failure, "%.*s", (int)sizeof seen->failure - 1, e.text);
    }
    tls_connection_free(v.tls);
    close(fd);
}

void mirror_server_run(const struct mirror_server *server, struct tls_context *context, struct mirror_process *client,
                       uint64_t deadline, struct mirror_seen *seen)
{
    *seen = (struct mirror_seen){.alert = TLS_ALERT_NONE, .alert_sent = TLS_ALERT_NONE};
    while (!client->ended && clock_monotonic_us() < deadline) {
        wait_a_tick(server->listener, POLLIN, client);
        serve(server, context, client, deadline, seen);
    }
    serve(server, context, client, deadline, seen); // what it left behind when it ended
    mirror_process_look(client);
    seen->late = !client->ended;
}
